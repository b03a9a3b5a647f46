// The chunked coding, decoded strictly (RFC 9112 section 7.1): sizes of 1 to 13 hex digits, CRLF exact.
// Guarantees: extensions and trailers are skipped, hold no control byte and are bounded per body; payload is handed
// on as ranges of the caller's buffer, never copied. Hot per chunk, not per byte.
import { TEXT, TOKEN } from './response-head-parser.ts';

const LF = 0x0a;
const CR = 0x0d;
const COLON = 0x3a;
const SEMICOLON = 0x3b;
/** 13 digits stay below 2 ** 52: exact in a double. */
const MAX_SIZE_DIGITS = 13;
/** Per body: extensions and trailers carry nothing that is passed on. */
const MAX_SKIPPED_BYTES = 16 * 1024;
export const BAD_CHUNK = 'BAD_CHUNK';

const SIZE = 0;
const EXTENSION = 1;
const SIZE_LF = 2;
const DATA = 3;
const DATA_CR = 4;
const DATA_LF = 5;
const TRAILER_START = 6;
const TRAILER = 7;
const TRAILER_LF = 8;
const LAST_LF = 9;
const TRAILER_NAME = 10;

/** What `step` came to. */
export const STEP_MORE = 0;
/** `from` to `to` of the buffer is payload; call again at `to`. */
export const STEP_DATA = 1;
/** The body ended; what follows `to` does not belong to it. */
export const STEP_END = 2;
export const STEP_FAULT = 3;

const HEX = Int8Array.from({ length: 256 }, (_, byte) => {
  const digit = Number.parseInt(String.fromCharCode(byte), 16);
  return Number.isNaN(digit) ? -1 : digit;
});

export class ChunkedBody {
  from = 0;
  to = 0;
  #state = SIZE;
  #size = 0;
  #digits = 0;
  #skipped = 0;

  begin(): void {
    this.#state = SIZE;
    this.#size = 0;
    this.#digits = 0;
    this.#skipped = 0;
  }

  /** Goes on at `at` until there is payload, an end, a fault or no byte left. */
  step(bytes: Uint8Array, at: number, end: number): number {
    let i = at;
    while (i < end) {
      if (this.#state === DATA) {
        this.from = i;
        this.to = Math.min(end, i + this.#size);
        this.#size -= this.to - i;
        if (this.#size === 0) this.#state = DATA_CR;
        return STEP_DATA;
      }
      const last = this.#state === LAST_LF;
      if (!this.#byte(bytes[i++] as number)) return STEP_FAULT;
      if (last) {
        this.to = i;
        return STEP_END;
      }
    }
    this.to = end;
    return STEP_MORE;
  }

  /** False: this byte may not stand here. */
  #byte(byte: number): boolean {
    switch (this.#state) {
      case SIZE:
        return this.#sizeByte(byte);
      case EXTENSION:
        if (byte === CR) this.#state = SIZE_LF;
        else return this.#skip(byte);
        return true;
      case SIZE_LF:
        this.#state = this.#size === 0 ? TRAILER_START : DATA;
        return byte === LF;
      case DATA_CR:
        this.#state = DATA_LF;
        return byte === CR;
      case DATA_LF:
        this.#state = SIZE;
        this.#digits = 0;
        return byte === LF;
      default:
        return this.#trailerByte(byte);
    }
  }

  #sizeByte(byte: number): boolean {
    const digit = HEX[byte] as number;
    if (digit >= 0) {
      this.#size = this.#size * 16 + digit;
      return ++this.#digits <= MAX_SIZE_DIGITS;
    }
    if (this.#digits === 0) return false;
    if (byte === CR) this.#state = SIZE_LF;
    else if (byte === SEMICOLON) this.#state = EXTENSION;
    else return false;
    return true;
  }

  #trailerByte(byte: number): boolean {
    switch (this.#state) {
      case TRAILER_START:
        this.#state = byte === CR ? LAST_LF : TRAILER_NAME;
        return byte === CR || (TOKEN[byte] === 1 && this.#skip(byte));
      case TRAILER_NAME:
        if (byte === COLON) this.#state = TRAILER;
        return this.#skip(byte) && (byte === COLON || TOKEN[byte] === 1);
      case TRAILER:
        if (byte === CR) this.#state = TRAILER_LF;
        return byte === CR || this.#skip(byte);
      case TRAILER_LF:
        this.#state = TRAILER_START;
        return byte === LF;
      default:
        return byte === LF;
    }
  }

  /** A field line may hold obs-text; an extension, which is tokens and quoted strings, goes without it here. */
  #skip(byte: number): boolean {
    const allowed = this.#state === EXTENSION ? byte < 0x7f && TEXT[byte] === 1 : TEXT[byte] === 1;
    return allowed && ++this.#skipped <= MAX_SKIPPED_BYTES;
  }
}
