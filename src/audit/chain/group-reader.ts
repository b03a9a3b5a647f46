// Reads a journal group by group, over the ends of chunks and segments, from a position up to an end. Judges nothing:
// what is no whole seal line is taken for a line like any other; whoever reads looks at the numbers.
// Synchronous; warm: one native search per line, two short slices per group, no parsing.
import { type Position, SegmentTail, SMALL_CHUNK_BYTES } from '../segment-tail.ts';
import { HASH_BYTES, SEAL_START } from './seal.ts';

const SEAL = Buffer.from(SEAL_START, 'latin1');
const HASH_KEY = Buffer.from(',"h":"', 'latin1');
const SEAL_END = Buffer.from('"}\n', 'latin1');
const HEX_LENGTH = 2 * HASH_BYTES;
const MAX_DIGITS = 15;
export const SEGMENT_START = Buffer.from('{"k":"segment",', 'latin1');
export const CHECKPOINT_START = Buffer.from('{"k":"checkpoint",', 'latin1');
/** `{"k":"` stands before a line's kind. */
const KIND_AT = 6;
const NEWLINE = 0x0a;
const NOTHING = Buffer.alloc(0);

/** Valid until the next call of the reader. */
export interface Group {
  /** As its seal says. */
  readonly number: number;
  /** The segment it stands in. */
  readonly segment: number;
  /** Its lines with their newlines, without the seal; may be empty. */
  readonly lines: Buffer;
  /** The hash that its seal says, hex. */
  readonly head: string;
}

export class GroupReader {
  /** Of the group that was read last. */
  segment: number;
  /** Bytes at the ends of closed segments that no seal closes. */
  unsealedBytes = 0;
  readonly #tail: SegmentTail;
  /** What was read and not given out yet begins at `#at`; no seal stands before `#searched`. */
  #data: Buffer = NOTHING;
  #at = 0;
  #searched = 0;
  /** Whether `#data` is a copy: the next reading does not touch it. */
  #isKept = false;

  /** `from`: where a group begins. */
  constructor(directory: string, from: Position) {
    this.#tail = new SegmentTail(directory, from, SMALL_CHUNK_BYTES);
    this.segment = from.segment;
  }

  /** Null when no whole group is left before `end`. Throws the errors of node:fs, and can then be asked again. */
  next(end: Position): Group | null {
    for (;;) {
      const group = this.#taken();
      if (group !== null) return group;
      this.#setBack();
      const chunk = this.#tail.next(end);
      if (chunk === null) return null;
      const rest = this.#data;
      if (chunk.segment === this.segment && rest.length > 0) {
        this.#data = Buffer.concat([rest, chunk.bytes]);
      } else {
        this.unsealedBytes += rest.length;
        this.#data = chunk.bytes;
        this.#isKept = false;
        this.#searched = 0;
        this.segment = chunk.segment;
      }
    }
  }

  /**
   * No whole group is left of what was read. The beginning of one is read again with the rest of it, unless it fills
   * what is read at once: that would never end, and it is kept.
   */
  #setBack(): void {
    const rest = this.#data.length - this.#at;
    if (this.#at > 0) {
      this.#tail.offset -= rest;
      this.#data = NOTHING;
      this.#searched = 0;
    } else if (rest > 0 && !this.#isKept) {
      this.#data = Buffer.from(this.#data);
    }
    this.#isKept = this.#data.length > 0;
    this.#at = 0;
  }

  /** The group that is read next; null while a part of it is kept. */
  get place(): Position | null {
    if (this.#isKept) return null;
    const { segment, offset } = this.#tail;
    return { segment, offset: offset - this.#data.length + this.#at };
  }

  /** Goes on at `place`, where a group begins: what is before was read elsewhere. */
  goTo({ segment, offset }: Position): void {
    // No file is held open that may have been removed.
    if (segment !== this.#tail.segment) this.#tail.close();
    this.#tail.segment = segment;
    this.#tail.offset = offset;
    this.segment = segment;
    this.#data = NOTHING;
    this.#at = 0;
    this.#searched = 0;
  }

  close(): void {
    this.#tail.close();
  }

  /** A walk over the line ends costs half of a search for the seal itself. */
  #taken(): Group | null {
    const data = this.#data;
    for (let line = this.#searched; ; ) {
      const newline = data.indexOf(NEWLINE, line);
      if (newline === -1) {
        this.#searched = line;
        return null;
      }
      const next = newline + 1;
      // `seal` and `segment` are the only kinds that begin so; they differ in the third letter.
      const isLikely = data[line + KIND_AT] === 0x73 && data[line + KIND_AT + 2] === 0x61;
      const number = isLikely ? sealNumber(data, line, next) : 0;
      if (number > 0) {
        const lines = data.subarray(this.#at, line);
        this.#at = next;
        this.#searched = next;
        return {
          number,
          segment: this.segment,
          lines,
          head: sealHead(data, next),
        };
      }
      line = next;
    }
  }
}

/** The hash, hex, that a seal says which ends at `end`, newline included. */
export function sealHead(data: Buffer, end: number): string {
  const hash = end - SEAL_END.length - HEX_LENGTH;
  return data.toString('latin1', hash, hash + HEX_LENGTH);
}

/** Of the line from `start` to `end`, newline included; 0 when it is no seal. */
export function sealNumber(data: Buffer, start: number, end: number): number {
  if (!startsWith(data, SEAL, start)) return 0;
  let digit = start + SEAL.length;
  let number = 0;
  for (let byte = data[digit]; byte !== undefined && byte >= 0x30 && byte <= 0x39; byte = data[digit]) {
    number = number * 10 + byte - 0x30;
    digit += 1;
  }
  const isWhole =
    digit - start - SEAL.length <= MAX_DIGITS &&
    digit + HASH_KEY.length + HEX_LENGTH + SEAL_END.length === end &&
    startsWith(data, HASH_KEY, digit) &&
    startsWith(data, SEAL_END, end - SEAL_END.length);
  return isWhole ? number : 0;
}

/** Whether a group begins a segment. */
export function beginsSegment(lines: Buffer): boolean {
  return startsWith(lines, SEGMENT_START, 0);
}

/** Whether `lines` has `start` at `from`. */
export function startsWith(lines: Buffer, start: Buffer, from: number): boolean {
  const end = from + start.length;
  return end <= lines.length && lines.compare(start, 0, start.length, from, end) === 0;
}
