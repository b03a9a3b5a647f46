// Every exchange that can be cut, from the moment it waits for something or its grant is chosen until it ends, and the
// one timer that ends those whose authority runs out. Guarantees: when `cutWhere` returns, each matching exchange is over.
// Hot: four writes to a linked list and one comparison per request; no timer per request.
import type { Clock, EpochMs } from '#model/clock.ts';
import { NEVER } from '#model/clock.ts';
import type { CutReason } from '#model/ended-by.ts';
import { endedFirst } from './authority-end.ts';
import type { Exchange } from './exchange.ts';
import { ExchangeList } from './exchange-list.ts';

/**
 * A wall clock that is set forward, or a machine that slept, brings an end nearer than a timer knows: it is looked
 * at again this often. (Node fires a timer longer than 24.8 days at once.)
 */
const MAX_TIMER_MS = 60_000;

export interface LiveExchanges {
  readonly size: number;
  /** From when it first waits, or its grant is chosen and `x.authorityEndsAt` set. Again: its end has changed. */
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

/** Which authority ran out first: the grant's, the session's or the credential's. */
export function expiryReason(x: Exchange, now: EpochMs): CutReason | null {
  return now < x.authorityEndsAt ? null : endedFirst(x);
}

/** By the clock that nobody sets: a wall clock set back must not lengthen an authority in use. */
function monotonicEnd(x: Exchange): number {
  if (x.grant === null || x.authorityEndsAt === NEVER) return Number.POSITIVE_INFINITY;
  return x.startedAt + (x.authorityEndsAt - x.receivedAt);
}

export function createLiveExchanges({ clock, cut }: LiveExchangesDeps): LiveExchanges {
  const live = new ExchangeList();
  let timer: NodeJS.Timeout | null = null;
  /** By the monotonic clock. */
  let firesAt = Number.POSITIVE_INFINITY;

  function arm(at: number): void {
    if (timer !== null) clearTimeout(timer);
    firesAt = at;
    timer = setTimeout(sweep, Math.min(Math.max(at - clock.monotonic(), 0), MAX_TIMER_MS));
    timer.unref();
  }

  function sweep(): void {
    const now = clock.now();
    const monotonic = clock.monotonic();
    timer = null;
    firesAt = Number.POSITIVE_INFINITY;
    let next = Number.POSITIVE_INFINITY;
    for (const x of live.snapshot()) {
      const end = monotonicEnd(x);
      // Without a grant yet there is no authority that could run out.
      if (end === Number.POSITIVE_INFINITY) continue;
      if (now >= x.authorityEndsAt || monotonic >= end) cut(x, endedFirst(x));
      else next = Math.min(next, end, monotonic + (x.authorityEndsAt - now));
    }
    if (next !== Number.POSITIVE_INFINITY) arm(next);
  }

  return {
    get size() {
      return live.size;
    },
    add(x) {
      live.add(x);
      const end = monotonicEnd(x);
      if (end < firesAt) arm(end);
    },
    remove(x) {
      live.remove(x);
    },
    cutWhere(matches, reason) {
      let count = 0;
      for (const x of live.snapshot()) {
        if (!matches(x)) continue;
        cut(x, reason);
        count += 1;
      }
      return count;
    },
    each(visit) {
      for (const x of live.snapshot()) visit(x);
    },
    close() {
      if (timer !== null) clearTimeout(timer);
    },
  };
}
