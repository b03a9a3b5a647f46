// Joins the lines of a journal into published records: intent and completion to one, streams to two.
// What it publishes, numbers included, depends on the journal alone, so that a second reading after a crash
// yields the same records; but for people erased meanwhile. Runs in the sink worker; one per sink.
// A line whose keys cannot be read (AUDIT_UNAVAILABLE) changes nothing and may be taken again.
import type { DoneLine, IntentLine, JournalLine, StartedLine } from './journal-lines.ts';
import {
  LineContext,
  type LineParts,
  requestContextOf,
  type ResolvedIntent,
  type SubjectKeys,
} from './line-context.ts';
import {
  checkpointRecordOf,
  eventRecordOf,
  gapRecordOf,
  type PublishedRecord,
  recordOf,
  startedRecordOf,
  summedRecordOf,
  unknownRecordOf,
} from './published-record.ts';
import type { Position } from './segment-tail.ts';

/** An intent still without completion, and where it stands, so that a cursor can name it. */
export interface OpenIntent extends Position {
  readonly line: IntentLine;
  /** What it refers to: people are looked up only when it is published. */
  readonly parts: LineParts;
  streaming: boolean;
}

export class RecordJoiner {
  readonly open = new Map<string, OpenIntent>();
  /** Of the segment that is being read. */
  readonly context: LineContext;
  /** The number of the next record. */
  seq: number;
  /** Lines that gave no record because their intent is not there. */
  unmatched = 0;
  readonly #instance: string;

  constructor(instance: string, seq: number, keys: SubjectKeys) {
    this.#instance = instance;
    this.seq = seq;
    this.context = new LineContext(keys);
  }

  /** Adds what the line publishes to `records`: usually nothing or one. */
  take(line: JournalLine, at: Position, records: PublishedRecord[]): void {
    this.context.enter(at.segment);
    switch (line.k) {
      case 'intent':
        this.openAgain(line, at, { streaming: false, context: this.context });
        return;
      case 'done':
      case 'started':
        this.#join(line, records);
        return;
      case 'refused':
        this.#publish(recordOf(this.context.resolvedRequest(line), line, false), records);
        return;
      case 'opened':
        this.#giveUp(records);
        return;
      case 'subject':
      case 'grant':
      case 'policy':
        this.context.take(line, at.segment);
        return;
      default:
        this.#takeRare(line, records);
    }
  }

  /** Awaits the completion of an intent that was read before; `context` is that of its segment. */
  openAgain(
    line: IntentLine,
    { segment, offset }: Position,
    as: { readonly streaming: boolean; readonly context: LineContext },
  ): void {
    const parts = as.context.partsOf(line);
    this.open.set(line.id, { line, parts, segment, offset, streaming: as.streaming });
  }

  /** Keys may have been destroyed: people are looked up again. */
  forget(): void {
    this.context.forget();
  }

  /** Lines of the chain itself publish nothing. */
  #takeRare(line: JournalLine, records: PublishedRecord[]): void {
    if (line.k === 'summed') this.#publish(summedRecordOf(line), records);
    else if (line.k === 'event') this.#publish(eventRecordOf(this.context.resolvedEvent(line)), records);
    else if (line.k === 'gap') this.#publish(gapRecordOf(line), records);
    else if (line.k === 'checkpoint') this.#publish(checkpointRecordOf(line), records);
  }

  #join(line: DoneLine | StartedLine, records: PublishedRecord[]): void {
    const intent = this.open.get(line.id);
    if (intent === undefined) {
      this.unmatched += 1;
      return;
    }
    const request = resolvedOf(intent);
    if (line.k === 'started') {
      intent.streaming = true;
      this.#publish(startedRecordOf(request, line), records);
      return;
    }
    this.open.delete(line.id);
    this.#publish(recordOf(request, line, intent.streaming), records);
  }

  /** A new process: what is open will never be completed. */
  #giveUp(records: PublishedRecord[]): void {
    const unknown = [...this.open.values()].map((one) => unknownRecordOf(resolvedOf(one), one.streaming));
    this.open.clear();
    for (const record of unknown) this.#publish(record, records);
  }

  #publish(record: PublishedRecord, records: PublishedRecord[]): void {
    record.seq = this.seq;
    record.instance = this.#instance;
    this.seq += 1;
    records.push(record);
  }
}

function resolvedOf({ line, parts }: OpenIntent): ResolvedIntent {
  return { ...line, ...requestContextOf(parts) };
}
