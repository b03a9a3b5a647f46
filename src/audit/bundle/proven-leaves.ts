// Holds the leaves of groups until the checkpoint that covers them comes by, and gives those that were wanted with their
// proofs. Memory: 32 bytes for each leaf of a checkpoint, and the bytes of the wanted ones. Not hot.
import { checkpointHolds, readCheckpoint } from '../chain/checkpoint.ts';
import { levelAbove } from '../chain/merkle.ts';
import type { CheckpointLine } from '../journal-lines.ts';
import type { LeafUse } from './bundle-format.ts';
import { JournalDamage } from './journal-groups.ts';

/** A leaf that goes into the bundle. */
export interface WantedLeaf {
  readonly use: LeafUse;
  /** Among those of its group. */
  readonly index: number;
  readonly bytes: Buffer;
  readonly lines: number;
  /** The tenant's own numbers that its lines carry, in their order; empty for context. */
  readonly numbers: readonly number[];
  /** Opens the one subject line it is. */
  readonly key: Buffer | null;
}

export interface HeldGroup {
  readonly number: number;
  /** Of every leaf, 32 bytes as latin1 text. */
  readonly hashes: readonly string[];
  readonly wanted: readonly WantedLeaf[];
}

export interface ProvenLeaf extends WantedLeaf {
  readonly group: number;
  /** Among those of the checkpoint. */
  readonly at: number;
  readonly proof: readonly string[];
}

export class HeldLeaves {
  readonly #chain: string;
  readonly #keys: readonly string[];
  #groups: HeldGroup[] = [];

  /** `keys`: those that may sign. */
  constructor(chain: string, keys: readonly string[]) {
    this.#chain = chain;
    this.#keys = keys;
  }

  add(group: HeldGroup): void {
    this.#groups.push(group);
  }

  /** Whether a checkpoint is waited for. */
  get hasWanted(): boolean {
    return this.#groups.some(({ wanted }) => wanted.length > 0);
  }

  /** Lines of records that no checkpoint covers yet. */
  get unsigned(): number {
    let lines = 0;
    for (const { wanted } of this.#groups) {
      for (const { numbers } of wanted) lines += numbers.length;
    }
    return lines;
  }

  /** The leaves that the checkpoint proves; empty when its groups hold none. Throws JournalDamage. */
  *provenBy(text: string): Generator<ProvenLeaf> {
    const line = readCheckpoint(text);
    if (line === null) throw new JournalDamage('a checkpoint is none');
    const covered = this.#covered(line);
    if (covered.every(({ wanted }) => wanted.length === 0)) return;
    if (line.chain !== this.#chain || !checkpointHolds(text, this.#keys)) {
      throw new JournalDamage(
        `the checkpoint of groups ${line.from} to ${line.to} is not signed by the journal's key`,
      );
    }
    const levels = levelsOf(covered.flatMap(({ hashes }) => hashes));
    const root = Buffer.from(levels.at(-1)?.[0] ?? '', 'latin1').toString('hex');
    const ends = covered.at(-1)?.number === line.to && covered[0]?.number === line.from;
    if (!ends || levels[0]?.length !== line.leaves || root !== line.root) {
      throw new JournalDamage(`groups ${line.from} to ${line.to} are not those that were signed`);
    }
    let base = 0;
    for (const { number, hashes, wanted } of covered) {
      for (const leaf of wanted) {
        yield { ...leaf, group: number, at: base + leaf.index, proof: proofOf(levels, base + leaf.index) };
      }
      base += hashes.length;
    }
  }

  /** Takes out the groups up to the checkpoint's last. Those before its first are covered by none. */
  #covered({ from, to }: CheckpointLine): HeldGroup[] {
    const covered = this.#groups.filter(({ number }) => number <= to);
    this.#groups = this.#groups.filter(({ number }) => number > to);
    const lost = covered.find(({ number, wanted }) => number < from && wanted.length > 0);
    if (lost !== undefined) throw new JournalDamage(`no checkpoint covers group ${lost.number}`);
    return covered.filter(({ number }) => number >= from);
  }
}

function levelsOf(leaves: readonly string[]): (readonly string[])[] {
  const levels = [leaves];
  for (let level = leaves; level.length > 1; ) {
    level = levelAbove(level);
    levels.push(level);
  }
  return levels;
}

/** As merkleProof of chain/merkle.ts, without making the tree again for each leaf. */
function proofOf(levels: readonly (readonly string[])[], index: number): string[] {
  const proof: string[] = [];
  let at = index;
  for (const level of levels) {
    const neighbour = level[at % 2 === 0 ? at + 1 : at - 1];
    if (neighbour !== undefined) proof.push(Buffer.from(neighbour, 'latin1').toString('hex'));
    at = Math.floor(at / 2);
  }
  return proof;
}
