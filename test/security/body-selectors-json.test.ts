// Members and values that a lenient decoder takes for the denied ones: other case, other Unicode forms, escapes, names
// twice, lists for objects, text for numbers. The oracles decode like Go, .NET and Jackson; what they see, a rule sees.
import * as fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import type { BodySelectorDraft } from '#policy/body-selector.ts';
import { compileBodySelector } from '#policy/body-compile.ts';
import { bodyOf } from '#policy/read-body.ts';
import {
  FORM_TYPE,
  formDraft,
  graphqlDraft,
  JSON_TYPE,
  jsonDraft,
  judge,
  judgeJson,
  judgeText,
  rpcDraft,
} from '../support/body-facts.ts';
import { facts } from '../support/policy-sets.ts';

const csv = jsonDraft({ '/format': ['csv'] });
const nested = jsonDraft({ '/export/*/format': ['csv'] });

describe('a denied value is found', () => {
  test.each([
    '{"format":"csv"}',
    '{"\\u0066ormat":"\\u0063sv"}',
    '{"FORMAT":"CSV"}',
    '{"format":"pdf","Format":"csv"}',
    '{"Format":"csv","format":"pdf"}',
    '{"ｆｏｒｍａｔ":"ｃｓｖ"}',
    '{"for\u00admat":"csv\u200b"}',
    '{"format":["csv"]}',
    '{"format[]":"csv"}',
    '[{"format":"csv"}]',
    '[{"format":"pdf"},{"format":"csv"}]',
    '{"format":"csv","__proto__":{"format":"pdf"}}',
    '{ "format"\t:\n"csv" }',
    '{"format":"csv\\n"}',
  ])('in %s', (text) => {
    expect(judgeText(csv, text)).toBe('holds');
  });

  test.each([
    '{"export":[{"format":"pdf"},{"format":"csv"}]}',
    '{"export":{"format":"csv"}}',
    '{"Export":{"x":{"Format":"csv"}}}',
    '[{},{"export":[{"format":["csv"]}]}]',
  ])('below a star in %s', (text) => {
    expect(judgeText(nested, text)).toBe('holds');
  });
});

describe('what two decoders could read in two ways is not read', () => {
  test.each([
    '{"format":"pdf","format":"csv"}',
    '{"format":"pdf","\\u0066ormat":"csv"}',
    '{"format\\u0000x":"csv"}',
    '{"format":"csv\\u0000"}',
    '{"for\\ud800mat":"csv"}',
    '{"format":"pdf"/*","format":"csv"/**/}',
    "{'format':'csv'}",
    '{format:"csv"}',
    '{"format":"csv",}',
    '{"format":NaN}',
    '{"format":"pdf"}{"format":"csv"}',
    '{"format":"pdf"}\u0000{"format":"csv"}',
    `${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}`,
    '['.repeat(5000),
  ])('%s', (text) => {
    expect(judgeText(csv, text)).toBe('unreadable');
  });
});

/** A decoder that ignores case and keeps the last member, as Go's does. */
function lenientMember(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  return Object.entries(value).findLast(([key]) => key.toLowerCase() === name.toLowerCase())?.[1];
}

const names = fc.constantFrom('format', 'Format', 'FORMAT', 'to', '__proto__', 'export', '0');
const values = fc.oneof(
  fc.constantFrom<unknown>('csv', 'CSV', 'pdf', 1, '1', 1.0, true, null, '01', 'Csv '),
  fc.jsonValue({ maxDepth: 1 }),
);
const objects = fc.array(fc.tuple(names, values), { maxLength: 5 }).map((members) => new Map(members));

