// A GraphQL operation that a rule denies, hidden from a gate that reads the request in one way only: by alias, fragment,
// the client's operation name, a second document, a batch, the query string, a persisted query, comments and strings.
// Each attack goes through a whole policy; a gate that looks for the operation's name is the positive control.
import { createHash } from 'node:crypto';
import * as fc from 'fast-check';
import { executeSync } from 'graphql/execution/execute.js';
import { parse } from 'graphql/language/parser.js';
import { buildSchema } from 'graphql/utilities/buildASTSchema.js';
import { describe, expect, it, test } from 'vitest';
import type { RequestBody } from '#policy/request-body.ts';
import { bodyOf } from '#policy/read-body.ts';
import { FORM_TYPE, GRAPHQL_TYPE, JSON_TYPE } from '../support/body-facts.ts';
import {
  decide,
  facts,
  type FactsOptions,
  policyFrom,
  rulesText,
  verdictOf,
} from '../support/policy-sets.ts';

const RULE = 'export.graphql';
const policy = policyFrom(
  rulesText([
    { id: RULE, match: '{ paths: [/graphql], graphql: { operations: [exportCustomers, "billing*"] } }' },
  ]),
);
const mutations = policyFrom(
  rulesText([{ id: RULE, match: '{ paths: [/graphql], graphql: { type: mutation } }' }]),
);

function send(body: RequestBody, options: FactsOptions = {}): string {
  return decide(policy, '/graphql', { method: 'POST', ...options, body });
}

function sendJson(value: unknown, query = ''): string {
  return send(bodyOf(JSON.stringify(value), JSON_TYPE), { query });
}

