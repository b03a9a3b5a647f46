// The file of the index, `index.db` in the audit directory: its tables, and whether it belongs to this journal. All in
// it comes from the journal, so a file that is missing, damaged, of another version or of another journal is made anew.
// Assumes one writer. Errors are those of SQLite and node:fs. Not hot.
import { closeSync, openSync, readdirSync, readSync, rmSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { segmentNumberOf, segmentPath } from '../segment-directory.ts';
import type { Position } from '../segment-tail.ts';

const VERSION = 2;
const BUSY_MS = 2000;

/** Everything up to `sealedAt` is in it; `seal` is the line that ends there. */
export interface IndexCursor {
  readonly sealedAt: Position;
  readonly seal: string;
}

const TABLES = `
  CREATE TABLE cursor (one INTEGER PRIMARY KEY CHECK (one = 1), segment INTEGER NOT NULL, "offset" INTEGER NOT NULL,
    seal TEXT NOT NULL) STRICT;
  CREATE TABLE tenant (id INTEGER PRIMARY KEY, raw TEXT NOT NULL, name TEXT) STRICT;
  CREATE INDEX tenant_name ON tenant (name);
  CREATE TABLE block (id INTEGER PRIMARY KEY, segment INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, first_id INTEGER NOT NULL, last_id INTEGER NOT NULL) STRICT;
  CREATE INDEX block_segment ON block (segment, start);
  CREATE TABLE cell (tenant INTEGER NOT NULL, block INTEGER NOT NULL, s INTEGER NOT NULL, g INTEGER NOT NULL,
    part INTEGER NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL, used_at INTEGER NOT NULL,
    reads INTEGER NOT NULL, writes INTEGER NOT NULL, denied INTEGER NOT NULL,
    PRIMARY KEY (tenant, block, s, g, part)) STRICT, WITHOUT ROWID;
  CREATE TABLE denied (tenant INTEGER NOT NULL, block INTEGER NOT NULL, s INTEGER NOT NULL, g INTEGER NOT NULL,
    part INTEGER NOT NULL, what TEXT NOT NULL, count INTEGER NOT NULL,
    PRIMARY KEY (tenant, block, s, g, part, what)) STRICT, WITHOUT ROWID;
  CREATE TABLE other (tenant INTEGER NOT NULL, block INTEGER NOT NULL, s INTEGER NOT NULL, kind TEXT NOT NULL,
    lines INTEGER NOT NULL, requests INTEGER NOT NULL, PRIMARY KEY (tenant, block, s, kind)) STRICT, WITHOUT ROWID;
  CREATE TABLE late (step INTEGER NOT NULL, block INTEGER NOT NULL, PRIMARY KEY (step, block)) STRICT, WITHOUT ROWID;
  CREATE TABLE subject (segment INTEGER NOT NULL, s INTEGER NOT NULL, "offset" INTEGER NOT NULL, subject TEXT NOT NULL,
    kind TEXT NOT NULL, PRIMARY KEY (segment, s)) STRICT, WITHOUT ROWID;
  CREATE INDEX subject_id ON subject (subject, segment);
  CREATE TABLE grant_line (segment INTEGER NOT NULL, g INTEGER NOT NULL, "offset" INTEGER NOT NULL,
    grant_id TEXT NOT NULL, case_ref TEXT, session_id TEXT, PRIMARY KEY (segment, g)) STRICT, WITHOUT ROWID;
  CREATE TABLE policy (segment INTEGER NOT NULL, p INTEGER NOT NULL, "offset" INTEGER NOT NULL,
    PRIMARY KEY (segment, p)) STRICT, WITHOUT ROWID;
  CREATE TABLE segment (segment INTEGER PRIMARY KEY, instance TEXT NOT NULL) STRICT;
  CREATE TABLE opened (segment INTEGER NOT NULL, "offset" INTEGER NOT NULL, PRIMARY KEY (segment, "offset")) STRICT,
    WITHOUT ROWID;
  PRAGMA user_version = ${VERSION};
`;

export function indexPath(directory: string): string {
  return path.join(directory, 'index.db');
}

/** An index in memory, empty. */
export function memoryIndex(): DatabaseSync {
  const db = new DatabaseSync(':memory:');
  db.exec(TABLES);
  return db;
}

/** For writing. Made anew when it cannot be used. Throws when it cannot be made. */
export function openIndex(directory: string): DatabaseSync {
  try {
    const db = opened(directory);
    const cursor = cursorOf(db);
    if (cursor === null || cursorHolds(directory, cursor)) return db;
    db.close();
  } catch (error) {
    if (!isDamaged(error)) throw error;
  }
  for (const suffix of ['', '-wal', '-shm']) rmSync(indexPath(directory) + suffix, { force: true });
  return opened(directory);
}

/** What says that the file itself is of no use: SQLITE_CORRUPT and SQLITE_NOTADB. Full disks and locks pass. */
export function isDamaged(error: unknown): boolean {
  if (error instanceof WrongVersion) return true;
  const code = (error as { readonly errcode?: number }).errcode ?? 0;
  return (code & 0xff) === 11 || (code & 0xff) === 26;
}

class WrongVersion extends Error {}

function opened(directory: string): DatabaseSync {
  const file = indexPath(directory);
  // Before SQLite makes it: it says who visited whom, so it is its owner's alone.
  closeSync(openSync(file, 'a', 0o600));
  const db = new DatabaseSync(file, { timeout: BUSY_MS });
  try {
    db.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;');
    const version = versionOf(db);
    if (version === 0 && isEmpty(db)) db.exec(`BEGIN IMMEDIATE; ${TABLES} COMMIT;`);
    else if (version !== VERSION) throw new WrongVersion();
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** For reading alone; null when there is none that can be used, and what is asked must be read from the journal. */
export function openIndexForReading(directory: string): DatabaseSync | null {
  let db: DatabaseSync | null = null;
  try {
    db = new DatabaseSync(indexPath(directory), { readOnly: true, timeout: BUSY_MS });
    // One state of it, until it is closed.
    db.exec('BEGIN');
    const cursor = versionOf(db) === VERSION ? cursorOf(db) : null;
    if (cursor !== null && cursorHolds(directory, cursor)) return db;
  } catch {
    // Missing, damaged, being made, or a copy that SQLite may not lock.
  }
  db?.close();
  return null;
}

/** Null while nothing was indexed. */
export function cursorOf(db: DatabaseSync): IndexCursor | null {
  const row = db.prepare('SELECT segment, "offset", seal FROM cursor').get();
  if (row === undefined) return null;
  return {
    sealedAt: { segment: Number(row['segment']), offset: Number(row['offset']) },
    seal: String(row['seal']),
  };
}

/**
 * Whether the seal it names stands where it says. A segment that was removed since cannot deny it; but the last one is
 * never removed, so where no later one is there the end of the journal was lost.
 */
function cursorHolds(directory: string, { sealedAt, seal }: IndexCursor): boolean {
  const expected = Buffer.from(seal, 'latin1');
  const found = Buffer.alloc(expected.length);
  try {
    const fd = openSync(segmentPath(directory, sealedAt.segment), 'r');
    try {
      const read = readSync(fd, found, 0, found.length, Math.max(0, sealedAt.offset - found.length));
      return read === found.length && found.equals(expected);
    } finally {
      closeSync(fd);
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') return false;
    return readdirSync(directory).some((name) => (segmentNumberOf(name) ?? 0) > sealedAt.segment);
  }
}

function versionOf(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.['user_version']);
}

function isEmpty(db: DatabaseSync): boolean {
  return db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.['n'] === 0;
}
