// Schema and reader say the same of documents that are wrong in every way: what the schema refuses, the reader refuses;
// what the reader refuses, the schema refuses too, but for the closed list of reasons it cannot know.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { parseGrantFile } from '#policy/policy-file.ts';
import { parsePrincipalFile } from '#policy/policy-test-principal.ts';
import {
  compileSchema,
  GRANT_SCHEMA,
  POLICY_SCHEMA,
  PRINCIPAL_SCHEMA,
  type SchemaNode,
} from '../../support/policy-schema.ts';
import {
  documentOf,
  documentsOf,
  exampleDocuments,
  type Mapping,
  mutationsAt,
  pathsOf,
  placesOf,
  problemsOfText,
  readerProblems,
  SHIPPED_FILES,
  smallDocuments,
  type Value,
} from '../../support/policy-schema-corpus.ts';
import { READER_ONLY, unexcused } from '../../support/policy-schema-reasons.ts';

const validate = compileSchema(POLICY_SCHEMA);

/** Null where both agree. */
function disagreement(document: Value): string | null {
  const problems = readerProblems(document);
  if (validate(document)) {
    const [first] = unexcused(problems, document);
    return first === undefined ? null : `only the reader refuses: ${first}`;
  }
  return problems.length > 0 ? null : 'only the schema refuses';
}

const head = (kind: string, spec: string) =>
  `apiVersion: postern/v1\nkind: ${kind}\nmetadata: { name: x }\nspec: ${spec}`;
const rule = (text: string) => head('RoutePolicy', `{ rules: [{ id: r, category: c, ${text} }] }`);
const match = (text: string) => rule(`match: [{ paths: ["/a"], ${text} }]`);
const path = (text: string) => rule(`match: [{ paths: [${JSON.stringify(text)}] }]`);
const settings = (text: string) => head('RouteSettings', `{ paths: ["/a"], ${text} }`);
const safe = (text: string) => head('SafeRoutes', `{ routes: [{ paths: ["/a"], ${text} }] }`);
const allowance = (text: string) => head('RouteAllowance', `{ routes: [{ id: a, paths: ["/a"], ${text} }] }`);
const scope = (text: string) => head('ScopeMap', `{ scopes: [{ ${text} }] }`);
const guard = (text: string) => head('ResponseGuard', `{ guards: [{ id: g, category: c, ${text} }] }`);
const testCase = (text: string, more = '') =>
  head(
    'PolicyTest',
    `{ now: "2026-01-15T09:00:00Z", ${more}cases: [{ name: n, requests: [GET /a], ${text} }] }`,
  );

const ACCEPTED = [
  path('/'),
  path('/a/'),
  path('/**'),
  path('/**/{id}/*x*/b%2Fc;v=1/[x]|@:'),
  path('/...'),
  path(`/${'a/'.repeat(63)}a`),
  path('/.;*'),
  rule('match: [{ paths: ["/a"] }], liftable: false').replace('category: c', 'category: self-grant'),
  match('query: { a: [1, 1.0, 1.10, true, csv, ""], b: "*" }'),
  match('json: { /a: "{principal.id}", /b/~0~1: [1, "{principal.email}", "{x"], /c: "*" }'),
  match('graphql: { type: query }'),
  match('graphql: { operations: ["*"] }'),
  head('RoutePolicy', '{ hosts: ["*"], rules: [{ id: r, category: c, match: [{ paths: ["/a"] }] }] }'),
  head(
    'RoutePolicy',
    '{ hosts: ["[::1]", "*.A.example"], rules: [{ id: r, category: c, match: [{ paths: ["/a"] }] }] }',
  ),
  settings('maxBody: 8191TiB'),
  settings('maxInspectedBody: 64MiB'),
  safe('upgrade: websocket'),
  safe('methods: [REPORT, M-SEARCH]'),
  allowance('graphql: { type: [query, subscription] }'),
  scope('paths: ["/a"], tenant: { header: X }, required: false'),
  scope('paths: ["/{a}"], tenant: { path: a }, required: true'),
  guard('response: { attachment: false, extensions: [csv] }'),
  guard('response: { mediaTypes: ["text/*", "*/csv", "*x/*"] }'),
  testCase('expect: allow, body: [1, null, { a: [] }], headers: { A: 1, b: [true, ""] }, shadow: []'),
  testCase('expect: allow, body: 7'),
  testCase('expect: allow, body: "", response: {}', 'grants: {}, principals: { p: {} }, '),
  testCase('expect: deny, rule: r, reason: body_too_large'),
  testCase('expect: deny, reason: read_only'),
  testCase('expect: allow, allowance: a', 'defaultEffect: deny, '),
  testCase(
    'expect: allow',
    'grants: { g: { lifts: [], roles: [], workspaces: [], expiresAt: "2026-01-15T23:59:59.5+05:30" } }, ',
  ),
];

