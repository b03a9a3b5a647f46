// Gathers the leaves of groups from the lines that another reader walks over anyway (line-follower.ts): the same leaves as
// `openLeaves` finds in a group's text, without a text, a search or a walk of their own. Trusts a tenant that it is told
// only where the line begins byte by byte as the writer begins it; every other line is read here.
// Hot in the sink worker: twice per request, a few comparisons of four bytes each.
import type { LineFollower } from '../line-follower.ts';
import type { Chunk, Position } from '../segment-tail.ts';
import { CHECKPOINT_START, sealHead, sealNumber, SEGMENT_START, startsWith } from './group-reader.ts';
import { DONE, extend, INTENT, OpenLeaf, tenantEnd, tenantStart } from './leaves.ts';

/** What is signed of a whole group. Valid until the next one. */
export interface GroupToSign {
  /** As its seal says. */
  readonly number: number;
  /** The segment it stands in. */
  readonly segment: number;
  /** The hash that its seal says, hex. */
  readonly head: string;
  /** What the leaves' spans are within; it may be more than the group. */
  readonly bytes: Buffer;
  /** Of its lines, the seal left out. */
  readonly size: number;
  readonly leaves: readonly OpenLeaf[];
  readonly beginsSegment: boolean;
  /** Whether it has a line other than a checkpoint. */
  readonly hasNews: boolean;
}

/** Read by somebody else. */
export interface LeavesOfGroup extends GroupToSign {
  /** Behind its seal. */
  readonly next: Position;
}

/** Compared one by one before one is looked up: most groups have few tenants. */
const FEW = 8;
const NOTHING = Buffer.alloc(0);

export class GroupLeaves implements LineFollower {
  readonly #take: (group: LeavesOfGroup) => void;
  #chunk: Chunk = { segment: 0, offset: 0, bytes: NOTHING };
  #bytes: Buffer = NOTHING;
  #view: DataView = new DataView(NOTHING.buffer);
  /** The first line of the group at hand. */
  #start = 0;
  #hasNews = false;
  #leaves: OpenLeaf[] = [];
  /** Of the last line with a tenant: most lines have the one before's. */
  #last: OpenLeaf | null = null;
  #tenants = 0;
  #byTenant: Map<string, OpenLeaf> | null = null;

  /** `take`: called at each whole seal. */
  constructor(take: (group: LeavesOfGroup) => void) {
    this.#take = take;
  }

  begin(chunk: Chunk): void {
    const { bytes } = chunk;
    this.#chunk = chunk;
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#clear(0);
  }

  line(start: number, end: number, raw: string): void {
    if (!this.#isUsual(start, end)) {
      this.other(start, end);
      return;
    }
    this.#hasNews = true;
    const last = this.#last;
    if (last !== null && last.tenant === raw) extend(last.spans, start, end);
    else this.#extend(raw, start, end);
  }

  other(start: number, end: number): void {
    this.#hasNews ||= !startsWith(this.#bytes, CHECKPOINT_START, start);
    const text = this.#bytes.toString('latin1', start, end);
    const from = tenantStart(text, 0);
    if (from === -1) this.#leaves.push(new OpenLeaf(null, start, end));
    else this.#extend(text.slice(from, tenantEnd(text, from)), start, end);
  }

  seal(start: number, end: number): void {
    const bytes = this.#bytes;
    const number = sealNumber(bytes, start, end);
    if (number === 0) {
      this.other(start, end);
      return;
    }
    const { segment, offset } = this.#chunk;
    this.#take({
      number,
      segment,
      next: { segment, offset: offset + end },
      head: sealHead(bytes, end),
      bytes,
      size: start - this.#start,
      leaves: this.#leaves,
      beginsSegment: startsWith(bytes, SEGMENT_START, this.#start),
      hasNews: this.#hasNews,
    });
    this.#clear(end);
  }

  #clear(start: number): void {
    this.#start = start;
    this.#hasNews = false;
    this.#leaves = [];
    this.#last = null;
    this.#tenants = 0;
    this.#byTenant = null;
  }

  #extend(raw: string, start: number, end: number): void {
    const leaf = this.#find(raw) ?? this.#made(raw, start);
    extend(leaf.spans, start, end);
    this.#last = leaf;
  }

  #find(raw: string): OpenLeaf | null {
    if (this.#byTenant !== null) return this.#byTenant.get(raw) ?? null;
    const leaves = this.#leaves;
    for (let i = 0; i < leaves.length; i++) {
      const leaf = leaves[i] as OpenLeaf;
      if (leaf.tenant === raw) return leaf;
    }
    return null;
  }

  /** With an empty span. */
  #made(raw: string, start: number): OpenLeaf {
    const leaf = new OpenLeaf(raw, start, start);
    this.#leaves.push(leaf);
    this.#tenants += 1;
    if (this.#byTenant !== null) this.#byTenant.set(raw, leaf);
    else if (this.#tenants > FEW) {
      this.#byTenant = new Map();
      for (const one of this.#leaves) if (one.tenant !== null) this.#byTenant.set(one.tenant, one);
    }
    return leaf;
  }

  /** Whether it begins exactly as an intent or a completion of a tenant does. */
  #isUsual(start: number, end: number): boolean {
    const view = this.#view;
    // Both are longer than this by far; no view is read beyond the chunk.
    if (end - start < LONGER) return false;
    if (view.getInt32(start + 4, true) === INTENT_1) {
      return (
        view.getInt32(start, true) === INTENT_0 &&
        view.getInt32(start + 8, true) === INTENT_2 &&
        view.getInt32(start + 12, true) === INTENT_3 &&
        view.getInt32(start + 16, true) === INTENT_4 &&
        view.getInt32(start + 20, true) === INTENT_5
      );
    }
    return (
      view.getInt32(start, true) === DONE_0 &&
      view.getInt32(start + 4, true) === DONE_1 &&
      view.getInt32(start + 8, true) === DONE_2 &&
      view.getInt32(start + 12, true) === DONE_3 &&
      view.getInt32(start + 16, true) === DONE_4 &&
      // The last four overlap: it is 22 bytes long.
      view.getInt32(start + DONE.length - 4, true) === DONE_5
    );
  }
}

/** Characters of a constant as a view reads them. */
function fourOf(text: string, at: number): number {
  return Buffer.from(text, 'latin1').readInt32LE(at);
}

const LONGER = INTENT.length;
const INTENT_0 = fourOf(INTENT, 0);
const INTENT_1 = fourOf(INTENT, 4);
const INTENT_2 = fourOf(INTENT, 8);
const INTENT_3 = fourOf(INTENT, 12);
const INTENT_4 = fourOf(INTENT, 16);
const INTENT_5 = fourOf(INTENT, 20);
const DONE_0 = fourOf(DONE, 0);
const DONE_1 = fourOf(DONE, 4);
const DONE_2 = fourOf(DONE, 8);
const DONE_3 = fourOf(DONE, 12);
const DONE_4 = fourOf(DONE, 16);
const DONE_5 = fourOf(DONE, DONE.length - 4);
