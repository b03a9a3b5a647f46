// What json, form and jsonrpc selectors find in a body that was read.
import { describe, expect, it, test } from 'vitest';
import { compileBodySelector } from '#policy/body-compile.ts';
import { bodyOf, NO_BODY } from '#policy/read-body.ts';
import {
  FORM_TYPE,
  formDraft,
  GRAPHQL_TYPE,
  JSON_TYPE,
  jsonDraft,
  judge,
  judgeJson,
  judgeText,
  rpcDraft,
} from '../../support/body-facts.ts';
import { facts } from '../../support/policy-sets.ts';

describe('a json selector', () => {
  const csv = jsonDraft({ '/format': ['csv', 'xlsx'] });

  test.each([
    [{ format: 'csv' }],
    [{ FORMAT: 'CSV' }],
    [{ format: ' csv\n' }],
    [{ format: ['pdf', 'xlsx'] }],
    [{ format: [['pdf'], ['csv']] }],
    [{ format: 'pdf', Format: 'csv' }],
    [{ ｆormat: 'c\u200bsv' }],
    [{ 'format[]': 'csv' }],
    [[{ format: 'pdf' }, { format: 'csv' }]],
  ])('holds for %j', (value) => {
    expect(judgeJson(csv, value)).toBe('holds');
  });

  test.each([
    [{ format: 'pdf' }],
    [{ format: null }],
    [{ format: { csv: 1 } }],
    [{ a: { format: 'csv' } }],
    [{ formats: 'csv' }],
    [{}],
    [[]],
    ['csv'],
    [null],
    [['csv']],
  ])('is absent from %j', (value) => {
    expect(judgeJson(csv, value)).toBe('absent');
  });

  it('follows pointers through members, elements and stars', () => {
    const value = { a: { 'b/c': [{ 'd~e': 'x' }, { 'd~e': 'y' }] }, m: { p: { r: 'x' }, q: { r: 'y' } } };
    expect(judgeJson(jsonDraft({ '/a/b~1c/1/d~0e': ['y'] }), value)).toBe('holds');
    expect(judgeJson(jsonDraft({ '/a/b~1c/0/d~0e': ['y'] }), value)).toBe('absent');
    expect(judgeJson(jsonDraft({ '/a/b~1c/*/d~0e': ['y'] }), value)).toBe('holds');
    expect(judgeJson(jsonDraft({ '/m/*/r': ['y'] }), value)).toBe('holds');
    expect(judgeJson(jsonDraft({ '/*/*/r': ['y'] }), value)).toBe('holds');
    expect(judgeJson(jsonDraft({ '/m/r': ['y'] }), value)).toBe('absent');
  });

  it('takes a list where an object was meant, and an object where a list was', () => {
    expect(judgeJson(jsonDraft({ '/user/role': ['admin'] }), { user: [{ role: 'admin' }] })).toBe('holds');
    expect(judgeJson(jsonDraft({ '/users/*/role': ['admin'] }), { users: { role: 'admin' } })).toBe('holds');
    expect(judgeJson(jsonDraft({ '/ids/*': ['7'] }), { ids: 7 })).toBe('holds');
  });

  it('takes each element of a list on top as a document of its own', () => {
    expect(judgeJson(jsonDraft({ '/*/role': ['admin'] }), [{ a: { role: 'admin' } }])).toBe('holds');
    expect(judgeJson(jsonDraft({ '/0/role': ['admin'] }), [{}, { 0: { role: 'admin' } }])).toBe('holds');
  });

  it('wants every pointer that it names', () => {
    const both = jsonDraft({ '/format': ['csv'], '/to': null });
    expect(judgeJson(both, { format: 'csv', to: null })).toBe('holds');
    expect(judgeJson(both, { format: 'csv' })).toBe('absent');
    expect(judgeJson(both, { format: 'pdf', to: 'x' })).toBe('absent');
  });

  it('counts null and empty values as present', () => {
    for (const value of [null, '', [], {}, false, 0]) {
      expect(judgeJson(jsonDraft({ '/to': null }), { to: value })).toBe('holds');
    }
  });

  test.each([
    ['1', '1'],
    ['1', '1.0'],
    ['1', '1e0'],
    ['1', '"1"'],
    ['1', '"01"'],
    ['1.50', '1.5'],
    ['-0', '0'],
    ['12345678901234567891', '12345678901234567890'],
    ['true', 'true'],
    ['true', '"TRUE"'],
    ['null', 'null'],
  ])('the listed value %s is %s', (listed, source) => {
    expect(judgeText(jsonDraft({ '/n': [listed] }), `{"n":${source}}`)).toBe('holds');
  });

  test.each([
    ['1', '11'],
    ['1', 'true'],
    ['', '0'],
    ['1', '"1 2"'],
    ['false', '0'],
  ])('the listed value %j is not %s', (listed, source) => {
    expect(judgeText(jsonDraft({ '/n': [listed] }), `{"n":${source}}`)).toBe('absent');
  });

  it('names of the prototype are data', () => {
    expect(judgeText(jsonDraft({ '/__proto__/role': ['admin'] }), '{"__proto__":{"role":"admin"}}')).toBe(
      'holds',
    );
    expect(judgeText(jsonDraft({ '/constructor': null }), '{}')).toBe('absent');
    expect(judgeText(jsonDraft({ '/length': null }), '[]')).toBe('absent');
  });
});

