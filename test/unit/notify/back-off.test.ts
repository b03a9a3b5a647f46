import { assert, double, integer, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EpochMs } from '#model/clock.ts';
import { backOffMs, GIVE_UP_AFTER_MS, isOverdue } from '#notify/back-off.ts';

const HOUR = 3_600_000;
const at = (ms: number): EpochMs => ms as EpochMs;

describe('a failed delivery', () => {
  it('waits from 5 seconds on, twice as long each time, at most an hour', () => {
    const least = [1, 2, 3, 4, 9, 10, 11, 1000].map((failures) => backOffMs(failures, null, () => 0));
    expect(least).toEqual([5000, 10_000, 20_000, 40_000, 1_280_000, HOUR / 2, HOUR / 2, HOUR / 2]);
    expect(backOffMs(1, null, () => 0.999999)).toBe(10_000);
    expect(backOffMs(1000, null, () => 0.9999999999)).toBe(HOUR);
  });

  it('waits as long as the receiver asks, at most an hour', () => {
    expect(backOffMs(1, 60_000, () => 0)).toBe(60_000);
    expect(backOffMs(1, 1000, () => 0)).toBe(5000);
    expect(backOffMs(1, 90 * HOUR, () => 0)).toBe(HOUR);
  });

  it('waits between 5 seconds and an hour, whatever the jitter', () => {
    assert(
      property(integer({ min: 1, max: 1e6 }), double({ min: 0, max: 0.999999, noNaN: true }), (n, r) => {
        const wait = backOffMs(n, null, () => r);
        return wait >= 5000 && wait <= HOUR;
      }),
    );
  });

  it('is given up three days after it was planned', () => {
    expect(isOverdue(at(0), at(GIVE_UP_AFTER_MS - 1))).toBe(false);
    expect(isOverdue(at(0), at(3 * 24 * HOUR))).toBe(true);
  });
});
