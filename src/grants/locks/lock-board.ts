// Every lock that holds, in memory, for the gate to ask without waiting. Guarantees: read at the start and again at each
// change of a lock here or elsewhere; when a change may have been missed, or one is known and cannot be read, the board
// is not available until it has been read, and the gate refuses (fail closed). Hot: `lockFor`, once per request.
import type { Clock, EpochMs } from '#model/clock.ts';
import { type Lock, type Locked, lockHoldsAt, type LockTarget } from '#model/lock.ts';
import type { Log } from '#model/log.ts';
import { LockTable } from './lock-table.ts';
import type { LockStore } from './lock-store.ts';

/** What the gate asks. */
export interface LockLookup {
  /** A lock that holds at `now` and concerns the subject; null for none. To be believed only while `available`. */
  lockFor(subject: Locked, now: EpochMs): Lock | null;
  /** False: nobody knows what is locked; refuse with `store_unavailable`. */
  readonly available: boolean;
}

/** How a lock becomes true for traffic in flight. */
export interface LockEnforcer {
  /** Returns when every exchange that the lock concerns is over. Repeated, it does no harm. */
  locked(lock: Lock): void;
}

export interface LockBoardDeps {
  readonly store: Pick<LockStore, 'held' | 'watch'>;
  readonly clock: Clock;
  readonly log: Log;
  /** A lock came to hold that nobody of this process has taken: what it concerns must be cut. Must not throw. */
  readonly onLocked: (lock: Lock) => void;
}

export interface LockBoard extends LockLookup, Disposable {
  /** Resolves after the first reading, whether it succeeded or not: `available` says which. */
  readonly firstRead: Promise<void>;
  /** A lock that this process has just set or lifted: true here at once, before the store is read again. */
  take(lock: Lock): void;
  /** After a jump of the clock: what had ended by the wrong one may hold. Not available until it has been read. */
  reread(): void;
  /** How many hold now, by what they are on, zeros too; null while nobody knows. For the metric. */
  heldByKind(): Readonly<Record<LockKind, number>> | null;
}

type LockKind = LockTarget['kind'];

const RETRY_MS = 250;

/** Follows the store's change feed until disposed of; its timer keeps no process alive. */
export function createLockBoard(deps: LockBoardDeps): LockBoard {
  const { clock, onLocked } = deps;
  let locks = new Map<string, Lock>();
  let table = new LockTable([]);
  /** What this process did since the last reading began, which may not have seen it. */
  const taken = new Map<string, Lock>();

  function put(lock: Lock): void {
    if (lock.liftedAt === null) locks.set(lock.id, lock);
    else locks.delete(lock.id);
  }

  const following = follow(deps, {
    begins: () => taken.clear(),
    read(held) {
      const before = locks;
      locks = new Map(held.map((lock) => [lock.id, lock]));
      for (const lock of taken.values()) put(lock);
      table = new LockTable(locks.values());
      const now = clock.now();
      for (const lock of locks.values()) if (!before.has(lock.id) && lockHoldsAt(lock, now)) onLocked(lock);
    },
  });

  return {
    firstRead: following.firstRead,
    lockFor: (subject, now) => table.lockFor(subject, now),
    get available() {
      return following.available;
    },
    take(lock) {
      taken.set(lock.id, lock);
      put(lock);
      table = new LockTable(locks.values());
    },
    reread: () => following.reread(),
    heldByKind() {
      if (!following.available) return null;
      const now = clock.now();
      const counts = { principal: 0, tenant: 0, case: 0, everything: 0 };
      for (const lock of locks.values()) if (lockHoldsAt(lock, now)) counts[lock.target.kind] += 1;
      return counts;
    },
    [Symbol.dispose]() {
      following[Symbol.dispose]();
    },
  };
}

interface Following extends Disposable {
  readonly firstRead: Promise<void>;
  readonly available: boolean;
  reread(): void;
}

interface Reader {
  begins(): void;
  read(held: readonly Lock[]): void;
}

/** One reading at a time; a change that comes during one makes it read once more. */
function follow({ store, log }: LockBoardDeps, reader: Reader): Following {
  let available = false;
  let reading = false;
  let again = false;
  let failing = false;
  let stopped = false;
  let retry: NodeJS.Timeout | undefined;

  async function refresh(): Promise<void> {
    if (reading) {
      again = true;
      return;
    }
    reading = true;
    clearTimeout(retry);
    let isRead: boolean;
    do {
      again = false;
      reader.begins();
      isRead = await readOnce();
    } while (again && isRead);
    reading = false;
    // Only now: the last reading began after every change and every gap that is known of.
    available = isRead;
    if (isRead || stopped) return;
    retry = setTimeout(() => void refresh(), RETRY_MS);
    retry.unref();
  }

  async function readOnce(): Promise<boolean> {
    try {
      const held = await store.held();
      if (stopped) return false;
      reader.read(held);
      if (failing) log.info({}, 'the locks can be read again');
      failing = false;
      return true;
    } catch {
      if (!failing) log.warn({}, 'the locks cannot be read; requests are refused until they can');
      failing = true;
      return false;
    }
  }

  function reread(): void {
    available = false;
    void refresh();
  }

  const watching = store.watch(() => void refresh(), reread);
  return {
    firstRead: refresh(),
    get available() {
      return available;
    },
    reread,
    [Symbol.dispose]() {
      stopped = true;
      clearTimeout(retry);
      watching[Symbol.dispose]();
    },
  };
}
