// The walk's outcomes one by one: whom and what a rule is about, bodies it needs, which of several denials is told,
// and what each refusal says. An outcome that is mistaken for another opens a rule or shuts a route.
import { describe, expect, it } from 'vitest';
import { type Denial, NEEDS_BODY, PASS } from '#model/verdict.ts';
import type { CompiledPolicy, ShadowSink } from '#policy/compiled-policy.ts';
import { bodyOf, NO_BODY } from '#policy/read-body.ts';
import type { RequestBody } from '#policy/request-body.ts';
import {
  decide as decideBare,
  facts,
  type FactsOptions,
  policyFrom,
  type RuleText,
  rulesText,
  verdictOf,
} from '../../support/policy-sets.ts';

function policyOf(...rules: readonly RuleText[]): CompiledPolicy {
  return policyFrom(rulesText(rules));
}

/** What is decided, with a trace and without. */
function decide(policy: CompiledPolicy, path: string, options: FactsOptions = {}): string {
  const asked = facts(path, options);
  expect(policy.explain(asked).verdict).toEqual(verdictOf(policy, asked));
  return decideBare(policy, path, options);
}

function denialOf(policy: CompiledPolicy, path: string, options: FactsOptions = {}): Denial {
  const asked = facts(path, options);
  const verdict = verdictOf(policy, asked);
  expect(policy.explain(asked).verdict).toEqual(verdict);
  if (verdict === PASS || verdict === NEEDS_BODY) throw new Error('no denial');
  return verdict;
}

function shadowOf(policy: CompiledPolicy, path: string, options: FactsOptions = {}): ShadowSink {
  const sink: ShadowSink = { shadowRules: [], wantsBody: false };
  policy.evaluate(facts(path, options), sink);
  return sink;
}

/** Why the first rule did or did not match, without its path. */
function because(policy: CompiledPolicy, path: string, options: FactsOptions = {}): string {
  const told = policy.explain(facts(path, options)).considered[0]?.because ?? '';
  return told.slice(told.indexOf(',') + 2);
}

const JSON_TYPE = 'application/json';
const FORM_TYPE = 'application/x-www-form-urlencoded';

function tooLargeBody(): RequestBody {
  return {
    ...NO_BODY,
    kind: 'too_large',
    flaw: 'more than is looked at',
    graphql: (query) => NO_BODY.graphql(query),
  };
}

const csv = { contentType: JSON_TYPE, body: bodyOf('{"format":"csv"}', JSON_TYPE) };
const pdf = { contentType: JSON_TYPE, body: bodyOf('{"format":"pdf"}', JSON_TYPE) };
const unreadable = { contentType: JSON_TYPE, body: bodyOf('{"format"', JSON_TYPE) };
const tooLarge = { contentType: JSON_TYPE, body: tooLargeBody() };
const unread = { contentType: JSON_TYPE };
const CSV = '{ paths: ["/a"], json: { /format: [csv] } }';

function looking(path: string): string {
  return `{ paths: ["${path}"], json: { /format: [csv] } }`;
}

function plain(path: string): string {
  return `{ paths: ["${path}"], query: { q: [x] } }`;
}

