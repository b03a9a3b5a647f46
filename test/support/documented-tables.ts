// Tables of the documents that are written from the code: POSTERN_WRITE_DOCS=1 writes them anew, otherwise a difference fails.
import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';

const fileOf = (path: string): URL => new URL(`../../${path}`, import.meta.url);
/** The text of a file, by its path below the root of the repository. */
export const read = (path: string): string => readFileSync(fileOf(path), 'utf8');

/** What stands between the two marks of a page. */
export function between(path: string, [start, end]: readonly [string, string]): string {
  const text = read(path);
  expect(text).toContain(`${start}\n`);
  expect(text).toContain(end);
  return text.slice(text.indexOf(start) + start.length, text.indexOf(end)).trim();
}

/** Throws unless the page has `table` between its marks; with POSTERN_WRITE_DOCS=1 it is put there first. */
export function hold(path: string, marks: readonly [string, string], table: string): void {
  if (process.env['POSTERN_WRITE_DOCS'] === '1') {
    const text = read(path);
    const [before, after] = [text.indexOf(marks[0]) + marks[0].length, text.indexOf(marks[1])];
    writeFileSync(fileOf(path), `${text.slice(0, before)}\n\n${table}\n\n${text.slice(after)}`);
  }
  expect(between(path, marks)).toBe(table);
}
