// One page of records: reads the blocks that may hold a match, in the order asked for, until the page is full or so many
// bytes were read; then it says where to go on. Assumes a snapshot that nobody else uses. Not for the forwarding loop.
import type { SubjectKeys } from '../line-context.ts';
import type { PublishedRecord } from '../published-record.ts';
import type { Position } from '../segment-tail.ts';
import type { SubjectRow } from '../subjects/subject-store.ts';
import type { RecordPage, RecordQuery } from './audit-reader.ts';
import { type BlockRecords, createBlockRecords, isBefore, type PlacedRecord } from './block-records.ts';
import { decodeCursor, encodeCursor, isCount } from './cursors.ts';
import { planOf, type RecordPlan, segmentPlan, type SegmentPlan } from './record-plan.ts';
import type { BlockRow, Snapshot } from './snapshot.ts';

const KIND = 'records';
const EMPTY: RecordPage = { records: [], nextCursor: null };

export interface People extends SubjectKeys {
  find(text: string): readonly SubjectRow[];
}

/** Throws a RangeError for a cursor that is none, and what the store throws. */
export function recordPage(
  snapshot: Snapshot,
  query: RecordQuery,
  { people, maxBytes }: { readonly people: People; readonly maxBytes: number },
): RecordPage {
  const after = query.cursor === null ? null : placeOf(query.cursor);
  const plan = planOf(snapshot, query, (text) => people.find(text));
  if (plan === null) return EMPTY;
  const { order, limit } = query;
  const isOldest = order === 'oldest';
  const source = createBlockRecords(snapshot, people);
  const segments = snapshot.view.segments.map(({ number }) => number);
  const page: PlacedRecord[] = [];
  for (const segment of isOldest ? segments : segments.toReversed()) {
    if (after !== null && (isOldest ? segment < after.segment : segment > after.segment)) continue;
    const part = segmentPlan(snapshot, plan, segment);
    if (part === null) continue;
    for (const block of isOldest ? part.blocks : part.blocks.toReversed()) {
      if (after !== null && !mayFollow(block, after, isOldest)) continue;
      if (snapshot.view.bytesRead >= maxBytes) return pageOf(page, boundaryOf(block, isOldest));
      const isFull = fill(page, { source, block, part, plan, after });
      if (isFull) return pageOf(page.slice(0, limit), page[limit - 1] ?? null);
    }
  }
  return pageOf(page, null);
}

interface Filling {
  readonly source: BlockRecords;
  readonly block: BlockRow;
  readonly part: SegmentPlan;
  readonly plan: RecordPlan;
  readonly after: Position | null;
}

/** Adds what matches; true once there is one more than the page holds. */
function fill(page: PlacedRecord[], { source, block, part, plan, after }: Filling): boolean {
  const { order, limit } = plan.query;
  for (const one of source.of(block, bounded(part.wanted, block, after, order), order)) {
    if (!matches(one.record, plan)) continue;
    page.push(one);
    if (page.length > limit) return true;
  }
  return false;
}

/** The block that the page before ended in is read from there. */
function bounded(
  wanted: SegmentPlan['wanted'],
  { segment, start }: BlockRow,
  after: Position | null,
  order: RecordQuery['order'],
): SegmentPlan['wanted'] {
  if (after === null || segment !== after.segment) return wanted;
  const place = after.offset - start;
  return order === 'oldest' ? { ...wanted, after: place } : { ...wanted, before: place };
}

function mayFollow({ segment, start, end }: BlockRow, after: Position, isOldest: boolean): boolean {
  if (isOldest) return isBefore(after, { segment, offset: end - 1 });
  return isBefore({ segment, offset: start }, after);
}

/** As if the last record of the page stood right before the block. */
function boundaryOf({ segment, start, end }: BlockRow, isOldest: boolean): Position {
  return { segment, offset: isOldest ? start - 1 : end };
}

function pageOf(page: readonly PlacedRecord[], next: Position | null): RecordPage {
  return {
    records: page.map(({ record }) => record),
    // The beginning of a segment has no place before it.
    nextCursor: next === null ? null : encodeCursor(KIND, [next.segment, next.offset + 1]),
  };
}

function placeOf(cursor: string): Position {
  const [segment, next] = decodeCursor(KIND, cursor, isPlace);
  return { segment, offset: next - 1 };
}

function isPlace(value: readonly unknown[]): value is readonly [number, number] {
  return value.length === 2 && value.every(isCount);
}

/** What the first keys of its lines could not tell. */
function matches(record: PublishedRecord, { query, principals, since, until }: RecordPlan): boolean {
  const { tenant, session, caseRef, rule, decision, effect, requestsOnly, requestId } = query;
  if (requestsOnly === true && !isRequest(record)) return false;
  const at = Date.parse(record.time);
  if (at < since || at >= until) return false;
  if (requestId !== undefined && record['requestId'] !== requestId && record.id !== requestId) return false;
  if (tenant !== undefined && record['tenant'] !== tenant) return false;
  if (principals !== null && !principals.includes(subjectOf(record))) return false;
  if (caseRef !== undefined && record['caseRef'] !== caseRef) return false;
  if (
    session !== undefined &&
    (record['session'] as { readonly id: string } | null | undefined)?.id !== session
  )
    return false;
  if (decision !== undefined && record['decision'] !== decision) return false;
  if (rule !== undefined && (record['rule'] as { readonly id: string } | null | undefined)?.id !== rule)
    return false;
  return effect === undefined || effectOf(record) === effect;
}

function isRequest({ event }: PublishedRecord): boolean {
  return event.startsWith('request.') || event === 'stream.ended';
}

function subjectOf(record: PublishedRecord): string {
  return (record['actor'] as { readonly subject: string } | null | undefined)?.subject ?? '';
}

/** What is denied neither reads nor writes. */
function effectOf(record: PublishedRecord): unknown {
  return record['decision'] === 'deny' ? 'denied' : record['effect'];
}
