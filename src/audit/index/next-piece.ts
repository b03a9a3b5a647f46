// What the indexer reads at once: whole groups, and never over the place where a follower stands that is ahead, so that the
// two meet there and go on together (line-follower.ts). Assumes that segments are closed when a later one is read.
// Synchronous; errors are those of node:fs. Warm: once per 256 KiB.
import { SEAL_START } from '../chain/seal.ts';
import { isBefore, isSamePlace } from '../line-follower.ts';
import type { Chunk, Position, SegmentTail } from '../segment-tail.ts';

const SEAL_NEEDLE = Buffer.from(`\n${SEAL_START}`, 'latin1');
const NEWLINE = 0x0a;

export interface Piece {
  /** Whole groups, unless one is larger than what is read at once. */
  readonly chunk: Chunk;
  /** Whether the follower stands where it begins. */
  readonly isTogether: boolean;
}

/** `place`: where the follower stands, null without one. Null when everything up to `end` was read. */
export function nextPiece(tail: SegmentTail, end: Position, place: Position | null): Piece | null {
  if (place !== null && isBefore(tail, place) && isBefore(place, end)) {
    const chunk = tail.next(place);
    if (chunk !== null) return { chunk: wholeGroups(chunk, tail), isTogether: false };
  }
  const isTogether = place !== null && isSamePlace(place, tail);
  const chunk = tail.next(end);
  return chunk === null ? null : { chunk: wholeGroups(chunk, tail), isTogether };
}

/** What is left out stands before `tail` again. */
function wholeGroups(chunk: Chunk, tail: SegmentTail): Chunk {
  const { bytes, segment, offset } = chunk;
  const whole = endOfLastSeal(bytes);
  if (whole === 0 || whole === bytes.length) return chunk;
  tail.segment = segment;
  tail.offset = offset + whole;
  return { segment, offset, bytes: bytes.subarray(0, whole) };
}

/** 0 when there is none in it. */
function endOfLastSeal(bytes: Buffer): number {
  const lastLine = bytes.lastIndexOf(NEWLINE, bytes.length - 2);
  if (bytes.toString('latin1', lastLine + 1, lastLine + 1 + SEAL_START.length) === SEAL_START)
    return bytes.length;
  const seal = bytes.lastIndexOf(SEAL_NEEDLE);
  return seal === -1 ? 0 : bytes.indexOf(NEWLINE, seal + 1) + 1;
}