describe('a rule that looks at the body', () => {
  const policy = policyOf({ id: 'r', match: CSV });

  it('denies what its selector finds, and asks for a body that was not read', () => {
    expect(decide(policy, '/a', { method: 'POST', ...csv })).toBe('r');
    expect(decide(policy, '/a', { method: 'POST', ...pdf })).toBe('allow');
    expect(decide(policy, '/a', { method: 'POST', ...unread })).toBe('needs_body');
    expect(decide(policy, '/a', { method: 'POST' })).toBe('allow');
    expect(decide(policy, '/b', { method: 'POST', ...unread })).toBe('allow');
  });

  it('denies what it cannot read, with the reason and the flaw, and never what it holds', () => {
    const told = denialOf(policy, '/a', { method: 'POST', ...unreadable });
    expect(told).toMatchObject({ reason: 'body_uninspectable', rule: { id: 'r' } });
    expect(told.note).toContain('not JSON');
    const large = denialOf(policy, '/a', { method: 'POST', ...tooLarge });
    expect(large).toMatchObject({ reason: 'body_too_large', rule: { id: 'r' } });
  });

  it('does not ask again for the request after one whose body it needed', () => {
    expect(decide(policy, '/a', { method: 'POST', ...unread })).toBe('needs_body');
    expect(decide(policy, '/b', { method: 'POST', ...unread })).toBe('allow');
  });

  it('denies an upgrade to its path outright, since nobody sees what travels afterwards', () => {
    expect(decide(policy, '/a', { isUpgrade: true })).toBe('r');
    const other = policyOf({ id: 'r', match: '{ methods: [POST], paths: ["/a"] }' });
    expect(decide(other, '/a', { isUpgrade: true })).toBe('allow');
    expect(decide(policy, '/b', { isUpgrade: true })).toBe('allow');
  });

  it('wants its other conditions too', () => {
    const narrow = policyOf({
      id: 'r',
      match: '{ methods: [POST], paths: ["/a"], query: { q: [x] }, json: { /format: [csv] } }',
    });
    expect(decide(narrow, '/a', { method: 'POST', query: 'q=x', ...csv })).toBe('r');
    expect(decide(narrow, '/a', { method: 'POST', query: 'q=y', ...csv })).toBe('allow');
    expect(decide(narrow, '/a', { method: 'PUT', query: 'q=x', ...csv })).toBe('allow');
    expect(decide(narrow, '/a', { method: 'POST', query: 'q=y', ...unread })).toBe('allow');
    expect(decide(narrow, '/a', { method: 'POST', query: 'q=%zz', ...csv })).toBe('bad_request_target');
  });

  it('is not asked where an earlier rule denies outright, and is where a later one does', () => {
    const outright = { id: 'o', match: '{ paths: ["/a"] }' };
    const looking = { id: 'r', match: CSV };
    expect(decide(policyOf(outright, looking), '/a', { method: 'POST', ...csv })).toBe('o');
    expect(decide(policyOf(outright, looking), '/a', { method: 'POST', ...unreadable })).toBe('o');
    expect(decide(policyOf(looking, outright), '/a', { method: 'POST', ...csv })).toBe('r');
    expect(decide(policyOf(looking, outright), '/a', { method: 'POST', ...unreadable })).toBe('r');
  });

  it('says what it found before what it could not read, whichever of its blocks comes first', () => {
    for (const [one, two] of [
      ['/a', '/{x}'],
      ['/{x}', '/a'],
      ['/a', '/a'],
    ] as const) {
      for (const match of [`${looking(one)}, ${plain(two)}`, `${plain(one)}, ${looking(two)}`]) {
        const both = policyOf({ id: 'r', match });
        const reasonFor = (query: string): string =>
          denialOf(both, '/a', { method: 'POST', query, ...unreadable }).reason;
        expect(reasonFor('q=x'), match).toBe('rule_denied');
        expect(reasonFor('q=y'), match).toBe('body_uninspectable');
      }
    }
  });
});

describe('a rule with a block for each type of body', () => {
  const form = { contentType: FORM_TYPE, body: bodyOf('format=pdf', FORM_TYPE) };
  const blocks = `${CSV}, { paths: ["/a"], form: { format: [csv] } }`;

  it('denies no body that one of them can read', () => {
    expect(decide(policyOf({ id: 'r', match: CSV }), '/a', { method: 'POST', ...form })).toBe('r');
    expect(decide(policyOf({ id: 'r', match: blocks }), '/a', { method: 'POST', ...form })).toBe('allow');
    expect(decide(policyOf({ id: 'r', match: blocks }), '/a', { method: 'POST', ...pdf })).toBe('allow');
    expect(decide(policyOf({ id: 'r', match: blocks }), '/a', { method: 'POST', ...csv })).toBe('r');
  });

  it('denies one that none of them can read', () => {
    expect(decide(policyOf({ id: 'r', match: blocks }), '/a', { method: 'POST', ...unreadable })).toBe('r');
  });

  it('counts only the blocks of the same rule whose method and query hold too', () => {
    const elsewhere = { id: 's', match: '{ paths: ["/a"], form: { format: [csv] } }' };
    expect(decide(policyOf({ id: 'r', match: CSV }, elsewhere), '/a', { method: 'POST', ...form })).toBe('r');
    const put = `${CSV}, { methods: [PUT], paths: ["/a"], form: { format: [csv] } }`;
    expect(decide(policyOf({ id: 'r', match: put }), '/a', { method: 'POST', ...form })).toBe('r');
    expect(decide(policyOf({ id: 'r', match: put }), '/a', { method: 'PUT', ...form })).toBe('allow');
  });
});

