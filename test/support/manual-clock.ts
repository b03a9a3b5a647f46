// A clock that moves only when told: both of its readings together, or the wall clock alone as after a jump.
import type { Clock, EpochMs, MonotonicMs } from '#model/clock.ts';

export interface ManualClock extends Clock {
  advance(ms: number): void;
  jumpWallClock(ms: number): void;
}

export function manualClock(startMs = Date.UTC(2026, 0, 1)): ManualClock {
  let wall = startMs;
  let monotonic = 1000;
  return {
    now: () => wall as EpochMs,
    monotonic: () => monotonic as MonotonicMs,
    advance(ms) {
      wall += ms;
      monotonic += ms;
    },
    jumpWallClock(ms) {
      wall += ms;
    },
  };
}
