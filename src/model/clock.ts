// Two clocks: the wall clock decides whether authority holds, the monotonic one measures durations.
// Hot: both are read several times per request. Tests hand in a manual clock.
import { performance } from 'node:perf_hooks';

declare const unit: unique symbol;
/** Milliseconds since 1970-01-01T00:00:00Z by the wall clock, which may jump. */
export type EpochMs = number & { readonly [unit]: 'epoch' };
/** Milliseconds since an arbitrary start by a clock that never goes back. Fractional. */
export type MonotonicMs = number & { readonly [unit]: 'monotonic' };

export interface Clock {
  now(): EpochMs;
  monotonic(): MonotonicMs;
}

export const systemClock: Clock = {
  now: () => Date.now() as EpochMs,
  monotonic: () => performance.now() as MonotonicMs,
};

/** The end of an authority that has none: later than every instant, and still a number to compare with. */
export const NEVER = Number.MAX_SAFE_INTEGER as EpochMs;
