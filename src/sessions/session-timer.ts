// Ends sessions that are over: idled out, at their limit, or without the grant they were opened under. Requests and streams
// ask the clock themselves and never wait for this timer; it makes the end known: in the store, to the customer, in the
// journal. A change of grants or settings makes it look at the sessions that hang on them. Cold.
import type { Clock, EpochMs } from '#model/clock.ts';
import type { Log } from '#model/log.ts';
import { startRounds } from '#model/rounds.ts';
import type { SessionAuthority } from './session-authority.ts';
import type { SessionChange, SessionClaim, SessionStore } from './session-store.ts';

export interface SessionTimerDeps {
  readonly authority: Pick<SessionAuthority, 'endOverdue'>;
  readonly store: Pick<SessionStore, 'nextEnd' | 'watch'>;
  readonly clock: Clock;
  readonly log: Log;
}

/** Often enough for idling, whose instant moves with every use, and for sessions that were opened meanwhile. */
const LONGEST_WAIT_MS = 60_000;
/** Uses reach the store late, so an idle session is ended a little after it was over. */
const SHORTEST_WAIT_MS = 1000;
const RETRY_MS = 5000;
/** Changes remembered at once; of one beyond, the sessions end when they are used, or by the clock. */
const MAX_CHANGES = 1000;

/** Runs until disposed of; its timer keeps no process alive. */
export function startSessionTimer({ authority, store, clock, log }: SessionTimerDeps): Disposable {
  const changes = new Map<string, NonNullable<SessionClaim['changed']>>();

  async function round(): Promise<number> {
    try {
      for (const [key, changed] of changes) {
        changes.delete(key);
        await looked(key, changed);
      }
      await authority.endOverdue(null);
      return waitUntil(await store.nextEnd(), clock.now());
    } catch {
      log.warn({}, 'sessions that are over could not be ended; trying again');
      return RETRY_MS;
    }
  }

  async function looked(key: string, changed: NonNullable<SessionClaim['changed']>): Promise<void> {
    try {
      await authority.endOverdue(changed);
    } catch (error) {
      changes.set(key, changed);
      throw error;
    }
  }

  function onChange({ kind, id }: SessionChange): void {
    // A session that was opened is over at the earliest when the timer looks anyway.
    if (kind === 'session') return;
    if (changes.size < MAX_CHANGES) changes.set(`${kind}:${id}`, { kind, id });
    rounds.wake();
  }

  const rounds = startRounds(round);
  const watching = store.watch(onChange, () => rounds.wake());
  rounds.wake();
  return {
    [Symbol.dispose]() {
      rounds[Symbol.dispose]();
      watching[Symbol.dispose]();
    },
  };
}

/** Exported for its edge cases. */
export function waitUntil(end: EpochMs | null, now: EpochMs): number {
  if (end === null) return LONGEST_WAIT_MS;
  return Math.min(LONGEST_WAIT_MS, Math.max(SHORTEST_WAIT_MS, end - now));
}
