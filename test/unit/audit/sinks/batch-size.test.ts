import { describe, expect, it } from 'vitest';
import { BatchSize } from '#audit/sinks/batch-size.ts';

const MiB = 1024 * 1024;
const items = (...sizes: readonly number[]): { readonly bytes: number }[] =>
  sizes.map((bytes) => ({ bytes }));

describe('the size of a request', () => {
  it('is bounded by records and by a mebibyte, and is never nothing', () => {
    const size = new BatchSize(3);
    expect(size.endOf(items(1, 1, 1, 1), 0)).toBe(3);
    expect(size.endOf(items(1, 1, 1, 1), 2)).toBe(4);
    expect(size.endOf(items(MiB / 2, MiB / 2, 1), 0)).toBe(2);
    expect(size.endOf(items(5 * MiB, 1), 0)).toBe(1);
    expect(size.endOf(items(1, 5 * MiB, 1), 0)).toBe(1);
  });

  it('is halved when the receiver finds it too large, and grows again by one for each that was taken', () => {
    const size = new BatchSize(100);
    const many = items(...Array.from({ length: 200 }, () => 1));
    expect(size.isTooLarge(413, 100)).toBe(true);
    expect(size.endOf(many, 0)).toBe(50);
    expect(size.isTooLarge(413, 50)).toBe(true);
    size.grow();
    expect(size.endOf(many, 0)).toBe(26);
    for (let count = 0; count < 500; count++) size.grow();
    expect(size.endOf(many, 0)).toBe(100);
  });

  it('of one record cannot be less, and no other answer makes it so', () => {
    const size = new BatchSize(10);
    expect(size.isTooLarge(413, 1)).toBe(false);
    for (const status of [200, 400, 429, 500]) expect(size.isTooLarge(status, 10)).toBe(false);
    expect(size.endOf(items(1, 1, 1), 0)).toBe(3);
  });
});