describe('a `_method` in a form', () => {
  const policy = policyOf({ id: 'r', match: '{ methods: [DELETE], paths: ["/a"] }' });
  const form = FORM_TYPE;

  it('has to be read where a rule names DELETE, unless the query says it already', () => {
    expect(decide(policy, '/a', { method: 'POST', contentType: form })).toBe('needs_body');
    expect(decide(policy, '/a', { method: 'POST', contentType: form, query: '_method=delete' })).toBe('r');
    expect(decide(policy, '/a', { method: 'POST', formMethods: ['delete'] })).toBe('r');
    expect(decide(policy, '/a', { method: 'POST', formMethods: ['get'] })).toBe('allow');
  });

  it('that cannot be read in the query is refused even where the form says nothing', () => {
    const asked = { method: 'POST', formMethods: ['get'], query: '_method=%zz' };
    expect(decide(policy, '/a', asked)).toBe('bad_request_target');
  });

  it('matters only where the query of the rule holds', () => {
    const narrow = policyOf({ id: 'r', match: '{ methods: [DELETE], paths: ["/a"], query: { q: [x] } }' });
    expect(decide(narrow, '/a', { method: 'POST', contentType: form, query: 'q=x' })).toBe('needs_body');
    expect(decide(narrow, '/a', { method: 'POST', contentType: form, query: 'q=y' })).toBe('allow');
    expect(decide(narrow, '/a', { method: 'POST', formMethods: ['delete'], query: 'q=x' })).toBe('r');
    expect(decide(narrow, '/a', { method: 'POST', query: 'q=x' })).toBe('allow');
  });
});

describe('of two rules that deny, the first is told', () => {
  it.each([
    ['/a', '/*'],
    ['/*', '/a'],
    ['/**', '/a*'],
    ['/a*', '/**'],
    ['/{x}/**', '/a'],
    ['/a', '/a'],
  ])('on %s and %s', (one, two) => {
    const policy = policyOf(
      { id: 'r', match: `{ paths: ["${one}"] }` },
      { id: 'z', match: `{ paths: ["${two}"] }` },
    );
    expect(decide(policy, '/a')).toBe('r');
  });
});

describe('a method that is not the rule’s', () => {
  it('ends the matter, whatever the query holds', () => {
    const policy = policyOf({ id: 'r', match: '{ methods: [PUT], paths: ["/a"], query: { f: [x] } }' });
    expect(decide(policy, '/a', { query: 'f=%zz' })).toBe('allow');
    expect(decide(policy, '/a', { method: 'PUT', query: 'f=%zz' })).toBe('bad_request_target');
    expect(because(policy, '/a', { query: 'f=y' })).toContain('method GET is not one of PUT');
  });
});

describe('a path that opted in to encoded separators', () => {
  const policy = policyOf({ id: 'r', match: '{ paths: ["/a"], query: { q: [x] } }' });
  const both = policyOf({ id: 'r', match: '{ paths: ["/a"], query: { q: [x], z: ["1"] } }' });

  it('is judged by the query that it hides, ahead of its own', () => {
    expect(decide(policy, '/a%3Fq%3Dx', { encodedSlash: true })).toBe('r');
    expect(decide(policy, '/a%3Fq%3Dy', { encodedSlash: true })).toBe('allow');
    expect(decide(policy, '/a%3Fq%3Dx')).toBe('allow');
    expect(decide(both, '/a%3Fq%3Dx', { encodedSlash: true, query: 'z=1' })).toBe('r');
    expect(decide(both, '/a%3Fq%3Dx', { encodedSlash: true })).toBe('allow');
    expect(decide(both, '/%2561', { encodedPercent: true, query: 'q=x&z=1' })).toBe('r');
  });
});

