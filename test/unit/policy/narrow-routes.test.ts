// Reading of SafeRoutes and RouteAllowance, and the laws of narrow matching for any routes and requests.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseTarget } from '#gateway/request-target.ts';
import type { FactsOptions } from '../../support/policy-sets.ts';
import { facts, policyFrom, problemLines, rulesText, verdictOf } from '../../support/policy-sets.ts';
import { accessOf, allowList, narrowText, safeRoutes } from '../../support/narrow-sets.ts';
import { PASS } from '#model/verdict.ts';
import { narrowRouteDigest } from '#policy/narrow-routes.ts';
import { parsePolicyFile } from '#policy/policy-file.ts';

const RULE = `${rulesText([{ id: 'r', match: '{ paths: ["/never"] }' }])}---\n`;

function problemsOfRoute(kind: 'SafeRoutes' | 'RouteAllowance', item: string): readonly string[] {
  return problemLines(`${narrowText(kind, [item])}---\n${RULE.replace(/---\n$/, '')}`);
}

describe('a route that cannot be read', () => {
  it.each([
    ['{ paths: ["/a"] }', '6:7 a safe route needs methods, or upgrade: websocket'],
    ['{ methods: [POST] }', '6:7 a safe route needs paths'],
    [
      '{ methods: [post], paths: ["/a"] }',
      '6:19 methods[0] must be an upper-case method; did you mean "POST"?',
    ],
    ['{ methods: [POST, POST], paths: ["/a"] }', '6:25 methods[1] repeats an earlier item'],
    ['{ methods: [], paths: ["/a"] }', '6:18 methods must not be empty'],
    ['{ methods: [POST], paths: ["a"] }', '6:34 path "a" must start with `/`'],
    ['{ methods: [POST], path: ["/a"] }', '6:7 a safe route needs paths'],
    ['{ id: x, methods: [POST], paths: ["/a"] }', '6:9 unknown key "id" in a safe route'],
    [
      '{ methods: [GET], paths: ["/a"], upgrade: websocket }',
      '6:9 an upgrade is always a GET: leave methods out',
    ],
    ['{ paths: ["/a"], upgrade: h2c }', '6:33 upgrade must be one of websocket'],
    [
      '{ paths: ["/a"], upgrade: websocket, graphql: { type: query } }',
      '6:44 nobody sees what travels after an upgrade: leave graphql out',
    ],
    ['{ methods: [POST], paths: ["/a"], graphql: {} }', '6:50 graphql must name one of type, operations'],
    ['{ methods: [POST], paths: ["/a"], graphql: query }', '6:50 graphql must be a mapping'],
    [
      '{ methods: [POST], paths: ["/a"], graphql: { type: querry } }',
      '6:58 type must be one of mutation, query, subscription; did you mean "query"?',
    ],
    [
      '{ methods: [POST], paths: ["/a"], graphql: { operations: ["get*"] } }',
      '6:65 operations[0] must be the exact name of a root field: a route that allows takes no pattern, not "get*"',
    ],
  ])('%s', (item, problem) => {
    expect(problemsOfRoute('SafeRoutes', item)).toEqual(
      expect.arrayContaining([expect.stringContaining(problem)]),
    );
  });

  it.each([
    ['{ paths: ["/a"] }', '6:7 an allowance needs id'],
    ['{ id: A, paths: ["/a"] }', '6:13 id must be at most 64'],
    ['{ id: policy.default-deny, paths: ["/a"] }', '6:13 an id must not begin with `policy.`'],
    ['{ id: r, paths: ["/a"] }', '6:13 rule id r stands at p.yaml:13 already'],
  ])('%s as an allowance', (item, problem) => {
    expect(problemsOfRoute('RouteAllowance', item)).toEqual([expect.stringContaining(problem)]);
  });

  it('shows all its problems, and those of others, at once', () => {
    const text = `${RULE}${narrowText('SafeRoutes', ['{ methods: [x], paths: ["a", "b"], zz: 1 }', '3'], '[""]')}`;
    expect(problemLines(text)).toHaveLength(6);
  });

  it('never becomes a wider route', () => {
    const text = narrowText('SafeRoutes', ['{ methods: [POST], paths: ["/a"], graphql: { type: querry } }']);
    const { documents, problems } = parsePolicyFile('p.yaml', Buffer.from(text));
    expect(problems).toHaveLength(1);
    expect(documents.safeRoutes).toEqual([]);
  });
});

function digest(item: string): string {
  const text = narrowText('SafeRoutes', [item]);
  return JSON.stringify(parsePolicyFile('p', Buffer.from(text)).documents.safeRoutes.map(narrowRouteDigest));
}

