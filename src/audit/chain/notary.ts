// Makes checkpoints: reads the journal behind the writer, sums its groups under Merkle roots and signs them, at most
// once a second while there is something to sign. Runs in the sink worker and yields to the pumps between slices. Where
// another reader stands at the same place, that one's reading feeds both (line-follower.ts).
// Assumes that everything up to the end it is told of is durable. A checkpoint never reaches over the end of a segment,
// so that a journal whose oldest segments were removed can be proven from its first line on.
// Warm: per leaf two hashes; no parsing (the figures stand in docs/audit-bundles.md).
import type { Position } from '../segment-tail.ts';
import { type Follower, isBefore, isSamePlace, type Leader } from '../line-follower.ts';
import { uuid7 } from '../uuid7.ts';
import { checkpointText } from './checkpoint.ts';
import { GroupLeaves, type GroupToSign, type LeavesOfGroup } from './group-leaves.ts';
import { beginsSegment, CHECKPOINT_START, type Group, GroupReader, startsWith } from './group-reader.ts';
import { leafHashText, leafPrefix, type OpenLeaf, openLeaves } from './leaves.ts';
import { MerkleTree } from './merkle.ts';
import type { SigningKey } from './signing-key.ts';

/** Where the checkpoints of a journal left off. */
export interface NotaryStart {
  readonly chain: string;
  /** The last group that a checkpoint covers; 0 for none. */
  readonly coveredTo: number;
  /** Where the group after it begins. */
  readonly from: Position;
}

export interface NotaryDeps {
  readonly directory: string;
  readonly start: NotaryStart;
  readonly key: SigningKey;
  /** Milliseconds of a clock that does not go back. */
  readonly nowMs: () => number;
  /** Epoch milliseconds. */
  readonly epochMs: () => number;
  /** Takes a checkpoint line, newline included, which must get into the journal before any later one does. */
  readonly publish: (text: string, to: number) => void;
  readonly notice: (fields: object, text: string) => void;
}

const EVERY_MS = 1000;
const MAX_DELAY_MS = 30_000;
/** Read in one go, before others get a turn. */
const SLICE_BYTES = 4 * 1024 * 1024;
/** Bounds what whoever makes proofs has to hold: only a journal that is far behind gets there within a second. */
const MAX_LEAVES = 65_536;
const MAX_BYTES = 64 * 1024 * 1024;

const NEWLINE = 0x0a;