describe('the principal in a selector', () => {
  const own = jsonDraft({ '/email': ['{principal.email}'], '/kind': ['user'] });
  const value = { email: 'Ada@Example.COM ', kind: 'user' };

  it('is compared without case', () => {
    expect(judgeJson(own, value, { principal: { email: 'ada@example.com' } })).toBe('holds');
    expect(judgeJson(own, value, { principal: { email: 'bob@example.com' } })).toBe('absent');
    const byId = jsonDraft({ '/owner': ['{principal.id}', 'root'] });
    expect(judgeJson(byId, { owner: 'U-1' }, { principal: { id: 'u-1' } })).toBe('holds');
    expect(judgeJson(byId, { owner: 'root' }, { principal: { id: 'u-1' } })).toBe('holds');
    expect(judgeJson(byId, { owner: 'u-2' }, { principal: { id: 'u-1' } })).toBe('absent');
  });

  it('counts as equal where it is not known, and where anything is there', () => {
    expect(judgeJson(own, value, { principal: { email: null } })).toBe('holds');
    expect(judgeJson(own, value)).toBe('holds');
    expect(judgeJson(own, { email: { nested: 1 }, kind: 'user' })).toBe('holds');
    expect(judgeJson(own, { kind: 'user' })).toBe('absent');
    expect(judgeJson(jsonDraft({ '/owner': ['{principal.id}'] }), { owner: 'x' })).toBe('holds');
  });

  it('is the same in a form', () => {
    const form = formDraft({ email: ['{principal.email}'] });
    const body = bodyOf('email=ADA%40example.com', FORM_TYPE);
    expect(judge(form, body, { principal: { email: 'ada@example.com' } })).toBe('holds');
    expect(judge(form, body, { principal: { email: 'bob@example.com' } })).toBe('absent');
    expect(judge(form, body)).toBe('holds');
    expect(judge(form, bodyOf('email=%ff', FORM_TYPE))).toBe('holds');
  });
});

describe('a form selector', () => {
  const csv = formDraft({ format: ['csv'], to: null });

  test.each([
    'format=csv&to',
    'FORMAT=%43sv&to=',
    'format=pdf;format=csv;to=x',
    'x[format]=csv&to[]=1',
    '+format=csv&to=%ff',
    'format=csv%0d%0a&to=1',
  ])('holds for %s', (text) => {
    expect(judgeText(csv, text, FORM_TYPE)).toBe('holds');
  });

  test.each(['format=csv', 'format=pdf&to=1', 'to=1', 'xformat=csv&to=1', 'a=1'])(
    'is absent from %s',
    (text) => {
      expect(judgeText(csv, text, FORM_TYPE)).toBe('absent');
    },
  );

  test.each(['format=%ff&to=1', '%ff=csv&to=1', 'format=c%00sv&to=1', 'f%zz=1'])(
    'cannot be told from %s',
    (text) => {
      expect(judgeText(csv, text, FORM_TYPE)).toBe('unreadable');
    },
  );
});