describe('a rule for some', () => {
  it('is not in force for other hosts and other people', () => {
    const text = rulesText([
      { id: 'r', match: '{ paths: ["/a"] }', more: ', when: { any: { org: [vendor] } }' },
    ]);
    const policy = policyFrom(text.replace('  rules:', '  hosts: ["app.example.com"]\n  rules:'));
    expect(decide(policy, '/a', { principal: { org: 'vendor' } })).toBe('r');
    expect(decide(policy, '/a', { principal: { org: 'partner' } })).toBe('allow');
    expect(decide(policy, '/a', { principal: { org: 'vendor' }, host: 'www.example.com' })).toBe('allow');
    expect(because(policy, '/a', { principal: { org: 'partner' } })).toContain('the rule is for others');
    expect(because(policy, '/a', { host: 'www.example.com' })).toContain(
      'host www.example.com is not one of',
    );
    const liftable = policyOf({ id: 'r', match: '{ paths: ["/a"] }', more: ', liftable: true' });
    expect(because(liftable, '/a', { lifts: ['export'] })).toContain('lifted by the grant');
  });
});

function shadow(id: string, match: string): RuleText {
  return { id, match, more: ', mode: shadow' };
}

describe('shadow rules', () => {
  it('are told in document order, wherever the trie finds them', () => {
    const rules = ['/**', '/*', '/a', '/a*', '/{x}/**'].map((path, i) =>
      shadow(`s${i}`, `{ paths: ["${path}"] }`),
    );
    for (const order of [rules, rules.toReversed()]) {
      const told = shadowOf(policyOf(...order), '/a').shadowRules.map(({ id }) => id);
      expect(told).toEqual(order.map(({ id }) => id));
    }
  });

  it('want a body without stopping the request for it', () => {
    const policy = policyOf(shadow('s', CSV));
    expect(decide(policy, '/a', { method: 'POST', ...unread })).toBe('allow');
    expect(shadowOf(policy, '/a', { method: 'POST', ...unread }).wantsBody).toBe(true);
    expect(shadowOf(policy, '/b', { method: 'POST', ...unread }).wantsBody).toBe(false);
    expect(shadowOf(policy, '/a', { method: 'POST', ...csv }).shadowRules.map(({ id }) => id)).toEqual(['s']);
    expect(shadowOf(policyOf({ id: 'r', match: CSV }), '/a', { method: 'POST', ...unread }).wantsBody).toBe(
      false,
    );
  });

  it('are told beside an enforced denial, before and after it, wherever the trie finds them', () => {
    for (const path of ['/**', '/*', '/a', '/a*']) {
      const policy = policyOf(
        shadow('before', `{ paths: ["${path}"] }`),
        { id: 'r', match: '{ paths: ["/a"] }' },
        shadow('after', `{ paths: ["${path}"] }`),
      );
      expect(decide(policy, '/a')).toBe('r');
      expect(
        shadowOf(policy, '/a').shadowRules.map(({ id }) => id),
        path,
      ).toEqual(['before', 'after']);
    }
  });

  it('neither want a body nor refuse anything for a query that they cannot read', () => {
    const policy = policyOf(shadow('s', '{ paths: ["/a"], query: { f: [x] } }'));
    expect(decide(policy, '/a', { method: 'POST', query: 'f=%zz', ...unread })).toBe('allow');
    expect(shadowOf(policy, '/a', { method: 'POST', query: 'f=%zz', ...unread }).wantsBody).toBe(false);
  });

  it('share one frozen empty list when there are none', () => {
    const policy = policyOf({ id: 'r', match: '{ paths: ["/a"] }' });
    expect(Object.isFrozen(shadowOf(policy, '/b').shadowRules)).toBe(true);
    expect(shadowOf(policy, '/b').shadowRules).toBe(shadowOf(policy, '/c').shadowRules);
  });
});

