// What a journal holds, in numbers: sums of the index for blocks that lie within the time asked for, the records
// themselves for those at its edges, and one reading of all lines for what was never completed. Not hot.
import type { SubjectKeys } from '../line-context.ts';
import type { PublishedRecord } from '../published-record.ts';
import { type BlockRecords, createBlockRecords } from './block-records.ts';
import { openIntents, type OpenPlace } from './open-intents.ts';
import { blockOf, type Row, type Snapshot } from './snapshot.ts';

/** `what`, most frequent first. */
export type Counts<Key extends string> = readonly (Readonly<Record<Key, string>> & {
  readonly count: number;
})[];

export interface AuditStats {
  readonly segments: number;
  readonly bytes: number;
  /** Epoch milliseconds of the records counted; null where there is none. */
  readonly firstAt: number | null;
  readonly lastAt: number | null;
  readonly allowed: number;
  readonly denied: number;
  readonly reads: number;
  readonly writes: number;
  /** Unidentified refusals that were counted without a record each. */
  readonly summed: number;
  readonly tenants: Counts<'tenant'>;
  /** By rule or reason code. */
  readonly denials: Counts<'what'>;
  readonly principals: Counts<'subject'>;
  readonly events: number;
  /** Times in which no record could be written, and the requests refused in them. */
  readonly gaps: number;
  readonly refusedInGaps: number;
  /** Of those allowed: whose process ended first, and that are under way. */
  readonly unknown: number;
  readonly open: number;
}

export interface StatsRange {
  readonly since: number;
  readonly until: number;
}

class Tally {
  firstAt = Number.POSITIVE_INFINITY;
  lastAt = Number.NEGATIVE_INFINITY;
  reads = 0;
  writes = 0;
  denied = 0;
  summed = 0;
  events = 0;
  gaps = 0;
  refusedInGaps = 0;
  readonly tenants = new Map<string, number>();
  readonly denials = new Map<string, number>();
  readonly principals = new Map<string, number>();

  time(first: number, last: number): void {
    this.firstAt = Math.min(this.firstAt, first);
    this.lastAt = Math.max(this.lastAt, last);
  }

  request(
    { tenant, subject }: { readonly tenant: string | null; readonly subject: string | null },
    counts: { readonly reads: number; readonly writes: number; readonly denied: number },
  ): void {
    this.reads += counts.reads;
    this.writes += counts.writes;
    this.denied += counts.denied;
    const sum = counts.reads + counts.writes + counts.denied;
    if (tenant !== null) add(this.tenants, tenant, sum);
    if (subject !== null) add(this.principals, subject, sum);
  }
}

/** Throws what the store throws. */
export function auditStats(snapshot: Snapshot, range: StatsRange, keys: SubjectKeys): AuditStats {
  const tally = new Tally();
  const within = 'block.first_at >= ?1 AND block.last_at < ?2';
  sumWhole(snapshot, tally, { ...range, within });
  const edges = snapshot.all(
    `SELECT id, segment, start, "end" FROM block WHERE last_at >= ?1 AND first_at < ?2 AND NOT (${within})`,
    range.since,
    range.until,
  );
  const source = createBlockRecords(snapshot, keys);
  for (const row of edges) sumEdge(row, { source, tally, range });
  const { segments } = snapshot.view;
  return {
    segments: segments.length,
    bytes: segments.reduce((sum, { bytes }) => sum + bytes, 0),
    firstAt: Number.isFinite(tally.firstAt) ? tally.firstAt : null,
    lastAt: Number.isFinite(tally.lastAt) ? tally.lastAt : null,
    allowed: tally.reads + tally.writes,
    denied: tally.denied,
    reads: tally.reads,
    writes: tally.writes,
    summed: tally.summed,
    tenants: ranked(tally.tenants, (tenant, count) => ({ tenant, count })),
    denials: ranked(tally.denials, (what, count) => ({ what, count })),
    principals: ranked(tally.principals, (subject, count) => ({ subject, count })),
    events: tally.events,
    gaps: tally.gaps,
    refusedInGaps: tally.refusedInGaps,
    ...unended(snapshot, range),
  };
}

interface Whole extends StatsRange {
  readonly within: string;
}

