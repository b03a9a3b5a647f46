// The tables of subjects.db and the statements over them, prepared once per connection. Keys stand in a table of their
// own whose rows are all of one size, only ever appended and overwritten where they are: SQLite then never moves one,
// and so never leaves a copy behind. Nothing else in the file names a person without its key. Not hot.
import { randomBytes } from 'node:crypto';
import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** Marks the file as ours: `PSub`. */
const APPLICATION_ID = 0x50537562;
const VERSION = 1;
const PEPPER_BYTES = 32;

// `person`, `person_id` and `email` are keyed hashes; a person is unique while not erased, since nulls are distinct.
// Who asked for what is in the outbox stands there by their subject's id.
const TABLES = `
CREATE TABLE secret (one INTEGER PRIMARY KEY CHECK (one = 1), pepper BLOB NOT NULL) STRICT;
CREATE TABLE subject (
  n INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  person BLOB UNIQUE,
  person_id BLOB,
  email BLOB,
  fields BLOB,
  first_seen_at INTEGER NOT NULL,
  last_seen_at INTEGER NOT NULL,
  erased_at INTEGER
) STRICT;
CREATE INDEX subject_by_person_id ON subject (person_id);
CREATE INDEX subject_by_email ON subject (email);
CREATE TABLE key (n INTEGER PRIMARY KEY, key BLOB NOT NULL CHECK (length(key) = 32)) STRICT;
CREATE TABLE outbox (id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, actor TEXT) STRICT;
PRAGMA application_id = ${APPLICATION_ID};
PRAGMA user_version = ${VERSION};
`;

/** What a file is: `empty` when nobody has put anything into it yet. Throws what SQLite throws. */
export function schemaOf(db: DatabaseSync): 'ours' | 'empty' | 'foreign' {
  const application = numberOf(db.prepare('PRAGMA application_id').get(), 'application_id');
  const version = numberOf(db.prepare('PRAGMA user_version').get(), 'user_version');
  if (application === APPLICATION_ID) return version === VERSION ? 'ours' : 'foreign';
  const tables = numberOf(db.prepare('SELECT count(*) AS tables FROM sqlite_schema').get(), 'tables');
  return application === 0 && version === 0 && tables === 0 ? 'empty' : 'foreign';
}

/** Inside a write transaction: another process may have been first. */
export function createTables(db: DatabaseSync): void {
  if (schemaOf(db) !== 'empty') return;
  db.exec(TABLES);
  db.prepare('INSERT INTO secret (one, pepper) VALUES (1, ?)').run(randomBytes(PEPPER_BYTES));
}

export interface SubjectStatements {
  /** Of the store's lookup hashes. */
  readonly pepper: Uint8Array;
  readonly dataVersion: StatementSync;
  readonly person: StatementSync;
  readonly byId: StatementSync;
  readonly matching: StatementSync;
  readonly key: StatementSync;
  readonly insert: StatementSync;
  readonly insertKey: StatementSync;
  readonly refresh: StatementSync;
  readonly erase: StatementSync;
  readonly eraseKey: StatementSync;
  readonly expire: StatementSync;
  readonly expireKeys: StatementSync;
  readonly idsOfDay: StatementSync;
  readonly post: StatementSync;
  readonly outbox: StatementSync;
  readonly taken: StatementSync;
  readonly clearLog: StatementSync;
}

const ROW = 'SELECT subject.*, key.key FROM subject LEFT JOIN key USING (n)';
/** Overwrites: a row that is removed would let others be moved. */
const NO_KEY = 'UPDATE key SET key = zeroblob(32)';

export function prepareStatements(db: DatabaseSync): SubjectStatements {
  return {
    pepper: db.prepare('SELECT pepper FROM secret').get()?.['pepper'] as Uint8Array,
    dataVersion: db.prepare('PRAGMA data_version'),
    person: db.prepare(`${ROW} WHERE person = ?`),
    byId: db.prepare(`${ROW} WHERE id = ?`),
    matching: db.prepare(
      `${ROW} WHERE id = ?1 OR person_id = ?2 OR email = ?3 ORDER BY first_seen_at, id LIMIT 1000`,
    ),
    key: db.prepare('SELECT key FROM subject JOIN key USING (n) WHERE id = ? AND erased_at IS NULL'),
    insert: db.prepare(
      `INSERT INTO subject (id, kind, person, person_id, email, fields, first_seen_at, last_seen_at)
       VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)`,
    ),
    insertKey: db.prepare('INSERT INTO key (n, key) VALUES (?, ?)'),
    refresh: db.prepare('UPDATE subject SET email = ?2, fields = ?3, last_seen_at = ?4 WHERE n = ?1'),
    erase: db.prepare(
      `UPDATE subject SET person = NULL, person_id = NULL, email = NULL, fields = NULL, erased_at = ?2 WHERE n = ?1`,
    ),
    eraseKey: db.prepare(`${NO_KEY} WHERE n = ?`),
    expire: db.prepare('DELETE FROM subject WHERE last_seen_at < ?'),
    expireKeys: db.prepare(`${NO_KEY} WHERE n IN (SELECT n FROM subject WHERE last_seen_at < ?)`),
    idsOfDay: db.prepare("SELECT count(*) AS ids FROM subject WHERE id = ?1 OR id GLOB ?1 || '-*'"),
    post: db.prepare('INSERT INTO outbox (event, actor) VALUES (?, ?)'),
    outbox: db.prepare('SELECT id, event, actor FROM outbox ORDER BY id LIMIT ?'),
    taken: db.prepare('DELETE FROM outbox WHERE id = ?'),
    clearLog: db.prepare('PRAGMA wal_checkpoint(TRUNCATE)'),
  };
}

export function numberOf(row: Record<string, unknown> | undefined, column: string): number {
  return Number(row?.[column] ?? 0);
}