/** Written by hand, since `__proto__` in a literal is something else. */
function textOf(object: ReadonlyMap<string, unknown>): string {
  return `{${[...object].map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
}

describe('laws', () => {
  it('what a lenient decoder sees, the selector sees', () => {
    fc.assert(
      fc.property(objects, fc.constantFrom('csv', '1', 'true'), (object, listed) => {
        const text = textOf(object);
        const seen = lenientMember(JSON.parse(text), 'format');
        const coerced = typeof seen === 'object' ? undefined : String(seen).trim().toLowerCase();
        if (coerced === listed || (coerced !== undefined && Number(coerced) === Number(listed))) {
          expect(judgeText(jsonDraft({ '/format': [listed] }), text)).toBe('holds');
        }
        if (seen !== undefined) expect(judgeText(jsonDraft({ '/format': null }), text)).toBe('holds');
      }),
      { numRuns: 500 },
    );
  });

  it('a denied body stays denied when harmless members, elements or pairs are added', () => {
    fc.assert(
      fc.property(objects, objects, (object, more) => {
        const both = textOf(new Map([...more, ...object]));
        const alone = textOf(object);
        for (const draft of [csv, nested, jsonDraft({ '/format': null, '/to': ['1'] })]) {
          if (judgeText(draft, alone) !== 'holds') continue;
          expect(judgeText(draft, both)).toBe('holds');
          expect(judgeText(draft, `[${textOf(more)},${alone}]`)).toBe('holds');
        }
      }),
      { numRuns: 300 },
    );
    const pairs = fc.array(fc.constantFrom('format=csv', 'format=pdf', 'a=1', 'to', '%ff=1', 'format=%ff'));
    fc.assert(
      fc.property(pairs, pairs, pairs, (before, denied, after) => {
        const form = formDraft({ format: ['csv'] });
        if (judgeText(form, denied.join('&'), FORM_TYPE) === 'absent' || denied.length === 0) return;
        expect(judgeText(form, [...before, ...denied, ...after].join('&'), FORM_TYPE)).not.toBe('absent');
      }),
      { numRuns: 300 },
    );
    const calls = fc.array(fc.constantFrom<unknown>({ method: 'x' }, { method: 'admin.y' }, {}, 1));
    fc.assert(
      fc.property(calls, calls, calls, (before, denied, after) => {
        const rpc = rpcDraft('admin.*');
        if (judgeJson(rpc, denied) === 'absent') return;
        expect(judgeJson(rpc, [...before, ...denied, ...after])).not.toBe('absent');
      }),
      { numRuns: 300 },
    );
  });

  it('no body makes a selector throw, and judging twice says the same', () => {
    const drafts: readonly BodySelectorDraft[] = [
      csv,
      nested,
      jsonDraft({ '/*/*/*': null, '/a/0': ['{principal.email}'] }),
      formDraft({ format: ['csv'], 'a[b]': null }),
      rpcDraft('*'),
      graphqlDraft('a*'),
      { kind: 'graphql', types: ['mutation'], operations: null },
    ];
    const selectors = drafts.map(compileBodySelector);
    const bodies = fc.oneof(
      fc.json({ maxDepth: 4 }).map((text) => bodyOf(text, JSON_TYPE)),
      fc.string({ unit: 'grapheme' }).map((text) => bodyOf(text, FORM_TYPE)),
      fc.string({ unit: 'binary' }).map((text) => bodyOf(text, 'application/graphql')),
      fc
        .string({ unit: 'binary' })
        .map((text) => bodyOf(JSON.stringify({ query: text, x: text }), JSON_TYPE)),
    );
    fc.assert(
      fc.property(bodies, fc.string(), (body, query) => {
        for (const selector of selectors) {
          const asked = facts('/a', { method: 'POST', body, query });
          const answer = selector.judge(body, asked);
          expect(selector.judge(body, asked)).toBe(answer);
          expect(selector.flawOf(body, asked) === null).toBe(answer === 'holds' || answer === 'absent');
        }
      }),
      { numRuns: 300 },
    );
  });

  it('stars upon stars cost no more than the body and the pointer are long', () => {
    const deep = `${'['.repeat(60)}${Array.from({ length: 2000 }, (_, i) => `{"a":{"b":${i}}}`).join(',')}${']'.repeat(60)}`;
    const stars = jsonDraft({ ['/*'.repeat(16)]: ['none'] });
    expect(judge(stars, bodyOf(deep, JSON_TYPE))).toBe('absent');
    const objectsInObjects = `${'{"a":{"b":1},"c":'.repeat(60)}1${'}'.repeat(60)}`;
    expect(judge(stars, bodyOf(objectsInObjects, JSON_TYPE))).toBe('absent');
  });
});
