// A request that runs for more than a minute is told of while it runs, like the streams: whoever watches the records
// must not learn of a long download when it is over. Off the hot path: a look at the live exchanges now and then.
import type { Journal } from '#audit/journal.ts';
import type { Clock } from '#model/clock.ts';
import type { LiveExchanges } from './live-exchanges.ts';

const LONG_MS = 60_000;
const LOOK_EVERY_MS = 5000;

export interface LongExchangesDeps {
  readonly live: Pick<LiveExchanges, 'each'>;
  readonly journal: Pick<Journal, 'started'>;
  readonly clock: Pick<Clock, 'monotonic'>;
}

/** Runs until disposed of; its timer keeps no process alive. Streams have said so themselves when they began. */
export function watchLongExchanges({ live, journal, clock }: LongExchangesDeps): Disposable {
  function look(): void {
    const before = clock.monotonic() - LONG_MS;
    live.each((x) => {
      if (x.startedAt > before || x.phase !== 'forwarding' || x.kind !== 'http' || x.isToldOf) return;
      x.isToldOf = true;
      journal.started(x);
    });
  }

  const timer = setInterval(look, LOOK_EVERY_MS);
  timer.unref();
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
    },
  };
}
