// Which operations and root fields a request asks for, and what could not be read of it.
import { createHash } from 'node:crypto';
import { describe, expect, it, test } from 'vitest';
import { readGraphqlDocument } from '#policy/graphql-document.ts';
import { graphqlOnly, type GraphqlReading } from '#policy/graphql-reading.ts';
import { MAX_GRAPHQL_CHARACTERS, MAX_GRAPHQL_TOKENS } from '#policy/graphql-requests.ts';
import { bodyOf, NO_BODY } from '#policy/read-body.ts';
import { FORM_TYPE, GRAPHQL_TYPE, JSON_TYPE } from '../../support/body-facts.ts';

function ofDocument(text: string): readonly string[] {
  const { operations, flaw } = readGraphqlDocument(text, MAX_GRAPHQL_TOKENS);
  const found = operations.map(({ type, fields }) => `${type} ${fields.join(' ')}`.trim());
  return flaw === null ? found : [...found, `flaw: ${flaw}`];
}

function summary({ operations, flaw }: GraphqlReading): readonly string[] {
  const found = operations.map(({ type, fields }) => `${type} ${fields.join(' ')}`);
  return flaw === null ? found : [...found, `flaw: ${flaw}`];
}

function ofJson(value: unknown, query = ''): readonly string[] {
  return summary(bodyOf(JSON.stringify(value), JSON_TYPE).graphql(query));
}

function ofQuery(query: string): readonly string[] {
  return summary(NO_BODY.graphql(query));
}

function apq(sha256Hash: unknown): object {
  return { persistedQuery: { version: 1, sha256Hash } };
}

function reading(value: unknown): GraphqlReading {
  return bodyOf(JSON.stringify(value), JSON_TYPE).graphql('');
}

const NO_DOCUMENT = 'flaw: a GraphQL request without a document';
const STORED = 'flaw: a persisted query: its hash or id came without its text';
const STORED_BESIDES = 'flaw: a persisted query: a hash or id that is not of the text came with it';
const UNPARSED = 'flaw: the GraphQL document cannot be parsed, or is too large';
const UNDEFINED = 'flaw: the GraphQL document spreads a fragment that it does not define';

describe('a document', () => {
  test.each([
    ['{ me }', ['query me']],
    ['query Q($a: Int = 1) @d(x: "}") { me(a: $a) @skip(if: true) { name } }', ['query me']],
    ['mutation { safe: exportAll }', ['mutation exportAll']],
    ['subscription { s }', ['subscription s']],
    ['query A { a } mutation B { b } query C { c }', ['query a', 'mutation b', 'query c']],
    ['{ ... { a } ... on Query { b ... @include(if: false) { c } } }', ['query a b c']],
    ['{ ...F } fragment F on Query { a ...G } fragment G on Query { b ...F }', ['query a b']],
    ['{ ...F } fragment F on Query { ...F }', ['query']],
    ['{ ...F ...F } fragment F on Query { a } fragment F on Query { b }', ['query b a']],
    ['{ a { ...Missing } }', ['query a']],
    ['{ ...Missing b }', ['query b', UNDEFINED]],
    ['{ ...F } fragment F on Query { ...Missing }', ['query', UNDEFINED]],
    ['{ a } fragment Unused on Query { b }', ['query a']],
    ['# mutation { x }\n{ a(s: "mutation { y }", b: """ \\""" mutation { z } """) }', ['query a']],
    ['{a,b}#}', ['query a b']],
    ['\u{FEFF}{ a }', ['query a']],
    ['{ __typename __schema { types { name } } }', ['query __typename __schema']],
    ['{ }', ['query']],
  ])('%s', (text, found) => {
    expect(ofDocument(text).map((line) => line.split(' ').toSorted())).toEqual(
      found.map((line) => line.split(' ').toSorted()),
    );
  });

  test.each([
    ['', UNPARSED],
    ['{', UNPARSED],
    ['{ a } }', UNPARSED],
    ['{"query":"{ a }"}', UNPARSED],
    ['query { ...on }', UNPARSED],
    ['fragment F on Query { a }', 'flaw: the GraphQL document holds no operation'],
    [
      'type Query { a: Int }',
      'flaw: the GraphQL document defines what is neither an operation nor a fragment',
    ],
    ['{ a } # \u2028 ', 'flaw: the GraphQL document holds a line end that servers read in two ways'],
  ])('%j is not read', (text, flaw) => {
    expect(ofDocument(text)).toEqual([flaw]);
  });

  test.each([
    ['selections', '{a'.repeat(20_000) + '}'.repeat(20_000)],
    ['list values', `{a(x:${'['.repeat(5000)}${']'.repeat(5000)})}`],
    ['unclosed list values', `{a(x:${'['.repeat(5000)}`],
    ['types', `query($a:${'['.repeat(5000)}Int${']'.repeat(5000)}){a}`],
    ['fields beyond the bound of tokens', `{${'a '.repeat(MAX_GRAPHQL_TOKENS)}}`],
  ])('with thousands of %s is not read, and nothing breaks', (_what, text) => {
    expect(ofDocument(text)).toEqual([UNPARSED]);
  });

  it('with fragments that many operations spread is not read beyond a bound', () => {
    const text = `${'{...F}'.repeat(1200)} fragment F on Query {${'a '.repeat(3000)}}`;
    expect(ofDocument(text).at(-1)).toBe('flaw: the GraphQL document spreads too many fragments');
  });
});