describe('the digest of a route', () => {
  it('does not depend on the order of what is a set', () => {
    const one =
      '{ methods: [POST, PUT], paths: ["/a", "/b"], graphql: { type: [query, mutation], operations: [b, a] } }';
    const two =
      '{ graphql: { operations: [a, b], type: [mutation, query] }, paths: ["/b", "/a"], methods: [PUT, POST] }';
    expect(digest(one)).toBe(digest(two));
  });

  it('changes with everything that a route says', () => {
    const items = [
      '{ methods: [POST], paths: ["/a"] }',
      '{ methods: [PUT], paths: ["/a"] }',
      '{ methods: [POST], paths: ["/b"] }',
      '{ paths: ["/a"], upgrade: websocket }',
      '{ methods: [POST], paths: ["/a"], graphql: { type: query } }',
      '{ methods: [POST], paths: ["/a"], graphql: { type: mutation } }',
      '{ methods: [POST], paths: ["/a"], graphql: { operations: [query] } }',
    ];
    expect(new Set(items.map(digest)).size).toBe(items.length);
  });
});

const part = fc.constantFrom('a', 'b', '*', '**', '{id}', 'a*', '*.csv', 'x;y', 'a%2Fb', 'é', '%41');
const path = fc
  .array(part, { maxLength: 4 })
  .map((parts) => `/${parts.join('/')}`)
  .filter((text) => text.indexOf('{id}') === text.lastIndexOf('{id}'));
const route = fc
  .record({ path, methods: fc.subarray(['GET', 'POST', 'PUT', 'PURGE'], { minLength: 1 }) })
  .map((one) => `methods: [${one.methods.join(', ')}], paths: [${JSON.stringify(one.path)}]`);

const RAW = [
  'a',
  'A',
  '%61',
  'b',
  'a;x',
  'x;y',
  'q.csv',
  '%20',
  'a%2Fb',
  'a%252Fb',
  '%C3%A9',
  '',
  'ab',
  'A%3Fx',
];
const request = fc
  .record({
    parts: fc.array(fc.constantFrom(...RAW), { maxLength: 5 }),
    query: fc.constantFrom('', 'a=b', '_method=PUT', '_method=get', '_method=%zz'),
    method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PURGE', 'DELETE'),
  })
  .map(({ parts, query, method }) => ({ target: parseTarget(`/${parts.join('/')}?${query}`), method }))
  .filter(({ target }) => !('reason' in target))
  .map(({ target, method }) => {
    const { path: canonical, ...rest } = target as Exclude<typeof target, { reason: unknown }>;
    return { path: canonical, options: { ...rest, method } satisfies FactsOptions };
  });

describe('for any routes and any canonical request', () => {
  it('what a route covers, a deny rule of the same path and methods denies: narrow is never wider than wide', () => {
    fc.assert(
      fc.property(route, request, (text, asked) => {
        const allowed = allowList(`{ id: r, ${text} }`);
        const covered = verdictOf(allowed, facts(asked.path, asked.options)) === PASS;
        const denied = policyFrom(rulesText([{ id: 'r', match: `{ ${text} }` }]));
        if (covered) expect(verdictOf(denied, facts(asked.path, asked.options))).not.toBe(PASS);
      }),
      { numRuns: 1500 },
    );
  });

  it('what one route covers, it covers among others, and what covers is one of them alone', () => {
    fc.assert(
      fc.property(
        fc.array(route, { minLength: 1, maxLength: 5 }),
        request,
        (texts, { path: asked, options }) => {
          const alone = texts.map((text) => accessOf(safeRoutes(`{ ${text} }`), asked, options));
          const together = accessOf(safeRoutes(...texts.map((text) => `{ ${text} }`)), asked, options);
          expect(together).toBe(alone.includes('allow') ? 'allow' : 'read_only');
        },
      ),
      { numRuns: 600 },
    );
  });

  it('an earlier request leaves no trace in a later answer', () => {
    fc.assert(
      fc.property(fc.array(route, { minLength: 1, maxLength: 4 }), request, request, (texts, one, two) => {
        const items = texts.map((text, i) => `{ id: r${i}, ${text} }`);
        const used = allowList(...items);
        used.explain(facts(one.path, one.options));
        const told = used.explain(facts(two.path, two.options)).allowance;
        expect(told).toBe(allowList(...items).explain(facts(two.path, two.options)).allowance);
      }),
      { numRuns: 300 },
    );
  });
});
