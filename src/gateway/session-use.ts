// An exchange in progress is use of its session: a stream that somebody watches, a long upload, does not idle out, however
// quiet it is. Its session's absolute limit and its grant still end it. Off the hot path: one look a second.
import type { Clock } from '#model/clock.ts';
import type { SessionLookup } from '#sessions/session-lookup.ts';
import type { LiveExchanges } from './live-exchanges.ts';

/** Well below the shortest idle limit that makes sense. */
const LOOK_EVERY_MS = 1000;

export interface SessionUseDeps {
  readonly live: Pick<LiveExchanges, 'each'>;
  readonly sessions: Pick<SessionLookup, 'used'>;
  readonly clock: Pick<Clock, 'now'>;
}

/** Runs until disposed of; its timer keeps no process alive. */
export function watchSessionUse({ live, sessions, clock }: SessionUseDeps): Disposable {
  function look(): void {
    const now = clock.now();
    live.each((x) => {
      if (x.session !== null && x.phase === 'forwarding') sessions.used(x.session, now);
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
