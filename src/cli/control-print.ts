// How answers of the control API are shown: a table for people, one JSON document a line for programs. What they say comes
// from outside, so nothing in it reaches the screen that could move the cursor. Not hot.
import { visibleJson } from '#audit/json-text.ts';
import type { JsonObject } from './control-client.ts';
import { type PolicyPrinter, printable } from './policy-print.ts';

/** The head of a column, and where its text is: a key, a path of keys, or made from the whole. */
export type Column = readonly [head: string, from: string | ((item: JsonObject) => unknown)];

const WIDEST = 48;

export function printJson(items: readonly JsonObject[], printer: PolicyPrinter): void {
  for (const item of items) printer.out(visibleJson(item));
}

/** As wide as its items need; the last column takes what it needs. */
export function printTable(
  items: readonly JsonObject[],
  columns: readonly Column[],
  printer: PolicyPrinter,
): void {
  const rows = items.map((item) => columns.map(([, from]) => printable(textOf(valueOf(item, from)))));
  const widths = columns.map(([head], column) =>
    Math.min(
      WIDEST,
      rows.reduce((width, row) => Math.max(width, row[column]?.length ?? 0), head.length),
    ),
  );
  printer.out(
    printer.dim(
      lineOf(
        columns.map(([head]) => head),
        widths,
      ),
    ),
  );
  for (const row of rows) printer.out(lineOf(row, widths));
}

function lineOf(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) => {
      const width = widths[column] ?? 0;
      if (column === cells.length - 1) return cell;
      return (cell.length > width ? `${cell.slice(0, width - 1)}…` : cell).padEnd(width);
    })
    .join('  ')
    .trimEnd();
}

/** One thing, a line for each of its keys; what is null or empty is left out. */
export function printFields(item: JsonObject, printer: PolicyPrinter): void {
  const fields = Object.entries(item)
    .map(([key, value]) => [key, printable(textOf(value))] as const)
    .filter(([, text]) => text !== '');
  const width = fields.reduce((widest, [key]) => Math.max(widest, key.length), 0);
  for (const [key, text] of fields) printer.out(`${printer.dim(printable(key).padEnd(width))}  ${text}`);
}

function valueOf(item: JsonObject, from: Column[1]): unknown {
  if (typeof from !== 'string') return from(item);
  let value: unknown = item;
  for (const key of from.split('.')) {
    value = typeof value === 'object' && value !== null ? (value as JsonObject)[key] : undefined;
  }
  return value;
}

/** `a, b` for lists, `key=value` for what is nested, nothing for what is not there. */
export function textOf(value: unknown): string {
  if (value === null || value === undefined) return '';
  if (Array.isArray(value)) {
    return value
      .map(textOf)
      .filter((text) => text !== '')
      .join(', ');
  }
  if (typeof value === 'object') {
    return Object.entries(value)
      .map(([key, inner]) => [key, textOf(inner)] as const)
      .filter(([, text]) => text !== '')
      .map(([key, text]) => `${key}=${text}`)
      .join(' ');
  }
  return typeof value === 'string' ? value : String(value);
}

/** A person as one reads them: the address, or else the name, or else the id. */
export function personText(value: unknown): string {
  const { email, name, id, onBehalfOf } = (value ?? {}) as JsonObject;
  if (typeof onBehalfOf === 'object' && onBehalfOf !== null) return personText(onBehalfOf);
  return textOf(email ?? name ?? id);
}
