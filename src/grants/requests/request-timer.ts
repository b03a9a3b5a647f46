// Says that a request has lapsed, once across processes and restarts. It only reports: whoever decides about a request
// asks the clock and never waits for this timer. Cold.
import type { Clock } from '#model/clock.ts';
import type { Log } from '#model/log.ts';
import { startRounds } from '#model/rounds.ts';
import { waitUntil } from '../expiry-timer.ts';
import { type RequestEvent, requestEvent } from './request-authority.ts';
import type { RequestLapseFeed } from './request-store.ts';

export interface RequestTimerDeps {
  readonly store: RequestLapseFeed;
  readonly clock: Clock;
  readonly onEvent: (event: RequestEvent) => void;
  readonly log: Log;
}

const RETRY_MS = 5000;
const BATCH = 100;

/** Runs until disposed of; its timer keeps no process alive. */
export function startRequestTimer({ store, clock, onEvent, log }: RequestTimerDeps): Disposable {
  async function round(): Promise<number> {
    try {
      for (;;) {
        const lapsed = await store.claimLapsed(BATCH);
        for (const request of lapsed) {
          onEvent(requestEvent('request.decided', request, { by: null, grant: null }));
        }
        if (lapsed.length < BATCH) break;
      }
      return waitUntil(await store.nextLapse(), clock.now());
    } catch {
      log.warn({}, 'lapsed requests could not be read; trying again');
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
