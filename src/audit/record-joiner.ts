// Joins the lines of a journal into published records: intent and completion to one, streams to two.
// What it publishes, numbers included, depends on the journal alone, so that a second reading after a crash
// yields the same records. Runs in the sink worker; one per sink.
import type { IntentLine, JournalLine } from './journal-lines.ts';
import {
  eventRecordOf,
  gapRecordOf,
  type PublishedRecord,
  recordOf,
  startedRecordOf,
  summedRecordOf,
  unknownRecordOf,
} from './published-record.ts';

/** An intent still without completion, and where it stands, so that a cursor can name it. */
export interface OpenIntent {
  readonly line: IntentLine;
  readonly segment: number;
  readonly offset: number;
  streaming: boolean;
}

export class RecordJoiner {
  readonly open = new Map<string, OpenIntent>();
  /** The number of the next record. */
  seq: number;
  /** Lines that gave no record because their intent is not there. */
  unmatched = 0;
  readonly #instance: string;

  constructor(instance: string, seq: number) {
    this.#instance = instance;
    this.seq = seq;
  }

  /** Adds what the line publishes to `records`: usually nothing or one. */
  take(
    line: JournalLine,
    at: { readonly segment: number; readonly offset: number },
    records: PublishedRecord[],
  ): void {
    switch (line.k) {
      case 'intent':
        this.open.set(line.id, { line, segment: at.segment, offset: at.offset, streaming: false });
        return;
      case 'opened':
        for (const one of this.open.values())
          this.#publish(unknownRecordOf(one.line, one.streaming), records);
        this.open.clear();
        return;
      case 'refused':
        this.#publish(recordOf(line, line, false), records);
        return;
      case 'summed':
        this.#publish(summedRecordOf(line), records);
        return;
      case 'event':
        this.#publish(eventRecordOf(line), records);
        return;
      case 'gap':
        this.#publish(gapRecordOf(line), records);
        return;
      default:
        this.#join(line, records);
    }
  }

  #join(line: Extract<JournalLine, { k: 'done' | 'started' }>, records: PublishedRecord[]): void {
    const intent = this.open.get(line.id);
    if (intent === undefined) {
      this.unmatched += 1;
      return;
    }
    if (line.k === 'started') {
      intent.streaming = true;
      this.#publish(startedRecordOf(intent.line, line), records);
      return;
    }
    this.open.delete(line.id);
    this.#publish(recordOf(intent.line, line, intent.streaming), records);
  }

  #publish(record: PublishedRecord, records: PublishedRecord[]): void {
    record.seq = this.seq;
    record.instance = this.#instance;
    this.seq += 1;
    records.push(record);
  }
}