/** Each wrong in one way only. */
const REFUSED = [
  rule('match: [{ paths: ["/a"] }], mod: shadow'),
  rule('match: [{ paths: ["/a"] }], liftable: true').replace('category: c', 'category: credentials'),
  rule('match: [{ paths: ["/a"] }]').replace('id: r', 'id: policy.mine'),
  rule('match: []'),
  ...[
    'a',
    '',
    '/a?b',
    '/a//b',
    '/a b',
    '/a%2',
    '/a**',
    '/***',
    '/{a',
    '/{1}',
    '/a{b}',
    '/a\\b',
    '/a#',
    '/.',
    '/a/../b',
  ].map(path),
  ...['/%2e/a', '/.;x', '/a\u3000', `/${'a/'.repeat(64)}a`, `/${'a'.repeat(2048)}`].map(path),
  match('query: {}'),
  match('query: { a: x }'),
  match('query: { a: ["*"] }'),
  match('query: { "": [a] }'),
  match('query: { a: [.inf] }'),
  match('json: { a: [b] }'),
  match('json: { /a//b: [b] }'),
  match('json: { /a: x }'),
  match('json: { /a: "{principal.mail}" }'),
  match('json: { /a: ["{principal.mail}"] }'),
  match('json: { /a: {principal.email} }'),
  match(`json: { ${'/a'.repeat(17)}: [b] }`),
  match('form: {}'),
  match('form: { a: "*" }, json: { /a: "*" }'),
  match('graphql: { type: query }, jsonrpc: { methods: [a] }'),
  match('jsonrpc: { methods: [a] }, json: { /a: "*" }'),
  match('form: { "": "*" }'),
  match('graphql: {}'),
  match('graphql: { operations: [a-b] }'),
  match('jsonrpc: { methods: ["a\\u0001"] }'),
  rule('match: [{ paths: ["/a"] }], when: { all: {} }'),
  rule('match: [{ paths: ["/a"] }], when: { none: { reasonType: [boredom] } }'),
  head(
    'RoutePolicy',
    '{ hosts: ["*", a.example], rules: [{ id: r, category: c, match: [{ paths: ["/a"] }] }] }',
  ),
  head('SafeRoutes', `{ hosts: [${'a.'.repeat(127)}], routes: [{ paths: ["/a"], methods: [POST] }] }`),
  head('SafeRoutes', `{ hosts: ["*.${'a.'.repeat(126)}aa"], routes: [{ paths: ["/a"], methods: [POST] }] }`),
  head(
    'RoutePolicy',
    '{ hosts: ["a.example:80"], rules: [{ id: r, category: c, match: [{ paths: ["/a"] }] }] }',
  ),
  settings('allow: [everything]'),
  settings('headers: [plain]'),
  settings(`headers: [${'a_'.repeat(65)}]`),
  settings('maxBody: 5'),
  settings('maxInspectedBody: 65MiB'),
  settings('maxInspectedBody: 1GiB'),
  settings('timeouts: { idle: 0s }'),
  head('RouteSettings', '{ paths: ["/a"] }'),
  safe('graphql: { type: query }'),
  safe('upgrade: websocket, methods: [GET]'),
  safe('methods: [POST], graphql: { operations: ["a*"] }'),
  allowance('upgrade: websocket, graphql: { type: query }'),
  scope('paths: ["/a"]'),
  scope('paths: ["/{a}"], tenant: { path: a, header: b }'),
  scope('paths: ["/{a}"], tenant: { path: a }, required: false'),
  ...['workspace', 'tenant'].flatMap((name) => [
    scope(`paths: ["/{a}"], ${name}: {}`),
    scope(`paths: ["/{a}"], ${name}: { path: a, query: b }`),
    scope(`paths: ["/{a}"], ${name}: { path: "{a}" }`),
    scope(`paths: ["/{a}"], ${name}: { path: 7 }`),
    scope(`paths: ["/{a}"], ${name}: { path: ${'a'.repeat(129)} }`),
    scope(`paths: ["/a"], ${name}: { header: "a b" }`),
    scope(`paths: ["/a"], ${name}: { header: 7 }`),
    scope(`paths: ["/a"], ${name}: { header: ${'a'.repeat(129)} }`),
    scope(`paths: ["/a"], ${name}: { query: "" }`),
    scope(`paths: ["/a"], ${name}: { query: 7 }`),
    scope(`paths: ["/a"], ${name}: { query: ${'a'.repeat(129)} }`),
  ]),
  guard('response: { attachment: true }, liftable: true').replace('category: c', 'category: permissions'),
  guard('response: { attachment: false }'),
  guard('response: { mediaTypes: ["*/*"] }'),
  guard('response: { mediaTypes: ["text/csv; header=present"] }'),
  guard('response: { extensions: [.csv] }'),
  guard('response: { maxBytes: 1MiB }, match: [{ paths: ["/a"], json: { /a: "*" } }]'),
  testCase('expect: allow, rule: r'),
  testCase('expect: allow, reason: read_only'),
  testCase('expect: allow, allowance: a'),
  testCase('expect: deny'),
  testCase('expect: deny, rule: r, reason: read_only'),
  testCase('expect: deny, rule: r, allowance: a', 'defaultEffect: deny, '),
  testCase('expect: deny, reason: rule_denied'),
  testCase('expect: allow, body: a, formMethods: [PUT]'),
  testCase('expect: allow, body: .nan'),
  testCase('expect: allow, headers: { Content-TYPE: a }'),
  testCase('expect: allow, headers: { a: [] }'),
  testCase('expect: allow, shadow: {}'),
  testCase('expect: allow, headers: { a: [b, b] }'),
  testCase(`expect: allow, contentType: ${'a'.repeat(8193)}`),
  testCase('expect: allow').replace('GET /a', `GET /${'a'.repeat(10_000)}`),
  testCase('expect: allow, response: { status: 600 }'),
  testCase('expect: allow, response: { headers: { "a b": c } }'),
  testCase('expect: allow, response: { headers: { a: [b, b] } }'),
  testCase('expect: allow, response: { status: 101 }'),
  testCase('expect: allow, response: { bytes: 1e300 }'),
  testCase('expect: allow', 'grants: { 1a: {} }, '),
  testCase('expect: allow', 'principals: { 1a: {} }, '),
  testCase('expect: allow', 'grants: { g: { lifts: {} } }, '),
  testCase('expect: allow', 'grants: { g: { workspaces: {} } }, '),
  testCase('expect: allow', 'grants: { g: { expiresAt: "2026-01-15T24:00:00Z" } }, '),
  testCase('expect: allow', 'defaultEffect: maybe, '),
  testCase('expect: allow').replace('2026-01-15', '2026-13-15'),
  testCase('expect: allow').replace('postern/v1', 'postern/v2'),
  testCase('expect: allow').replace('PolicyTest', 'RoutePolicies'),
];

