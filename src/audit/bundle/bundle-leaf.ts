// One leaf of a bundle: whether the checkpoint above it signed its lines, and whether they may be in it. Pure; not hot.
// Assumes nothing of the lines.
import { leafHash, leavesOf } from '../chain/leaves.ts';
import { rootFromProof } from '../chain/merkle.ts';
import type { CheckpointLine, JournalLine } from '../journal-lines.ts';
import type { LeafHead, LeafUse } from './bundle-format.ts';

/** One leaf, with the number its first line has in the file. */
export interface ReadLeaf {
  readonly use: LeafUse;
  readonly group: number;
  readonly lines: readonly JournalLine[];
  readonly at: number;
}

/** `lines` with their newlines. */
export function isProven(
  { group, index, proof }: LeafHead,
  lines: Buffer,
  { leaves, root }: CheckpointLine,
): boolean {
  const nodes = proof.map((node) => Buffer.from(node, 'hex'));
  const made = rootFromProof({ leaf: leafHash(group, lines), index, count: leaves, proof: nodes });
  return made.toString('hex') === root;
}

/** One leaf, of the tenant; or of none, for context. `tenant`: JSON text. */
export function isOfTenant({ group, use }: LeafHead, lines: Buffer, tenant: string): boolean {
  const leaves = leavesOf(group, lines);
  const owner = leaves[0]?.tenant ?? null;
  return leaves.length === 1 && (owner === tenant || (owner === null && use === 'context'));
}

/** Of the tenant's lines before the range only the grants count. */
export function contextLines({ lines }: ReadLeaf): readonly JournalLine[] {
  return lines.length === 1 && !('tenant' in (lines[0] as JournalLine))
    ? lines
    : lines.filter(({ k }) => k === 'grant');
}
