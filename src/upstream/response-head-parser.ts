// The head of a response, byte by byte and strictly: status line, header lines, the empty line (RFC 9112 section 4, 5).
// Guarantees: names are tokens, values hold no control byte, every line ends with CRLF; 64 KiB and 256 fields at most;
// linear however the bytes are split. Hot: no string per byte, one slice for all lines that one buffer holds.

/** A short code for the record, or null. */
export type ParseFault = string | null;

const MAX_HEAD_BYTES = 64 * 1024;
const MAX_FIELDS = 256;
const HEAD_TOO_LARGE = 'HEAD_TOO_LARGE';
const BAD_STATUS_LINE = 'BAD_STATUS_LINE';
const BAD_HEADER = 'BAD_HEADER';

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const ZERO = 0x30;
const COLON = 0x3a;

/** What `feed` returns instead of an offset. */
export const MORE = -1;
export const FAULTY = -2;

/** 1 for each byte that may stand in a name (RFC 9110 section 5.6.2). */
export const TOKEN = tableOf((byte) => /[!#$%&'*+\-.^_`|~0-9A-Za-z]/.test(String.fromCharCode(byte)));
/** RFC 9110 section 5.5: visible characters, obs-text, space and tab. */
export const TEXT = tableOf((byte) => byte === TAB || (byte >= SPACE && byte !== 0x7f));
/** `HTTP/1.1 200`, CR and LF. */
const SHORTEST_STATUS_LINE = 14;
const PREFIX = Buffer.from('HTTP/1.', 'latin1');

/** Where each name and value of the buffer under way begin and end. Parsing never yields, so one table serves all. */
const marks = new Int32Array(MAX_FIELDS * 4);
const NO_BYTES = Buffer.alloc(0);
const NO_FIELDS: readonly string[] = [];

function tableOf(holds: (byte: number) => boolean): Uint8Array {
  return Uint8Array.from({ length: 256 }, (_, byte) => (holds(byte) ? 1 : 0));
}

export class HeadParser {
  status = 0;
  /** 0 or 1, of HTTP/1. */
  minor = 1;
  /** Name, value, name, value … as spelled, without the white space around values. */
  fields: string[] = [];
  fault: ParseFault = null;
  /** The bytes that the returned offset points into, and their end: not always those of the last call. */
  bytes: Buffer = NO_BYTES;
  end = 0;
  #begun = false;
  #marked = 0;
  /** Bytes of complete lines. */
  #taken = 0;
  /** The begin of a line whose end has not come. */
  #rest: Buffer = NO_BYTES;
  #restLength = 0;

  begin(): void {
    this.status = 0;
    this.fields = [];
    this.#begun = false;
    this.#marked = 0;
    this.#taken = 0;
    this.#restLength = 0;
  }

  /** Holds nothing of the last response any more. */
  clear(): void {
    this.fields = NO_FIELDS as string[];
    this.bytes = NO_BYTES;
    this.#rest = NO_BYTES;
  }

  /** The offset (in `bytes`) behind the head, or MORE, or FAULTY with `fault` set. */
  feed(bytes: Buffer, at: number, end: number): number {
    if (this.#restLength === 0) return this.#parse(bytes, at, end);
    const lineEnd = bytes.indexOf(LF, at);
    if (lineEnd === -1 || lineEnd >= end) return this.#keep(bytes, at, end);
    const length = this.#restLength + end - at;
    const joined = Buffer.allocUnsafe(length);
    this.#rest.copy(joined, 0, 0, this.#restLength);
    bytes.copy(joined, this.#restLength, at, end);
    this.#restLength = 0;
    return this.#parse(joined, 0, length);
  }

  #parse(bytes: Buffer, at: number, end: number): number {
    this.bytes = bytes;
    this.end = end;
    let line = at;
    if (!this.#begun) {
      line = this.#statusLine(bytes, at, end);
      if (line === MORE) return this.#keep(bytes, at, end);
      if (line === FAULTY || !this.#take(line - at)) return FAULTY;
      this.#begun = true;
    }
    const from = line;
    for (;;) {
      const next = this.#fieldLine(bytes, line, end);
      if (next === FAULTY) return FAULTY;
      if (next === MORE) {
        this.#collect(bytes, from, line);
        return this.#keep(bytes, line, end);
      }
      if (!this.#take(next - line)) return FAULTY;
      // Only the empty line is two bytes long.
      if (next === line + 2) {
        this.#collect(bytes, from, line);
        return next;
      }
      line = next;
    }
  }

  #statusLine(bytes: Buffer, at: number, end: number): number {
    for (let i = 0; i < PREFIX.length; i++) {
      if (at + i === end) return MORE;
      if (bytes[at + i] !== PREFIX[i]) return this.#fail(BAD_STATUS_LINE);
    }
    if (end - at < SHORTEST_STATUS_LINE) {
      // A line that ended so early is none; else the rest of it is still to come.
      const lineEnd = bytes.indexOf(LF, at);
      return lineEnd === -1 || lineEnd >= end ? MORE : this.#fail(BAD_STATUS_LINE);
    }
    const minor = (bytes[at + 7] as number) - ZERO;
    const hundreds = (bytes[at + 9] as number) - ZERO;
    const tens = (bytes[at + 10] as number) - ZERO;
    const ones = (bytes[at + 11] as number) - ZERO;
    if ((minor !== 0 && minor !== 1) || bytes[at + 8] !== SPACE) return this.#fail(BAD_STATUS_LINE);
    if (!isDigit(hundreds) || !isDigit(tens) || !isDigit(ones) || hundreds === 0)
      return this.#fail(BAD_STATUS_LINE);
    this.minor = minor;
    this.status = hundreds * 100 + tens * 10 + ones;
    let i = at + 12;
    if (bytes[i] === SPACE) while (i < end && TEXT[bytes[i] as number] === 1) i++;
    return this.#lineEnd(bytes, i, end, BAD_STATUS_LINE);
  }

  #lineEnd(bytes: Buffer, at: number, end: number, code: string): number {
    if (at === end) return MORE;
    if (bytes[at] !== CR) return this.#fail(code);
    if (at + 1 === end) return MORE;
    return bytes[at + 1] === LF ? at + 2 : this.#fail(code);
  }

  /** The offset behind the line; marks where its name and value stand. */
  #fieldLine(bytes: Buffer, at: number, end: number): number {
    let i = at;
    while (i < end && TOKEN[bytes[i] as number] === 1) i++;
    if (i === end) return MORE;
    if (bytes[i] !== COLON)
      return i === at ? this.#lineEnd(bytes, i, end, BAD_HEADER) : this.#fail(BAD_HEADER);
    if (i === at) return this.#fail(BAD_HEADER);
    const nameEnd = i++;
    while (i < end && (bytes[i] === SPACE || bytes[i] === TAB)) i++;
    const valueStart = i;
    while (i < end && TEXT[bytes[i] as number] === 1) i++;
    const next = this.#lineEnd(bytes, i, end, BAD_HEADER);
    if (next < 0) return next;
    while (i > valueStart && (bytes[i - 1] === SPACE || bytes[i - 1] === TAB)) i--;
    if (this.fields.length / 2 + this.#marked === MAX_FIELDS) return this.#fail(HEAD_TOO_LARGE);
    const mark = this.#marked++ * 4;
    marks[mark] = at;
    marks[mark + 1] = nameEnd;
    marks[mark + 2] = valueStart;
    marks[mark + 3] = i;
    return next;
  }

  /** One slice, of which the engine makes all names and values. */
  #collect(bytes: Buffer, from: number, to: number): void {
    if (this.#marked === 0) return;
    const text = bytes.toString('latin1', from, to);
    const { fields } = this;
    const count = this.#marked * 4;
    for (let mark = 0; mark < count; mark += 4) {
      fields.push(
        text.substring((marks[mark] as number) - from, (marks[mark + 1] as number) - from),
        text.substring((marks[mark + 2] as number) - from, (marks[mark + 3] as number) - from),
      );
    }
    this.#marked = 0;
  }

  #take(length: number): boolean {
    this.#taken += length;
    if (this.#taken <= MAX_HEAD_BYTES) return true;
    this.#fail(HEAD_TOO_LARGE);
    return false;
  }

  #keep(bytes: Buffer, at: number, end: number): number {
    const length = this.#restLength + end - at;
    if (this.#taken + length > MAX_HEAD_BYTES) return this.#fail(HEAD_TOO_LARGE);
    if (length > this.#rest.length) {
      const grown = Buffer.allocUnsafe(Math.max(256, length * 2));
      this.#rest.copy(grown, 0, 0, this.#restLength);
      this.#rest = grown;
    }
    bytes.copy(this.#rest, this.#restLength, at, end);
    this.#restLength = length;
    return MORE;
  }

  #fail(code: string): typeof FAULTY {
    this.fault = code;
    return FAULTY;
  }
}

function isDigit(value: number): boolean {
  return value >= 0 && value <= 9;
}
