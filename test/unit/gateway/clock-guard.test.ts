// A wall clock that jumps is not believed until the store was read again.
import { describe, expect, it } from 'vitest';
import { createClockGuard } from '../../../src/gateway/clock-guard.ts';
import { manualClock } from '../../support/manual-clock.ts';

describe('the clock guard', () => {
  it.each([-3_600_000, 3_600_000])(
    'refuses after a jump of %d ms until the store was read again',
    async (jumpMs) => {
      const clock = manualClock();
      const read = Promise.withResolvers<void>();
      const guard = createClockGuard(clock, () => read.promise);
      clock.advance(3_600_000);
      expect(guard.reliable()).toBe(true);
      clock.jumpWallClock(jumpMs);
      expect(guard.reliable()).toBe(false);
      expect(guard.reliable()).toBe(false);
      read.resolve();
      await read.promise;
      await Promise.resolve();
      expect(guard.reliable()).toBe(true);
    },
  );

  it('stays unreliable while the store cannot be read, and tries again', async () => {
    const clock = manualClock();
    let attempts = 0;
    const guard = createClockGuard(clock, async () => {
      attempts += 1;
      if (attempts === 1) throw new Error('down');
    });
    clock.jumpWallClock(10_000);
    expect(guard.reliable()).toBe(false);
    await new Promise(setImmediate);
    expect(guard.reliable()).toBe(false);
    await new Promise(setImmediate);
    expect(guard.reliable()).toBe(true);
    expect(attempts).toBe(2);
  });

  it('lets the slow drift that NTP corrects pass', () => {
    const clock = manualClock();
    const guard = createClockGuard(clock, () => Promise.reject(new Error('not asked')));
    clock.jumpWallClock(4_000);
    expect(guard.reliable()).toBe(true);
  });
});
