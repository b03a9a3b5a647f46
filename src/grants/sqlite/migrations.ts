// The schema of the embedded store, as numbered steps that only ever grow; `user_version` says how far a file is.
// Two processes that start together migrate once: the version is read again inside the write transaction.
import type { DatabaseSync } from 'node:sqlite';
import { PosternError } from '#model/fault.ts';

/**
 * Step n brings a file from version n to n + 1. Instants are whole milliseconds; `ends_at` is 2^53 - 1 for a grant
 * without an end, so that one comparison serves both. Columns that a query filters by stand alone, the rest of the
 * grant's lists are JSON. `grant_revisions` is history and change feed in one: `seq` only grows.
 */
const MIGRATIONS: readonly string[] = [
  `CREATE TABLE grants (
     id TEXT PRIMARY KEY,
     tenant TEXT NOT NULL,
     revision INTEGER NOT NULL,
     starts_at INTEGER NOT NULL,
     ends_at INTEGER NOT NULL,
     access TEXT NOT NULL CHECK (access IN ('read', 'write')),
     audience_org TEXT,
     audience_groups TEXT,
     audience_principals TEXT,
     roles TEXT NOT NULL,
     workspaces TEXT NOT NULL,
     act_as TEXT,
     lifts TEXT NOT NULL,
     case_ref TEXT,
     reason TEXT,
     granted_by TEXT NOT NULL,
     widened_by TEXT,
     created_at INTEGER NOT NULL,
     revoked_at INTEGER,
     revoked_by TEXT,
     expiry_claimed INTEGER NOT NULL DEFAULT 0
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX grants_live ON grants (tenant, ends_at) WHERE revoked_at IS NULL;
   CREATE INDEX grants_by_tenant ON grants (tenant, created_at, id);
   CREATE INDEX grants_by_age ON grants (created_at, id);
   CREATE INDEX grants_to_expire ON grants (ends_at) WHERE revoked_at IS NULL AND expiry_claimed = 0;
   CREATE TABLE grant_revisions (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     grant_id TEXT NOT NULL,
     tenant TEXT NOT NULL,
     revision INTEGER NOT NULL,
     operation TEXT NOT NULL CHECK (operation IN ('create', 'change', 'revoke')),
     at INTEGER NOT NULL,
     by TEXT NOT NULL,
     document TEXT NOT NULL,
     origin TEXT NOT NULL,
     UNIQUE (grant_id, revision)
   ) STRICT;`,
];

/** Throws STORE_UNAVAILABLE for a file that a newer version wrote: reading half of it would be guessing. */
export function migrate(db: DatabaseSync): void {
  if (versionOf(db) === MIGRATIONS.length) return;
  db.exec('BEGIN IMMEDIATE');
  try {
    const from = versionOf(db);
    if (from > MIGRATIONS.length) {
      throw new PosternError(
        'STORE_UNAVAILABLE',
        `the grant store has schema ${from}, newer than this version`,
      );
    }
    for (const step of MIGRATIONS.slice(from)) db.exec(step);
    db.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
    db.exec('COMMIT');
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}

function versionOf(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
}
