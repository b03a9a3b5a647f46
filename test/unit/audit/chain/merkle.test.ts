// The trees of merkle.ts against the definition of RFC 6962 section 2.1, written down as it stands there.
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { merkleProof, merkleRoot, rootFromProof } from '#audit/chain/merkle.ts';

const MOST = 70;

function sha256(...parts: readonly Buffer[]): Buffer {
  return createHash('sha256').update(Buffer.concat(parts)).digest();
}

const leaves = Array.from({ length: MOST }, (_, i) => sha256(Buffer.from([0]), Buffer.from(`leaf ${i}`)));

/** k: the largest power of two smaller than n. */
function split(count: number): number {
  let k = 1;
  while (2 * k < count) k *= 2;
  return k;
}

function naiveRoot(nodes: readonly Buffer[]): Buffer {
  if (nodes.length === 0) return sha256();
  if (nodes.length === 1) return nodes[0] as Buffer;
  const k = split(nodes.length);
  return sha256(Buffer.from([1]), naiveRoot(nodes.slice(0, k)), naiveRoot(nodes.slice(k)));
}

function naiveProof(nodes: readonly Buffer[], index: number): Buffer[] {
  if (nodes.length === 1) return [];
  const k = split(nodes.length);
  return index < k
    ? [...naiveProof(nodes.slice(0, k), index), naiveRoot(nodes.slice(k))]
    : [...naiveProof(nodes.slice(k), index - k), naiveRoot(nodes.slice(0, k))];
}

describe('a Merkle tree', () => {
  it('has the root of RFC 6962 for any number of leaves', () => {
    for (let count = 0; count <= MOST; count++) {
      const some = leaves.slice(0, count);
      expect(merkleRoot(some)).toEqual(naiveRoot(some));
    }
  });

  it('has the root of RFC 6962 for any leaves', () => {
    const leaf = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(fc.array(leaf, { maxLength: 300 }), (some) => {
        expect(merkleRoot(some)).toEqual(naiveRoot(some));
      }),
      { numRuns: 40 },
    );
  });

  it('proves every leaf of every size, as RFC 6962 does', () => {
    for (let count = 1; count <= MOST; count++) {
      const some = leaves.slice(0, count);
      const root = merkleRoot(some);
      for (let index = 0; index < count; index++) {
        const proof = merkleProof(some, index);
        expect(proof).toEqual(naiveProof(some, index));
        expect(rootFromProof({ leaf: some[index] as Buffer, index, count, proof })).toEqual(root);
      }
    }
  });

  it('proves nothing at another place, in a tree of another size or with another leaf', () => {
    const count = 37;
    const some = leaves.slice(0, count);
    const root = merkleRoot(some);
    fc.assert(
      fc.property(fc.nat(count - 1), fc.nat(80), fc.nat(80), (index, otherIndex, otherCount) => {
        const leaf = some[index] as Buffer;
        const proof = merkleProof(some, index);
        if (otherIndex !== index) {
          expect(rootFromProof({ leaf, index: otherIndex, count, proof })).not.toEqual(root);
        }
        const other = leaves[(index + 1) % count] as Buffer;
        expect(rootFromProof({ leaf: other, index, count, proof })).not.toEqual(root);
        // A proof of another size may have the same shape; then the count is what the checkpoint signs.
        const elsewhere = rootFromProof({ leaf, index, count: otherCount, proof });
        if (naiveFits(index, otherCount) !== proof.length) expect(elsewhere).toHaveLength(0);
      }),
    );
  });

  it('takes no proof that is too short, too long or made of other things than nodes', () => {
    const some = leaves.slice(0, 21);
    const proof = merkleProof(some, 4);
    const leaf = some[4] as Buffer;
    const proven = { leaf, index: 4, count: 21 };
    for (const bad of [
      proof.slice(1),
      proof.slice(0, -1),
      [...proof, leaf],
      [Buffer.alloc(31), ...proof.slice(1)],
    ]) {
      expect(rootFromProof({ ...proven, proof: bad })).toHaveLength(0);
    }
    for (const bad of [
      { index: -1 },
      { index: 21 },
      { index: 0.5 },
      { count: 4 },
      { leaf: Buffer.alloc(33) },
    ]) {
      expect(rootFromProof({ ...proven, proof, ...bad })).toHaveLength(0);
    }
  });

  it('refuses to prove what is not in it', () => {
    expect(() => merkleProof(leaves, MOST)).toThrow(RangeError);
    expect(() => merkleProof([], 0)).toThrow(RangeError);
  });
});

/** How long the proof of `index` is in a tree of `count`; -1 when it is not in it. */
function naiveFits(index: number, count: number): number {
  if (index >= count) return -1;
  return naiveProof(leaves.concat(leaves).slice(0, count), index).length;
}
