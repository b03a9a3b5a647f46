import { describe, expect, it } from 'vitest';
import { LoopDelay } from '#gateway/loop-delay.ts';

function delays(limitMs: number, at: readonly number[]): boolean[] {
  const delay = new LoopDelay(limitMs, 0);
  return at.map((ms) => delay.sample(ms));
}

describe('the delay of the event loop', () => {
  it('is late with the second late sample in a row, and no more with the first on time', () => {
    expect(delays(50, [100, 300, 500, 700, 800])).toEqual([false, false, true, true, false]);
  });

  it('forgives a single one, however late', () => {
    expect(delays(50, [9000, 9100, 20_000, 20_100])).toEqual([false, false, false, false]);
  });

  it('is on time at exactly the limit', () => {
    expect(delays(50, [150, 300, 450])).toEqual([false, false, false]);
    expect(delays(49, [150, 300, 450])).toEqual([false, true, true]);
  });
});
