// Sessions that other processes opened or ended: out of the cache at once, and what is over is ended here too. One that
// cannot be read stays in doubt and is looked at again until it can: new requests are refused by the store's fault
// meanwhile, and what is in flight is cut as soon as the answer is known. Cold.
import type { SessionId } from '#model/ids.ts';
import type { Log } from '#model/log.ts';
import type { SupportSession } from '#model/session.ts';
import type { SessionCache } from './session-cache.ts';
import type { SessionEnforcer } from './session-enforcer.ts';
import type { SessionChange, SessionStore } from './session-store.ts';

export interface SessionFollowerDeps {
  readonly store: Pick<SessionStore, 'get' | 'watch'>;
  readonly cache: Pick<SessionCache, 'invalidate' | 'dropAll' | 'ended' | 'sessionsInUse'>;
  readonly enforcer: SessionEnforcer;
  readonly log: Log;
}

interface Doubt {
  /** The session as it is in use; null where only a change is known. */
  readonly used: SupportSession | null;
}

const RETRY_MS = 1000;

export function followSessions({ store, cache, enforcer, log }: SessionFollowerDeps): Disposable {
  /** A new doubt with each change, so that one which comes while the session is read is told from the one before. */
  const inDoubt = new Map<SessionId, Doubt>();
  let retry: NodeJS.Timeout | undefined;
  let isSettling = false;
  let stopped = false;

  async function settle(): Promise<void> {
    if (isSettling) return;
    isSettling = true;
    try {
      while (inDoubt.size > 0) {
        for (const [id, doubt] of inDoubt) {
          const session = await store.get(id);
          if (stopped) return;
          if (inDoubt.get(id) === doubt) inDoubt.delete(id);
          enforceAsStored(doubt.used, session);
        }
      }
    } catch {
      log.warn({ sessions: inDoubt.size }, 'a session that changed elsewhere cannot be read; trying again');
      clearTimeout(retry);
      retry = setTimeout(() => void settle(), RETRY_MS);
      retry.unref();
    } finally {
      isSettling = false;
    }
  }

  /** A store restored from a copy may not know a session in use: what it does not know is not open. */
  function enforceAsStored(used: SupportSession | null, stored: SupportSession | null): void {
    const ended = stored ?? used;
    if (ended === null) return;
    if (stored !== null && stored.endedAt === null) {
      enforcer.sessionNarrowed(stored);
      return;
    }
    cache.invalidate(ended.tenant);
    cache.ended(ended);
    enforcer.sessionEnded(ended);
  }

  function onChange({ kind, id, tenant, elsewhere }: SessionChange): void {
    if (kind !== 'session') return;
    if (tenant !== null) cache.invalidate(tenant);
    if (!elsewhere) return;
    inDoubt.set(id as SessionId, { used: null });
    void settle();
  }

  function onGap(): void {
    cache.dropAll();
    for (const session of cache.sessionsInUse()) inDoubt.set(session.id, { used: session });
    void settle();
  }

  const watching = store.watch(onChange, onGap);
  return {
    [Symbol.dispose]() {
      stopped = true;
      clearTimeout(retry);
      watching[Symbol.dispose]();
    },
  };
}
