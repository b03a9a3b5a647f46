// The laws of the whole language: hosts, `when`, body selectors, shadow and lifts together, for any documents and any
// request, with its body read or not.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { NEEDS_BODY, PASS, type Verdict } from '#model/verdict.ts';
import type { CompiledPolicy, RouteFacts } from '#policy/compiled-policy.ts';
import { PLAIN_GRANT } from '#policy/policy-test.ts';
import { bodyOf } from '#policy/read-body.ts';
import { facts, policyFrom } from '../../support/policy-sets.ts';

const path = fc.constantFrom('/a', '/a/**', '/*', '/jobs', '/graphql', '/**/x', '/a/{id}');
const body = fc.option(
  fc.constantFrom(
    'json: { "/type": [export] }',
    'json: { "/type": "*", "/to": ["{principal.email}"] }',
    'form: { type: [export] }',
    'jsonrpc: { methods: ["export*"] }',
    'graphql: { operations: [exportAll] }',
    'graphql: { type: mutation }',
  ),
);
const when = fc.option(
  fc.constantFrom(
    '{ none: { roles: [admin] } }',
    '{ any: { groups: [tier-2], org: [partner] } }',
    '{ all: { access: [write], tenantClass: [gov] } }',
    '{ any: { reasonType: [debug_log] } }',
  ),
);
const block = fc
  .record({ path, methods: fc.option(fc.constantFrom('[POST]', '[GET, DELETE]')), body })
  .map((one) => {
    const parts = [`paths: ["${one.path}"]`];
    if (one.methods !== null) parts.push(`methods: ${one.methods}`);
    if (one.body !== null) parts.push(one.body);
    return `{ ${parts.join(', ')} }`;
  });

interface RuleShape {
  readonly blocks: readonly string[];
  readonly when: string | null;
  readonly mode: string;
  readonly liftable: boolean;
}

const rule: fc.Arbitrary<RuleShape> = fc.record({
  blocks: fc.array(block, { minLength: 1, maxLength: 2 }),
  when,
  mode: fc.constantFrom('enforce', 'enforce', 'shadow'),
  liftable: fc.boolean(),
});
interface DocumentShape {
  readonly hosts: string | null;
  readonly rules: readonly RuleShape[];
}
const document: fc.Arbitrary<DocumentShape> = fc.record({
  hosts: fc.option(fc.constantFrom('["app.example.com"]', '["*.eu.example.com", other.example.com]')),
  rules: fc.array(rule, { minLength: 1, maxLength: 3 }),
});
const documents = fc.array(document, { minLength: 1, maxLength: 3 });

/** Ids by the place in the array given, so that documents in another order keep their names. */
function textOf(shapes: readonly (readonly [string, DocumentShape])[], withWhen = true): string {
  return shapes
    .map(([name, { hosts, rules }]) => {
      const lines = rules.map((one, i) => {
        const narrowed = one.when !== null && withWhen ? `, when: ${one.when}` : '';
        const head = `id: ${name}-${i}, category: export, mode: ${one.mode}, liftable: ${one.liftable}`;
        return `    - { ${head}${narrowed}, match: [${one.blocks.join(', ')}] }`;
      });
      const of = hosts === null ? '' : `  hosts: ${hosts}\n`;
      return `apiVersion: postern/v1\nkind: RoutePolicy\nmetadata: { name: ${name} }\nspec:\n${of}  rules:\n${lines.join('\n')}\n`;
    })
    .join('---\n');
}

const named = (shapes: readonly DocumentShape[]) => shapes.map((shape, i) => [`d${i}`, shape] as const);
const policyOf = (shapes: readonly DocumentShape[]): CompiledPolicy => policyFrom(textOf(named(shapes)));

const JSON_TYPE = 'application/json';
const bodies = fc.constantFrom<readonly [string, string]>(
  ['', ''],
  ['{"type":"export"}', JSON_TYPE],
  ['{"type":"import","to":"sam@vendor.example"}', JSON_TYPE],
  ['{"jsonrpc":"2.0","method":"exportAll"}', JSON_TYPE],
  ['{"query":"mutation { a: exportAll { id } }"}', JSON_TYPE],
  ['{"query":"{ tickets { id } }"}', JSON_TYPE],
  ['{"type":', JSON_TYPE],
  ['type=export&_method=DELETE', 'application/x-www-form-urlencoded'],
  ['type=import', 'application/x-www-form-urlencoded'],
  ['anything', 'text/plain'],
);

interface Asked {
  readonly unread: RouteFacts;
  readonly read: RouteFacts;
}

