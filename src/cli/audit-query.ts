// `postern audit query`: the records that match, of a running gateway's journal or of a copy. What is not indexed is
// read, so the answer never depends on the index. Reading is recorded. Not hot.
import type { RecordQuery } from '#audit/index/audit-reader.ts';
import { recordPage } from '#audit/index/record-pages.ts';
import { Snapshot } from '#audit/index/snapshot.ts';
import { visibleJson } from '#audit/json-text.ts';
import { printRecords } from './audit-print.ts';
import { openReading, type Reading, refused } from './audit-reading.ts';
import { HELD } from './exit-codes.ts';
import type { PolicyPrinter } from './policy-print.ts';

export interface AuditQueryOptions {
  readonly directory: string;
  readonly query: Omit<RecordQuery, 'cursor'>;
  readonly json: boolean;
}

/** 0 whether or not something matched, 2 when there is no journal that can be read. */
export function queryAudit(options: AuditQueryOptions, printer: PolicyPrinter): number {
  const { directory } = options;
  try {
    using reading = openReading(directory, printer);
    answer(options, reading, printer);
    return HELD;
  } catch (error) {
    return refused(error, directory, printer);
  }
}

function answer(
  { directory, query, json }: AuditQueryOptions,
  reading: Reading,
  printer: PolicyPrinter,
): void {
  const { people } = reading;
  const snapshot = new Snapshot({ directory });
  try {
    const maxBytes = Number.POSITIVE_INFINITY;
    const { records, nextCursor } = recordPage(snapshot, { ...query, cursor: null }, { people, maxBytes });
    reading.record(query.tenant ?? null, { by: 'query', filters: filtersOf(query), records: records.length });
    if (json) for (const record of records) printer.out(visibleJson(record));
    else if (records.length > 0) printRecords(records, printer);
    if (records.length === 0) printer.err('nothing matches');
    if (nextCursor !== null) printer.err(`there are more: --limit shows ${query.limit}`);
  } finally {
    snapshot.close();
  }
}

/** Their names alone: values may name people. */
function filtersOf(query: AuditQueryOptions['query']): string {
  const { order: _order, limit: _limit, ...filters } = query;
  return Object.keys(filters).toSorted().join(',');
}
