// The schema of the embedded store, as numbered steps that only ever grow; `user_version` says how far a file is.
// Two processes that start together migrate once: the version is read again inside the write transaction.
import type { DatabaseSync } from 'node:sqlite';
import { PosternError } from '#model/fault.ts';

/**
 * Step n brings a file from version n to n + 1. Instants are whole milliseconds; `ends_at` is 2^53 - 1 for a grant
 * without an end, so that one comparison serves both. Columns that a query filters by stand alone, the rest of the
 * grant's lists are JSON. `changes` is history and change feed in one: `seq` only grows. What is kept besides grants is
 * a JSON `document` each, with the columns that queries ask by.
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
  `CREATE TABLE changes (
     seq INTEGER PRIMARY KEY AUTOINCREMENT,
     kind TEXT NOT NULL,
     id TEXT NOT NULL,
     tenant TEXT,
     operation TEXT NOT NULL,
     at INTEGER NOT NULL,
     by TEXT,
     document TEXT NOT NULL,
     origin TEXT NOT NULL
   ) STRICT;
   CREATE INDEX changes_of_one ON changes (kind, id, seq);
   INSERT INTO changes (kind, id, tenant, operation, at, by, document, origin)
     SELECT 'grant', grant_id, tenant, operation, at, by, document, origin FROM grant_revisions ORDER BY seq;
   DROP TABLE grant_revisions;
   ALTER TABLE grants ADD COLUMN source TEXT NOT NULL DEFAULT 'direct';
   ALTER TABLE grants ADD COLUMN notice TEXT;
   ALTER TABLE grants ADD COLUMN verification TEXT;
   ALTER TABLE grants ADD COLUMN ending_claimed INTEGER NOT NULL DEFAULT 0;
   CREATE INDEX grants_of_case ON grants (tenant, lower(trim(case_ref)));
   CREATE INDEX grants_as_user ON grants (tenant, act_as, created_at, id) WHERE act_as IS NOT NULL;
   CREATE INDEX grants_to_verify ON grants (created_at, id)
     WHERE revoked_at IS NULL AND verification IS NOT NULL AND verification ->> 'at' IS NULL;
   CREATE INDEX grants_near_end ON grants (ends_at)
     WHERE revoked_at IS NULL AND ending_claimed = 0 AND ends_at - starts_at > 172800000;
   CREATE TABLE tenant_settings (
     tenant TEXT PRIMARY KEY,
     revision INTEGER NOT NULL,
     changed_at INTEGER NOT NULL,
     document TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE access_requests (
     id TEXT PRIMARY KEY,
     tenant TEXT NOT NULL,
     revision INTEGER NOT NULL,
     pending INTEGER NOT NULL,
     status TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     lapses_at INTEGER NOT NULL,
     asker_issuer TEXT NOT NULL,
     asker_id TEXT NOT NULL,
     document TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX requests_by_tenant ON access_requests (tenant, created_at, id);
   CREATE INDEX requests_by_asker ON access_requests (asker_issuer, asker_id, created_at, id);
   CREATE INDEX requests_pending ON access_requests (lapses_at) WHERE pending = 1;
   CREATE INDEX requests_for_leads ON access_requests (created_at, id) WHERE status = 'awaiting_lead';
   CREATE TABLE sessions (
     id TEXT PRIMARY KEY,
     tenant TEXT NOT NULL,
     principal_issuer TEXT NOT NULL,
     principal_id TEXT NOT NULL,
     grant_id TEXT NOT NULL,
     started_at INTEGER NOT NULL,
     last_used_at INTEGER NOT NULL,
     ends_at INTEGER NOT NULL,
     idle_ms INTEGER NOT NULL,
     ended_at INTEGER,
     cookie_hash TEXT,
     noticed INTEGER NOT NULL DEFAULT 0,
     reported INTEGER NOT NULL DEFAULT 0,
     document TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE UNIQUE INDEX sessions_active ON sessions (tenant, principal_issuer, principal_id) WHERE ended_at IS NULL;
   CREATE UNIQUE INDEX sessions_by_cookie ON sessions (cookie_hash) WHERE cookie_hash IS NOT NULL;
   CREATE INDEX sessions_by_tenant ON sessions (tenant, started_at, id);
   CREATE INDEX sessions_by_grant ON sessions (grant_id) WHERE ended_at IS NULL;
   CREATE INDEX sessions_by_principal ON sessions (principal_issuer, principal_id, started_at, id);
   CREATE INDEX sessions_to_report ON sessions (ended_at) WHERE ended_at IS NOT NULL AND reported = 0;
   CREATE TABLE launch_links (
     hash TEXT PRIMARY KEY,
     session TEXT NOT NULL,
     ends_at INTEGER NOT NULL,
     used_at INTEGER
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE session_reports (
     session TEXT PRIMARY KEY,
     tenant TEXT NOT NULL,
     made_at INTEGER NOT NULL,
     writes INTEGER NOT NULL,
     document TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE locks (
     id TEXT PRIMARY KEY,
     created_at INTEGER NOT NULL,
     ends_at INTEGER NOT NULL,
     lifted_at INTEGER,
     document TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX locks_held ON locks (ends_at) WHERE lifted_at IS NULL;
   CREATE TABLE emergencies (
     id TEXT PRIMARY KEY,
     tenant TEXT NOT NULL,
     pending INTEGER NOT NULL,
     created_at INTEGER NOT NULL,
     lapses_at INTEGER NOT NULL,
     document TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE notices (
     id TEXT PRIMARY KEY,
     dedupe TEXT NOT NULL UNIQUE,
     tenant TEXT,
     at INTEGER NOT NULL,
     planned INTEGER NOT NULL DEFAULT 0,
     document TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX notices_to_plan ON notices (id) WHERE planned = 0;
   CREATE INDEX notices_to_forget ON notices (at) WHERE planned = 1;
   CREATE TABLE deliveries (
     notice TEXT NOT NULL,
     channel TEXT NOT NULL,
     recipient TEXT NOT NULL,
     side TEXT NOT NULL,
     address TEXT,
     state TEXT NOT NULL CHECK (state IN ('due', 'done', 'failed')),
     attempts INTEGER NOT NULL DEFAULT 0,
     planned_at INTEGER NOT NULL,
     due_at INTEGER NOT NULL,
     leased_until INTEGER NOT NULL DEFAULT 0,
     done_at INTEGER,
     problem TEXT,
     PRIMARY KEY (notice, channel, recipient)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX deliveries_due ON deliveries (channel, due_at) WHERE state = 'due';
   CREATE INDEX deliveries_of_recipient ON deliveries (channel, recipient) WHERE state = 'due';
   CREATE INDEX deliveries_leased ON deliveries (leased_until) WHERE state = 'due';
   CREATE TABLE people_seen (
     side TEXT NOT NULL CHECK (side IN ('admin', 'staff')),
     tenant TEXT NOT NULL,
     issuer TEXT NOT NULL,
     id TEXT NOT NULL,
     email TEXT,
     last_seen_at INTEGER NOT NULL,
     document TEXT NOT NULL,
     PRIMARY KEY (side, tenant, issuer, id)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE idempotency (
     caller TEXT NOT NULL,
     key TEXT NOT NULL,
     request_hash TEXT NOT NULL,
     created_at INTEGER NOT NULL,
     claim TEXT NOT NULL,
     owner TEXT NOT NULL,
     claimed_at INTEGER NOT NULL,
     took_effect INTEGER NOT NULL DEFAULT 0,
     answer TEXT,
     PRIMARY KEY (caller, key)
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX idempotency_by_age ON idempotency (created_at);`,
  `CREATE TABLE store_secrets (
     name TEXT PRIMARY KEY,
     value TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   CREATE INDEX sessions_open_of ON sessions (principal_issuer, principal_id) WHERE ended_at IS NULL;`,
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
