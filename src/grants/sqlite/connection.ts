// One connection to the embedded store that heals by itself: opened on first use, given up after any failure that
// may outlast the call, opened again by the next one. Whatever SQLite or the file system says becomes
// STORE_UNAVAILABLE here, by code. Synchronous and off the warm path: a call costs microseconds when it works.
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { PosternError } from '#model/fault.ts';
import { isSqliteBusy, isStorageError, storageFault } from '#model/storage-error.ts';
import { BACKSTOP_PAGES } from './checkpointer.ts';
import { migrate } from './migrations.ts';

/** How long one attempt may block the event loop for a lock that another process holds. */
const BUSY_BLOCK_MS = 20;
const BUSY_PAUSE_MS = 15;
/** What the log keeps of the disk when it begins anew. */
const BACKSTOP_BYTES = BACKSTOP_PAGES * 4096;
/** Holds the inner pages of the indexes of a million grants: a lookup's slowest hundredth halves (`bench/grants.ts`). */
const CACHE_KIB = 16 * 1024;

export interface SqliteConnectionDeps<S> {
  /** Absolute. The file is made, readable by its owner alone, when it does not exist at the first opening. */
  readonly path: string;
  /** How long a call waits, without blocking the event loop, while another process holds the lock. */
  readonly busyDeadlineMs: number;
  /** Called for each new connection: its statements, prepared once. */
  readonly prepare: (db: DatabaseSync) => S;
}

export interface SqliteConnection<S> {
  /** Runs `work` now. Throws STORE_UNAVAILABLE; refusals thrown by `work` pass through. */
  use<T>(work: (statements: S, db: DatabaseSync) => T): T;
  /** Like `use`, but waits for another process's lock up to the deadline. */
  patiently<T>(work: (statements: S, db: DatabaseSync) => T): Promise<T>;
  /** The same inside one write transaction: committed when `work` returns, rolled back when it throws. */
  transact<T>(work: (statements: S) => T): Promise<T>;
  /** Counts the connections opened so far: another number means that notifications may have been missed. */
  readonly generation: number;
  close(): void;
}

interface Open<S> {
  readonly db: DatabaseSync;
  readonly statements: S;
  /** Device and inode: a file put in place of ours is not ours. */
  readonly device: number;
  readonly inode: number;
}

export function createSqliteConnection<S>(deps: SqliteConnectionDeps<S>): SqliteConnection<S> {
  let current: Open<S> | null = null;
  let generation = 0;
  let closed = false;

  function drop(): void {
    const dying = current;
    current = null;
    if (dying?.db.isOpen === true) dying.db.close();
  }

  function opened(): Open<S> {
    if (closed) throw new PosternError('STORE_UNAVAILABLE', 'the grant store is closed');
    if (current !== null && !isStillThere(deps.path, current)) drop();
    if (current === null) {
      current = open(deps, generation === 0);
      generation += 1;
    }
    return current;
  }

  function use<T>(work: (statements: S, db: DatabaseSync) => T): T {
    try {
      const { statements, db } = opened();
      return work(statements, db);
    } catch (error) {
      if (isFailure(error) && !isSqliteBusy(error)) drop();
      throw error;
    }
  }

  async function patiently<T>(work: (statements: S, db: DatabaseSync) => T): Promise<T> {
    const startedAt = performance.now();
    for (;;) {
      try {
        return use(work);
      } catch (error) {
        if (!isSqliteBusy(error) || performance.now() - startedAt >= deps.busyDeadlineMs) throw mapped(error);
        await sleep(BUSY_PAUSE_MS);
      }
    }
  }

  return {
    use(work) {
      try {
        return use(work);
      } catch (error) {
        throw mapped(error);
      }
    },
    patiently,
    transact: (work) => patiently((statements, db) => inTransaction(db, () => work(statements))),
    get generation() {
      return generation;
    },
    close() {
      closed = true;
      drop();
    },
  };
}

function open<S>(deps: SqliteConnectionDeps<S>, mayCreate: boolean): Open<S> {
  if (mayCreate) createFile(deps.path);
  // Without this check SQLite would make an empty file, and an empty store would look like "no grants".
  const { dev, ino } = statSync(deps.path);
  const db = new DatabaseSync(deps.path, { timeout: BUSY_BLOCK_MS });
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON;');
    // NORMAL: a commit waits for no device; `log-sync.ts` does. The log is copied by `checkpointer.ts`, seldom by a commit.
    db.exec(`PRAGMA wal_autocheckpoint = ${BACKSTOP_PAGES}; PRAGMA journal_size_limit = ${BACKSTOP_BYTES};`);
    db.exec(`PRAGMA cache_size = -${CACHE_KIB}`);
    migrate(db);
    return { db, statements: deps.prepare(db), device: dev, inode: ino };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Grants hold names and addresses of people: the file, and with it SQLite's own side files, is its owner's alone. */
function createFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  try {
    // Exclusive: opening and closing a database that exists would drop this process's POSIX locks on it.
    closeSync(openSync(path, 'wx', 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

function isStillThere<S>(path: string, { device, inode }: Open<S>): boolean {
  const stats = statSync(path, { throwIfNoEntry: false });
  return stats !== undefined && stats.ino === inode && stats.dev === device;
}

function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const result = work();
    db.exec('COMMIT');
    return result;
  } catch (error) {
    // SQLite rolls back by itself after some failures, and a second rollback would hide the first error.
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

/** A row that cannot be read is of no more use than a file that cannot. */
function isFailure(error: unknown): boolean {
  if (error instanceof PosternError) return error.code === 'STORE_UNAVAILABLE';
  return error instanceof SyntaxError || isStorageError(error);
}

function mapped(error: unknown): unknown {
  if (error instanceof PosternError || !isFailure(error)) return error;
  return storageFault('STORE_UNAVAILABLE', 'the grant store failed', error);
}
