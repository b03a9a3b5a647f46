// Rate and concurrency per principal (P10): a token bucket and a counter each, whatever token or connection is used.
// Guarantees: bounded memory, since a principal at rest with a full bucket is forgotten. Hot: two map look-ups.
import type { MonotonicMs } from '#model/clock.ts';
import type { Principal } from '#model/principal.ts';

export interface PrincipalLimitOptions {
  /** Null: no bound. */
  readonly concurrent: number | null;
  /** Also the burst. Null: no bound. */
  readonly perSecond: number | null;
}

export class PrincipalUsage {
  inFlight = 0;
  tokens: number;
  refilledAt: MonotonicMs;

  constructor(tokens: number, now: MonotonicMs) {
    this.tokens = tokens;
    this.refilledAt = now;
  }
}

export interface PrincipalLimits {
  /** Takes one unit of rate and one of concurrency; null when either is used up. Give it back with `release`. */
  acquire(principal: Principal, now: MonotonicMs): PrincipalUsage | null;
  release(usage: PrincipalUsage): void;
}

const SWEEP_EVERY = 4096;

export function createPrincipalLimits(options: PrincipalLimitOptions): PrincipalLimits | null {
  const { concurrent, perSecond } = options;
  if (concurrent === null && perSecond === null) return null;
  const burst = perSecond ?? 0;
  // Nested, not joined: an issuer and an id must never be confused with another pair (class 13).
  const byIssuer = new Map<string, Map<string, PrincipalUsage>>();
  let untilSweep = SWEEP_EVERY;

  function usageOf(principal: Principal, now: MonotonicMs): PrincipalUsage {
    let byId = byIssuer.get(principal.issuer);
    if (byId === undefined) {
      byId = new Map();
      byIssuer.set(principal.issuer, byId);
    }
    let usage = byId.get(principal.id);
    if (usage === undefined) {
      usage = new PrincipalUsage(burst, now);
      byId.set(principal.id, usage);
    }
    return usage;
  }

  function refill(usage: PrincipalUsage, now: MonotonicMs): void {
    usage.tokens = Math.min(burst, usage.tokens + ((now - usage.refilledAt) / 1000) * burst);
    usage.refilledAt = now;
  }

  function sweep(now: MonotonicMs): void {
    for (const byId of byIssuer.values()) {
      for (const [id, usage] of byId) {
        refill(usage, now);
        if (usage.inFlight === 0 && usage.tokens >= burst) byId.delete(id);
      }
    }
  }

  return {
    acquire(principal, now) {
      untilSweep -= 1;
      if (untilSweep === 0) {
        untilSweep = SWEEP_EVERY;
        sweep(now);
      }
      const usage = usageOf(principal, now);
      if (concurrent !== null && usage.inFlight >= concurrent) return null;
      if (perSecond !== null) {
        refill(usage, now);
        if (usage.tokens < 1) return null;
        usage.tokens -= 1;
      }
      usage.inFlight += 1;
      return usage;
    },
    release(usage) {
      usage.inFlight -= 1;
    },
  };
}
