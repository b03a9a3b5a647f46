// Says that a grant has ended by itself, and a day ahead that it is about to, once across processes and restarts. It only
// reports: requests and streams ask the clock themselves and never wait for this timer. Cold.
import type { Clock, EpochMs } from '#model/clock.ts';
import type { Log } from '#model/log.ts';
import { startRounds } from '#model/rounds.ts';
import { type GrantEvent, grantEvent } from './grant-authority.ts';
import type { GrantExpiryFeed, GrantStore } from './grant-store.ts';

export interface ExpiryTimerDeps {
  readonly store: GrantExpiryFeed & Pick<GrantStore, 'watch'>;
  readonly clock: Clock;
  readonly onEvent: (event: GrantEvent) => void;
  readonly log: Log;
}

/** Node fires a `setTimeout` of more than 24.8 days at once, so a longer wait is taken in steps. */
const LONGEST_WAIT_MS = 86_400_000;
const SHORTEST_WAIT_MS = 10;
const RETRY_MS = 5000;
const BATCH = 100;
/** How long before its end people hear that a grant is about to end. */
const AHEAD_MS = 86_400_000;

/** Runs until disposed of; its timer keeps no process alive. */
export function startExpiryTimer({ store, clock, onEvent, log }: ExpiryTimerDeps): Disposable {
  async function round(): Promise<number> {
    try {
      for (;;) {
        const ended = await store.claimExpired(BATCH);
        for (const grant of ended) onEvent(grantEvent('grant.expired', grant, null));
        if (ended.length < BATCH) break;
      }
      // The notice is written by the claim itself; it is no lifecycle event, for nothing has changed.
      while ((await store.claimEnding(AHEAD_MS, BATCH)).length === BATCH);
      return waitUntil(earlier(await store.nextEnd(), await store.nextEnding(AHEAD_MS)), clock.now());
    } catch {
      log.warn({}, 'ended grants could not be read; trying again');
      return RETRY_MS;
    }
  }

  const rounds = startRounds(round);
  const watching = store.watch(rounds.wake, rounds.wake);
  rounds.wake();
  return {
    [Symbol.dispose]() {
      rounds[Symbol.dispose]();
      watching[Symbol.dispose]();
    },
  };
}

function earlier(a: EpochMs | null, b: EpochMs | null): EpochMs | null {
  if (a === null || b === null) return a ?? b;
  return a < b ? a : b;
}

/** Exported for its edge cases: at least a little, so that a clock that stands still is not asked in a loop. */
export function waitUntil(end: EpochMs | null, now: EpochMs): number {
  if (end === null) return LONGEST_WAIT_MS;
  return Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, end - now));
}
