// The journal as it stands at one moment, to be read at any place: its segments, and its end, which is the last seal.
// Segments that are removed meanwhile read as null. Errors are those of node:fs. Synchronous: not for the forwarding loop.
import { closeSync, openSync, readSync } from 'node:fs';
import { SEAL_START } from '../chain/seal.ts';
import { nodeJournalFiles } from '../journal-files.ts';
import { listSegments, type Segment, segmentPath } from '../segment-directory.ts';
import type { Position } from '../segment-tail.ts';

const MOST_OPEN = 16;
const TAIL_BYTES = 64 * 1024;
const LINE_BYTES = 4 * 1024;
const MOST_LINE_BYTES = 4 * 1024 * 1024;
const NEWLINE = 0x0a;
const SEAL_NEEDLE = Buffer.from(SEAL_START, 'latin1');

export class JournalView {
  readonly directory: string;
  /** Oldest first. */
  readonly segments: readonly Segment[];
  /** After the last seal; null where there is no group. */
  readonly end: Position | null;
  /** Of blocks, so far. */
  bytesRead = 0;
  readonly #files = new Map<number, number>();

  constructor(directory: string) {
    this.directory = directory;
    this.segments = segmentsOf(directory);
    this.end = this.#lastSeal();
  }

  /** Null when it is not there any more, or shorter. */
  read(segment: number, start: number, end: number): Buffer | null {
    const bytes = this.#read(segment, start, end - start);
    this.bytesRead += bytes?.length ?? 0;
    return bytes !== null && bytes.length === end - start ? bytes : null;
  }

  /** The line that begins there, parsed; null when there is none. */
  lineAt<Line>(segment: number, offset: number): Line | null {
    for (let length = LINE_BYTES; length <= MOST_LINE_BYTES; length *= 4) {
      const bytes = this.#read(segment, offset, length);
      if (bytes === null) return null;
      const newline = bytes.indexOf(NEWLINE);
      if (newline !== -1) return parsed<Line>(bytes.toString('latin1', 0, newline));
      if (bytes.length < length) return null;
    }
    return null;
  }

  /** Bytes from there to the end. */
  bytesAfter({ segment, offset }: Position): number {
    const { end } = this;
    if (end === null) return 0;
    let bytes = 0;
    for (const { number, bytes: size } of this.segments) {
      if (number < segment || number > end.segment) continue;
      bytes += (number === end.segment ? end.offset : size) - (number === segment ? offset : 0);
    }
    return Math.max(0, bytes);
  }

  close(): void {
    for (const fd of this.#files.values()) closeSync(fd);
    this.#files.clear();
  }

  #lastSeal(): Position | null {
    for (const { number, bytes } of this.segments.toReversed()) {
      const offset = this.#lastSealIn(number, bytes);
      if (offset > 0) return { segment: number, offset };
    }
    return null;
  }

  /** A group that is being written has no seal yet; 0 where no group was closed. */
  #lastSealIn(segment: number, size: number): number {
    for (let length = TAIL_BYTES; ; length *= 4) {
      const start = Math.max(0, size - length);
      const bytes = this.#read(segment, start, size - start);
      if (bytes === null) return 0;
      for (let at = bytes.lastIndexOf(SEAL_NEEDLE); at !== -1; ) {
        const newline = bytes.indexOf(NEWLINE, at);
        if (newline !== -1) return start + newline + 1;
        at = at === 0 ? -1 : bytes.lastIndexOf(SEAL_NEEDLE, at - 1);
      }
      if (start === 0) return 0;
    }
  }

  #read(segment: number, start: number, length: number): Buffer | null {
    const fd = this.#opened(segment);
    if (fd === null || length < 0) return null;
    const bytes = Buffer.allocUnsafe(length);
    return bytes.subarray(0, readSync(fd, bytes, 0, length, start));
  }

  #opened(segment: number): number | null {
    const known = this.#files.get(segment);
    if (known !== undefined) return known;
    try {
      const fd = openSync(segmentPath(this.directory, segment), 'r');
      if (this.#files.size >= MOST_OPEN) this.close();
      this.#files.set(segment, fd);
      return fd;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }
}

/** Once more when one was removed while they were listed. */
function segmentsOf(directory: string): Segment[] {
  try {
    return listSegments(nodeJournalFiles, directory);
  } catch {
    return listSegments(nodeJournalFiles, directory);
  }
}

function parsed<Line>(text: string): Line | null {
  try {
    return JSON.parse(text) as Line;
  } catch {
    return null;
  }
}
