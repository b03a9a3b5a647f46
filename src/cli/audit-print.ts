// How the audit commands show records to people: one line each, in columns. Names, paths and reasons come from outside, so
// nothing in them reaches the screen that could move the cursor. Not hot.
import type { PublishedRecord } from '#audit/published-record.ts';
import { type PolicyPrinter, printable } from './policy-print.ts';

const HEAD = ['TIME', 'WHO', 'TENANT', 'METHOD', 'PATH', 'STATUS', 'DECISION', 'CASE'] as const;
type Cells = readonly string[];

/** Beyond that a column is cut with an ellipsis; the last ones take what they need. */
const WIDEST = [24, 32, 20, 8, 48, 6, 40, 40] as const;
const DECISION = 6;
/** Of a listing whose later lines are not known yet. */
const FIXED = [24, 28, 14, 6, 40, 6, 24, 0] as const;

/** As wide as its records need. */
export function printRecords(records: readonly PublishedRecord[], printer: PolicyPrinter): void {
  const rows = records.map(cellsOf);
  const widths = HEAD.map((head, column) =>
    Math.min(
      WIDEST[column] ?? 0,
      rows.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), head.length),
    ),
  );
  printer.out(printer.dim(rowText(HEAD, widths)));
  for (const row of rows) printer.out(painted(row, rowText(row, widths), printer));
}

/** One of a listing that goes on. */
export function printRecord(record: PublishedRecord, printer: PolicyPrinter): void {
  const row = cellsOf(record);
  printer.out(painted(row, rowText(row, FIXED), printer));
}

function painted(row: Cells, text: string, printer: PolicyPrinter): string {
  return row[DECISION]?.startsWith('deny') === true ? printer.red(text) : text;
}

function rowText(row: Cells, widths: readonly number[]): string {
  return row
    .map((cell, column) => {
      const width = widths[column] ?? 0;
      if (width === 0) return cell;
      return (cell.length > width ? `${cell.slice(0, width - 1)}…` : cell).padEnd(width);
    })
    .join('  ')
    .trimEnd();
}

function cellsOf(record: PublishedRecord): Cells {
  const { time, event } = record;
  const http = fieldsOf(record['http']);
  const isRequest = record['http'] !== undefined;
  return [
    time,
    whoOf(record),
    text(record['tenant']),
    isRequest ? text(http['method']) : '',
    isRequest ? text(http['path']) : aboutOf(record),
    isRequest ? text(http['status']) : '',
    isRequest || record['decision'] !== undefined ? decisionOf(record) : event,
    text(record['caseRef'], ''),
  ].map(printable);
}

function whoOf(record: PublishedRecord): string {
  const actor = record['actor'];
  if (actor === null || actor === undefined) return text(fieldsOf(record['client'])['network']);
  const { subject, email, id } = fieldsOf(actor);
  // Of whoever was erased, and on a copy without keys, an identifier is left that says nothing.
  return text(email ?? id ?? subject);
}

function decisionOf(record: PublishedRecord): string {
  const { decision, reasonCode, outcome } = record;
  if (decision === 'deny') return `deny ${text(fieldsOf(record['rule'])['id'] ?? reasonCode)}`;
  if (reasonCode !== 'ok') return `allow ${text(outcome)} ${text(reasonCode)}`;
  return outcome === 'completed' ? 'allow' : `allow ${text(outcome)}`;
}

/** Of what is no request: what it says, without its names. */
function aboutOf(record: PublishedRecord): string {
  const details = fieldsOf(record['details'] ?? { count: record['count'] });
  return Object.values(details)
    .filter((value) => value !== null && value !== undefined)
    .map((value) => text(value))
    .join(' ');
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
}

function text(value: unknown, none = '-'): string {
  if (typeof value === 'string') return value === '' ? none : value;
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : none;
}
