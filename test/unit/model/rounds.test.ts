import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { startRounds } from '#model/rounds.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('rounds', () => {
  it('are not put off by wishes that come all the time', async () => {
    let count = 0;
    using rounds = startRounds(async () => {
      count += 1;
      return null;
    });
    for (let i = 0; i < 25; i++) {
      rounds.wakeIn(2000);
      await vi.advanceTimersByTimeAsync(100);
    }
    expect(count).toBe(1);
    await vi.advanceTimersByTimeAsync(2000);
    expect(count).toBe(2);
  });

  it('come one at a time, and once more for a wish that came during one', async () => {
    const gates = [Promise.withResolvers<null>(), Promise.withResolvers<null>()];
    let begun = 0;
    using rounds = startRounds(() => {
      begun += 1;
      return (gates[begun - 1] as PromiseWithResolvers<null>).promise;
    });
    rounds.wake();
    await vi.advanceTimersByTimeAsync(0);
    rounds.wake();
    rounds.wakeIn(60_000);
    await vi.advanceTimersByTimeAsync(10);
    expect(begun).toBe(1);
    gates[0]?.resolve(null);
    await vi.advanceTimersByTimeAsync(1);
    expect(begun).toBe(2);
  });

  it('go on when the last one said so, at once when somebody wishes, and never once disposed of', async () => {
    let count = 0;
    const rounds = startRounds(async () => {
      count += 1;
      return 5000;
    });
    rounds.wake();
    await vi.advanceTimersByTimeAsync(5000);
    expect(count).toBe(2);
    rounds.wake();
    await vi.advanceTimersByTimeAsync(1);
    expect(count).toBe(3);
    rounds[Symbol.dispose]();
    rounds.wake();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([count, rounds.stopped]).toEqual([3, true]);
  });
});
