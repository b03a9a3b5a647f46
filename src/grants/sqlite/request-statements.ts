// The statements of access requests, and their rows: a JSON document each, with the columns that queries ask by. What
// comes out is deeply frozen, its status as stored. A pending one whose end has passed counts as lapsed everywhere. Cold.
import type { AccessRequest } from '#model/access-request.ts';
import type { EpochMs } from '#model/clock.ts';
import type { TenantId } from '#model/ids.ts';
import type { Page } from '../grant-store.ts';
import { decodeCursor, encodeCursor } from '../page-cursor.ts';
import { isPending } from '../requests/request-rules.ts';
import type { RequestQuery } from '../requests/request-store.ts';
import { frozen } from './grant-rows.ts';
import type { Statements } from './statements.ts';

const MAX_PAGE = 500;

const ADD = `INSERT INTO access_requests
    (id, tenant, revision, pending, status, created_at, lapses_at, asker_issuer, asker_id, document)
  VALUES (:id, :tenant, :revision, :pending, :status, :createdAt, :lapsesAt, :issuer, :asker, :document)`;
const UPDATE = `UPDATE access_requests
  SET revision = :revision, pending = :pending, status = :status, document = :document WHERE id = :id`;
const BY_ID = 'SELECT document FROM access_requests WHERE id = ?';

const WAITING = `FROM access_requests WHERE asker_issuer = :issuer AND asker_id = :id AND tenant = :tenant
  AND pending = 1 AND lapses_at > :now`;
const PENDING_OF_CASE = `SELECT 1 ${WAITING}
  AND lower(trim(document ->> 'caseRef')) IS lower(trim(:caseRef)) LIMIT 1`;
const PENDING_COUNT = `SELECT count(*) AS count ${WAITING}`;

const NEXT_LAPSE = 'SELECT min(lapses_at) AS at FROM access_requests WHERE pending = 1';
const LAPSED = `SELECT document FROM access_requests WHERE pending = 1 AND lapses_at <= :now
  ORDER BY lapses_at LIMIT :limit`;

const PAGE_END = `AND (:status IS NULL
    OR CASE WHEN pending = 1 AND lapses_at <= :now THEN 'lapsed' ELSE status END = :status)
  AND (created_at, id) < (:createdAt, :beforeId)
  ORDER BY created_at DESC, id DESC LIMIT :limit`;
const PAGES = {
  tenant: `SELECT document FROM access_requests WHERE tenant = :tenant ${PAGE_END}`,
  asker: `SELECT document FROM access_requests
    WHERE asker_issuer = :issuer AND asker_id = :id ${PAGE_END}`,
  awaiting_lead: `SELECT document FROM access_requests
    WHERE status = 'awaiting_lead' AND lapses_at > :now ${PAGE_END}`,
} as const;

interface RequestRow {
  readonly document: string;
}

export function addRequest(statements: Statements, request: AccessRequest): void {
  statements.sql(ADD).run({
    ...columnsOf(request),
    tenant: request.tenant,
    createdAt: request.createdAt,
    lapsesAt: request.lapsesAt,
    issuer: request.asker.issuer,
    asker: request.asker.id,
  });
}

export function updateRequest(statements: Statements, request: AccessRequest): void {
  statements.sql(UPDATE).run(columnsOf(request));
}

function columnsOf(request: AccessRequest) {
  const { id, revision, status } = request;
  return { id, revision, status, pending: isPending(status) ? 1 : 0, document: JSON.stringify(request) };
}

export function requestById(statements: Statements, id: string): AccessRequest | null {
  const row = statements.sql(BY_ID).get(id) as unknown as RequestRow | undefined;
  return row === undefined ? null : requestOf(row);
}

/** One principal and one tenant at one instant. */
interface Asking {
  readonly tenant: TenantId;
  readonly now: EpochMs;
  readonly issuer: string;
  readonly id: string;
}

export function hasPending(
  statements: Statements,
  asking: Asking & { readonly caseRef: string | null },
): boolean {
  return statements.sql(PENDING_OF_CASE).get({ ...asking }) !== undefined;
}

export function pendingCount(statements: Statements, asking: Asking): number {
  return Number(statements.sql(PENDING_COUNT).get({ ...asking })?.['count']);
}

export function nextLapseOf(statements: Statements): EpochMs | null {
  const row = statements.sql(NEXT_LAPSE).get() as { readonly at: number | null };
  return row.at as EpochMs | null;
}

export function lapsedRequests(statements: Statements, now: EpochMs, limit: number): AccessRequest[] {
  return (statements.sql(LAPSED).all({ now, limit }) as unknown as RequestRow[]).map(requestOf);
}

/** Checks the query before the store is touched. */
export function requestPage(
  query: RequestQuery,
  now: EpochMs,
): (statements: Statements) => Page<AccessRequest> {
  const { of, status, limit } = query;
  if (!Number.isInteger(limit) || limit < 1 || limit > MAX_PAGE)
    throw new RangeError('limit must be 1 to 500');
  const before = decodeCursor(query.cursor, 'req');
  const { kind, ...whose } = of;
  const values = {
    ...whose,
    now,
    status: status ?? null,
    createdAt: before.createdAt,
    beforeId: before.id,
    limit: limit + 1,
  };
  return (statements) => {
    const rows = statements.sql(PAGES[kind]).all(values) as unknown as RequestRow[];
    const items = rows.slice(0, limit).map(requestOf);
    const last = items.at(-1);
    return { items, nextCursor: rows.length > limit && last !== undefined ? encodeCursor(last) : null };
  };
}

function requestOf({ document }: RequestRow): AccessRequest {
  return frozen(JSON.parse(document) as AccessRequest);
}
