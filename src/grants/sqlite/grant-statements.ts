// Every statement of the embedded store, prepared once per connection; those of `list` once per shape of query.
// Values are always bound, never written into the text. Cold.
import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { GrantStatus } from '#model/grant.ts';
import { GRANT_COLUMNS } from './grant-rows.ts';

export interface GrantStatements {
  readonly live: StatementSync;
  readonly countActive: StatementSync;
  readonly byId: StatementSync;
  readonly insert: StatementSync;
  readonly update: StatementSync;
  readonly dataVersion: StatementSync;
  readonly nextEnd: StatementSync;
  readonly expired: StatementSync;
  readonly markExpired: StatementSync;
  readonly ping: StatementSync;
  list(shape: ListShape): StatementSync;
}

export interface ListShape {
  readonly byTenant: boolean;
  readonly status: GrantStatus | 'any';
  readonly covering: boolean;
  readonly asUser: boolean;
}

const COLUMNS = GRANT_COLUMNS.join(', ');
const BOUND = GRANT_COLUMNS.map((name) => `:${name}`).join(', ');
/** What never changes is never written again: a defect elsewhere cannot move a grant to another tenant. */
const FIXED: ReadonlySet<string> = new Set(['id', 'tenant', 'created_at', 'granted_by', 'act_as', 'source']);
const ASSIGNED = GRANT_COLUMNS.filter((name) => !FIXED.has(name))
  .map((name) => `${name} = :${name}`)
  .join(', ');

const UNVERIFIED = "(verification IS NOT NULL AND verification ->> 'at' IS NULL)";

/** The same order of questions as `grantStatusAt`. */
const STATUS_CLAUSES: Readonly<Record<GrantStatus, string>> = {
  revoked: 'revoked_at IS NOT NULL',
  expired: 'revoked_at IS NULL AND ends_at <= :now',
  pending: `revoked_at IS NULL AND ends_at > :now AND ${UNVERIFIED}`,
  scheduled: `revoked_at IS NULL AND ends_at > :now AND starts_at > :now AND NOT ${UNVERIFIED}`,
  active: `revoked_at IS NULL AND ends_at > :now AND starts_at <= :now AND NOT ${UNVERIFIED}`,
};

/** The audience half of `grantCovers`; the store asks the function itself about what comes back. */
const COVERING_CLAUSE = `(audience_org IS NULL OR audience_org = :org)
  AND (audience_groups IS NULL OR EXISTS (
    SELECT 1 FROM json_each(audience_groups) AS named JOIN json_each(:groups) AS held ON named.value = held.value))
  AND (audience_principals IS NULL OR EXISTS (
    SELECT 1 FROM json_each(audience_principals) AS named
    WHERE named.value ->> 'id' = :principal_id AND named.value ->> 'issuer' = :principal_issuer))`;

export function prepareGrantStatements(db: DatabaseSync): GrantStatements {
  const lists = new Map<string, StatementSync>();
  return {
    live: db.prepare(`SELECT ${COLUMNS} FROM grants WHERE tenant = ? AND revoked_at IS NULL AND ends_at > ?`),
    countActive: db.prepare(`SELECT count(*) AS count FROM grants WHERE ${STATUS_CLAUSES.active}`),
    byId: db.prepare(`SELECT ${COLUMNS} FROM grants WHERE id = ?`),
    insert: db.prepare(`INSERT INTO grants (${COLUMNS}) VALUES (${BOUND})`),
    update: lenient(
      db.prepare(`UPDATE grants SET ${ASSIGNED}, expiry_claimed = 0, ending_claimed = 0 WHERE id = :id`),
    ),
    dataVersion: db.prepare('PRAGMA data_version'),
    nextEnd: db.prepare(
      'SELECT min(ends_at) AS ends_at FROM grants WHERE revoked_at IS NULL AND expiry_claimed = 0 AND ends_at < ?',
    ),
    expired: db.prepare(
      `SELECT ${COLUMNS} FROM grants WHERE revoked_at IS NULL AND expiry_claimed = 0 AND ends_at <= ?
       ORDER BY ends_at LIMIT ?`,
    ),
    markExpired: db.prepare('UPDATE grants SET expiry_claimed = 1 WHERE id = ?'),
    ping: db.prepare('SELECT count(*) FROM grants WHERE id = ?'),
    list(shape) {
      const sql = listSql(shape);
      const known = lists.get(sql);
      if (known !== undefined) return known;
      const statement = lenient(db.prepare(sql));
      lists.set(sql, statement);
      return statement;
    },
  };
}

/** Takes a set of values larger than it names; what it names must still be there, or SQLite binds NULL. */
function lenient(statement: StatementSync): StatementSync {
  statement.setAllowUnknownNamedParameters(true);
  return statement;
}

function listSql({ byTenant, status, covering, asUser }: ListShape): string {
  const clauses = [
    byTenant ? 'tenant = :tenant' : null,
    asUser ? 'act_as = :act_as' : null,
    '(created_at, id) < (:before_created_at, :before_id)',
    status === 'any' ? null : STATUS_CLAUSES[status],
    covering ? COVERING_CLAUSE : null,
  ];
  const where = clauses.filter((clause) => clause !== null).join(' AND ');
  return `SELECT ${COLUMNS} FROM grants WHERE ${where} ORDER BY created_at DESC, id DESC LIMIT :limit`;
}
