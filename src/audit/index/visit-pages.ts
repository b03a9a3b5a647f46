// Who visited a tenant, from the sums of the index alone: no request is read. Sums of one subject under one grant and in
// one session are one visit while less than 30 minutes lie between them. Pages go from the visits that began last to those
// that began first, and a visit's beginning does not change while it lasts, so what is written meanwhile moves no page that
// follows.
import type { ResolvedRequest } from '../line-context.ts';
import type { Visit, VisitPage, VisitQuery } from './audit-reader.ts';
import { VISIT_GAP_MS } from './block.ts';
import { decodeCursor, encodeCursor, isCount } from './cursors.ts';
import type { People } from './record-pages.ts';
import { SegmentContexts } from './segment-contexts.ts';
import type { Row, Snapshot } from './snapshot.ts';
import { createVisitEdge } from './visit-edge.ts';
import { MOST_ADDRESSES, type SeenCell, type SumLines, sumLinesOf } from './visit-sums.ts';

const KIND = 'visits';
/** Blocks whose sums are read at once. */
const BATCH_BLOCKS = 1024;
const MOST_DENIED = 16;

/** A visit that may still grow towards the past. */
interface Draft {
  readonly subject: string;
  readonly grantId: string;
  /** Empty without a session. */
  readonly session: string;
  firstAt: number;
  lastAt: number;
  reads: number;
  writes: number;
  deniedCount: number;
  readonly cells: SeenCell[];
}

/** Throws a RangeError for a cursor that is none, and what the store throws. */
export function visitPage(snapshot: Snapshot, query: VisitQuery, people: People): VisitPage {
  const after = query.cursor === null ? null : keyOf(query.cursor);
  const lines = sumLinesOf(snapshot);
  const ids =
    query.principal === undefined
      ? null
      : new Set([query.principal, ...people.find(query.principal).map(({ id }) => id)]);
  const cut = createVisitEdge(snapshot, query, people);
  const open = new Map<string, Draft[]>();
  let done: Draft[] = [];
  for (const { cells, olderLastAt } of batches(snapshot, query)) {
    for (const cell of cut(cells)) {
      const who = lines.subject(cell.segment, cell.s);
      // Nobody was identified, or the line is gone with its segment.
      if (who === null || who.kind === 'anonymous' || (ids !== null && !ids.has(who.subject))) continue;
      const grant = lines.grant(cell.segment, cell.g);
      if (query.caseRef !== undefined && grant?.caseRef !== query.caseRef) continue;
      merge(open, { subject: who.subject, grantId: grant?.id ?? '', session: grant?.session ?? '' }, cell);
    }
    done = done.concat(ended(open, olderLastAt + VISIT_GAP_MS));
    const page = done.filter((one) => isAfter(one, after));
    if (page.length > query.limit) return pageOf(snapshot, { page, query, people, lines });
  }
  done = done.concat(ended(open, Number.NEGATIVE_INFINITY));
  const page = done.filter((one) => isAfter(one, after));
  return pageOf(snapshot, { page, query, people, lines });
}

/** A tenant's sums, the latest blocks first, and the latest time of anything before each batch. */
function* batches(
  snapshot: Snapshot,
  { tenant, since = 0, until = Number.MAX_SAFE_INTEGER, notBefore = 0 }: VisitQuery,
): Generator<{ readonly cells: readonly SeenCell[]; readonly olderLastAt: number }> {
  const bounds = snapshot.all('SELECT min(id) AS first, max(id) AS last FROM block');
  const known = bounds.filter((row) => row['last'] !== null);
  const first = Math.min(...known.map((row) => Number(row['first'])));
  let last = Math.max(...known.map((row) => Number(row['last'])));
  while (known.length > 0 && last >= first) {
    const from = last - BATCH_BLOCKS + 1;
    const rows = snapshot.all(
      `SELECT * FROM cell WHERE tenant IN (SELECT id FROM tenant WHERE name = ?) AND block BETWEEN ? AND ?
       AND last_at >= ? AND first_at < ?`,
      tenant,
      from,
      last,
      Math.max(since, notBefore),
      until,
    );
    const older = snapshot.all('SELECT max(last_at) AS at FROM block WHERE id < ?', from);
    const olderLastAt = Math.max(0, ...older.map((row) => Number(row['at'] ?? 0)));
    const segments = segmentsOf(snapshot, from, last);
    const cells = rows.map((row) => cellOf({ ...row, segment: segments.get(Number(row['block'])) ?? 0 }));
    yield { cells: cells.toSorted((a, b) => b.lastAt - a.lastAt), olderLastAt };
    last = from - 1;
  }
}

/** A sum may correct one of a block that stands in the other part of the snapshot, so they are not joined there. */
function segmentsOf(snapshot: Snapshot, from: number, to: number): Map<number, number> {
  const rows = snapshot.all('SELECT id, segment FROM block WHERE id BETWEEN ? AND ?', from, to);
  return new Map(rows.map((row) => [Number(row['id']), Number(row['segment'])]));
}

function cellOf(row: Row): SeenCell {
  return {
    segment: Number(row['segment']),
    block: Number(row['block']),
    s: Number(row['s']),
    g: Number(row['g']),
    part: Number(row['part']),
    firstAt: Number(row['first_at']),
    lastAt: Number(row['last_at']),
    reads: Number(row['reads']),
    writes: Number(row['writes']),
    denied: Number(row['denied']),
    reasons: null,
  };
}

