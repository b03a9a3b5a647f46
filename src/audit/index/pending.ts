// What the block builder found and a store has still to write down. Types, and an empty one. Nothing in it is whole
// before the group that it came from has its seal.
import type { GrantLine, PolicyLine, SegmentLine, SubjectLine } from '../journal-lines.ts';
import type { Position } from '../segment-tail.ts';
import type { Block, Tenant } from './block.ts';

/** A line that others refer to, and where it stands. */
export interface Placed<Line> extends Position {
  readonly line: Line;
}

/** A denial of an intent that was counted as let through, in a block already written down. */
export interface Turned extends Position {
  readonly t: number;
  readonly tenant: Tenant;
  readonly s: number;
  readonly g: number;
  readonly isWrite: boolean;
  readonly what: string;
}

/** What is to be written down; the receiver empties it. */
export interface Pending {
  readonly blocks: Block[];
  readonly tenants: Tenant[];
  readonly subjects: Placed<SubjectLine>[];
  readonly grants: Placed<GrantLine>[];
  readonly policies: Placed<PolicyLine>[];
  readonly segments: Placed<SegmentLine>[];
  /** Where processes began. */
  readonly opened: Position[];
  readonly turned: Turned[];
}

export function emptyPending(): Pending {
  return {
    blocks: [],
    tenants: [],
    subjects: [],
    grants: [],
    policies: [],
    segments: [],
    opened: [],
    turned: [],
  };
}
