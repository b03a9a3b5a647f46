// What is read of support sessions: one, a tenant's open ones, a browser's, a page. Everything comes out frozen; a page is
// newest first, by (startedAt, id). Cold.
import type { SessionId, TenantId } from '#model/ids.ts';
import type { SupportSession } from '#model/session.ts';
import { decodeCursor, encodeCursor } from '../page-cursor.ts';
import { SESSION_COLUMNS, sessionById, type SessionRow, sessionOf, sessionsOf } from './session-rows.ts';
import type { Statements } from './statements.ts';
import type { StoreCore } from './store-core.ts';

interface Query {
  readonly tenant: TenantId | null;
  readonly principal: { readonly issuer: string; readonly id: string } | null;
  readonly openOnly: boolean;
  readonly limit: number;
  readonly cursor: string | null;
}

interface Listed {
  readonly session: SupportSession;
  readonly writes: number | null;
}

export interface SessionReads {
  get(id: SessionId): Promise<SupportSession | null>;
  byCookie(cookieHash: string): Promise<SupportSession | null>;
  openOf(tenant: TenantId): Promise<readonly SupportSession[]>;
  list(query: Query): Promise<{ readonly items: readonly Listed[]; readonly nextCursor: string | null }>;
  countOpen(): Promise<number>;
}

const MAX_PAGE = 500;

const BY_COOKIE = `SELECT ${SESSION_COLUMNS} FROM sessions s WHERE s.cookie_hash = ?`;
const OPEN_OF_TENANT = `SELECT ${SESSION_COLUMNS} FROM sessions s WHERE s.tenant = ? AND s.ended_at IS NULL`;
const COUNT_OPEN = 'SELECT count(*) AS count FROM sessions WHERE ended_at IS NULL';

/** One text for each set of columns that is asked by. */
function pageSql({ tenant, principal, openOnly }: Query): string {
  const wheres = [
    ...(tenant === null ? [] : ['s.tenant = :tenant']),
    ...(principal === null ? [] : ['s.principal_issuer = :issuer AND s.principal_id = :principal']),
    ...(openOnly ? ['s.ended_at IS NULL'] : []),
    '(s.started_at, s.id) < (:startedAt, :id)',
  ];
  return `SELECT ${SESSION_COLUMNS}, r.writes FROM sessions s LEFT JOIN session_reports r ON r.session = s.id
    WHERE ${wheres.join(' AND ')} ORDER BY s.started_at DESC, s.id DESC LIMIT :limit`;
}

export function sessionReads(core: StoreCore): SessionReads {
  return {
    get: (id) => core.read((statements) => sessionById(statements, id)),
    byCookie: (cookieHash) =>
      core.read((statements) => {
        const row = statements.sql(BY_COOKIE).get(cookieHash) as unknown as SessionRow | undefined;
        return row === undefined ? null : sessionOf(row);
      }),
    openOf: (tenant) =>
      core.read((statements) => Object.freeze(sessionsOf(statements.sql(OPEN_OF_TENANT).all(tenant)))),
    async list(query) {
      return core.read(pageReader(query));
    },
    countOpen: () => core.read((statements) => Number(statements.sql(COUNT_OPEN).get()?.['count'])),
  };
}

/** Checks the query before the store is touched. */
function pageReader(query: Query): (statements: Statements) => Awaited<ReturnType<SessionReads['list']>> {
  const { tenant, principal, limit } = query;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE)
    throw new RangeError('limit must be 1 to 500');
  if (tenant === null && principal === null) throw new RangeError('a query names a tenant or a principal');
  const before = decodeCursor(query.cursor, 'ses');
  const values = {
    tenant,
    issuer: principal?.issuer ?? null,
    principal: principal?.id ?? null,
    startedAt: before.createdAt,
    id: before.id,
    limit: limit + 1,
  };
  return (statements) => {
    const rows = statements.sql(pageSql(query)).all(values) as unknown as (SessionRow & {
      readonly writes: number | null;
    })[];
    const items = rows.slice(0, limit).map((row) => ({ session: sessionOf(row), writes: row.writes }));
    const last = items.at(-1)?.session;
    return {
      items,
      nextCursor:
        rows.length > limit && last !== undefined
          ? encodeCursor({ createdAt: last.startedAt, id: last.id })
          : null,
    };
  };
}
