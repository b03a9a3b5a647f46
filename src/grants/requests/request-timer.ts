// Says that a request has lapsed, once across processes and restarts. It only reports: whoever decides about a request
// asks the clock and never waits for this timer. Cold.
import type { Clock } from '#model/clock.ts';
import type { Log } from '#model/log.ts';
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
  let timer: NodeJS.Timeout | undefined;
  let running = false;
  let again = false;
  let stopped = false;

  /** One round at a time: a change that comes during one makes it look once more. */
  async function wake(): Promise<void> {
    if (running) {
      again = true;
      return;
    }
    running = true;
    clearTimeout(timer);
    const waitMs = await round();
    running = false;
    if (stopped) return;
    timer = setTimeout(() => void wake(), again ? 0 : waitMs);
    timer.unref();
    again = false;
  }

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

  const watching = store.watch(
    () => void wake(),
    () => void wake(),
  );
  void wake();
  return {
    [Symbol.dispose]() {
      stopped = true;
      clearTimeout(timer);
      watching[Symbol.dispose]();
    },
  };
}