function schemaAccepts(text: string): boolean {
  return parseAllDocuments(text).every((document) => validate(document.toJS()));
}

describe('the policy schema and the reader', () => {
  it.each(ACCEPTED)('both accept %#', (text) => {
    expect([text, schemaAccepts(text), problemsOfText(text)]).toEqual([text, true, []]);
  });

  it.each(REFUSED)('both refuse %#', (text) => {
    expect([text, schemaAccepts(text)]).toEqual([text, false]);
    expect(problemsOfText(text).length, text).toBeGreaterThan(0);
  });

  it('agree about everything that can be wrong at one place of a document', { timeout: 120_000 }, () => {
    const shipped = SHIPPED_FILES.flatMap(documentsOf);
    const places = placesOf(smallDocuments([...exampleDocuments(), ...shipped]));
    expect(places.length).toBeGreaterThan(400);
    for (const { label, document, path: place } of places) {
      for (const mutated of mutationsAt(document, place)) {
        const found = disagreement(mutated);
        if (found !== null) expect.fail(`${label}: ${found}: ${JSON.stringify(mutated)}`);
      }
    }
  });

  it('agree about documents that are wrong in several places', { timeout: 60_000 }, () => {
    const documents = smallDocuments([...exampleDocuments(), ...SHIPPED_FILES.flatMap(documentsOf)]);
    const change = fc.record({ place: fc.nat(), how: fc.nat() });
    fc.assert(
      fc.property(fc.nat(), fc.array(change, { minLength: 1, maxLength: 4 }), (which, changes) => {
        let mutated: Value = documents[which % documents.length]?.document;
        for (const { place, how } of changes) {
          const paths = pathsOf(mutated);
          const variants = mutationsAt(mutated, paths[place % paths.length] ?? []);
          mutated = variants[how % variants.length] ?? null;
        }
        const found = disagreement(mutated);
        if (found !== null) throw new Error(`${found}: ${JSON.stringify(mutated)}`);
      }),
      { numRuns: 1000 },
    );
  });

  it('agree about words of any form', { timeout: 60_000 }, () => {
    const word = fc.oneof(
      fc.string({ unit: 'grapheme', maxLength: 12 }),
      fc.string({ unit: fc.constantFrom(...'/*{}a.%2eE;?#\\ ~:-_"1'), maxLength: 12 }),
    );
    const specs = exampleDocuments();
    fc.assert(
      fc.property(word, fc.nat(), fc.nat(), (text, which, place) => {
        const { document } = specs[which % specs.length] as (typeof specs)[number];
        const paths = pathsOf(document).filter((one) => one.length > 1);
        const at = paths[place % paths.length] ?? [];
        const found = disagreement(replacedBy(document, at, text));
        if (found !== null) throw new Error(`${at.join('.')}: ${found}`);
        const rulePath = documentOf('RouteSettings', { paths: [text], maxBody: '1B' });
        const ofPath = disagreement(rulePath);
        if (ofPath !== null) throw new Error(`path ${JSON.stringify(text)}: ${ofPath}`);
      }),
      { numRuns: 1500 },
    );
  });

  it.each(READER_ONLY)('differ over $what, which the schema cannot know', ({ says, examples }) => {
    for (const text of examples) {
      expect([text, schemaAccepts(text)]).toEqual([text, true]);
      const problems = problemsOfText(text);
      expect(problems.length, text).toBeGreaterThan(0);
      for (const problem of problems) expect(problem).toMatch(says);
    }
  });
});

