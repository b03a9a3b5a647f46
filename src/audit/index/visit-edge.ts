// Where the past ends for whoever asks for visits: a sum that began before the bound and reaches beyond it is counted anew,
// from the records themselves, so that nothing older is in any number and nothing newer is missing. Reads the blocks in
// which the bound lies, each once, and no other. Assumes sums that reach the bound, as the query chooses them. Not hot.
import type { PublishedRecord } from '../published-record.ts';
import type { VisitQuery } from './audit-reader.ts';
import { VISIT_GAP_MS } from './block.ts';
import { type BlockRecords, createBlockRecords } from './block-records.ts';
import { KIND, KIND_AT, LineHead, TENANT_AT } from './line-head.ts';
import type { People } from './record-pages.ts';
import { rawTenants } from './record-plan.ts';
import type { Snapshot } from './snapshot.ts';
import type { SeenCell } from './visit-sums.ts';

export type VisitEdge = (cells: readonly SeenCell[]) => readonly SeenCell[];

/** Cells in, cells out, the latest first; the very same where the query names no bound. */
export function createVisitEdge(
  snapshot: Snapshot,
  { tenant, notBefore }: Pick<VisitQuery, 'tenant' | 'notBefore'>,
  people: People,
): VisitEdge {
  if (notBefore === undefined) return (cells) => cells;
  const source = createBlockRecords(snapshot, people);
  const tenants = rawTenants(snapshot, tenant);

  return (cells) => {
    const cut = new Set(cells.filter(({ firstAt }) => firstAt < notBefore).map(keyOf));
    if (cut.size === 0) return cells;
    const kept: SeenCell[] = [];
    const anew = new Map<string, Recounted>();
    for (const cell of cells) {
      const key = keyOf(cell);
      // Every sum of the same lines in the block, later corrections among them: the records have those in them too.
      if (!cut.has(key)) kept.push(cell);
      else anew.set(key, { cell, until: Math.max(cell.lastAt, anew.get(key)?.until ?? 0), records: [] });
    }
    for (const block of new Set([...anew.values()].map(({ cell }) => cell.block))) {
      gather(snapshot, source, { block, anew, tenants, notBefore });
    }
    for (const { cell, records } of anew.values()) kept.push(...counted(cell, records));
    return kept.toSorted((a, b) => b.lastAt - a.lastAt);
  };
}

function keyOf({ block, s, g }: Pick<SeenCell, 'block' | 's' | 'g'>): string {
  return `${block} ${s} ${g}`;
}

/** The lines of a sum, up to when, and what was found of them from the bound on. */
interface Recounted {
  readonly cell: SeenCell;
  readonly until: number;
  readonly records: PublishedRecord[];
}

interface Gathering {
  readonly block: number;
  readonly anew: ReadonlyMap<string, Recounted>;
  readonly tenants: readonly Buffer[];
  readonly notBefore: number;
}

/** Reads the block once, however many of its sums are counted anew. */
function gather(
  snapshot: Snapshot,
  source: BlockRecords,
  { block: id, anew, tenants, notBefore }: Gathering,
): void {
  const block = snapshot.block(id);
  const bytes = block === null ? null : snapshot.bytesOf(block);
  if (block === null || bytes === null) return;
  const cells = [...anew.values()].map(({ cell }) => cell).filter((cell) => cell.block === id);
  const wanted = {
    tenants,
    subjects: new Set(cells.map(({ s }) => s)),
    grants: new Set(cells.map(({ g }) => g)),
    since: notBefore,
    until: Number.MAX_SAFE_INTEGER,
    requestId: null,
    others: false,
  };
  const head = new LineHead();
  for (const { record, offset } of source.of(block, wanted, 'oldest')) {
    const from = offset - block.start;
    const isIntent = bytes[from + KIND_AT] === KIND.i;
    if (!head.request(bytes, from + (isIntent ? TENANT_AT.intent : TENANT_AT.refused))) continue;
    const { s, g } = head;
    const one = anew.get(keyOf({ block: id, s, g }));
    if (one !== undefined && timeOf(record) <= one.until) one.records.push(record);
  }
}

/** Parted where the index parts its sums: nothing older may hold two visits together. */
function counted(cell: SeenCell, found: readonly PublishedRecord[]): SeenCell[] {
  const records = found.toSorted((a, b) => timeOf(a) - timeOf(b));
  const cells: SeenCell[] = [];
  let run: PublishedRecord[] = [];
  for (const [index, record] of records.entries()) {
    run.push(record);
    const next = records[index + 1];
    if (next !== undefined && timeOf(next) - timeOf(record) <= VISIT_GAP_MS) continue;
    cells.push(sumOf(cell, run));
    run = [];
  }
  return cells;
}

function sumOf({ segment, block, s, g, part }: SeenCell, records: readonly PublishedRecord[]): SeenCell {
  const reasons = new Map<string, number>();
  let [reads, writes, denied] = [0, 0, 0];
  for (const record of records) {
    if (record['decision'] === 'deny') {
      const what = deniedBy(record);
      reasons.set(what, (reasons.get(what) ?? 0) + 1);
      denied += 1;
    } else if (record['effect'] === 'write') writes += 1;
    else reads += 1;
  }
  const [first, last] = [records[0], records.at(-1)];
  const firstAt = first === undefined ? 0 : timeOf(first);
  const lastAt = last === undefined ? 0 : timeOf(last);
  return { segment, block, s, g, part, firstAt, lastAt, reads, writes, denied, reasons };
}

function deniedBy(record: PublishedRecord): string {
  const rule = record['rule'] as { readonly id: string } | null | undefined;
  return rule?.id ?? String(record['reasonCode']);
}

function timeOf({ time }: PublishedRecord): number {
  return Date.parse(time);
}