function sumWhole(snapshot: Snapshot, tally: Tally, { since, until, within }: Whole): void {
  const times = snapshot.all(
    `SELECT min(first_at) AS first, max(last_at) AS last FROM block WHERE ${within} AND last_at > 0`,
    since,
    until,
  );
  for (const { first, last } of times) if (last !== null) tally.time(Number(first), Number(last));
  const sums = 'sum(reads) AS reads, sum(writes) AS writes, sum(denied) AS denied';
  const cells = snapshot.all(
    `SELECT name, block.segment, s, ${sums} FROM cell JOIN block ON block.id = cell.block
     JOIN tenant ON tenant.id = cell.tenant WHERE part >= 0 AND ${within} GROUP BY name, block.segment, s`,
    since,
    until,
  );
  // Sums that correct a block of the other part.
  const corrections = snapshot
    .all(
      `SELECT name, block, s, reads, writes, denied FROM cell JOIN tenant ON tenant.id = cell.tenant
       WHERE part < 0`,
    )
    .flatMap((row) => {
      const sql = `SELECT segment FROM block WHERE id = ?3 AND ${within}`;
      const block = snapshot.get(sql, since, until, Number(row['block']));
      return block === null ? [] : [{ ...row, ...block }];
    });
  for (const row of [...cells, ...corrections]) tally.request(whoOf(snapshot, row), countsOf(row));
  const denied = snapshot.all('SELECT what, count, block FROM denied');
  const wholeBlocks = new Set(
    snapshot.all(`SELECT id FROM block WHERE ${within}`, since, until).map((row) => Number(row['id'])),
  );
  for (const row of denied)
    if (wholeBlocks.has(Number(row['block']))) add(tally.denials, String(row['what']), Number(row['count']));
  const others = snapshot.all(
    `SELECT kind, sum(lines) AS lines, sum(requests) AS requests FROM other JOIN block ON block.id = other.block
     WHERE ${within} GROUP BY kind`,
    since,
    until,
  );
  for (const row of others) sumOthers(tally, row);
}

function sumOthers(tally: Tally, { kind, lines, requests }: Row): void {
  if (kind === 'event') tally.events += Number(lines);
  if (kind === 'summed') tally.summed += Number(requests);
  if (kind !== 'gap') return;
  tally.gaps += Number(lines);
  tally.refusedInGaps += Number(requests);
}

function whoOf(
  snapshot: Snapshot,
  row: Row,
): { readonly tenant: string | null; readonly subject: string | null } {
  const sql = "SELECT subject FROM subject WHERE segment = ? AND s = ? AND kind <> 'anonymous'";
  const line = snapshot.get(sql, Number(row['segment']), Number(row['s']));
  const name = row['name'];
  return {
    tenant: typeof name === 'string' ? name : null,
    subject: line === null ? null : String(line['subject']),
  };
}

function countsOf(row: Row): { readonly reads: number; readonly writes: number; readonly denied: number } {
  return { reads: Number(row['reads']), writes: Number(row['writes']), denied: Number(row['denied']) };
}

interface Edge {
  readonly source: BlockRecords;
  readonly tally: Tally;
  readonly range: StatsRange;
}

/** The records of a block that lies only partly within. */
function sumEdge(row: Row, { source, tally, range }: Edge): void {
  const all = { tenants: null, subjects: null, grants: null, requestId: null, others: true, ...range };
  for (const { record } of source.of(blockOf(row), all, 'oldest')) {
    const at = Date.parse(record.time);
    if (at < range.since || at >= range.until) continue;
    tally.time(at, at);
    sumRecord(tally, record);
  }
}

function sumRecord(tally: Tally, record: PublishedRecord): void {
  const { tenant, actor, decision, effect, rule, count } = record as PublishedRecord & {
    readonly tenant: string | null;
    readonly actor?: { readonly subject: string } | null;
    readonly rule?: { readonly id: string } | null;
  };
  if (record['requestId'] !== undefined) {
    const isDenied = decision === 'deny';
    const isWrite = effect === 'write';
    const counts = {
      reads: isDenied || isWrite ? 0 : 1,
      writes: !isDenied && isWrite ? 1 : 0,
      denied: isDenied ? 1 : 0,
    };
    tally.request({ tenant, subject: actor?.subject ?? null }, counts);
    if (isDenied) add(tally.denials, rule?.id ?? String(record['reasonCode']), 1);
  } else if (record.event === 'request.denied') tally.summed += Number(count);
  else if (record.event === 'audit.gap') sumOthers(tally, { kind: 'gap', lines: 1, requests: Number(count) });
  else if (record.event !== 'audit.checkpoint') tally.events += 1;
}

function unended(snapshot: Snapshot, range: StatsRange): { readonly unknown: number; readonly open: number } {
  const isWithin = ({ t }: OpenPlace): boolean => t >= range.since && t < range.until;
  const { abandoned, open } = openIntents(snapshot.view, 0);
  return { unknown: abandoned.filter(isWithin).length, open: open.filter(isWithin).length };
}

function add(counts: Map<string, number>, key: string, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

function ranked<T>(counts: ReadonlyMap<string, number>, entry: (key: string, count: number) => T): T[] {
  return [...counts]
    .toSorted(([a, m], [b, n]) => n - m || (a < b ? -1 : 1))
    .map(([key, count]) => entry(key, count));
}