describe('a JSON body', () => {
  test.each([
    [{ query: '{ a }' }, ['query a']],
    [{ query: 'query A { a } mutation B { b }', operationName: 'A' }, ['query a', 'mutation b']],
    [{ Query: 'mutation { b }', query: '{ a }' }, ['mutation b', 'query a']],
    [
      [{ query: '{ a }' }, { query: 'mutation { b }' }],
      ['query a', 'mutation b'],
    ],
    [[], []],
    [{ query: ['{ a }', '{ b }'] }, ['query a', 'query b']],
    [{ query: '{ a }', id: null, variables: { query: '{ b }', id: 1 }, extensions: { x: 1 } }, ['query a']],
    [{ query: '{ a }', extensions: [] }, ['query a']],
    [{ query: '{ a }', extensions: { persistedQuery: null } }, ['query a']],
    [{}, [NO_DOCUMENT]],
    [{ query: null }, [NO_DOCUMENT]],
    [{ query: ' ' }, [NO_DOCUMENT]],
    [{ query: 1 }, ['flaw: a GraphQL document that is no string']],
    [{ query: { a: 1 } }, ['flaw: a GraphQL document that is no string']],
    [{ data: { query: '{ a }' } }, [NO_DOCUMENT]],
    ['{ a }', ['flaw: a GraphQL request that is no object']],
    [
      [{ query: '{ a }' }, 1],
      ['query a', 'flaw: a GraphQL request that is no object'],
    ],
    [[[{ query: '{ a }' }]], ['flaw: a GraphQL request that is no object']],
    [
      [{ query: '{ a }' }, {}],
      ['query a', NO_DOCUMENT],
    ],
    [
      { query: '{ a }', extensions: 'x' },
      ['query a', 'flaw: extensions of a GraphQL request that are no object'],
    ],
  ])('%j', (value, found) => {
    expect(ofJson(value)).toEqual(found);
  });

  it('with more requests than are looked at is not read', () => {
    expect(ofJson(Array.from({ length: 1001 }, () => ({ query: '{ a }' })))).toEqual([
      'flaw: a batch of more than 1000 GraphQL requests',
    ]);
  });

  it('with documents beyond the bounds is too large, batch members together', () => {
    const long = `{ a } #${'x'.repeat(MAX_GRAPHQL_CHARACTERS / 2)}`;
    expect(bodyOf(JSON.stringify({ query: long }), JSON_TYPE).graphql('').tooLarge).toBe(false);
    const both = bodyOf(JSON.stringify([{ query: long }, { query: long }]), JSON_TYPE).graphql('');
    expect(both).toMatchObject({
      tooLarge: true,
      flaw: `GraphQL documents of more than ${MAX_GRAPHQL_CHARACTERS} characters`,
    });
    const tokens = Array.from({ length: 1000 }, () => ({ query: '{ a b c d e f g h i j }' }));
    expect(ofJson(tokens).at(-1)).toBe(UNPARSED);
  });
});