it('a form selector keeps nothing of the body before', () => {
  const selector = compileBodySelector(formDraft({ format: ['csv'] }));
  const answers = ['format=csv', 'format=pdf', 'format=%ff', 'a=1', 'format=csv'].map((text) =>
    selector.judge(bodyOf(text, FORM_TYPE), facts('/a')),
  );
  expect(answers).toEqual(['holds', 'absent', 'unreadable', 'absent', 'holds']);
});

describe('a jsonrpc selector', () => {
  const rpc = rpcDraft('customer.export*', 'admin.reset');

  test.each([
    [{ jsonrpc: '2.0', method: 'customer.exportAll', id: 1 }],
    [{ METHOD: 'Admin.Reset' }],
    [{ method: 'ping', Method: 'admin.reset' }],
    [[{ method: 'ping' }, { method: 'admin.reset' }]],
    [[{}, { method: 'admin.reset' }]],
  ])('holds for %j', (value) => {
    expect(judgeJson(rpc, value)).toBe('holds');
  });

  test.each([[{ method: 'ping' }], [[]], [[{ method: 'ping' }, { method: 'customer.list' }]]])(
    'is absent from %j',
    (value) => {
      expect(judgeJson(rpc, value)).toBe('absent');
    },
  );

  test.each([
    [{}],
    [{ method: 1 }],
    [{ method: ['admin.reset'] }],
    [{ method: null, Method: 'ping' }],
    [[[{ method: 'admin.reset' }]]],
    [[{ method: 'ping' }, {}]],
    ['admin.reset'],
    [null],
  ])('cannot be told from %j', (value) => {
    expect(judgeJson(rpc, value)).toBe('unreadable');
  });
});

describe('every selector', () => {
  const drafts = [jsonDraft({ '/a': null }), formDraft({ a: null }), rpcDraft('a')];

  it('is absent without a body, and answers for what could not be read', () => {
    const unreadable = bodyOf('x', 'text/plain');
    const tooLarge = { ...NO_BODY, kind: 'too_large' as const, flaw: 'long' };
    for (const draft of drafts) {
      const selector = compileBodySelector(draft);
      const asked = facts('/a');
      expect([selector.judge(NO_BODY, asked), selector.flawOf(NO_BODY, asked)]).toEqual(['absent', null]);
      expect([selector.judge(unreadable, asked), selector.flawOf(unreadable, asked)]).toEqual([
        'unreadable',
        'the body is of no type that rules look into, or of more than one',
      ]);
      expect([selector.judge(tooLarge, asked), selector.flawOf(tooLarge, asked)]).toEqual([
        'too_large',
        'long',
      ]);
    }
  });

  it('cannot look into a body of another kind', () => {
    expect(judgeText(jsonDraft({ '/a': null }), 'a=1', FORM_TYPE)).toBe('unreadable');
    expect(judgeText(formDraft({ a: null }), '{"a":1}', JSON_TYPE)).toBe('unreadable');
    expect(judgeText(rpcDraft('a'), '{ a }', GRAPHQL_TYPE)).toBe('unreadable');
    expect(compileBodySelector(formDraft({ a: null })).flawOf(bodyOf('{}', JSON_TYPE), facts('/'))).toBe(
      'the body is of the kind json, and the rule looks into form',
    );
  });

  it('says what it asks', () => {
    const texts = [
      jsonDraft({ '/format': ['csv', 'xlsx'], '/to': null }),
      formDraft({ format: ['csv'] }),
      rpcDraft('a', 'b*'),
      { kind: 'graphql', types: ['mutation'], operations: ['exportCustomers'] } as const,
      { kind: 'graphql', types: ['mutation', 'query'], operations: null } as const,
    ].map((draft) => compileBodySelector(draft).text);
    expect(texts).toEqual([
      'json /format is one of csv, xlsx and /to is there',
      'form format is csv',
      'jsonrpc method is one of a, b*',
      'graphql mutation with a root field exportCustomers',
      'graphql mutation or query',
    ]);
  });
});
