// The records of a block that match a query: lines found by their first keys, joined with their other halves wherever
// those stand, resolved and judged again as records. A request is one record: its last state, `open` while it lasts and
// `unknown` when its process ended first. Warm: the part of a page that costs.
import type {
  CheckpointLine,
  DoneLine,
  EventLine,
  GapLine,
  IntentLine,
  RefusedLine,
  StartedLine,
  SummedLine,
} from '../journal-lines.ts';
import type { SubjectKeys } from '../line-context.ts';
import {
  checkpointRecordOf,
  eventRecordOf,
  gapRecordOf,
  openRecordOf,
  type PublishedRecord,
  recordOf,
  startedRecordOf,
  summedRecordOf,
  unknownRecordOf,
} from '../published-record.ts';
import type { Position } from '../segment-tail.ts';
import { lateStepOf } from './block.ts';
import { type Ends, type Found, type Scan, scanBlock, scanEnds } from './block-scan.ts';
import type { SegmentPlan } from './record-plan.ts';
import { SegmentContexts } from './segment-contexts.ts';
import { type BlockRow, blockOf, type Snapshot } from './snapshot.ts';

/** Lines joined at once: what stands in later blocks is looked for once per so many. */
const BATCH = 64;

/** A record, and where its first line stands. */
export interface PlacedRecord extends Position {
  readonly record: PublishedRecord;
}

export interface BlockRecords {
  /** In the order asked for; between two positions, both exclusive. Ends early when its receiver does. */
  of(block: BlockRow, wanted: SegmentPlan['wanted'], order: 'newest' | 'oldest'): Generator<PlacedRecord>;
}

type OtherLine = EventLine | SummedLine | GapLine | CheckpointLine;

export function createBlockRecords(snapshot: Snapshot, keys: SubjectKeys): BlockRecords {
  const contexts = new SegmentContexts(snapshot, keys);
  const instances = new Map<number, string>();
  let lastOpened: Position | null | undefined;

  function instanceOf(segment: number): string {
    const known = instances.get(segment);
    if (known !== undefined) return known;
    const row = snapshot.get('SELECT instance FROM segment WHERE segment = ?', segment);
    const instance = row === null ? '' : String(row['instance']);
    instances.set(segment, instance);
    return instance;
  }

  /** Whether a later process began after that place. */
  function isAbandoned(place: Position): boolean {
    lastOpened ??= lastOpenedIn(snapshot);
    return lastOpened !== null && isBefore(place, lastOpened);
  }

  function requestRecord(line: IntentLine, place: Position, ends: Ends | undefined): PublishedRecord {
    const request = contexts.request(line, place.segment);
    const started = ends?.started ?? null;
    if (typeof ends?.done === 'string') {
      const done = JSON.parse(ends.done) as DoneLine;
      return recordOf(request, done, started !== null);
    }
    if (isAbandoned(place)) return unknownRecordOf(request, started !== null);
    return started === null
      ? openRecordOf(request)
      : startedRecordOf(request, JSON.parse(started) as StartedLine);
  }

  function recordAt(text: string, place: Position, ends: Map<string, Ends>): PublishedRecord {
    const line = JSON.parse(text) as IntentLine | RefusedLine | OtherLine;
    if (line.k === 'intent') return requestRecord(line, place, ends.get(line.id));
    if (line.k === 'refused') return recordOf(contexts.request(line, place.segment), line, false);
    return otherRecord(line, place.segment);
  }

  function otherRecord(line: OtherLine, segment: number): PublishedRecord {
    if (line.k === 'event') return eventRecordOf(contexts.event(line, segment));
    if (line.k === 'summed') return summedRecordOf(line);
    return line.k === 'gap' ? gapRecordOf(line) : checkpointRecordOf(line);
  }

  return {
    *of(block, wanted, order) {
      const bytes = snapshot.bytesOf(block);
      if (bytes === null) return;
      const scan = scanBlock(bytes, wanted);
      const found = order === 'oldest' ? scan.found : scan.found.toReversed();
      for (let from = 0; from < found.length; from += BATCH) {
        const batch = found.slice(from, from + BATCH);
        completeElsewhere(snapshot, block, { batch, ends: scan.ends });
        for (const one of batch) {
          const place = { segment: block.segment, offset: block.start + one.from };
          const record = recordAt(bytes.toString('latin1', one.from, one.to), place, scan.ends);
          record.instance = instanceOf(block.segment);
          yield { record, ...place };
        }
      }
    },
  };
}

/** Looks for the other halves that this block does not hold in those that may. */
function completeElsewhere(
  snapshot: Snapshot,
  block: BlockRow,
  { batch, ends }: { readonly batch: readonly Found[]; readonly ends: Scan['ends'] },
): void {
  const lacking = new Map<string, Ends>();
  const steps = new Set<number>();
  for (const { open } of batch) {
    const one = open === null ? undefined : ends.get(open.id);
    if (open === null || one === undefined || one.done !== null) continue;
    lacking.set(open.id, one);
    steps.add(lateStepOf(open.idMs));
  }
  if (lacking.size === 0) return;
  const rows = snapshot.all(
    `SELECT DISTINCT block.id, segment, start, "end" FROM late JOIN block ON block.id = late.block
     WHERE step IN (SELECT value FROM json_each(?)) AND late.block > ? ORDER BY block.id`,
    JSON.stringify([...steps]),
    block.id,
  );
  for (const row of rows) {
    const bytes = snapshot.bytesOf(blockOf(row));
    if (bytes !== null) scanEnds(bytes, lacking);
    for (const [id, { done }] of lacking) if (done !== null) lacking.delete(id);
    if (lacking.size === 0) return;
  }
}

function lastOpenedIn(snapshot: Snapshot): Position | null {
  const rows = snapshot.all(
    'SELECT segment, "offset" FROM opened ORDER BY segment DESC, "offset" DESC LIMIT 1',
  );
  const row = rows.at(-1);
  return row === undefined ? null : { segment: Number(row['segment']), offset: Number(row['offset']) };
}

export function isBefore(one: Position, other: Position): boolean {
  return one.segment < other.segment || (one.segment === other.segment && one.offset < other.offset);
}
