// How the groups of the journal reach a second reader that stands where the first one does: read and walked over once for
// both. Each of them can read by itself, so whichever is behind, fails or is not there holds up nobody. Types, and the
// order of positions. Runs in the sink worker.
import type { Chunk, Position } from './segment-tail.ts';

/** Told of every line of a chunk by whoever walks over it, in order. Offsets are within the chunk, `end` behind the newline. */
export interface LineFollower {
  /** Before the first line. The chunk begins where a group begins. */
  begin(chunk: Chunk): void;
  /** `raw`: the tenant's JSON text as a reader of `"tenant":` found it; the line is not known to be whole. */
  line(start: number, end: number, raw: string): void;
  /** A line that was not read so. */
  other(start: number, end: number): void;
  /** A line that begins as a seal does. */
  seal(start: number, end: number): void;
}

/** Reads by itself, and takes what others read where it stands. */
export interface Follower {
  /** The group it takes next; null where nothing can be given to it. */
  place(): Position | null;
  readonly lines: LineFollower;
}

/** Reads for itself, and for a follower that stands where it does. */
export interface Leader {
  /** The group it reads next; null while it cannot read, and inside of a group. */
  place(): Position | null;
  /** Reads at once, for a moment; whether there is more. */
  readOn(): boolean;
}

export function isSamePlace(one: Position, other: Position): boolean {
  return one.segment === other.segment && one.offset === other.offset;
}

export function isBefore(one: Position, other: Position): boolean {
  return one.segment < other.segment || (one.segment === other.segment && one.offset < other.offset);
}