/** Into every visit it touches, which thereby become one. */
function merge(
  open: Map<string, Draft[]>,
  { subject, grantId, session }: Pick<Draft, 'subject' | 'grantId' | 'session'>,
  cell: SeenCell,
): void {
  // A tuple: no subject's id may run into a grant's.
  const key = JSON.stringify([subject, grantId, session]);
  const drafts = open.get(key) ?? [];
  const draft: Draft = {
    subject,
    grantId,
    session,
    firstAt: cell.firstAt,
    lastAt: cell.lastAt,
    reads: cell.reads,
    writes: cell.writes,
    deniedCount: cell.denied,
    cells: [cell],
  };
  const apart: Draft[] = [];
  for (const one of drafts) {
    if (one.firstAt - draft.lastAt > VISIT_GAP_MS || draft.firstAt - one.lastAt > VISIT_GAP_MS)
      apart.push(one);
    else absorb(draft, one);
  }
  open.set(key, [...apart, draft]);
}

function absorb(draft: Draft, one: Draft): void {
  draft.firstAt = Math.min(draft.firstAt, one.firstAt);
  draft.lastAt = Math.max(draft.lastAt, one.lastAt);
  draft.reads += one.reads;
  draft.writes += one.writes;
  draft.deniedCount += one.deniedCount;
  draft.cells.push(...one.cells);
}

/** Takes out those that nothing before `reach` can belong to, the latest first. */
function ended(open: Map<string, Draft[]>, reach: number): Draft[] {
  const done: Draft[] = [];
  for (const [key, drafts] of open) {
    const growing = drafts.filter(({ firstAt }) => firstAt <= reach);
    done.push(...drafts.filter(({ firstAt }) => firstAt > reach));
    if (growing.length === 0) open.delete(key);
    else open.set(key, growing);
  }
  return done.toSorted(compare);
}

type Key = readonly [firstAt: number, subject: string, grantId: string, session: string];

function compare(a: Draft, b: Draft): number {
  return compareKeys(keyFrom(a), keyFrom(b));
}

function compareKeys(a: Key, b: Key): number {
  if (a[0] !== b[0]) return b[0] - a[0];
  if (a[1] !== b[1]) return a[1] < b[1] ? -1 : 1;
  if (a[2] !== b[2]) return a[2] < b[2] ? -1 : 1;
  return a[3] === b[3] ? 0 : a[3] < b[3] ? -1 : 1;
}

function keyFrom({ firstAt, subject, grantId, session }: Draft): Key {
  return [firstAt, subject, grantId, session];
}

function isAfter(draft: Draft, after: Key | null): boolean {
  return after === null || compareKeys(after, keyFrom(draft)) < 0;
}

function keyOf(cursor: string): Key {
  return decodeCursor(KIND, cursor, isKey);
}

function isKey(value: readonly unknown[]): value is Key {
  const [firstAt, ...names] = value;
  return value.length === 4 && isCount(firstAt) && names.every((name) => typeof name === 'string');
}

interface Paging {
  readonly page: readonly Draft[];
  readonly query: VisitQuery;
  readonly people: People;
  readonly lines: SumLines;
}

function pageOf(snapshot: Snapshot, { page, query, people, lines }: Paging): VisitPage {
  const contexts = new SegmentContexts(snapshot, people);
  const shown = page.slice(0, query.limit);
  const last = shown.at(-1);
  return {
    visits: shown.map((draft) => visitOf(draft, { snapshot, contexts, lines, tenant: query.tenant })),
    nextCursor: page.length > query.limit && last !== undefined ? encodeCursor(KIND, keyFrom(last)) : null,
  };
}

interface Sources {
  readonly snapshot: Snapshot;
  readonly contexts: SegmentContexts;
  readonly lines: SumLines;
  readonly tenant: string;
}

function visitOf(draft: Draft, { snapshot, contexts, lines, tenant }: Sources): Visit {
  const latest = draft.cells.reduce((a, b) => (b.lastAt > a.lastAt ? b : a));
  const request = contexts.visit(latest.segment, latest.s, latest.g);
  const { grant, session, caseRef, reason, actAs } = request;
  return {
    subject: draft.subject,
    actor: shownActor(request),
    grant: grant === null ? null : { id: grant.id, revision: grant.revision },
    session: session?.id ?? null,
    caseRef,
    // Why they came, and where no session says it, why they may.
    reason: session?.reason ?? reason,
    actAs,
    from: addressesOf(draft.cells, contexts),
    firstAt: draft.firstAt,
    lastAt: draft.lastAt,
    reads: draft.reads,
    writes: draft.writes,
    denied: lines.denied(snapshot, tenant, draft.cells).slice(0, MOST_DENIED),
    deniedCount: draft.deniedCount,
  };
}

/** Null once erased. */
export function shownActor({ actor }: ResolvedRequest): Visit['actor'] {
  if (actor === null || actor.id === null) return null;
  const { id, email, name, issuer, org } = actor;
  return { id, email, name, issuer, org };
}

/** In the order in which they were first seen. */
function addressesOf(cells: readonly SeenCell[], contexts: SegmentContexts): string[] {
  const addresses = new Set<string>();
  for (const { segment, s } of cells.toSorted((a, b) => a.firstAt - b.firstAt)) {
    const { ip } = contexts.visit(segment, s, 0).person;
    if (ip !== null) addresses.add(ip);
    if (addresses.size === MOST_ADDRESSES) break;
  }
  return [...addresses];
}
