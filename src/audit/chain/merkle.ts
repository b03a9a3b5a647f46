// Merkle trees over the leaves of a checkpoint: roots, proofs of one leaf, and roots back from proofs. The tree's shape
// and the two prefixes are those of RFC 6962 section 2.1. Assumes leaves of 32 bytes, already hashed with their prefix.
// Hot in the sink worker: one hash per leaf. `hash` as latin1 text is a third of the price of a Buffer of its own
// (bench/verify.ts), so nodes are kept as text until they leave.
import { hash } from 'node:crypto';
import { HASH_BYTES } from './seal.ts';

/** 0x01, the left node, the right node. */
const pair = Buffer.alloc(1 + 2 * HASH_BYTES, 1);
const RIGHT_AT = 1 + HASH_BYTES;

function nodeOf(left: string, right: string): string {
  pair.write(left, 1, HASH_BYTES, 'latin1');
  pair.write(right, RIGHT_AT, HASH_BYTES, 'latin1');
  return hash('sha256', pair, 'latin1');
}

/** A tree that grows leaf by leaf: it keeps one node for every power of two, so any number of leaves fits. */
export class MerkleTree {
  count = 0;
  /** By level: the root of a full subtree that waits for its right neighbour. Which are valid, `count` says in bits. */
  readonly #waiting: string[] = [];

  /** `leaf`: 32 bytes as latin1 text. */
  add(leaf: string): void {
    let node = leaf;
    let level = 0;
    for (let bits = this.count; bits % 2 === 1; bits = (bits - 1) / 2) {
      node = nodeOf(this.#waiting[level] as string, node);
      level += 1;
    }
    this.#waiting[level] = node;
    this.count += 1;
  }

  /** Of the leaves so far; of none, the hash of nothing. */
  root(): Buffer {
    let node: string | null = null;
    let level = 0;
    for (let bits = this.count; bits > 0; bits = Math.floor(bits / 2)) {
      if (bits % 2 === 1) {
        const left = this.#waiting[level] as string;
        node = node === null ? left : nodeOf(left, node);
      }
      level += 1;
    }
    return Buffer.from(node ?? hash('sha256', '', 'latin1'), 'latin1');
  }

  clear(): void {
    this.count = 0;
  }
}

/** 32 bytes. */
export function merkleRoot(leaves: readonly Buffer[]): Buffer {
  const tree = new MerkleTree();
  for (const leaf of leaves) tree.add(leaf.toString('latin1'));
  return tree.root();
}

/** The neighbours on the way from the leaf to the root, lowest first (RFC 6962 section 2.1.1). Throws RangeError. */
export function merkleProof(leaves: readonly Buffer[], index: number): Buffer[] {
  if (!(Number.isSafeInteger(index) && index >= 0 && index < leaves.length)) {
    throw new RangeError('there is no such leaf');
  }
  const proof: Buffer[] = [];
  let level = leaves.map((leaf) => leaf.toString('latin1'));
  for (let at = index; level.length > 1; at = Math.floor(at / 2)) {
    const neighbour = level[at % 2 === 0 ? at + 1 : at - 1];
    if (neighbour !== undefined) proof.push(Buffer.from(neighbour, 'latin1'));
    level = levelAbove(level);
  }
  return proof;
}

/** A last node without a neighbour moves up as it is. */
export function levelAbove(level: readonly string[]): string[] {
  const above: string[] = [];
  for (let at = 0; at < level.length; at += 2) {
    const left = level[at] as string;
    const right = level[at + 1];
    above.push(right === undefined ? left : nodeOf(left, right));
  }
  return above;
}

export interface ProvenLeaf {
  /** 32 bytes. */
  readonly leaf: Buffer;
  /** From 0. */
  readonly index: number;
  /** Of the leaves in the tree. */
  readonly count: number;
  readonly proof: readonly Buffer[];
}

/**
 * The root that the proof leads to, to be compared with a signed one. Of a proof that does not fit the tree (too
 * short, too long, nodes of another size, no such index) zero bytes, which no root equals.
 */
export function rootFromProof({ leaf, index, count, proof }: ProvenLeaf): Buffer {
  const fits = Number.isSafeInteger(index) && Number.isSafeInteger(count) && index >= 0 && index < count;
  if (!fits || leaf.length !== HASH_BYTES) return Buffer.alloc(0);
  let node = leaf.toString('latin1');
  let used = 0;
  let at = index;
  for (let last = count - 1; last > 0; last = Math.floor(last / 2)) {
    const isRight = at % 2 === 1;
    if (isRight || at < last) {
      const neighbour = proof[used];
      if (neighbour?.length !== HASH_BYTES) return Buffer.alloc(0);
      used += 1;
      const text = neighbour.toString('latin1');
      node = isRight ? nodeOf(text, node) : nodeOf(node, text);
    }
    at = Math.floor(at / 2);
  }
  return used === proof.length ? Buffer.from(node, 'latin1') : Buffer.alloc(0);
}
