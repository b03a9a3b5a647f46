// Records as lines of JSON, for the sinks that write text. Pure; runs in the worker.
// Guarantees: one record is one line in either format, and nothing in it is invisible.
import { visibleJson } from '../json-text.ts';
import { ocsfOf } from '../ocsf.ts';
import type { PublishedRecord } from '../published-record.ts';
import type { RecordFormat } from './sink-options.ts';

/** One record as one line, without its newline. */
export function recordText(record: PublishedRecord, format: RecordFormat = 'postern'): string {
  return visibleJson(format === 'ocsf' ? ocsfOf(record) : record);
}

/** One line per record, each with its newline, as UTF-8. */
export function ndjson(records: readonly PublishedRecord[], format: RecordFormat = 'postern'): Buffer {
  let text = '';
  for (const record of records) text += `${recordText(record, format)}\n`;
  return Buffer.from(text, 'utf8');
}
