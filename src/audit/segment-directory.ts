// The directory of journal segments: `journal-000000000001.ndjson` and so on, numbered without reuse.
// Cuts torn tails at start, removes whole segments past their retention. Not hot.
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
 * Cuts a segment back to `wholeBytes` and returns the bytes that were cut. What is cut was never acknowledged, so
 * nothing that was forwarded is lost by it.
 */
export function cutTail(files: JournalFiles, segment: Segment, wholeBytes: number): number {
  if (segment.bytes <= wholeBytes) return 0;
  const fd = files.openForRepair(segment.path);
  try {
    files.truncate(fd, wholeBytes);
    files.syncNow(fd);
  } finally {
    files.close(fd);
  }
  return segment.bytes - wholeBytes;
}

/** What was removed for its age: everything that was written before `untilMs` is gone. */
export interface ExpiredSegments {
  readonly bytes: number;
  readonly belowSegment: number;
  /** Epoch milliseconds. */
  readonly untilMs: number;
}

/**
 * Removes closed segments last written before `before` that every sink has shipped (`shippedBelow`: numbers
 * smaller than it are done). Null when there was none.
 */
export function removeOldSegments(
  files: JournalFiles,
  segments: readonly Segment[],
  limit: { readonly before: number; readonly shippedBelow: number },
): ExpiredSegments | null {
  let bytes = 0;
  let last: Segment | null = null;
  for (const segment of segments) {
    if (segment.modifiedAtMs >= limit.before || segment.number >= limit.shippedBelow) break;
    files.remove(segment.path);
    bytes += segment.bytes;
    last = segment;
  }
  return last === null ? null : { bytes, belowSegment: last.number + 1, untilMs: last.modifiedAtMs };
}

/** What was removed: `belowSegment` is the oldest number that may still be there. */
export interface DroppedSegments {
  readonly segments: number;
  readonly bytes: number;
  /** Lines in them that gave, or would have given, a published record. */
  readonly records: number;
  readonly belowSegment: number;
}

/** Removes the oldest segments with numbers smaller than `below` until `wanted` bytes are free. */
export function removeOldest(
  files: JournalFiles,
  segments: readonly Segment[],
  { wanted, below }: { readonly wanted: number; readonly below: number },
): DroppedSegments {
  let bytes = 0;
  let removed = 0;
  let records = 0;
  let belowSegment = 0;
  for (const segment of segments) {
    if (bytes >= wanted || segment.number >= below) break;
    records += recordsIn(files, segment);
    files.remove(segment.path);
    bytes += segment.bytes;
    removed += 1;
    belowSegment = segment.number + 1;
  }
  return { segments: removed, bytes, records, belowSegment };
}

/** What the lines of a record that is complete begin with. */
const RECORD_STARTS = ['done', 'refused', 'event', 'summed', 'gap'].map((kind) => `{"k":"${kind}"`);
const CHUNK_BYTES = 1024 * 1024;

function recordsIn(files: JournalFiles, { path: file, bytes }: Segment): number {
  const fd = files.openForRepair(file);
  try {
    const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
    let records = 0;
    for (let position = 0; position < bytes; ) {
      const read = files.read(fd, chunk, position);
      if (read === 0) break;
      const text = chunk.toString('latin1', 0, read);
      for (const start of RECORD_STARTS) records += text.split(start).length - 1;
      position += read;
    }
    return records;
  } finally {
    files.close(fd);
  }
}
