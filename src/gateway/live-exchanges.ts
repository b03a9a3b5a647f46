// Every exchange that holds authority, from the moment its grant is chosen until it ends, and the one timer that
// ends those whose authority runs out. Guarantees: when `cutWhere` returns, each matching exchange is over.
// Hot: a Set insertion, a deletion and one comparison per request; no timer per request.
import type { Clock, EpochMs } from '#model/clock.ts';
import { NEVER } from '#model/clock.ts';
import type { CutReason } from '#model/ended-by.ts';
import type { Exchange } from './exchange.ts';

/** Node fires a timer longer than 24.8 days at once; no timer of ours is longer than a day. */
const MAX_TIMER_MS = 24 * 60 * 60 * 1000;

export interface LiveExchanges {
  readonly size: number;
  /** From when the grant was chosen. `x.authorityEndsAt` is set. */
  add(x: Exchange): void;
  remove(x: Exchange): void;
  /** Ends every exchange that matches, synchronously; returns how many. */
  cutWhere(matches: (x: Exchange) => boolean, reason: CutReason): number;
  each(visit: (x: Exchange) => void): void;
  close(): void;
}

export interface LiveExchangesDeps {
  readonly clock: Clock;
  readonly cut: (x: Exchange, reason: CutReason) => void;
}

/** Which authority ran out first: the grant's or the credential's. */
export function expiryReason(x: Exchange, now: EpochMs): CutReason | null {
  if (now < x.authorityEndsAt) return null;
  const credentialEnd = x.credential === null ? NEVER : x.credential.expiresAt;
  return now >= credentialEnd ? 'credential_expired' : 'expired';
}

export function createLiveExchanges({ clock, cut }: LiveExchangesDeps): LiveExchanges {
  const live = new Set<Exchange>();
  let timer: NodeJS.Timeout | null = null;
  let firesAt = NEVER;

  function arm(at: EpochMs): void {
    if (timer !== null) clearTimeout(timer);
    firesAt = at;
    timer = setTimeout(sweep, Math.min(Math.max(at - clock.now(), 0), MAX_TIMER_MS));
    timer.unref();
  }

  function sweep(): void {
    const now = clock.now();
    timer = null;
    firesAt = NEVER;
    let next = NEVER;
    for (const x of live) {
      const reason = expiryReason(x, now);
      if (reason !== null) cut(x, reason);
      else if (x.authorityEndsAt < next) next = x.authorityEndsAt;
    }
    if (next !== NEVER) arm(next);
  }

  return {
    get size() {
      return live.size;
    },
    add(x) {
      live.add(x);
      if (x.authorityEndsAt < firesAt) arm(x.authorityEndsAt);
    },
    remove(x) {
      live.delete(x);
    },
    cutWhere(matches, reason) {
      let count = 0;
      for (const x of live) {
        if (!matches(x)) continue;
        cut(x, reason);
        count += 1;
      }
      return count;
    },
    each(visit) {
      for (const x of live) visit(x);
    },
    close() {
      if (timer !== null) clearTimeout(timer);
    },
  };
}
