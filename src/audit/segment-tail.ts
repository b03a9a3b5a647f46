// Reads whole lines of the segments, in order, from a position up to what the main thread says is durable.
// Synchronous: it runs in the sink worker, where nothing else waits. Assumes that closed segments are whole.
import { closeSync, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { segmentNumberOf, segmentPath } from './segment-directory.ts';

const CHUNK_BYTES = 1024 * 1024;
/** For those who read everything as it is written: small enough to stay in the processor's cache beside the gate. */
export const SMALL_CHUNK_BYTES = 256 * 1024;

export interface Position {
  readonly segment: number;
  /** Of the next line to read. */
  readonly offset: number;
}

/** Whole lines and where the first of them stands. `bytes` is only valid until the next read. */
export interface Chunk extends Position {
  readonly bytes: Buffer;
}

export class SegmentTail {
  segment: number;
  offset: number;
  /** Bytes without a newline that were passed over: torn ends of broken segments. */
  skippedBytes = 0;
  readonly #directory: string;
  readonly #buffer: Buffer;
  #fd = -1;
  #fdSegment = -1;

  /** `chunkBytes`: read at once; longer than any line. Default 1 MiB. */
  constructor(directory: string, from: Position, chunkBytes = CHUNK_BYTES) {
    this.#directory = directory;
    this.#buffer = Buffer.allocUnsafe(chunkBytes);
    this.segment = from.segment;
    this.offset = from.offset;
  }

  /** Null when everything up to `end` was read. Throws the errors of node:fs. */
  next(end: Position): Chunk | null {
    while (this.segment <= end.segment) {
      const fd = this.#opened();
      const limit = fd === -1 ? 0 : this.segment === end.segment ? end.offset : fstatSync(fd).size;
      if (this.offset < limit) {
        const chunk = this.#read(fd, limit);
        if (chunk !== null) return chunk;
      }
      if (this.segment >= end.segment) return null;
      this.segment = this.#segmentAfter(this.segment) ?? end.segment;
      this.offset = 0;
    }
    return null;
  }

  /** One line, found again by its position; null when it is not there any more. */
  lineAt(position: Position): string | null {
    try {
      const fd = openSync(segmentPath(this.#directory, position.segment), 'r');
      try {
        const read = readSync(fd, this.#buffer, 0, this.#buffer.length, position.offset);
        const newline = this.#buffer.subarray(0, read).indexOf(0x0a);
        return newline === -1 ? null : this.#buffer.toString('latin1', 0, newline);
      } finally {
        closeSync(fd);
      }
    } catch {
      return null;
    }
  }

  /** Bytes between here and `end`. */
  bytesTo(end: Position): number {
    let bytes = 0;
    for (const segment of this.#numbers()) {
      if (segment < this.segment || segment > end.segment) continue;
      const from = segment === this.segment ? this.offset : 0;
      const to = segment === end.segment ? end.offset : this.#sizeOf(segment);
      bytes += Math.max(0, to - from);
    }
    return bytes;
  }

  close(): void {
    if (this.#fd !== -1) closeSync(this.#fd);
    this.#fd = -1;
    this.#fdSegment = -1;
  }

  #read(fd: number, limit: number): Chunk | null {
    const wanted = Math.min(this.#buffer.length, limit - this.offset);
    const read = readSync(fd, this.#buffer, 0, wanted, this.offset);
    const whole = this.#buffer.subarray(0, read).lastIndexOf(0x0a) + 1;
    if (whole === 0) {
      this.skippedBytes += read;
      this.offset = read === 0 ? limit : this.offset + read;
      return null;
    }
    const chunk = { segment: this.segment, offset: this.offset, bytes: this.#buffer.subarray(0, whole) };
    this.offset += whole;
    return chunk;
  }

  #opened(): number {
    if (this.#fdSegment === this.segment) return this.#fd;
    this.close();
    try {
      this.#fd = openSync(segmentPath(this.#directory, this.segment), 'r');
    } catch (error) {
      // Removed, or never there: the reader goes on with the next one.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      return -1;
    }
    this.#fdSegment = this.segment;
    return this.#fd;
  }

  #segmentAfter(segment: number): number | null {
    return this.#numbers().find((number) => number > segment) ?? null;
  }

  #numbers(): number[] {
    const numbers: number[] = [];
    for (const name of readdirSync(this.#directory)) {
      const number = segmentNumberOf(name);
      if (number !== null) numbers.push(number);
    }
    return numbers.toSorted((a, b) => a - b);
  }

  #sizeOf(segment: number): number {
    const fd = openSync(segmentPath(this.#directory, segment), 'r');
    try {
      return fstatSync(fd).size;
    } finally {
      closeSync(fd);
    }
  }
}