function replacedBy(document: Mapping, path: readonly (string | number)[], text: string): Value {
  const copy = structuredClone(document);
  const last = path.at(-1) as string;
  const parent = path.slice(0, -1).reduce<Value>((one, key) => (one as Record<string, Value>)[key], copy);
  (parent as Record<string, Value>)[last] = text;
  return copy;
}

describe.each([
  ['grant', GRANT_SCHEMA, parseGrantFile],
  ['principal', PRINCIPAL_SCHEMA, parsePrincipalFile],
] as const)('the schema of a %s file and its reader', (_, schema: SchemaNode, parse) => {
  const accepts = compileSchema(schema);
  const problemsIn = (document: Value) => parse('g.yaml', Buffer.from(JSON.stringify(document))).problems;

  it('accept the example', () => {
    for (const document of schema.examples ?? []) {
      expect([accepts(document), problemsIn(document)]).toEqual([true, []]);
    }
    expect(schema.examples?.length).toBeGreaterThan(0);
  });

  it('agree about everything that can be wrong at one place', () => {
    for (const example of schema.examples ?? []) {
      for (const place of pathsOf(example)) {
        for (const mutated of mutationsAt(example, place)) {
          const isRefused = problemsIn(mutated).length > 0;
          expect([JSON.stringify(mutated), accepts(mutated)]).toEqual([JSON.stringify(mutated), !isRefused]);
        }
      }
    }
  });
});
