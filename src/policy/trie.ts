// A trie over path segments: every pattern of a set is walked at once, so that 10,000 rules cost what 10 do.
// The walk keeps a set of live nodes; a node is entered at most once per segment, which is what keeps `**`
// and the alternatives of a reading linear (no backtracking). Hot: no allocation after the first requests.
import { type Glob, globMatches, sameGlob } from './glob.ts';
import type { Segment } from './pattern.ts';
import { MAX_ALTERNATIVES, type Reading } from './reading.ts';

interface GlobEdge {
  readonly glob: Glob;
  readonly node: TrieNode;
}

class TrieNode {
  literals: Map<string, TrieNode> | null = null;
  /** Which lengths its literals have, one bit each: most segments need not be looked up (`bench/policy.ts`). */
  literalLengths = 0;
  any: TrieNode | null = null;
  globs: GlobEdge[] | null = null;
  deep: TrieNode | null = null;
  /** This node is a `**`: every segment leads back to it. */
  readonly loops: boolean;
  /** Payloads of the patterns that end here, ascending. */
  readonly payloads: number[] = [];
  /** The last step in which the node was entered; the last walk in which it was collected. */
  enteredAt = 0;
  collectedAt = 0;

  constructor(loops: boolean) {
    this.loops = loops;
  }
}

/** Stamps stay small integers: beyond this all marks are wiped and counting starts again. */
const MAX_STAMP = 0x3fff_0000;

/** Payloads found by a walk, in no order, each pattern at most once. */
export class Hits {
  readonly payloads: number[] = [];
  length = 0;
}

export class Trie {
  private readonly root = new TrieNode(false);
  private readonly nodes: TrieNode[] = [this.root];
  private live: TrieNode[] = [];
  private liveCount = 0;
  private next: TrieNode[] = [];
  private nextCount = 0;
  private stamp = 0;
  private walkStart = 0;

  add(segments: readonly Segment[], payload: number): void {
    let node = this.root;
    for (const segment of segments) node = this.childFor(node, segment);
    if (node.payloads.at(-1) !== payload) node.payloads.push(payload);
  }

  /** `hits` is emptied first. */
  walk(reading: Reading, hits: Hits): void {
    hits.length = 0;
    if (this.stamp + reading.length + 2 > MAX_STAMP) this.wipe();
    this.walkStart = ++this.stamp;
    this.nextCount = 0;
    this.enter(this.root, hits);
    this.swap();
    for (let i = 0; i < reading.length && this.liveCount > 0; i++) {
      if (this.liveCount === 1 && passesOver(this.live[0] as TrieNode, reading, i)) continue;
      this.stamp++;
      this.nextCount = 0;
      for (let n = 0; n < this.liveCount; n++) this.step(this.live[n] as TrieNode, reading, i, hits);
      this.swap();
    }
    for (let n = 0; n < this.liveCount; n++) this.collect(this.live[n] as TrieNode, hits);
  }

  private step(node: TrieNode, reading: Reading, i: number, hits: Hits): void {
    if (node.loops) this.stay(node);
    else if (reading.skippable[i] === true) this.enter(node, hits);
    if (node.any !== null && reading.present[i] === true) this.enter(node.any, hits);
    const { literals, globs } = node;
    if (literals === null && globs === null) return;
    const base = i * MAX_ALTERNATIVES;
    const count = reading.counts[i] as number;
    for (let k = 0; k < count; k++) {
      const text = reading.alternatives[base + k] as string;
      if (literals !== null && (node.literalLengths & bitOfLength(text)) !== 0) {
        const child = literals.get(text);
        if (child !== undefined) this.enter(child, hits);
      }
      if (globs === null) continue;
      for (let g = 0; g < globs.length; g++) {
        const edge = globs[g] as GlobEdge;
        if (globMatches(edge.glob, text)) this.enter(edge.node, hits);
      }
    }
  }

  private enter(node: TrieNode, hits: Hits): void {
    if (node.enteredAt === this.stamp) return;
    node.enteredAt = this.stamp;
    // A final `**` accepts whatever follows: collected at once and not carried along.
    if (isFinalDeep(node)) this.collect(node, hits);
    else this.next[this.nextCount++] = node;
    if (node.deep !== null) this.enter(node.deep, hits);
  }

  /** A `**` that is not the last segment goes on with the next one; nothing stands behind it but what it led to before. */
  private stay(node: TrieNode): void {
    if (node.enteredAt === this.stamp) return;
    node.enteredAt = this.stamp;
    this.next[this.nextCount++] = node;
  }

  private collect(node: TrieNode, hits: Hits): void {
    if (node.payloads.length === 0 || node.collectedAt >= this.walkStart) return;
    node.collectedAt = this.stamp;
    for (let i = 0; i < node.payloads.length; i++) hits.payloads[hits.length++] = node.payloads[i] as number;
  }

  private swap(): void {
    const { live } = this;
    this.live = this.next;
    this.liveCount = this.nextCount;
    this.next = live;
  }

  private wipe(): void {
    this.stamp = 0;
    for (const node of this.nodes) {
      node.enteredAt = 0;
      node.collectedAt = 0;
    }
  }

  private childFor(node: TrieNode, segment: Segment): TrieNode {
    switch (segment.kind) {
      case 'deep':
        return (node.deep ??= this.made(true));
      case 'any':
        return (node.any ??= this.made(false));
      case 'literal': {
        node.literals ??= new Map();
        const known = node.literals.get(segment.text);
        if (known !== undefined) return known;
        const child = this.made(false);
        node.literals.set(segment.text, child);
        node.literalLengths |= bitOfLength(segment.text);
        return child;
      }
      case 'glob': {
        node.globs ??= [];
        const known = node.globs.find((edge) => sameGlob(edge.glob, segment.glob));
        if (known !== undefined) return known.node;
        const child = this.made(false);
        node.globs.push({ glob: segment.glob, node: child });
        return child;
      }
    }
  }

  private made(loops: boolean): TrieNode {
    const node = new TrieNode(loops);
    this.nodes.push(node);
    return node;
  }
}

/** A `**` alone that no literal of this segment's length follows: it stays, and nothing else can become of it. */
function passesOver(node: TrieNode, reading: Reading, i: number): boolean {
  if (!node.loops || node.any !== null || node.globs !== null || reading.counts[i] !== 1) return false;
  return (node.literalLengths & bitOfLength(reading.alternatives[i * MAX_ALTERNATIVES] as string)) === 0;
}

function bitOfLength(text: string): number {
  return 1 << Math.min(text.length, 31);
}

function isFinalDeep(node: TrieNode): boolean {
  return (
    node.loops && node.literals === null && node.any === null && node.globs === null && node.deep === null
  );
}
