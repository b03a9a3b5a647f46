// Which part of the journal a query of records has to read: the segments' blocks that may hold a match, by the sums of
// the index. It may name a block in vain, and never leaves one out. Not hot.
import type { SubjectRow } from '../subjects/subject-store.ts';
import type { RecordQuery } from './audit-reader.ts';
import type { Wanted } from './block-scan.ts';
import { idMsOf } from './line-head.ts';
import { type BlockRow, blockOf, type Row, type Snapshot } from './snapshot.ts';

export interface RecordPlan {
  readonly query: RecordQuery;
  /** Subjects' ids; null: whoever it was. */
  readonly principals: readonly string[] | null;
  readonly tenants: readonly Buffer[] | null;
  readonly idMs: number | null;
  readonly since: number;
  readonly until: number;
  readonly others: boolean;
}

/** One segment's blocks in the order of the journal, and what to look for in them. */
export interface SegmentPlan {
  readonly blocks: readonly BlockRow[];
  readonly wanted: Wanted;
}

/** Null when nothing can match. */
export function planOf(
  snapshot: Snapshot,
  query: RecordQuery,
  find: (text: string) => readonly SubjectRow[],
): RecordPlan | null {
  const {
    tenant,
    requestId,
    principal,
    session,
    caseRef,
    rule,
    effect,
    decision,
    requestsOnly = false,
  } = query;
  const idMs = requestId === undefined ? null : idMsOf(requestId);
  if (requestId !== undefined && idMs === null) return null;
  const principals = principal === undefined ? null : subjectIds(principal, find);
  const tenants = tenant === undefined ? null : rawTenants(snapshot, tenant);
  if (tenants?.length === 0) return null;
  const ofRequests =
    session !== undefined ||
    caseRef !== undefined ||
    rule !== undefined ||
    effect !== undefined ||
    decision !== undefined;
  return {
    query,
    principals,
    tenants,
    idMs,
    since: query.since ?? 0,
    until: query.until ?? Number.MAX_SAFE_INTEGER,
    // Summed refusals are requests of nobody and no tenant.
    others: !(ofRequests || requestsOnly) || maySum(query),
  };
}

export function segmentPlan(snapshot: Snapshot, plan: RecordPlan, segment: number): SegmentPlan | null {
  const { query, tenants, since, until, others } = plan;
  const subjects = plan.principals === null ? null : subjectsIn(snapshot, plan.principals, segment);
  if (subjects?.size === 0) return null;
  const grants = grantsIn(snapshot, query, segment);
  if (grants?.size === 0) return null;
  const wanted: Wanted = {
    tenants,
    subjects,
    grants,
    since,
    until,
    requestId: query.requestId ?? null,
    others,
  };
  const blocks = blocksIn(snapshot, plan, segment);
  const chosen = chosenBlocks(snapshot, plan, { blocks, wanted });
  return { blocks: chosen === null ? blocks : blocks.filter(({ id }) => chosen.has(id)), wanted };
}

function maySum({ tenant, principal, session, caseRef, rule, effect, decision }: RecordQuery): boolean {
  const ofSomebody = tenant ?? principal ?? session ?? caseRef ?? rule;
  if (ofSomebody !== undefined) return false;
  return (effect === undefined || effect === 'denied') && decision !== 'allow';
}

function subjectIds(principal: string, find: (text: string) => readonly SubjectRow[]): string[] {
  // The subject's own id too: whoever was erased is found by nothing else, and a copy may have no store.
  return [...new Set([principal, ...find(principal).map(({ id }) => id)])];
}

/** The tenant's name as lines have it; empty for one that no line names. */
export function rawTenants(snapshot: Snapshot, tenant: string): Buffer[] {
  const rows = snapshot.all('SELECT DISTINCT raw FROM tenant WHERE name = ?', tenant);
  return rows.map((row) => Buffer.from(String(row['raw']), 'latin1'));
}

export function subjectsIn(snapshot: Snapshot, ids: readonly string[], segment: number): Set<number> {
  const rows = snapshot.all(
    'SELECT s FROM subject WHERE subject IN (SELECT value FROM json_each(?)) AND segment = ?',
    JSON.stringify(ids),
    segment,
  );
  return new Set(rows.map((row) => Number(row['s'])));
}

/** Of that case and session; null where neither is asked for. */
export function grantsIn(
  snapshot: Snapshot,
  { caseRef, session }: Pick<RecordQuery, 'caseRef' | 'session'>,
  segment: number,
): Set<number> | null {
  if (caseRef === undefined && session === undefined) return null;
  const rows = snapshot.all(
    `SELECT g FROM grant_line WHERE segment = ?1 AND (?2 IS NULL OR case_ref = ?2)
     AND (?3 IS NULL OR session_id = ?3)`,
    segment,
    caseRef ?? null,
    session ?? null,
  );
  return new Set(rows.map((row) => Number(row['g'])));
}

function blocksIn(snapshot: Snapshot, plan: RecordPlan, segment: number): BlockRow[] {
  const { since, until, idMs } = plan;
  const ids = idMs === null ? '' : ' AND first_id <= ?4 AND last_id >= ?4';
  const times = 'last_at >= ?2 AND first_at < ?3';
  const values = [segment, since, until, ...(idMs === null ? [] : [idMs])];
  const sql = `SELECT id, segment, start, "end" FROM block WHERE segment = ?1 AND ${times}${ids} ORDER BY start`;
  return snapshot.all(sql, ...values).map(blockOf);
}

/** By the sums; null where they say nothing. */
function chosenBlocks(
  snapshot: Snapshot,
  { query }: RecordPlan,
  { blocks, wanted }: SegmentPlan,
): ReadonlySet<number> | null {
  const { tenant, rule } = query;
  const effect = effectOf(query);
  const { subjects, grants, others } = wanted;
  if (tenant === undefined && subjects === null && grants === null && rule === undefined && effect === null)
    return null;
  const first = blocks[0];
  const last = blocks.at(-1);
  if (first === undefined || last === undefined) return null;
  const range = [first.id, last.id, tenant ?? null] as const;
  const within = `tenant IN (SELECT id FROM tenant WHERE ?3 IS NULL OR name = ?3) AND block BETWEEN ?1 AND ?2`;
  const who = subjects === null ? '' : ' AND s IN (SELECT value FROM json_each(?4))';
  const under = grants === null ? '' : ' AND g IN (SELECT value FROM json_each(?5))';
  const lists = [JSON.stringify([...(subjects ?? [])]), JSON.stringify([...(grants ?? [])])] as const;
  const rows: Row[] = snapshot.all(
    `SELECT DISTINCT block FROM ${rule === undefined ? 'cell' : 'denied'} WHERE ${within}${who}${under}
     AND ${rule === undefined ? (effect ?? 'true') : 'what = ?6'} AND ?4 = ?4 AND ?5 = ?5 AND ?6 = ?6`,
    ...range,
    ...lists,
    rule ?? '',
  );
  if (others)
    rows.push(
      ...snapshot.all(
        `SELECT DISTINCT block FROM other WHERE ${within}${who} AND ?4 = ?4${effect === null ? '' : " AND kind = 'summed'"}`,
        ...range,
        lists[0],
      ),
    );
  return new Set(rows.map((row) => Number(row['block'])));
}

/** What a sum must show where a request of that effect or decision is in it. */
function effectOf({ effect, decision }: RecordQuery): string | null {
  if (effect === 'denied' || decision === 'deny') return 'denied > 0';
  if (effect === 'read') return 'reads > 0';
  if (effect === 'write') return 'writes > 0';
  return decision === 'allow' ? '(reads > 0 OR writes > 0)' : null;
}
