// Between a support session and its row: the document says what the session is, the columns what queries ask by. The
// instant of the last use lives in its column alone, since it is written without history. Deeply frozen on the way out;
// a row that cannot be read throws a SyntaxError, which the connection maps to STORE_UNAVAILABLE. Cold.
import type { EpochMs } from '#model/clock.ts';
import type { SessionId } from '#model/ids.ts';
import type { SupportSession } from '#model/session.ts';
import { frozen } from './grant-rows.ts';
import type { Statements } from './statements.ts';

export interface SessionRow {
  readonly document: string;
  readonly last_used_at: number;
}

export const SESSION_COLUMNS = 's.document, s.last_used_at';

const ADD = `INSERT INTO sessions (id, tenant, principal_issuer, principal_id, grant_id, started_at, last_used_at,
    ends_at, idle_ms, document)
  VALUES (:id, :tenant, :issuer, :principal, :grantId, :startedAt, :lastUsedAt, :endsAt, :idleMs, :document)`;
const REPLACE = 'UPDATE sessions SET ended_at = :endedAt, document = :document WHERE id = :id';
const BY_ID = `SELECT ${SESSION_COLUMNS} FROM sessions s WHERE s.id = ?`;

export function sessionOf({ document, last_used_at }: SessionRow): SupportSession {
  return frozen({ ...(JSON.parse(document) as SupportSession), lastUsedAt: last_used_at as EpochMs });
}

export function sessionsOf(rows: unknown): SupportSession[] {
  return (rows as SessionRow[]).map(sessionOf);
}

export function sessionById(statements: Statements, id: SessionId): SupportSession | null {
  const row = statements.sql(BY_ID).get(id) as unknown as SessionRow | undefined;
  return row === undefined ? null : sessionOf(row);
}

export function addSession(statements: Statements, session: SupportSession): void {
  const { id, tenant, principal, grantId, startedAt, lastUsedAt, endsAt, idleMs } = session;
  statements.sql(ADD).run({
    id,
    tenant,
    issuer: principal.issuer,
    principal: principal.id,
    grantId,
    startedAt,
    lastUsedAt,
    endsAt,
    idleMs,
    document: JSON.stringify(session),
  });
}

/** Its end, its note, and the groups that its principal is still in; nothing else of a session ever changes here. */
export function replaceSession(statements: Statements, session: SupportSession): void {
  const { id, endedAt } = session;
  statements.sql(REPLACE).run({ id, endedAt, document: JSON.stringify(session) });
}