const request: fc.Arbitrary<Asked> = fc
  .record({
    path: fc.constantFrom('/a', '/A/7', '/jobs', '/graphql', '/b/x', '/a;v=1'),
    method: fc.constantFrom('GET', 'POST', 'DELETE', 'HEAD'),
    query: fc.constantFrom('', '_method=DELETE', 'query={exportAll}'),
    host: fc.constantFrom('app.example.com', 'x.eu.example.com', 'else.example.com'),
    roles: fc.subarray(['admin', 'agent']),
    groups: fc.subarray(['tier-2']),
    org: fc.constantFrom('vendor', 'partner'),
    access: fc.constantFrom('read', 'write'),
    lifts: fc.subarray(['export']),
    tenantClass: fc.option(fc.constantFrom('gov', 'standard')),
    isUpgrade: fc.boolean(),
    known: fc.boolean(),
    sent: bodies,
  })
  .map(({ sent: [text, contentType], known, ...one }): Asked => {
    const grant = { ...PLAIN_GRANT, roles: one.roles, access: one.access, lifts: one.lifts } as const;
    const isUpgrade = one.isUpgrade && one.method === 'GET' && text === '';
    const options = {
      method: one.method,
      query: one.query,
      host: one.host,
      isUpgrade,
      grant: known ? grant : null,
      ...(known ? { principal: { groups: one.groups, org: one.org, email: 'sam@vendor.example' } } : {}),
      ...(one.tenantClass === null ? {} : { tenantClass: one.tenantClass }),
      ...(text === '' ? {} : { contentType }),
    };
    const unread = facts(one.path, options);
    const read = text === '' ? unread : facts(one.path, { ...options, body: bodyOf(text, contentType) });
    return { unread, read };
  });

function decide(policy: CompiledPolicy, asked: RouteFacts): { verdict: Verdict; shadow: readonly string[] } {
  const sink = { shadowRules: [], wantsBody: false } as Parameters<CompiledPolicy['evaluate']>[1];
  const verdict = policy.evaluate(asked, sink);
  return { verdict, shadow: sink.shadowRules.map(({ id }) => id).toSorted() };
}

const RUNS = { numRuns: 500 };

describe('for any documents and any request', () => {
  it('evaluate and explain decide alike, with the body and without', () => {
    fc.assert(
      fc.property(documents, request, (shapes, { unread, read }) => {
        const policy = policyOf(shapes);
        for (const asked of [unread, read]) {
          const { verdict, shadow } = decide(policy, asked);
          const told = policy.explain(asked);
          expect(told.verdict).toEqual(verdict);
          const inShadow = told.considered.filter(({ mode, matched }) => matched && mode === 'shadow');
          expect(inShadow.map(({ rule: { id } }) => id).toSorted()).toEqual(shadow);
        }
      }),
      RUNS,
    );
  });

  it('reading the body changes only what waited for it', () => {
    fc.assert(
      fc.property(documents, request, (shapes, { unread, read }) => {
        const policy = policyOf(shapes);
        const before = decide(policy, unread).verdict;
        const after = decide(policy, read).verdict;
        expect(after).not.toBe(NEEDS_BODY);
        if (before === PASS) expect(after).toBe(PASS);
        else if (before !== NEEDS_BODY) expect(after).not.toBe(PASS);
      }),
      RUNS,
    );
  });

  it('another document never turns a denial into an allowance', () => {
    fc.assert(
      fc.property(documents, document, request, (shapes, added, { read }) => {
        const before = decide(policyOf(shapes), read).verdict;
        const after = decide(policyFrom(textOf([['added', added], ...named(shapes)])), read).verdict;
        if (before !== PASS) expect(after).not.toBe(PASS);
      }),
      RUNS,
    );
  });

  it('the order of documents changes which rule is reported, and nothing else', () => {
    const shuffled = documents.chain((shapes) =>
      fc.tuple(fc.constant(shapes), fc.shuffledSubarray(named(shapes), { minLength: shapes.length })),
    );
    fc.assert(
      fc.property(shuffled, request, ([shapes, other], { unread, read }) => {
        for (const asked of [unread, read]) {
          const one = decide(policyOf(shapes), asked);
          const two = decide(policyFrom(textOf(other)), asked);
          expect(two.verdict === PASS).toBe(one.verdict === PASS);
          expect(two.verdict === NEEDS_BODY).toBe(one.verdict === NEEDS_BODY);
          expect(two.shadow).toEqual(one.shadow);
        }
      }),
      RUNS,
    );
  });

  it('`when` only ever narrows', () => {
    fc.assert(
      fc.property(documents, request, (shapes, { read }) => {
        const narrowed = decide(policyOf(shapes), read).verdict;
        const wide = decide(policyFrom(textOf(named(shapes), false)), read).verdict;
        if (narrowed !== PASS) expect(wide).not.toBe(PASS);
      }),
      RUNS,
    );
  });

  it('a grant that lifts nothing, and one that nobody knows, open nothing', () => {
    fc.assert(
      fc.property(documents, request, (shapes, { read }) => {
        const policy = policyOf(shapes);
        const lifted = decide(policy, read).verdict;
        const unlifted = read.grant === null ? null : { ...read.grant, lifts: [] };
        if (lifted !== PASS) expect(decide(policy, { ...read, grant: unlifted }).verdict).not.toBe(PASS);
      }),
      RUNS,
    );
  });

  it('an earlier request leaves no trace in a later decision', () => {
    fc.assert(
      fc.property(documents, request, request, (shapes, first, second) => {
        const used = policyOf(shapes);
        decide(used, first.read);
        used.explain(first.unread);
        expect(decide(used, second.read)).toEqual(decide(policyOf(shapes), second.read));
      }),
      RUNS,
    );
  });
});
