// The directory of journal segments: `journal-000000000001.ndjson` and so on, numbered without reuse.
// Repairs torn tails at start, sums sizes, removes whole segments past their retention. Not hot.
import path from 'node:path';
import type { JournalFiles } from './journal-files.ts';

export interface Segment {
  readonly number: number;
  readonly path: string;
  readonly bytes: number;
  readonly modifiedAtMs: number;
}

const NAME = /^journal-(\d{12})\.ndjson$/;

export function segmentPath(directory: string, number: number): string {
  return path.join(directory, `journal-${String(number).padStart(12, '0')}.ndjson`);
}

/** The number in a segment's name; null for any other file. */
export function segmentNumberOf(name: string): number | null {
  const digits = NAME.exec(name)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** Oldest first. */
export function listSegments(files: JournalFiles, directory: string): Segment[] {
  const segments: Segment[] = [];
  for (const name of files.names(directory)) {
    const number = segmentNumberOf(name);
    if (number === null) continue;
    const file = path.join(directory, name);
    segments.push({ number, path: file, ...files.stat(file) });
  }
  return segments.toSorted((a, b) => a.number - b.number);
}

/**
 * Cuts every segment back to its last complete line and returns the bytes that were cut. A line without its
 * newline was never acknowledged, so nothing that was forwarded is lost by it.
 */
export function repairTails(files: JournalFiles, segments: readonly Segment[]): number {
  let tornBytes = 0;
  for (const segment of segments) {
    if (segment.bytes === 0) continue;
    const fd = files.openForRepair(segment.path);
    try {
      const good = endOfLastLine(files, fd, segment.bytes);
      if (good === segment.bytes) continue;
      files.truncate(fd, good);
      files.syncNow(fd);
      tornBytes += segment.bytes - good;
    } finally {
      files.close(fd);
    }
  }
  return tornBytes;
}

function endOfLastLine(files: JournalFiles, fd: number, bytes: number): number {
  const chunk = Buffer.allocUnsafe(64 * 1024);
  let end = bytes;
  // The last byte alone answers for almost every segment.
  let start = bytes - 1;
  for (;;) {
    const read = files.read(fd, chunk.subarray(0, end - start), start);
    const newline = chunk.subarray(0, read).lastIndexOf(0x0a);
    if (newline !== -1) return start + newline + 1;
    if (start === 0) return 0;
    end = start;
    start = Math.max(0, start - chunk.length);
  }
}

/**
 * Removes closed segments last written before `before` that every sink has shipped (`shippedBelow`: numbers
 * smaller than it are done). Returns the bytes set free.
 */
export function removeOldSegments(
  files: JournalFiles,
  segments: readonly Segment[],
  limit: { readonly before: number; readonly shippedBelow: number },
): number {
  let freed = 0;
  for (const segment of segments) {
    if (segment.modifiedAtMs >= limit.before || segment.number >= limit.shippedBelow) break;
    files.remove(segment.path);
    freed += segment.bytes;
  }
  return freed;
}
