// How often one caller may call the control API: a token bucket each, filled by the monotonic clock. Guarantees bounded
// memory: of more callers than are kept, the one not seen for longest is forgotten, and starts anew with a full bucket.
// Asked after authentication and before the table, so that refused calls count too. Cold.
import type { Clock } from '#model/clock.ts';

export interface RateLimitOptions {
  /** Calls per second in the long run; 20 by default. */
  readonly perSecond?: number;
  /** Calls at once after a pause; 100 by default. */
  readonly burst?: number;
  /** Callers remembered; 10,000 by default. */
  readonly maxCallers?: number;
}

export interface RateLimit {
  /** Null when the call may go on; otherwise in how many whole seconds the next one may, at least 1. */
  take(caller: string): number | null;
}

interface Bucket {
  tokens: number;
  /** By the monotonic clock. */
  filledAt: number;
}

/** Throws a RangeError for options that let nobody in. */
export function createRateLimit(clock: Pick<Clock, 'monotonic'>, options: RateLimitOptions = {}): RateLimit {
  const { perSecond = 20, burst = 100, maxCallers = 10_000 } = options;
  if (!(perSecond > 0) || !(burst >= 1) || !(maxCallers >= 1)) {
    throw new RangeError('perSecond must be positive, burst and maxCallers at least 1');
  }
  /** In the order in which they were last seen. */
  const buckets = new Map<string, Bucket>();

  function bucketOf(caller: string, now: number): Bucket {
    const known = buckets.get(caller);
    if (known !== undefined) {
      buckets.delete(caller);
      known.tokens = Math.min(burst, known.tokens + ((now - known.filledAt) * perSecond) / 1000);
      known.filledAt = now;
      return known;
    }
    if (buckets.size >= maxCallers)
      for (const oldest of buckets.keys()) {
        buckets.delete(oldest);
        break;
      }
    return { tokens: burst, filledAt: now };
  }

  return {
    take(caller) {
      const bucket = bucketOf(caller, clock.monotonic());
      buckets.set(caller, bucket);
      if (bucket.tokens >= 1) {
        bucket.tokens -= 1;
        return null;
      }
      return Math.max(1, Math.ceil((1 - bucket.tokens) / perSecond));
    },
  };
}
