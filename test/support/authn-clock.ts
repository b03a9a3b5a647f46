// A clock that moves only when told to, both hands together unless said otherwise.
import type { Clock, EpochMs, MonotonicMs } from '#model/clock.ts';

export interface ManualClock extends Clock {
  advance(ms: number): void;
  /** Moves the wall clock alone, as a correction by the system does. */
  jump(ms: number): void;
  /** Whole seconds of the wall clock, as dates stand in tokens. */
  seconds(): number;
}

/** Starts on a whole second in 2026. */
export function manualClock(): ManualClock {
  let wall = 1_790_000_000_000;
  let monotonic = 5000;
  return {
    now: () => wall as EpochMs,
    monotonic: () => monotonic as MonotonicMs,
    seconds: () => Math.floor(wall / 1000),
    advance(ms) {
      wall += ms;
      monotonic += ms;
    },
    jump(ms) {
      wall += ms;
    },
  };
}