/** What a gate that trusts the client's words would say. */
function looksHarmless({
  query,
  operationName,
}: {
  query: string;
  operationName?: string | undefined;
}): boolean {
  if (operationName !== undefined) return !/^(?:exportCustomers|billing)/.test(operationName);
  return !/^(?:query\s*)?\{\s*(?:exportCustomers|billing)/.test(query);
}

describe('the positive control', () => {
  test.each([
    { query: '{ safe: exportCustomers }' },
    { query: 'query Harmless { me exportCustomers }', operationName: 'Harmless' },
    { query: '{ ...F } fragment F on Query { exportCustomers }' },
  ])('lets %j through, and the rule does not', (request) => {
    expect(looksHarmless(request)).toBe(true);
    expect(sendJson(request)).toBe(RULE);
  });
});

describe('a denied root field is found', () => {
  test.each([
    '{ exportCustomers }',
    '{ safe: exportCustomers { id } }',
    '{ me, exportCustomers }',
    'query me { exportCustomers }',
    'query ($a: String = "}") @x(y: "{") { me exportCustomers(a: $a) }',
    '{ ... { exportCustomers } }',
    '{ ... on Query @include(if: true) { ... { exportCustomers } } }',
    '{ ...A } fragment A on Query { ...B } fragment B on Query { ...A exportCustomers }',
    'fragment A on Query { exportCustomers } { ...A }',
    '{ ...A } fragment A on Query { me } fragment A on Query { exportCustomers }',
    'query A { me } query B { exportCustomers }',
    '{ me } mutation { exportCustomers }',
    'subscription { billingEvents }',
    '{ exportCustomers @skip(if: true) }',
    '{ EXPORTCUSTOMERS }',
    '#{ me }\r{ exportCustomers }',
    '{ me(s: "#") exportCustomers }',
    '{ me(s: """ " """) exportCustomers }',
    '{ me(s: """ \\""" """) exportCustomers #"""\n }',
    '{ me(s: "\\"") exportCustomers }',
    '\u{FEFF}{,,,exportCustomers,,,}',
    'query\u{FEFF}\t\n,{exportCustomers}',
  ])('in %j', (query) => {
    expect(sendJson({ query, operationName: 'me' })).toBe(RULE);
    expect(sendJson([{ query: '{ me }' }, { query }])).toBe(RULE);
    expect(sendJson({ query: '{ me }', Query: query })).toBe(RULE);
    expect(sendJson({ query: ['{ me }', query] })).toBe(RULE);
    expect(sendJson({ query: '{ me }' }, `query=${encodeURIComponent(query)}`)).toBe(RULE);
    expect(send(bodyOf(query, GRAPHQL_TYPE))).not.toBe('allow');
    expect(send(bodyOf(`query=${encodeURIComponent(query)}`, FORM_TYPE))).toBe(RULE);
    expect(decide(policy, '/graphql', { query: `x=1;%51uery=${encodeURIComponent(query)}` })).toBe(RULE);
  });

  it('written with escapes in the JSON around it', () => {
    const text = '{"\\u0071uery":"{ \\u0065xportCustomers }"}';
    expect(send(bodyOf(text, JSON_TYPE))).toBe(RULE);
  });

  it('whatever type the operation has, and every type where a type is denied', () => {
    for (const query of [
      'mutation { a }',
      'query Q { a } mutation { b }',
      'mutation @x { ...F } fragment F on M { a }',
    ]) {
      const body = bodyOf(JSON.stringify({ query, operationName: 'Q' }), JSON_TYPE);
      expect(decide(mutations, '/graphql', { method: 'POST', body })).toBe(RULE);
    }
    const harmless = bodyOf(JSON.stringify({ query: '{ mutation } #mutation { a }' }), JSON_TYPE);
    expect(decide(mutations, '/graphql', { method: 'POST', body: harmless })).toBe('allow');
  });
});

describe('what cannot be seen is denied by the rule that needed to look', () => {
  const hash = createHash('sha256').update('{ exportCustomers }').digest('hex');
  const persistedQuery = { version: 1, sha256Hash: hash };
  const unseen: readonly (readonly [string, RequestBody])[] = [
    ['a persisted hash', bodyOf(JSON.stringify({ extensions: { persistedQuery } }), JSON_TYPE)],
    [
      'a persisted hash beside a harmless text',
      bodyOf(JSON.stringify({ query: '{ me }', extensions: { persistedQuery } }), JSON_TYPE),
    ],
    ['a stored id', bodyOf(JSON.stringify({ doc_id: '7', variables: {} }), JSON_TYPE)],
    ['a name twice', bodyOf('{"query":"{ me }","query":"{ exportCustomers }"}', JSON_TYPE)],
    [
      'a name twice, once escaped',
      bodyOf('{"query":"{ me }","\\u0071uery":"{ exportCustomers }"}', JSON_TYPE),
    ],
    ['a fragment that the server may know', bodyOf('{ me ...Exports }', GRAPHQL_TYPE)],
    ['a line end of old drafts', bodyOf('{ me } # \u2028 query B { exportCustomers }', GRAPHQL_TYPE)],
    ['a syntax of its own', bodyOf('{ me } query B<T> { exportCustomers }', GRAPHQL_TYPE)],
    ['a file upload', bodyOf('--x\r\n', 'multipart/form-data; boundary=x')],
    ['plain text', bodyOf('{"query":"{ exportCustomers }"}', 'text/plain')],
    ['two types', bodyOf('{"query":"{ exportCustomers }"}', 'application/json, application/graphql')],
    ['a nested batch', bodyOf('[[{"query":"{ exportCustomers }"}]]', JSON_TYPE)],
    [
      '5,000 nested brackets',
      bodyOf(`{"query":"{ me }","variables":${'['.repeat(5000)}${']'.repeat(5000)}}`, JSON_TYPE),
    ],
  ];

  test.each(unseen)('%s', (_what, body) => {
    const verdict = verdictOf(policy, facts('/graphql', { method: 'POST', body }));
    expect(verdict).toMatchObject({ reason: 'body_uninspectable', rule: { id: RULE } });
  });

  it('a persisted query in the query string, without a body', () => {
    const query = `extensions=${encodeURIComponent(JSON.stringify({ persistedQuery }))}`;
    expect(verdictOf(policy, facts('/graphql', { query }))).toMatchObject({ reason: 'body_uninspectable' });
  });

  it('more text than is looked at', () => {
    const body = bodyOf(JSON.stringify({ query: `{ me } #${'x'.repeat(70_000)}` }), JSON_TYPE);
    expect(verdictOf(policy, facts('/graphql', { method: 'POST', body }))).toMatchObject({
      reason: 'body_too_large',
    });
  });
});

describe('what asks for nothing denied passes', () => {
  test.each([
    [{ query: '{ me { exportCustomers } }' }],
    [{ query: '{ exportCustomers: me }' }],
    [{ query: 'query exportCustomers { me }', operationName: 'exportCustomers' }],
    [{ query: '{ me(s: "exportCustomers") } # exportCustomers' }],
    [{ query: '{ me }', variables: { query: '{ exportCustomers }' } }],
    [[{ query: '{ me }' }, { query: '{ __typename }' }]],
  ])('%j', (value) => {
    expect(sendJson(value)).toBe('allow');
  });

  it('and so does a request without a document', () => {
    expect(decide(policy, '/graphql', { query: 'page=2' })).toBe('allow');
  });
});

const FIELDS = ['a', 'b', 'exportCustomers', 'billingPlan'] as const;
const schema = buildSchema(
  ['Query', 'Mutation']
    .map((type) => `type ${type} { ${FIELDS.map((name) => `${name}: Int`).join(' ')} }`)
    .join('\n'),
);

/** Selections of one set: fields with or without an alias, inline fragments, spreads of F0 to F2. */
const { set: selections } = fc.letrec<{ set: string; selection: string }>((tie) => ({
  selection: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom(...FIELDS),
    fc
      .tuple(fc.constantFrom('a', 'b', 'x', 'exportCustomers'), fc.constantFrom(...FIELDS))
      .map((pair) => pair.join(': ')),
    fc.constantFrom('...F0', '...F1', '...F2 @include(if: true)'),
    tie('set').map((set) => `... ${set}`),
    tie('set').map((set) => `... on Query ${set}`),
  ),
  set: fc.array(tie('selection'), { minLength: 1, maxLength: 4 }).map((list) => `{ ${list.join(' ')} }`),
}));

