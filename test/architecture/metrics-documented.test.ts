// What operators and security teams search for is documented: every metric, reason code, event and code.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { EVENT_CODES, SUMMED_CODE, UNKNOWN_CODE } from '#audit/event-codes.ts';
import { OUTCOMES } from '#audit/published-record.ts';
import { ENDED_BY } from '#model/ended-by.ts';
import { REASON_TYPES } from '#model/grant.ts';
import { REASONS } from '#model/reason.ts';
import { METRICS } from '#telemetry/metric-table.ts';

const read = (path: string): string => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');

function rowsOf(document: string): string[] {
  return document.split('\n').filter((line) => line.startsWith('| `'));
}

function missing(words: readonly string[], document: string): string[] {
  const rows = rowsOf(document);
  return words.filter((word) => !rows.some((row) => row.includes(`\`${word}\``)));
}

describe('docs/metrics.md', () => {
  const document = read('docs/metrics.md');

  it('has a row for every declared metric, with its type and its labels', () => {
    const rows = rowsOf(document);
    const wrong = Object.values(METRICS).filter(({ name, type, labels }) => {
      const cells = rows.find((row) => row.startsWith(`| \`${name}\` |`))?.split('|');
      if (cells === undefined) return true;
      const documented = [...(cells[3] ?? '').matchAll(/`(\w+)`/g)].map((match) => match[1]);
      return cells[2]?.trim() !== type || documented.join() !== labels.join();
    });
    expect(wrong.map(({ name }) => name)).toEqual([]);
  });

  it('names no metric that is not declared', () => {
    const declared = new Set<string>(Object.values(METRICS).map(({ name }) => name));
    const named = rowsOf(document).map((row) => /^\| `(postern_\w+)`/.exec(row)?.[1]);
    expect(named.filter((name) => name !== undefined && !declared.has(name))).toEqual([]);
  });

  it('would miss an undocumented one', () => {
    expect(missing(['postern_undocumented_total'], document)).toEqual(['postern_undocumented_total']);
  });
});

describe('docs/audit.md', () => {
  const document = read('docs/audit.md');

  it('has every reason code with its status', () => {
    const rows = rowsOf(document);
    const wrong = Object.entries(REASONS).filter(
      ([code, { status }]) => !rows.some((row) => row.startsWith(`| \`${code}\` | ${status} |`)),
    );
    expect(wrong.map(([code]) => code)).toEqual([]);
  });

  it('has every event and every code of the published records', () => {
    expect(missing(Object.keys(EVENT_CODES), document)).toEqual([]);
    expect(missing([...Object.values(EVENT_CODES), SUMMED_CODE, UNKNOWN_CODE], document)).toEqual([]);
    expect(missing(OUTCOMES, document)).toEqual([]);
  });

  it('uses each code for one thing only', () => {
    const codes = [...Object.values(EVENT_CODES), SUMMED_CODE, UNKNOWN_CODE];
    expect(new Set(codes).size).toBe(codes.length);
  });
});

describe('config/schemas/audit-record.schema.json', () => {
  const schema = JSON.parse(read('config/schemas/audit-record.schema.json')) as {
    $defs: Record<
      string,
      { properties: Record<string, { enum?: unknown[]; properties?: Record<string, { enum?: unknown[] }> }> }
    >;
  };
  const request = schema.$defs['request']?.properties ?? {};

  it('holds the closed lists of the code', () => {
    expect(request['reasonCode']?.enum).toEqual(Object.keys(REASONS));
    expect(request['endedBy']?.enum).toEqual([...ENDED_BY, null]);
    expect(request['outcome']?.enum).toEqual([...OUTCOMES]);
    expect(request['reason']?.properties?.['type']?.enum).toEqual([...REASON_TYPES]);
    const events = Object.values(schema.$defs).flatMap((one) => one.properties['event']?.enum ?? []);
    expect(new Set(events)).toEqual(new Set(Object.keys(EVENT_CODES)));
  });
});
