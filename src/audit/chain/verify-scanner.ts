// Reads a segment in large chunks and finds its groups by their seals. A group's bytes always stand in one piece with
// room for 32 bytes in front, so that its hash is one native call without a copy. Judges nothing.
// Hot for `audit verify`: a few native calls per group (bench/verify.ts).
import { groupHash, HASH_BYTES, SEAL_START } from './seal.ts';
import type { JournalSource } from './verify-report.ts';

const CHUNK_BYTES = 1024 * 1024;
/** No group is as large; a segment that lost its seals must not fill the memory. */
const MAX_GROUP_BYTES = 64 * 1024 * 1024;
const NEWLINE = 0x0a;
const SEAL_BYTES = Buffer.from(SEAL_START, 'latin1');
/** Where the kind stands, and how the seal's begins. */
const KIND_AT = 6;
const LETTER_S = 0x73;
/** Of a group that is too large: its end, where a line may have begun. */
const KEPT_BYTES = 256;
const SEAL_FORM = /^\{"k":"seal","n":([1-9][0-9]{0,15}),"h":"([0-9a-f]{64})"\}\n$/;

export interface Seal {
  readonly n: number;
  readonly h: string;
}

/** Positions are in `bytes`; valid until the next call. */
export class GroupScanner {
  bytes = Buffer.allocUnsafeSlow(HASH_BYTES + CHUNK_BYTES);
  /** Of the group: its first byte, and its seal's first and last plus one. */
  start = HASH_BYTES;
  sealStart = HASH_BYTES;
  sealEnd = HASH_BYTES;
  /** Whether the group is the first of its segment. */
  isFirst = true;
  /** Bytes had to be dropped: whatever group this was, it is not whole. */
  wasCut = false;
  readonly #source: JournalSource;
  readonly #onRead: (bytes: number) => void;
  #segment = 0;
  #size = 0;
  /** In the file: where `bytes` goes on. */
  #position = 0;
  /** Bytes that hold something. */
  #filled = HASH_BYTES;
  #view = this.bytes.subarray(0, HASH_BYTES);

  constructor(source: JournalSource, onRead: (bytes: number) => void) {
    this.#source = source;
    this.#onRead = onRead;
  }

  open(segment: number, size: number): void {
    this.#segment = segment;
    this.#size = size;
    this.#position = 0;
    this.#setFilled(HASH_BYTES);
    this.start = HASH_BYTES;
    this.sealStart = HASH_BYTES;
    this.sealEnd = HASH_BYTES;
    this.isFirst = true;
    this.wasCut = false;
  }

  /** Where the group stands in the segment. */
  get offset(): number {
    return this.#position - (this.#filled - this.start);
  }

  /** False at the end of the segment; what is left over is then from `start` on. */
  next(): boolean {
    this.isFirst = this.start === this.sealEnd && this.offset === 0;
    this.start = this.sealEnd;
    this.wasCut = false;
    return this.#find(this.start);
  }

  /** The line taken for a seal was none: the group goes on to the next. */
  extend(): boolean {
    return this.#find(this.sealEnd);
  }

  /** `begin`: where a line begins. Going from line to line is faster than a search for the seal's bytes. */
  #find(begin: number): boolean {
    for (let line = begin; ; ) {
      const view = this.#view;
      for (let newline = view.indexOf(NEWLINE, line); newline !== -1; newline = view.indexOf(NEWLINE, line)) {
        if (isSealStart(view, line)) {
          this.sealStart = line;
          this.sealEnd = newline + 1;
          return true;
        }
        line = newline + 1;
      }
      const begun = this.#filled - line;
      if (!this.#fill()) return false;
      line = Math.max(this.start, this.#filledBefore - begun);
    }
  }

  /** What was filled before the last read. */
  #filledBefore = HASH_BYTES;

  /** Reads on behind the group that has begun; false at the end of the segment. */
  #fill(): boolean {
    if (this.#position >= this.#size) return false;
    const begun = this.#filled - this.start;
    if (begun >= MAX_GROUP_BYTES) this.#cut();
    else if (this.start > HASH_BYTES) this.#slide(this.start);
    if (this.#filled === this.bytes.length) this.#grow();
    const room = Math.min(this.bytes.length - this.#filled, this.#size - this.#position);
    const into = this.bytes.subarray(this.#filled, this.#filled + room);
    const read = this.#source.read(this.#segment, into, this.#position);
    if (read === 0) return false;
    this.#filledBefore = this.#filled;
    this.#position += read;
    this.#setFilled(this.#filled + read);
    this.#onRead(read);
    return true;
  }

  /** Forgets all but the end of the group, where a seal may have begun. */
  #cut(): void {
    this.wasCut = true;
    this.#slide(this.#filled - KEPT_BYTES);
  }

  #slide(from: number): void {
    this.bytes.copyWithin(HASH_BYTES, from, this.#filled);
    this.#setFilled(this.#filled - (from - HASH_BYTES));
    this.start = HASH_BYTES;
  }

  #grow(): void {
    const larger = Buffer.allocUnsafeSlow(HASH_BYTES + 2 * (this.bytes.length - HASH_BYTES));
    this.bytes.copy(larger, 0, 0, this.#filled);
    this.bytes = larger;
  }

  #setFilled(filled: number): void {
    this.#filled = filled;
    this.#view = this.bytes.subarray(0, filled);
  }

  /** What the group's seal says if it follows on `previous` (hex); hex. */
  hashAfter(previous: string): string {
    // The bytes in front of the group are those of a seal that has been read, or room kept for this.
    this.bytes.write(previous, this.start - HASH_BYTES, HASH_BYTES, 'hex');
    return groupHash(this.bytes.subarray(this.start - HASH_BYTES, this.sealStart));
  }

  sealText(): string {
    return this.bytes.toString('latin1', this.sealStart, this.sealEnd);
  }

  /** Null when the line only begins like a seal. */
  seal(): Seal | null {
    const match = SEAL_FORM.exec(this.sealText());
    return match === null ? null : { n: Number(match[1]), h: match[2] as string };
  }

  /** The group's lines, the seal left out. */
  lines(): Buffer {
    return this.bytes.subarray(this.start, this.sealStart);
  }

  /** What no seal closed. Valid when `next` or `extend` answered false. */
  rest(): Buffer {
    return this.bytes.subarray(this.start, this.#filled);
  }
}

function isSealStart(bytes: Buffer, line: number): boolean {
  if (bytes[line + KIND_AT] !== LETTER_S) return false;
  return SEAL_BYTES.compare(bytes, line, Math.min(bytes.length, line + SEAL_BYTES.length)) === 0;
}
