// The first keys of a journal line, read from its bytes: the writer puts them in one order (journal-lines.ts), so the
// index needs no parsing. A line that is written otherwise is said to be so, and its reader parses it.
// Hot: two lines per request pass here, in the sink worker. `bench/audit-index.ts` measures it.

/** What a line's kind begins with: the byte after `{"k":"`. `s` stands for four kinds, `g` for two. */
export const KIND_AT = 6;
export const KIND = {
  i: 0x69,
  r: 0x72,
  d: 0x64,
  s: 0x73,
  g: 0x67,
  e: 0x65,
  p: 0x70,
  o: 0x6f,
  c: 0x63,
} as const;

/** Where `"tenant":` stands in a line of the kind. */
export const TENANT_AT = { intent: 14, refused: 15, done: 12, started: 15, event: 13 } as const;

export const ID_LENGTH = 36;
const TENANT_KEY_LENGTH = 9;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const ZERO = 0x30;
const NULL_START = 0x6e;
/** Of epoch milliseconds, from 2001 to 2286. */
const TIME_DIGITS = 13;

/** One per reader, filled by each line it reads; what a failed reading left in it means nothing. */
export class LineHead {
  /** The tenant's JSON text, quotes included, or `null`. */
  tenantFrom = 0;
  tenantTo = 0;
  s = 0;
  g = 0;
  isWrite = false;
  /** Of the 36 characters of the request's identifier. */
  idFrom = 0;
  /** Epoch milliseconds, as the identifier says them. */
  idMs = 0;
  /** Received at. */
  t = 0;
  /** After the last that was read. */
  to = 0;
  #number = 0;
  /** Of the bytes that were read last: four of them cost as much as one. */
  #view: DataView = new DataView(new ArrayBuffer(0));
  #viewed: Buffer | null = null;

  /** An intent's or a refusal's, whose `"tenant":` stands at `at`. False when it is written otherwise. */
  request(bytes: Buffer, at: number): boolean {
    let i = this.#tenant(bytes, at);
    if (i === 0 || bytes[i + 2] !== 0x73) return false;
    i = this.#digits(bytes, i + 5);
    this.s = this.#number;
    if (bytes[i + 2] !== 0x67) return false;
    i = this.#digits(bytes, i + 5);
    this.g = this.#number;
    if (bytes[i + 2] !== 0x65) return false;
    this.isWrite = bytes[i + 6] === 0x77;
    i = this.#id(bytes, i + 8);
    if (i === 0 || bytes[i + 2] !== 0x74 || bytes[i + 4] !== COLON) return false;
    i = this.#time(bytes, i + 5);
    this.to = i;
    return bytes[i] === COMMA;
  }

  /** The tenant alone. */
  tenant(bytes: Buffer, at: number): boolean {
    return this.#tenant(bytes, at) !== 0;
  }

  /** A completion's, or that of a stream's start. */
  end(bytes: Buffer, at: number): boolean {
    const i = this.#tenant(bytes, at);
    return i !== 0 && this.#id(bytes, i) !== 0;
  }

  /** Past the value; 0 when it is not there. */
  #tenant(bytes: Buffer, at: number): number {
    if (bytes[at + 1] !== 0x74 || bytes[at + 8] !== COLON) return 0;
    const from = at + TENANT_KEY_LENGTH;
    this.tenantFrom = from;
    let i = from;
    if (bytes[i] === NULL_START) {
      i += 4;
    } else {
      if (bytes[i] !== QUOTE) return 0;
      i += 1;
      for (let byte = bytes[i]; byte !== QUOTE; byte = bytes[i]) {
        if (byte === undefined) return 0;
        i += byte === BACKSLASH ? 2 : 1;
      }
      i += 1;
    }
    this.tenantTo = i;
    return bytes[i] === COMMA ? i : 0;
  }

  /** Past the closing quote; passes over numbers under keys of one letter. */
  #id(bytes: Buffer, from: number): number {
    let i = from;
    while (bytes[i] === COMMA && bytes[i + 3] === QUOTE) i = pastDigits(bytes, i + 5);
    if (bytes[i] !== COMMA || bytes[i + 2] !== 0x69 || bytes[i + 3] !== 0x64) return 0;
    i += 7;
    if (bytes[i + ID_LENGTH] !== QUOTE) return 0;
    this.idFrom = i;
    this.idMs = idMsAt(this.#viewOf(bytes), i);
    i += ID_LENGTH;
    this.to = i + 1;
    return i + 1;
  }

  /** Past the digits of a time. */
  #time(bytes: Buffer, from: number): number {
    const end = from + TIME_DIGITS;
    const first = (bytes[from] as number) - ZERO;
    if (bytes[end] === COMMA && first >= 0 && first <= 9) {
      const view = this.#viewOf(bytes);
      const high = view.getInt32(from + 1) ^ ZEROS;
      const middle = view.getInt32(from + 5) ^ ZEROS;
      const low = view.getInt32(from + 9) ^ ZEROS;
      if (areDigits(high) && areDigits(middle) && areDigits(low)) {
        this.t = (first * 10_000 + decimal(high)) * 100_000_000 + (decimal(middle) * 10_000 + decimal(low));
        return end;
      }
    }
    const to = pastDigits(bytes, from);
    let number = 0;
    for (let i = from; i < to; i++) number = number * 10 + (bytes[i] as number) - ZERO;
    this.t = number;
    return to;
  }

  #viewOf(bytes: Buffer): DataView {
    if (bytes !== this.#viewed) {
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
      this.#viewed = bytes;
    }
    return this.#view;
  }

  /** Of the small numbers alone: those that do not fit 31 bits would make all of them slow. */
  #digits(bytes: Buffer, from: number): number {
    let i = from;
    let number = 0;
    for (;;) {
      const digit = (bytes[i] as number) - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      number = number * 10 + digit;
      i += 1;
    }
    this.#number = number;
    return i;
  }
}

/** The time in a UUIDv7 (RFC 9562 section 5.7) that stands there: its first 48 bits, epoch milliseconds. */
function idMsAt(view: DataView, at: number): number {
  const high = hex(view.getInt32(at)) * 65_536 + hex(view.getInt32(at + 4));
  return high * 65_536 + hex(view.getInt32(at + 9));
}

/** Four hexadecimal digits: what they stand for is gathered from all of them at once. */
function hex(digits: number): number {
  // A letter has the bit that a digit has not, and stands for nine more than its low bits.
  const values = (digits & 0x0f0f0f0f) + ((digits >>> 6) & 0x01010101) * 9;
  const pairs = (values | (values >>> 4)) & 0x00ff00ff;
  return (pairs | (pairs >>> 8)) & 0xffff;
}

const ZEROS = 0x30303030;

/** Whether four bytes, less `ZEROS`, are 0 to 9. */
function areDigits(values: number): boolean {
  return ((values | (values + 0x06060606)) & 0xf0f0f0f0) === 0;
}

/** Four of them. */
function decimal(values: number): number {
  const pairs = ((values >>> 8) & 0x00ff00ff) * 10 + (values & 0x00ff00ff);
  return (pairs >>> 16) * 100 + (pairs & 0xffff);
}

function pastDigits(bytes: Buffer, from: number): number {
  let i = from;
  for (let digit = bytes[i] as number; digit >= ZERO && digit < ZERO + 10; digit = bytes[i] as number) i += 1;
  return i;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The same of a text; null when it is no identifier. */
export function idMsOf(id: string): number | null {
  return UUID.test(id) ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : null;
}
