// The published records of a bundle, as sinks got them, with the people whose keys are in it. Assumes that the bundle was
// verified. `seq` is null: it belongs to the stream that a sink got. Not hot.
import type { PublishedRecord } from '../published-record.ts';
import { RecordJoiner } from '../record-joiner.ts';
import type { BundleContext, BundleGroup } from './bundle-group.ts';

export class BundleRecords {
  #joiner: RecordJoiner | null = null;
  readonly #publish: (record: PublishedRecord) => void;

  constructor(publish: (record: PublishedRecord) => void) {
    this.#publish = publish;
  }

  /** Requests whose end is not in the bundle. */
  get open(): number {
    return this.#joiner?.open.size ?? 0;
  }

  /** Ends of requests that began before the bundle does. */
  get unmatched(): number {
    return this.#joiner?.unmatched ?? 0;
  }

  take({ context, records: lines, segment, number }: BundleGroup, keys: BundleContext): void {
    this.#joiner ??= new RecordJoiner(segment.instance, 1, keys);
    const records: PublishedRecord[] = [];
    const at = { segment: segment.segment, offset: number };
    for (const line of context) {
      if (line.k !== 'segment') this.#joiner.take(line, at, records);
    }
    for (const line of lines) this.#joiner.take(line, at, records);
    for (const record of records) {
      record.seq = null;
      record.instance = segment.instance;
      this.#publish(record);
    }
  }
}
