import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createRateLimit } from '#control/rate-limit.ts';
import { manualClock } from '../../support/manual-clock.ts';

describe('the rate limit', () => {
  it('lets a burst through, then so many a second', () => {
    const clock = manualClock();
    const limit = createRateLimit(clock);
    for (let i = 0; i < 100; i++) expect(limit.take('a')).toBeNull();
    expect(limit.take('a')).toBe(1);
    clock.advance(50);
    expect(limit.take('a')).toBeNull();
    expect(limit.take('a')).toBe(1);
  });

  it('says how long to wait in whole seconds, at least one', () => {
    const clock = manualClock();
    const limit = createRateLimit(clock, { perSecond: 0.1, burst: 1 });
    expect(limit.take('a')).toBeNull();
    expect(limit.take('a')).toBe(10);
    clock.advance(9999);
    expect(limit.take('a')).toBe(1);
    clock.advance(1);
    expect(limit.take('a')).toBeNull();
  });

  it('remembers so many callers and no more, the last seen ones', () => {
    const clock = manualClock();
    const limit = createRateLimit(clock, { perSecond: 1, burst: 1, maxCallers: 2 });
    for (const caller of ['a', 'b', 'a', 'c']) limit.take(caller);
    expect(limit.take('a')).not.toBeNull();
    expect(limit.take('b')).toBeNull();
  });

  it('never lets more through than burst and time allow, and is not moved by the wall clock', () => {
    const steps = fc.array(fc.integer({ min: 0, max: 700 }), { maxLength: 200 });
    const law = fc.property(
      steps,
      fc.integer({ min: 1, max: 9 }),
      fc.integer({ min: 1, max: 9 }),
      (waits, perSecond, burst) => {
        const clock = manualClock();
        const limit = createRateLimit(clock, { perSecond, burst });
        let passedMs = 0;
        let taken = 0;
        for (const wait of waits) {
          clock.advance(wait);
          clock.jumpWallClock(86_400_000);
          passedMs += wait;
          if (limit.take('a') === null) taken += 1;
          expect(taken).toBeLessThanOrEqual(burst + (passedMs * perSecond) / 1000 + 1e-6);
        }
      },
    );
    fc.assert(law, { numRuns: 300 });
  });

  it('refuses options that let nobody in', () => {
    for (const options of [{ perSecond: 0 }, { burst: 0 }, { maxCallers: 0 }, { perSecond: Number.NaN }]) {
      expect(() => createRateLimit(manualClock(), options)).toThrow(RangeError);
    }
  });
});
