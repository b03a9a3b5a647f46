// The checkpoints in the journal, against its groups: signature, what they cover, the head and the Merkle root made
// again from the lines. Assumes groups that follow on each other; where they do not, it is told so (`lose`).
// Warm for `audit verify`: per leaf one 32-byte text is kept until its checkpoint comes.
import { checkpointHolds, readCheckpoint } from './checkpoint.ts';
import { MerkleTree } from './merkle.ts';
import { type Findings, groupsText } from './verify-report.ts';
import type { Place } from './verify-tenants.ts';

/** Leaves kept for a checkpoint to come: a journal that was never signed must not fill the memory. */
const MAX_PENDING = 4_000_000;

export class CheckpointLedger {
  count = 0;
  rootsNotComputed = 0;
  last: { readonly to: number; readonly t: number } | null = null;
  readonly signed = new Set<string>();
  readonly #findings: Findings;
  readonly #given: readonly string[] | null;
  /** Keys that segment lines named so far. */
  readonly #named = new Set<string>();
  /** The group that the next checkpoint begins with; 0 when that is not known. */
  #nextFrom: number;
  /** Groups since the last checkpoint: the first one's number, and of each its head and the leaves up to its end. */
  #first = 0;
  #heads: string[] = [];
  #ends: number[] = [];
  #leaves: string[] = [];

  constructor(findings: Findings, given: readonly string[] | null, startsChain: boolean) {
    this.#findings = findings;
    this.#given = given;
    this.#nextFrom = startsChain ? 1 : 0;
  }

  /** The key of a segment line; empty where nothing is signed. */
  nameKey(key: string): void {
    if (key !== '') this.#named.add(key);
  }

  /** Groups are damaged or missing here: the next checkpoint may cover what is not there. */
  lose(): void {
    this.#nextFrom = 0;
    this.#forget();
  }

  addLeaf(leaf: string): void {
    this.#leaves.push(leaf);
  }

  /** After its leaves were added. */
  endGroup(group: number, head: string): void {
    if (this.#heads.length === 0) this.#first = group;
    this.#heads.push(head);
    this.#ends.push(this.#leaves.length);
    if (this.#leaves.length > MAX_PENDING) this.#forget();
  }

  /**
   * A checkpoint line in a group that is whole; `text` with its newline, `chain` empty where damage hides it. Returns its
   * signature, '' for a broken line.
   */
  take(text: string, chain: string, place: Place): string {
    this.count += 1;
    const line = readCheckpoint(text);
    const say = (what: string, group = place.group) => this.#findings.add({ ...place, group, what });
    if (line === null) {
      say('a checkpoint is not of the form that is signed');
      return '';
    }
    const { from, to } = line;
    if (!checkpointHolds(text, this.#given ?? (this.#named.size === 0 ? null : [...this.#named]))) {
      const isOther = checkpointHolds(text, null);
      say(
        isOther
          ? 'a checkpoint is signed by a key that is not trusted'
          : "a checkpoint's signature does not hold",
      );
      return line.sig;
    }
    if (chain !== '' && line.chain !== chain) say('a checkpoint of another chain');
    else if (this.#nextFrom !== 0 && from !== this.#nextFrom) {
      say(`a checkpoint covers ${groupsText(from, to)} where one from group ${this.#nextFrom} on belongs`);
    } else if (to >= place.group)
      say(`a checkpoint covers ${groupsText(from, to)}, not all written before it`);
    else {
      const wrong = this.#compare(line);
      if (wrong !== null) say(wrong, from);
    }
    this.signed.add(line.key);
    this.last = { to, t: line.t };
    this.#nextFrom = to + 1;
    this.#dropThrough(to);
    return line.sig;
  }

  /** What is wrong with what it says of its groups. */
  #compare(line: {
    readonly from: number;
    readonly to: number;
    readonly head: string;
    readonly leaves: number;
    readonly root: string;
  }): string | null {
    const { from, to } = line;
    const head = this.#heads[to - this.#first];
    if (head !== undefined && head !== line.head)
      return `${groupsText(from, to)} ${from === to ? 'is' : 'are'} not what was signed`;
    if (head === undefined || from < this.#first) {
      this.rootsNotComputed += 1;
      return null;
    }
    const tree = new MerkleTree();
    const begin = from === this.#first ? 0 : (this.#ends[from - this.#first - 1] as number);
    const end = this.#ends[to - this.#first] as number;
    for (let i = begin; i < end; i++) tree.add(this.#leaves[i] as string);
    const isSame = tree.count === line.leaves && tree.root().toString('hex') === line.root;
    return isSame ? null : `the Merkle root of ${groupsText(from, to)} is not the one that was signed`;
  }

  /** Leaves of the group being read stay: the checkpoint stands in the midst of it. */
  #dropThrough(to: number): void {
    const groups = Math.min(this.#heads.length, to - this.#first + 1);
    if (groups <= 0) return;
    const leaves = this.#ends[groups - 1] as number;
    this.#leaves = this.#leaves.slice(leaves);
    this.#heads = this.#heads.slice(groups);
    this.#ends = this.#ends.slice(groups).map((end) => end - leaves);
    this.#first += groups;
  }

  #forget(): void {
    this.#heads = [];
    this.#ends = [];
    this.#leaves = [];
  }
}
