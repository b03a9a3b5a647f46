// Finds the intent of a request again, for the few completions that say it was denied after all. Reads the journal where it
// most likely stands and nowhere else. What cannot be read is not found. Warm: searches some hundred kilobytes at most once
// per such completion, at the speed of memory.
import { closeSync, openSync, readSync } from 'node:fs';
import { segmentPath } from '../segment-directory.ts';
import type { Position } from '../segment-tail.ts';
import type { Block } from './block.ts';
import { KIND, KIND_AT } from './line-head.ts';
import type { Placed } from './pending.ts';

const NEWLINE = 0x0a;
/** Before the completion. */
const NEAR_BYTES = 4 * 1024 * 1024;

/** An intent that stands before `before`, most likely in one of `blocks`, which were not written down yet. */
export interface SoughtIntent {
  readonly id: string;
  readonly idMs: number;
  readonly before: Position;
  readonly blocks: readonly Block[];
}

/** The intent of that request in the bytes before `from`, as a line, and where it stands. */
export function intentBefore(
  bytes: Buffer,
  id: string,
  from: number,
): { readonly at: number; readonly line: Buffer } | null {
  const needle = Buffer.from(`,"id":"${id}"`, 'latin1');
  for (let hit = bytes.lastIndexOf(needle, from); hit !== -1; ) {
    const at = bytes.lastIndexOf(NEWLINE, hit) + 1;
    if (bytes[at + KIND_AT] === KIND.i) return { at, line: bytes.subarray(at, bytes.indexOf(NEWLINE, hit)) };
    if (at === 0) return null;
    hit = bytes.lastIndexOf(needle, at - 1);
  }
  return null;
}

interface Span {
  readonly segment: number;
  readonly start: number;
  readonly end: number;
}

/** An intent far from its completion: first what was read last of this segment, then the blocks of its time. */
export function findIntent(
  directory: string,
  { id, before, blocks }: SoughtIntent,
  written: readonly Span[],
): Placed<Buffer> | null {
  const { segment, offset } = before;
  const near = { segment, start: Math.max(0, offset - NEAR_BYTES), end: offset };
  for (const span of [near, ...blocks, ...written]) {
    const bytes = bytesOf(directory, span);
    const found = bytes === null ? null : intentBefore(bytes, id, bytes.length);
    if (found !== null) return { segment: span.segment, offset: span.start + found.at, line: found.line };
  }
  return null;
}

function bytesOf(directory: string, { segment, start, end }: Span): Buffer | null {
  const bytes = Buffer.allocUnsafe(end - start);
  try {
    const fd = openSync(segmentPath(directory, segment), 'r');
    try {
      return bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, start));
    } finally {
      closeSync(fd);
    }
  } catch {
    return null;
  }
}
