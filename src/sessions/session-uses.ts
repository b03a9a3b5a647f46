// When each session was last used here. Hot: a use is one map lookup and one assignment. Uses are gathered and written to the
// store together every few seconds; a store that is away keeps them waiting.
import type { Clock, EpochMs } from '#model/clock.ts';
import type { SessionId } from '#model/ids.ts';
import type { Log } from '#model/log.ts';
import type { SupportSession } from '#model/session.ts';
import type { SessionStore } from './session-store.ts';

export interface SessionUsesDeps {
  readonly store: Pick<SessionStore, 'touch'>;
  readonly clock: Pick<Clock, 'now'>;
  readonly flushMs: number;
  readonly log: Log;
}

/** One per session that was used here. */
class Use {
  session: SupportSession;
  lastUsedAt: EpochMs;
  isDirty = false;

  constructor(session: SupportSession) {
    this.session = session;
    this.lastUsedAt = session.lastUsedAt;
  }
}

export interface SessionUses {
  lastUsedOf(session: SupportSession): EpochMs;
  used(session: SupportSession, now: EpochMs): void;
  sessions(): Iterable<SupportSession>;
  forget(id: SessionId): void;
  flush(): Promise<void>;
  close(): Promise<void>;
}

export function createSessionUses({ store, clock, log, flushMs }: SessionUsesDeps): SessionUses {
  const uses = new Map<SessionId, Use>();
  let timer: NodeJS.Timeout | null = null;
  let closed = false;

  function onTimer(): void {
    timer = null;
    void flush();
  }

  function schedule(): void {
    if (timer !== null || closed) return;
    timer = setTimeout(onTimer, flushMs);
    timer.unref();
  }

  async function flush(): Promise<void> {
    const now = clock.now();
    // A use that came after the end would stay for ever; the clock ends these without us.
    for (const [id, { session, isDirty }] of uses) if (!isDirty && session.endsAt <= now) uses.delete(id);
    const dirty = [...uses.values()].filter((use) => use.isDirty);
    if (dirty.length === 0) return;
    for (const use of dirty) use.isDirty = false;
    try {
      await store.touch(dirty.map(({ session, lastUsedAt }) => ({ id: session.id, at: lastUsedAt })));
    } catch {
      // The store's own failure is reported by whoever needs it; the uses are written when it is back.
      log.warn({ sessions: dirty.length }, 'the uses of sessions could not be written; trying again');
      for (const use of dirty) use.isDirty = true;
      schedule();
    }
  }

  return {
    lastUsedOf(session) {
      const use = uses.get(session.id);
      return use !== undefined && use.lastUsedAt > session.lastUsedAt ? use.lastUsedAt : session.lastUsedAt;
    },
    used(session, now) {
      let use = uses.get(session.id);
      if (use === undefined) {
        use = new Use(session);
        uses.set(session.id, use);
      }
      if (now <= use.lastUsedAt) return;
      use.lastUsedAt = now;
      use.isDirty = true;
      if (timer === null) schedule();
    },
    sessions: () => [...uses.values()].map(({ session }) => session),
    forget: (id) => void uses.delete(id),
    flush,
    async close() {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      await flush();
    },
  };
}