describe('a refusal', () => {
  const policy = policyOf({ id: 'r', match: '{ paths: ["/a"], query: { f: [x], g: "*" } }' });

  it('says what was wrong, and is always the same frozen value', () => {
    const cases: readonly (readonly [string, FactsOptions, string])[] = [
      [
        '/a',
        { query: 'f=%zz&g' },
        'a rule on this path has to read the query, and a name or value in it is malformed',
      ],
      [
        '/%252E%252E',
        { encodedPercent: true },
        'decoded once more, the path holds what a path may not hold, or too much',
      ],
      ['/%FF', {}, 'the path is not canonical'],
    ];
    for (const [path, options, note] of cases) {
      const denial = denialOf(policy, path, options);
      expect(denial).toEqual({ reason: 'bad_request_target', rule: null, note });
      expect(Object.isFrozen(denial)).toBe(true);
      expect(denialOf(policy, path, options)).toBe(denial);
    }
  });

  it('by a rule is frozen, with the rule it names', () => {
    const denial = denialOf(policy, '/a', { query: 'f=x&g' });
    expect(Object.isFrozen(denial) && Object.isFrozen(denial.rule)).toBe(true);
  });

  it('is due to presence that cannot be read, as to a value', () => {
    expect(decide(policy, '/a', { query: 'f=x&g=%zz' })).toBe('r');
    expect(decide(policy, '/a', { query: 'f=x&%zz=1' })).toBe('bad_request_target');
    expect(decide(policy, '/a', { query: 'f=n&%zz=1' })).toBe('bad_request_target');
    expect(decide(policy, '/a', { query: 'f=x' })).toBe('allow');
  });
});

describe('of several paths of a rule, explain tells the one that came closest', () => {
  const Q = '{ paths: ["/{x}"], query: { q: [x] } }';

  it.each<[string, readonly string[], FactsOptions, string]>([
    [
      'a match before a body that cannot be read',
      [CSV, Q],
      { query: 'q=x', ...unreadable },
      'query holds q=x',
    ],
    [
      'a body that cannot be read before a malformed query',
      [CSV, Q],
      { query: 'q=%zz', ...unreadable },
      'the body',
    ],
    ['a body too large before a malformed query', [CSV, Q], { query: 'q=%zz', ...tooLarge }, 'the body'],
    [
      'a malformed query before an unread body',
      [CSV, Q],
      { query: 'q=%zz', ...unread },
      'the query has to be read',
    ],
    ['an unread body before another query', [CSV, Q], { query: 'q=y', ...unread }, 'the body has to be read'],
    ['another body before another query', [CSV, Q], { query: 'q=y', ...pdf }, 'the body does not hold'],
    [
      'another query before another method',
      ['{ methods: [PUT], paths: ["/a"] }', Q],
      { query: 'q=y' },
      'query does not',
    ],
  ])('%s, whichever stands first', (_, blocks, options, expected) => {
    for (const order of [blocks, blocks.toReversed()]) {
      const policy = policyOf({ id: 'r', match: order.join(', ') });
      expect(because(policy, '/a', { method: 'POST', ...options }), order.join(' ')).toContain(expected);
    }
  });
});

describe('explain', () => {
  it('tells the readings of the path and decides as evaluate does', () => {
    const policy = policyOf({ id: 'r', match: '{ paths: ["/a"] }' });
    expect(policy.explain(facts('/A;x')).readings).toEqual(['/a;x', '/a']);
    expect(policy.explain(facts('/b')).readings).toEqual(['/b']);
    expect(policy.explain(facts('/a')).verdict).toBe(verdictOf(policy, facts('/a')));
  });

  it('goes through rules that cannot change the verdict too', () => {
    const policy = policyOf({ id: 'r', match: '{ paths: ["/a"] }' }, { id: 's', match: '{ paths: ["/a"] }' });
    expect(policy.explain(facts('/a')).considered.map(({ matched }) => matched)).toEqual([true, true]);
  });
});
