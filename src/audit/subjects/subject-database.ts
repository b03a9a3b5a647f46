// The file behind the subjects' store: subjects.db, its owner's alone, opened at the first use and again after any
// failure that may outlast the call. Guarantees: whatever is deleted is overwritten; a file that is not ours, is newer
// or is gone is AUDIT_UNAVAILABLE, and never replaced. Whatever SQLite says is mapped here, by code. Warm.
import { closeSync, mkdirSync, openSync, statSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { PosternError } from '#model/fault.ts';
import { isSqliteBusy, isStorageError, sqliteCodeOf, storageFault } from '#model/storage-error.ts';
import { createTables, prepareStatements, schemaOf, type SubjectStatements } from './subject-tables.ts';

export const SUBJECTS_FILE = 'subjects.db';

export interface SubjectDatabaseOptions {
  /** The audit directory. */
  readonly directory: string;
  /** Never writes, and makes no file. */
  readonly readOnly: boolean;
  readonly durability: 'os' | 'disk';
}

export interface SubjectDatabase {
  /** Null where the store is only read and there is nothing to read yet. */
  use<T>(work: (statements: SubjectStatements) => T): T | null;
  /** The same inside one write transaction: committed when `work` returns, rolled back when it throws. */
  transact<T>(work: (statements: SubjectStatements) => T): T;
  /** Counts the openings: another number means that everything may have changed. */
  readonly generation: number;
  /** Whether the file was made here: whatever older segments say of people can no longer be read. */
  readonly created: boolean;
  close(): void;
}

interface Open {
  readonly db: DatabaseSync;
  readonly statements: SubjectStatements;
  /** Device and inode: a file put in place of ours is not ours. */
  readonly device: number;
  readonly inode: number;
}

/** How long a call may wait for a lock of another process: it blocks the event loop meanwhile. */
const BUSY_MS = 1000;
const SQLITE_CANTOPEN = 14;

export function openSubjectDatabase(options: SubjectDatabaseOptions): SubjectDatabase {
  const file = path.resolve(options.directory, SUBJECTS_FILE);
  let current: Open | null = null;
  let generation = 0;
  let closed = false;
  let created = false;

  function drop(): void {
    const dying = current;
    current = null;
    if (dying?.db.isOpen === true) dying.db.close();
  }

  function opened(): Open | null {
    if (closed) throw new PosternError('AUDIT_UNAVAILABLE', 'the subjects’ store is closed');
    if (current !== null && !isStillThere(file, current)) drop();
    if (current !== null) return current;
    if (!options.readOnly && generation === 0) created = createFile(file);
    current = options.readOnly ? openToRead(file) : openToWrite(file, options.durability);
    if (current !== null) generation += 1;
    return current;
  }

  /** What another process's lock delays says nothing about the connection. */
  function attempt<T>(work: (open: Open | null) => T): T {
    try {
      return work(opened());
    } catch (error) {
      if (isFailure(error) && !isSqliteBusy(error)) drop();
      throw mapped(error);
    }
  }

  return {
    use: (work) => attempt((open) => (open === null ? null : work(open.statements))),
    transact: (work) =>
      attempt((open) => {
        if (open === null || options.readOnly) {
          throw new PosternError('AUDIT_UNAVAILABLE', 'the subjects’ store is open to be read only');
        }
        return inTransaction(open.db, () => work(open.statements));
      }),
    get generation() {
      return generation;
    },
    get created() {
      return created;
    },
    close() {
      closed = true;
      drop();
    },
  };
}

function openToWrite(file: string, durability: 'os' | 'disk'): Open {
  // Without this check SQLite would make an empty file, and an empty store would look as if everybody were erased.
  const { dev, ino } = statSync(file);
  const db = new DatabaseSync(file, { timeout: BUSY_MS });
  try {
    const schema = schemaOf(db);
    // Before the first setting: a file that is not ours stays as it is.
    if (schema === 'foreign') throw foreign();
    db.exec('PRAGMA secure_delete = ON; PRAGMA temp_store = MEMORY; PRAGMA journal_mode = WAL;');
    db.exec(`PRAGMA synchronous = ${durability === 'disk' ? 'FULL' : 'NORMAL'}`);
    if (schema === 'empty') inTransaction(db, () => createTables(db));
    return { db, statements: prepareStatements(db), device: dev, inode: ino };
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Null for a file that does not exist, or into which its first writer has put nothing yet. */
function openToRead(file: string): Open | null {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return null;
  let db = readable(file);
  try {
    let schema: ReturnType<typeof schemaOf>;
    try {
      schema = schemaOf(db);
    } catch (error) {
      if (sqliteCodeOf(error) !== SQLITE_CANTOPEN || hasLog(file)) throw error;
      // A copy on a medium that cannot be written to: nobody changes it, so that no shared memory is needed.
      db.close();
      db = readable(`${pathToFileURL(file).href}?immutable=1`);
      schema = schemaOf(db);
    }
    if (schema === 'foreign') throw foreign();
    if (schema === 'ours')
      return { db, statements: prepareStatements(db), device: stats.dev, inode: stats.ino };
    db.close();
    return null;
  } catch (error) {
    if (db.isOpen) db.close();
    throw error;
  }
}

function readable(location: string): DatabaseSync {
  return new DatabaseSync(location, { readOnly: true, timeout: BUSY_MS });
}

function hasLog(file: string): boolean {
  return (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0;
}

/** It holds names, addresses and keys: the file, and with it SQLite's own side files, is its owner's alone. */
function createFile(file: string): boolean {
  mkdirSync(path.dirname(file), { recursive: true, mode: 0o700 });
  try {
    // Exclusive: opening and closing a database that exists would drop this process's POSIX locks on it.
    closeSync(openSync(file, 'wx', 0o600));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

function isStillThere(file: string, { device, inode }: Open): boolean {
  const stats = statSync(file, { throwIfNoEntry: false });
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

function foreign(): PosternError {
  return new PosternError('AUDIT_UNAVAILABLE', `${SUBJECTS_FILE} is not a subjects’ store of this version`);
}

function isFailure(error: unknown): boolean {
  return error instanceof PosternError ? error.code === 'AUDIT_UNAVAILABLE' : isStorageError(error);
}

function mapped(error: unknown): unknown {
  if (error instanceof PosternError || !isFailure(error)) return error;
  return storageFault('AUDIT_UNAVAILABLE', 'the subjects’ store failed', error);
}
