import { describe, expect, it } from 'vitest';
import { TenantSeries } from '#audit/bundle/tenant-series.ts';

function seriesOf(
  numbers: readonly number[],
  ranges: readonly (readonly [number, number])[] = [],
): TenantSeries {
  const series = new TenantSeries();
  for (const n of numbers) series.take(n);
  if (ranges.length > 0) series.declare({ k: 'unused', tenant: 'acme', ranges, salt: 'x' });
  return series;
}

describe('the numbers of a tenant', () => {
  it('may begin anywhere and have none missing', () => {
    const series = seriesOf([7, 8, 9]);
    expect(series.missing()).toEqual([]);
    expect(series).toMatchObject({ first: 7, last: 9 });
  });

  it('show what is missing and not declared as unused', () => {
    expect(seriesOf([1, 4, 10]).missing()).toEqual([
      [2, 3],
      [5, 9],
    ]);
    const declared = seriesOf(
      [1, 10],
      [
        [6, 7],
        [2, 3],
        [10, 12],
      ],
    );
    expect(declared.missing()).toEqual([
      [4, 5],
      [8, 9],
    ]);
    expect(declared.unused).toBe(4);
    expect(seriesOf([1, 10], [[2, 9]]).missing()).toEqual([]);
  });

  it('refuse a number that was there, one before it and what is no number', () => {
    const series = seriesOf([3]);
    expect([3, 2, 0, Number.NaN, 4.5].map((n) => series.take(n))).toEqual([
      false,
      false,
      false,
      false,
      false,
    ]);
    expect(series.take(4)).toBe(true);
  });
});
