// Body selectors as an author writes them: drafts, and problems where they stand.
import { describe, expect, it, test } from 'vitest';
import { isMap } from 'yaml';
import { bodySelectorDigest, readBodySelector } from '#policy/body-fields.ts';
import type { BodySelectorDraft } from '#policy/body-selector.ts';
import { createFileReader, readDocuments } from '#policy/yaml-document.ts';
import { readEntries } from '#policy/yaml-fields.ts';

interface Read {
  readonly draft: BodySelectorDraft | null | undefined;
  /** `line:column message`. */
  readonly problems: readonly string[];
}

function read(text: string): Read {
  const reader = createFileReader('p.yaml', text);
  const root = readDocuments(reader, text)[0] ?? null;
  if (!isMap(root)) throw new Error(JSON.stringify(reader.problems));
  const where = { name: 'match[0]', offset: 0, node: root, valueOffset: 0 };
  const fields = new Map((readEntries(reader, root, 0, 'a match') ?? []).map((field) => [field.name, field]));
  const draft = readBodySelector(reader, fields, where);
  return {
    draft,
    problems: reader.problems.map(({ line, column, message }) => `${line}:${column} ${message}`),
  };
}

describe('a body selector', () => {
  test.each([
    ['paths: [/a]', null],
    ['graphql: { operations: [b, a*] }', { kind: 'graphql', types: null, operations: ['a*', 'b'] }],
    ['graphql: { type: mutation }', { kind: 'graphql', types: ['mutation'], operations: null }],
    [
      'graphql: { type: [subscription, mutation], operations: ["*"] }',
      { kind: 'graphql', types: ['mutation', 'subscription'], operations: ['*'] },
    ],
    ['jsonrpc: { methods: [b.c, a/*] }', { kind: 'jsonrpc', methods: ['a/*', 'b.c'] }],
    [
      'json: { /format: [csv, 1, true], /to: "*" }',
      {
        kind: 'json',
        fields: [
          { name: '/format', values: ['csv', '1', 'true'] },
          { name: '/to', values: null },
        ],
      },
    ],
    [
      'json: { "/a/*/b": "{principal.email}" }',
      { kind: 'json', fields: [{ name: '/a/*/b', values: ['{principal.email}'] }] },
    ],
    [
      'form: { "user[role]": ["{principal.id}", admin] }',
      { kind: 'form', fields: [{ name: 'user[role]', values: ['{principal.id}', 'admin'] }] },
    ],
  ])('%s', (text, draft) => {
    expect(read(text)).toEqual({ draft, problems: [] });
  });
});

describe('a problem', () => {
  test.each([
    [
      'form: { a: "*" }\njson: { /a: "*" }',
      '2:1 match[0] looks into the body by form already: write json as a match of its own',
    ],
    ['graphql: [a]', '1:10 graphql must be a mapping'],
    ['graphql: {}', '1:10 graphql must name a type, operations, or both'],
    ['graphql: { operation: [a] }', '1:12 unknown key "operation" in graphql; did you mean "operations"?'],
    ['graphql: { operations: [] }', '1:24 operations must not be empty'],
    [
      'graphql: { type: mutate }',
      '1:18 type must be one of mutation, query, subscription; did you mean "mutation"?',
    ],
    ['graphql: { type: [query, query] }', '1:26 type[1] repeats an earlier item'],
    [
      'graphql: { operations: [a, "query X"] }',
      '1:28 operations[1] must be the name of a root field, letters, digits and underscores, with `*` for any of them, not "query X"',
    ],
    ['graphql: { operations: [exportAll, EXPORTALL] }', '1:36 operations[1] is read like an earlier item'],
    ['jsonrpc: { }', '1:10 jsonrpc needs methods'],
    ['jsonrpc: { methods: a }', '1:21 methods must be a list'],
    ['jsonrpc: { methods: [a, 1] }', '1:25 methods[1] must be a string: put it in quotes'],
    ['jsonrpc: { methods: ["a\\tb"] }', '1:22 methods[0] must not hold a control character'],
    ['json: {}', '1:7 json must not be empty'],
    ['json: csv', '1:7 json must be a mapping'],
    ['json: { format: [csv] }', '1:9 the JSON pointer "format" must start with `/`, as in /user/email'],
    ['json: { /a//b: [csv] }', '1:9 the JSON pointer "/a//b" holds an empty segment'],
    ['json: { /: [csv] }', '1:9 the JSON pointer "/" holds an empty segment'],
    ['json: { /a~2: [csv] }', '1:9 the JSON pointer "/a~2" holds a `~` that is neither ~0 nor ~1'],
    [
      `json: { ${'/a'.repeat(17)}: [csv] }`,
      `1:9 the JSON pointer "${'/a'.repeat(17)}" has more than 16 segments`,
    ],
    ['json: { /a: [csv], /A: [pdf] }', '1:20 "/A" is read like an earlier one'],
    ['json: { /a: [] }', '1:13 /a must not be empty'],
    ['json: { /a: [csv, "CSV "] }', '1:19 /a[1] is read like an earlier item'],
    [
      'json: { /a: csv }',
      '1:13 "/a" must be a list of values, "*" for presence, or a template such as "{principal.email}"',
    ],
    [
      'json: { /a: {principal.email} }',
      '1:13 "/a" must be a list of values, "*" for presence, or a template such as "{principal.email}": put a template in quotes',
    ],
    ['json: { /a: [{principal.email}] }', '1:14 /a[0] is a mapping: put a template in quotes'],
    ['json: { /a: ["*"] }', '1:14 presence is written "*" alone, not in a list'],
    ['json: { /a: [null] }', '1:14 /a[0] must be a string, a number or a boolean'],
    [
      'json: { /a: "{principal.emial}" }',
      '1:13 unknown template "{principal.emial}"; did you mean "{principal.email}"?',
    ],
    [
      'form: { a: [b, "{tenant}"] }',
      '1:16 unknown template "{tenant}"; known here: {principal.email}, {principal.id}',
    ],
    ['form: { "[]": "*" }', '1:9 the name of a form field must not be empty'],
    ['form: { a: "*", "A[]": "*" }', '1:17 "A[]" is read like an earlier one'],
  ])('of %s', (text, problem) => {
    const { draft, problems } = read(text);
    expect(problems).toEqual([problem]);
    expect(draft).toBeUndefined();
  });

  it('does not hide the ones after it', () => {
    expect(read('json: { a: [csv], /b: [], /c: {} }').problems).toHaveLength(3);
  });
});

describe('the digest of a selector', () => {
  it('does not depend on the order of what is written', () => {
    const [a, b] = ['json: { /a: [x, y], /b: "*" }', 'json: { /b: "*", /a: [y, x] }'].map((text) =>
      bodySelectorDigest(read(text).draft as BodySelectorDraft),
    );
    expect(a).toEqual(b);
    expect(a).toEqual([
      'json',
      [
        ['/a', ['x', 'y']],
        ['/b', null],
      ],
    ]);
  });

  it('tells the kinds and every part apart', () => {
    const texts = [
      'json: { /a: [x] }',
      'form: { /a: [x] }',
      'json: { /a: "*" }',
      'graphql: { operations: [a] }',
      'graphql: { type: query }',
      'graphql: { type: query, operations: [a] }',
      'jsonrpc: { methods: [a] }',
    ];
    const digests = texts.map((text) =>
      JSON.stringify(bodySelectorDigest(read(text).draft as BodySelectorDraft)),
    );
    expect(new Set(digests).size).toBe(texts.length);
  });
});
