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
    i = this.#digits(bytes, i + 5);
    this.t = this.#number;
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
    while (bytes[i] === COMMA && bytes[i + 3] === QUOTE) i = this.#digits(bytes, i + 5);
    if (bytes[i] !== COMMA || bytes[i + 2] !== 0x69 || bytes[i + 3] !== 0x64) return 0;
    i += 7;
    this.idFrom = i;
    this.idMs = idMsAt(bytes, i);
    i += ID_LENGTH;
    if (bytes[i] !== QUOTE) return 0;
    this.to = i + 1;
    return i + 1;
  }

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
function idMsAt(bytes: Buffer, at: number): number {
  let high = 0;
  for (let i = at; i < at + 8; i++) high = (high << 4) | nibble(bytes[i] as number);
  let low = 0;
  for (let i = at + 9; i < at + 13; i++) low = (low << 4) | nibble(bytes[i] as number);
  return (high >>> 0) * 65_536 + low;
}

function nibble(byte: number): number {
  return byte < 0x3a ? byte & 0xf : (byte + 9) & 0xf;
}

const UUID = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The same of a text; null when it is no identifier. */
export function idMsOf(id: string): number | null {
  return UUID.test(id) ? Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16) : null;
}
