// `postern audit tail`: the last records, and with `-f` those that follow, as they complete, over rotation and restarts of
// the gateway. Reads the files alone and never holds up the gateway. Reading is recorded. Not hot.
import { setTimeout as delay } from 'node:timers/promises';
import { JournalView } from '#audit/index/journal-view.ts';
import { openIntents } from '#audit/index/open-intents.ts';
import { recordPage } from '#audit/index/record-pages.ts';
import { Snapshot } from '#audit/index/snapshot.ts';
import { resumeJoiner } from '#audit/joiner-resume.ts';
import type { JournalLine, SegmentLine } from '#audit/journal-lines.ts';
import { visibleJson } from '#audit/json-text.ts';
import type { PublishedRecord } from '#audit/published-record.ts';
import { RecordJoiner } from '#audit/record-joiner.ts';
import { type Position, SegmentTail } from '#audit/segment-tail.ts';
import { printRecord } from './audit-print.ts';
import { openReading, type Reading, refused } from './audit-reading.ts';
import { HELD } from './exit-codes.ts';
import type { PolicyPrinter } from './policy-print.ts';

export interface AuditTailOptions {
  readonly directory: string;
  readonly tenant: string | null;
  /** Records to begin with. */
  readonly count: number;
  readonly json: boolean;
  /** Ends the following; null: only what is there. */
  readonly follow: AbortSignal | null;
  /** How often the files are looked at. Default 250. */
  readonly pollMs?: number;
}

const POLL_MS = 250;
/** Of journal, searched at the start for requests under way; a stream that began before is found when it ends. */
const OPEN_BYTES = 512 * 1024 * 1024;

/** 0, also when interrupted; 2 when there is no journal that can be read. */
export async function tailAudit(options: AuditTailOptions, printer: PolicyPrinter): Promise<number> {
  const { directory, follow } = options;
  try {
    using reading = openReading(directory, printer);
    const from = begin(options, reading, printer);
    if (follow !== null) await followed(options, { reading, printer, from, signal: follow });
    return HELD;
  } catch (error) {
    return refused(error, directory, printer);
  }
}

/** Shows the last ones; where they end. */
function begin(options: AuditTailOptions, reading: Reading, printer: PolicyPrinter): Position | null {
  const { directory, tenant, count, follow } = options;
  const snapshot = new Snapshot({ directory });
  try {
    const page = recordPage(
      snapshot,
      { ...(tenant === null ? {} : { tenant }), order: 'newest', limit: Math.max(1, count), cursor: null },
      { people: reading.people, maxBytes: Number.POSITIVE_INFINITY },
    );
    const records = count === 0 ? [] : page.records.toReversed();
    reading.record(tenant, { by: 'tail', follow: follow !== null, records: records.length });
    for (const record of records) show(record, options, printer);
    return snapshot.view.end;
  } finally {
    snapshot.close();
  }
}

interface Following {
  readonly reading: Reading;
  readonly printer: PolicyPrinter;
  readonly from: Position | null;
  readonly signal: AbortSignal;
}

async function followed(options: AuditTailOptions, following: Following): Promise<void> {
  const { reading, printer, signal } = following;
  const { directory, pollMs = POLL_MS } = options;
  const from = following.from ?? { segment: 0, offset: 0 };
  const tail = new SegmentTail(directory, from);
  const joiner = new RecordJoiner('', 1, reading.people);
  try {
    resume(joiner, tail, { directory, from });
    while (!signal.aborted) {
      // Somebody may have been erased since.
      joiner.forget();
      for (const record of newRecords(joiner, tail, options, reading)) show(record, options, printer);
      await delay(pollMs, undefined, { signal }).catch(() => undefined);
    }
  } finally {
    tail.close();
  }
}

function resume(
  joiner: RecordJoiner,
  tail: SegmentTail,
  { directory, from }: { readonly directory: string; readonly from: Position },
): void {
  const view = new JournalView(directory);
  try {
    let bytes = 0;
    let first = from.segment;
    for (const { number, bytes: size } of view.segments.toReversed()) {
      bytes += size;
      if (bytes <= OPEN_BYTES) first = Math.min(first, number);
    }
    const { open } = openIntents({ directory, end: from }, first);
    const places = open.map(({ segment, offset, isStreaming }) => [segment, offset, isStreaming] as const);
    resumeJoiner(joiner, tail, { directory, ...from, open: places });
  } finally {
    view.close();
  }
}

/** Those of one tenant, where one was asked for, completed since the last look. */
function* newRecords(
  joiner: RecordJoiner,
  tail: SegmentTail,
  { directory, tenant }: AuditTailOptions,
  reading: Reading,
): Generator<PublishedRecord> {
  const view = new JournalView(directory);
  const unknown: string[] = [];
  try {
    if (view.end === null) return;
    for (let chunk = tail.next(view.end); chunk !== null; chunk = tail.next(view.end)) {
      const { segment, offset } = chunk;
      const instance = view.lineAt<SegmentLine>(segment, 0)?.instance ?? '';
      const records: PublishedRecord[] = [];
      for (const line of linesIn(chunk.bytes)) {
        const isEnd = line.k === 'done' || line.k === 'started';
        if (isEnd && !joiner.open.has(line.id)) unknown.push(line.id);
        else joiner.take(line, { segment, offset }, records);
      }
      for (const record of records)
        if (tenant === null || record['tenant'] === tenant) yield { ...record, instance, seq: null };
    }
  } finally {
    view.close();
  }
  if (unknown.length > 0) yield* found(unknown, { directory, tenant, reading });
}

function* linesIn(bytes: Buffer): Generator<JournalLine> {
  for (const text of bytes.toString('latin1').split('\n')) {
    if (text === '') continue;
    try {
      yield JSON.parse(text) as JournalLine;
    } catch {
      // A damaged line: `audit verify` says so.
    }
  }
}

/** Requests that began long ago. */
function* found(
  ids: readonly string[],
  {
    directory,
    tenant,
    reading,
  }: Pick<AuditTailOptions, 'directory' | 'tenant'> & { readonly reading: Reading },
): Generator<PublishedRecord> {
  const snapshot = new Snapshot({ directory });
  try {
    for (const requestId of ids) {
      const query = {
        ...(tenant === null ? {} : { tenant }),
        requestId,
        order: 'newest',
        limit: 1,
        cursor: null,
      } as const;
      yield* recordPage(snapshot, query, {
        people: reading.people,
        maxBytes: Number.POSITIVE_INFINITY,
      }).records;
    }
  } finally {
    snapshot.close();
  }
}

function show(record: PublishedRecord, { json }: AuditTailOptions, printer: PolicyPrinter): void {
  if (json) printer.out(visibleJson(record));
  else printRecord(record, printer);
}