describe('a persisted query', () => {
  const text = '{ a }';
  const hash = createHash('sha256').update(text).digest('hex');
  const other = createHash('sha256').update('{ b }').digest('hex');

  test.each([
    [{ extensions: apq(hash) }],
    [{ query: '', extensions: apq(hash) }],
    [{ Extensions: { PersistedQuery: { SHA256HASH: hash } } }],
    [{ id: 'abc' }],
    [{ queryId: 'abc', variables: {} }],
    [{ documentId: `sha256:${hash}` }],
    [{ doc_id: 17 }],
    [[{ doc_id: 17 }]],
  ])('cannot be seen in %j', (value) => {
    expect(ofJson(value)).toEqual([STORED]);
  });

  test.each([
    [{ query: text, extensions: apq(other) }],
    [{ query: text, extensions: apq(17) }],
    [{ query: text, extensions: { persistedQuery: true } }],
    [{ query: text, extensions: { persistedQuery: {} } }],
    [{ query: text, extensions: { persistedQuery: { sha256Hash: hash, Sha256Hash: other } } }],
    [{ query: text, id: 'abc' }],
    [{ query: [text, '{ b }'], id: hash }],
    [{ query: text, operations: '[]' }],
  ])('may be another than the text of %j', (value) => {
    expect(ofJson(value).at(-1)).toBe(STORED_BESIDES);
  });

  it('is read where the hash is that of the text', () => {
    expect(ofJson({ query: text, extensions: apq(hash) })).toEqual(['query a']);
    expect(ofJson({ query: text, documentId: `sha256:${hash}` })).toEqual(['query a']);
    expect(
      ofQuery(
        `query=${encodeURIComponent(text)}&extensions=${encodeURIComponent(JSON.stringify(apq(hash)))}`,
      ),
    ).toEqual(['query a']);
  });

  test.each([
    `extensions=${encodeURIComponent(JSON.stringify(apq(hash)))}`,
    `extensions[persistedQuery][sha256Hash]=${hash}`,
    'EXTENSIONS%5BPersistedQuery%5D=1',
    'id=abc',
    'documentId=abc&variables=%7B%7D',
  ])('cannot be seen in the query string %s', (query) => {
    expect(ofQuery(query)).toEqual([STORED]);
  });
});

describe('a query string', () => {
  test.each([
    ['', []],
    ['page=1&q=%ff', []],
    ['query=%7B+a+%7D', ['query a']],
    ['QUERY=%7Ba%7D', ['query a']],
    ['query=%7Ba%7D&query=mutation%7Bb%7D', ['query a', 'mutation b']],
    ['query[]=%7Ba%7D;query[1]=%7Bb%7D', ['query a', 'query b']],
    ['0[query]=%7Ba%7D', ['query a']],
    ['variables[query]=x&query=%7Ba%7D', ['query a']],
    ['query=%7Ba%7D&extensions=', ['query a']],
    ['query=', [NO_DOCUMENT]],
    ['operationName=A', [NO_DOCUMENT]],
    ['variables=%7B%7D', [NO_DOCUMENT]],
    ['query=csv', [UNPARSED]],
    ['query=%7Ba%7D%ff', ['flaw: a value of a GraphQL request is malformed']],
    ['%ffquery=%7Ba%7D', ['flaw: a name beside the GraphQL documents is malformed']],
    ['extensions=%7B', ['flaw: extensions of a GraphQL request that are no object']],
  ])('%s', (query, found) => {
    expect(ofQuery(query)).toEqual(found);
  });

  it('counts besides the body', () => {
    expect(ofJson({ query: '{ a }' }, 'query=mutation%7Bb%7D')).toEqual(['mutation b', 'query a']);
    expect(ofJson({ variables: {} }, 'query=mutation%7Bb%7D')).toEqual(['mutation b']);
    expect(ofJson([{ query: '{ a }' }], 'query=mutation%7Bb%7D')).toEqual(['mutation b', 'query a']);
    expect(ofJson({ query: '{ a }' }, 'id=7').at(-1)).toBe(STORED_BESIDES);
    expect(summary(bodyOf('{ a }', GRAPHQL_TYPE).graphql('query=mutation%7Bb%7D'))).toEqual([
      'mutation b',
      'query a',
    ]);
  });

  it('is read again when it is another', () => {
    expect(ofQuery('query=%7Ba%7D')).toEqual(['query a']);
    expect(ofQuery('query=%7Bb%7D')).toEqual(['query b']);
    expect(ofQuery('')).toEqual([]);
    const body = bodyOf('{ a }', GRAPHQL_TYPE);
    expect(body.graphql('')).toBe(body.graphql(''));
  });
});