export class Notary implements Follower {
  /** For the leader: what it reads where the notary stands. */
  readonly lines = new GroupLeaves((group) => this.#takeRead(group));
  readonly #deps: NotaryDeps;
  readonly #reader: GroupReader;
  #leader: Leader | null = null;
  readonly #tree = new MerkleTree();
  #end: Position;
  /** The groups under `#tree`, inclusive; none while it is empty. */
  #from: number;
  #to: number;
  #head = '';
  /** Group bytes under `#tree`. */
  #bytes = 0;
  /** Whether one of them holds a line other than a checkpoint. */
  #hasNews = false;
  #isSliceFull = false;
  #passAtMs: number;
  #delayMs = EVERY_MS;
  #timer: NodeJS.Timeout | null = null;
  #immediate: NodeJS.Immediate | null = null;
  #onFinished: (() => void) | null = null;
  #closed = false;

  constructor(deps: NotaryDeps) {
    const { coveredTo, from } = deps.start;
    this.#deps = deps;
    this.#end = from;
    this.#reader = new GroupReader(deps.directory, from);
    this.#from = coveredTo + 1;
    this.#to = coveredTo;
    this.#passAtMs = deps.nowMs() - EVERY_MS;
  }

  /** The oldest segment that is still to be read: it may not be removed. */
  get segment(): number {
    return this.#reader.segment;
  }

  place(): Position | null {
    return this.#closed ? null : this.#reader.place;
  }

  /** From now on `leader` reads for both, where they stand at the same place. It is told of the same ends. */
  follow(leader: Leader): void {
    this.#leader = leader;
  }

  /** Everything up to `end`, the end of a group, is durable. */
  wrote(end: Position): void {
    this.#end = end;
    if (this.#timer !== null || this.#immediate !== null || this.#closed) return;
    const dueMs = this.#passAtMs + this.#delayMs - this.#deps.nowMs();
    this.#timer = setTimeout(() => this.#pass(), Math.max(0, dueMs));
  }

  /** Reads up to `end` at once and signs it: before a graceful stop. Resolves even when it could not. */
  finish(end: Position): Promise<void> {
    return new Promise((resolve) => {
      this.#end = end;
      this.#onFinished = resolve;
      if (this.#closed) this.#finished();
      else if (this.#immediate === null) this.#pass();
    });
  }

  /** Reads and signs nothing more. */
  close(): void {
    this.#closed = true;
    this.#stopWaiting();
    this.#reader.close();
    this.#finished();
  }

  /** One slice of everything that is there; the last one signs. */
  #pass(): void {
    this.#stopWaiting();
    this.#passAtMs = this.#deps.nowMs();
    try {
      if (this.#readSlice()) {
        this.#immediate = setImmediate(() => this.#pass());
        return;
      }
      if (this.#hasNews) this.#sign();
      this.#delayMs = EVERY_MS;
    } catch (error) {
      this.#failed(error);
    }
    this.#finished();
  }

  /** Whether there is more. */
  #readSlice(): boolean {
    const place = this.#leader?.place() ?? null;
    const own = this.#reader.place;
    if (place !== null && own !== null) {
      if (isSamePlace(place, own)) {
        if (this.#leader?.readOn() === true) return true;
      } else if (isBefore(own, place) && isBefore(place, this.#end) && this.#readTo(place)) {
        // There they meet.
        return true;
      }
    }
    this.#readTo(this.#end);
    return this.#isSliceFull;
  }

  /** Whether anything was read. */
  #readTo(end: Position): boolean {
    let bytes = 0;
    this.#isSliceFull = false;
    for (let group = this.#reader.next(end); group !== null; group = this.#reader.next(end)) {
      bytes += group.lines.length + 1;
      this.#take(group);
      this.#isSliceFull = bytes >= SLICE_BYTES;
      if (this.#isSliceFull) break;
    }
    return bytes > 0;
  }

  /** Read by itself. */
  #take({ number, segment, lines, head }: Group): void {
    this.#add({
      number,
      segment,
      head,
      bytes: lines,
      size: lines.length,
      leaves: openLeaves(lines.toString('latin1'), null),
      beginsSegment: beginsSegment(lines),
      hasNews: !isCheckpointsAlone(lines),
    });
  }

  /** Read by the leader. */
  #takeRead(group: LeavesOfGroup): void {
    this.#reader.goTo(group.next);
    this.#add(group);
  }

  #add(group: GroupToSign): void {
    const { number, bytes, leaves } = group;
    const tree = this.#tree;
    if (tree.count > 0 && (group.beginsSegment || this.#isFull())) this.#sign();
    if (number !== this.#to + 1) this.#skipTo(number, group.segment);
    const prefix = leafPrefix(number);
    for (let i = 0; i < leaves.length; i++) {
      tree.add(leafHashText(prefix, bytes, (leaves[i] as OpenLeaf).spans));
    }
    this.#to = number;
    this.#head = group.head;
    this.#bytes += group.size;
    this.#hasNews ||= group.hasNews;
  }

  #isFull(): boolean {
    return this.#tree.count >= MAX_LEAVES || this.#bytes >= MAX_BYTES;
  }

  /** Groups are missing: dropped for want of room, or damage. What comes after them is signed all the same. */
  #skipTo(number: number, segment: number): void {
    this.#deps.notice(
      { segment, expected: this.#to + 1, found: number },
      'groups of the audit journal are missing',
    );
    if (this.#tree.count > 0) this.#sign();
    this.#from = number;
  }

  #sign(): void {
    const deps = this.#deps;
    const tree = this.#tree;
    const t = deps.epochMs();
    const facts = {
      id: uuid7(t),
      t,
      chain: deps.start.chain,
      from: this.#from,
      to: this.#to,
      head: this.#head,
      leaves: tree.count,
      root: tree.root().toString('hex'),
    };
    deps.publish(checkpointText(facts, deps.key), facts.to);
    tree.clear();
    this.#from = this.#to + 1;
    this.#bytes = 0;
    this.#hasNews = false;
  }

  /** Said once per outage. */
  #failed(error: unknown): void {
    // Opened again the next time: a file handle may be what is broken.
    this.#reader.close();
    const isFirst = this.#delayMs === EVERY_MS;
    this.#delayMs = Math.min(MAX_DELAY_MS, this.#delayMs * 2);
    if (isFirst) {
      const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
      const { segment } = this.#reader;
      this.#deps.notice({ segment, code }, 'the audit journal cannot be read to sign it; it is tried again');
    }
    if (this.#onFinished === null) this.#timer = setTimeout(() => this.#pass(), this.#delayMs);
  }

  #stopWaiting(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#immediate !== null) clearImmediate(this.#immediate);
    this.#timer = null;
    this.#immediate = null;
  }

  #finished(): void {
    this.#onFinished?.();
    this.#onFinished = null;
  }
}

function isCheckpointsAlone(lines: Buffer): boolean {
  let at = 0;
  while (at < lines.length) {
    if (!startsWith(lines, CHECKPOINT_START, at)) return false;
    const newline = lines.indexOf(NEWLINE, at);
    if (newline === -1) return true;
    at = newline + 1;
  }
  return true;
}