const documents = fc
  .record({
    operations: fc.array(fc.tuple(fc.constantFrom('query', 'mutation'), selections), {
      minLength: 1,
      maxLength: 3,
    }),
    fragments: fc.array(selections, { minLength: 3, maxLength: 3 }),
  })
  .map(({ operations, fragments }) =>
    [
      ...operations.map(([type, set], i) => `${type} O${i} ${set}`),
      ...fragments.map((set, i) => `fragment F${i} on Query ${set}`),
    ].join(' # }{ \n'),
  );

/** Root fields that a real executor resolves, for whichever operation it is told to run. */
function resolvedBy(text: string): ReadonlySet<string> {
  const resolved = new Set<string>();
  const document = parse(text);
  for (const definition of document.definitions) {
    if (definition.kind !== 'OperationDefinition') continue;
    executeSync({
      schema,
      document,
      operationName: definition.name?.value ?? null,
      fieldResolver: (_source, _args, _context, info) => {
        resolved.add(info.fieldName);
        return 1;
      },
    });
  }
  return resolved;
}

describe('laws', () => {
  it('whatever a real executor would resolve was read', () => {
    fc.assert(
      fc.property(documents, (text) => {
        const { operations, flaw } = bodyOf(JSON.stringify({ query: text }), JSON_TYPE).graphql('');
        const read = new Set(operations.flatMap(({ fields }) => fields));
        expect(flaw).toBeNull();
        for (const name of resolvedBy(text)) expect(read).toContain(name);
      }),
      { numRuns: 300 },
    );
  });

  it('a denied request stays denied, whatever else it asks for', () => {
    const denied = fc.constantFrom<unknown>(
      { query: '{ exportCustomers }' },
      { query: '{ a: billingPlan }' },
      { id: 'stored' },
      { query: '{' },
    );
    const harmless = fc.constantFrom<unknown>({ query: '{ a }' }, { query: 'mutation { b }' });
    fc.assert(
      fc.property(denied, fc.array(harmless), fc.array(harmless), (request, before, after) => {
        expect(sendJson([...before, request, ...after])).toBe(RULE);
      }),
      { numRuns: 100 },
    );
    fc.assert(
      fc.property(documents, selections, (text, set) => {
        const alone = sendJson({ query: text });
        const longer = sendJson({ query: `${text} query More ${set}` });
        if (alone === RULE) expect(longer).toBe(RULE);
      }),
      { numRuns: 200 },
    );
  });
});