describe('another body', () => {
  it('is read where it holds documents', () => {
    expect(summary(bodyOf('mutation { b }', GRAPHQL_TYPE).graphql(''))).toEqual(['mutation b']);
    expect(summary(bodyOf('query=%7B+a+%7D', FORM_TYPE).graphql(''))).toEqual(['query a']);
    expect(summary(bodyOf('{"query":"{ a }"}', 'application/graphql+json').graphql(''))).toEqual(['query a']);
  });

  it('is a flaw where it does not, or cannot be read', () => {
    expect(summary(bodyOf('a=1', FORM_TYPE).graphql(''))).toEqual([NO_DOCUMENT]);
    expect(summary(bodyOf('operations=%5B%5D&query=%7Ba%7D', FORM_TYPE).graphql('')).at(-1)).toBe(
      STORED_BESIDES,
    );
    expect(summary(bodyOf(' ', GRAPHQL_TYPE).graphql(''))).toEqual([NO_DOCUMENT]);
    expect(summary(bodyOf('x', 'multipart/form-data; boundary=x').graphql(''))).toEqual([
      'flaw: the body is of no type that rules look into, or of more than one',
    ]);
  });
});

describe('the narrow reading', () => {
  const queries = { types: ['query'], operations: null } as const;

  it('wants every operation of every request to be as listed', () => {
    expect(graphqlOnly(reading({ query: '{ a } query B { b }' }), queries)).toBe(true);
    expect(graphqlOnly(reading({ query: '{ a } mutation B { b }', operationName: 'A' }), queries)).toBe(
      false,
    );
    expect(graphqlOnly(reading([{ query: '{ a }' }, { query: 'mutation { b }' }]), queries)).toBe(false);
    expect(graphqlOnly(reading({ query: '{ a b }' }), { types: null, operations: ['a', 'b'] })).toBe(true);
    expect(graphqlOnly(reading({ query: '{ a b }' }), { types: ['query'], operations: ['a'] })).toBe(false);
  });

  it('wants root fields in their exact case, and no patterns', () => {
    expect(graphqlOnly(reading({ query: '{ A }' }), { types: null, operations: ['a'] })).toBe(false);
    expect(graphqlOnly(reading({ query: '{ a }' }), { types: null, operations: ['*'] })).toBe(false);
    expect(graphqlOnly(reading({ query: '{ a __typename }' }), { types: null, operations: ['a'] })).toBe(
      false,
    );
    expect(graphqlOnly(reading({ query: '{ a: b }' }), { types: null, operations: ['a'] })).toBe(false);
  });

  it('wants the request to be read whole, and to ask for something', () => {
    const any = { types: null, operations: null };
    expect(graphqlOnly(NO_BODY.graphql(''), any)).toBe(false);
    expect(graphqlOnly(reading([]), any)).toBe(false);
    expect(graphqlOnly(reading({ id: 'abc' }), any)).toBe(false);
    expect(graphqlOnly(reading({ query: '{ a ...F }' }), any)).toBe(false);
    expect(graphqlOnly(reading([{ query: '{ a }' }, { query: '{' }]), any)).toBe(false);
    expect(graphqlOnly(reading({ query: '{ }' }), { types: null, operations: ['a'] })).toBe(false);
  });
});
