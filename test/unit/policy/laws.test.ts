// The laws of the policy room, for any rules and any canonical request.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PASS, type Verdict } from '#model/verdict.ts';
import { parseTarget } from '#gateway/request-target.ts';
import type { CompiledPolicy, RouteFacts, ShadowSink } from '#policy/compiled-policy.ts';
import { facts, policyFrom, type RuleText, rulesText } from '../../support/policy-sets.ts';

const part = fc.constantFrom('a', 'b', 'exports', '*', '**', '{id}', 'a*', '*.csv', 'x;y', 'a%2Fb', 'é');
const path = fc
  .array(part, { minLength: 1, maxLength: 4 })
  .map((parts) => `/${parts.join('/')}`)
  .filter((text) => text.indexOf('{id}') === text.lastIndexOf('{id}'));
const methods = fc.subarray(['GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'PURGE']);
const query = fc.option(fc.constantFrom('{ f: [csv] }', '{ f: "*" }', '{ f: [csv], g: [x] }'));

const rule = fc
  .record({ path, methods, query, shadow: fc.boolean(), liftable: fc.boolean() })
  .map((one): Omit<RuleText, 'id'> => {
    const conditions = [`paths: [${JSON.stringify(one.path)}]`];
    if (one.methods.length > 0) conditions.push(`methods: [${one.methods.join(', ')}]`);
    if (one.query !== null) conditions.push(`query: ${one.query}`);
    const more = `, liftable: ${one.liftable}, mode: ${one.shadow ? 'shadow' : 'enforce'}`;
    return { match: `{ ${conditions.join(', ')} }`, more };
  });
const rules = fc
  .array(rule, { minLength: 1, maxLength: 6 })
  .map((list) => list.map((one, i): RuleText => ({ id: `r${i}`, ...one })));

const RAW_PARTS = [
  ['a', 'A', '%61', 'b', 'exports', 'EXPORTS;x', 'exports.csv', '%20', ';', 'a.', 'x;y', 'a%2Fb'],
  ['a%252Fb', '%2561', '%C3%A9', '%EF%BD%81', 'ex%E2%80%8Bports', 'q%3Ff=csv', '...', '!$', '%25zz', ''],
].flat();
const rawPart = fc.constantFrom(...RAW_PARTS);
const rawQuery = fc
  .array(fc.constantFrom('f=csv', 'F=%43sv', 'g=x', 'f', '_method=PUT', 'f=%zz', '%=1', 'h[f][]=csv', 'a=b'))
  .map((pairs) => pairs.join('&'));

const request: fc.Arbitrary<RouteFacts> = fc
  .record({
    parts: fc.array(rawPart, { maxLength: 5 }),
    query: rawQuery,
    method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'QUERY', 'PURGE'),
    form: fc.subarray(['DELETE', 'x']),
    lifts: fc.subarray(['export', 'email']),
  })
  .map(({ parts, query: text, method, form, lifts }) => {
    const target = parseTarget(`/${parts.join('/')}?${text}`);
    if ('reason' in target) return null;
    const { grant } = facts(target.path, { lifts });
    return facts(target.path, { method, formMethods: form, grant, target });
  })
  .filter((asked) => asked !== null);

function evaluate(
  policy: CompiledPolicy,
  asked: RouteFacts,
): { verdict: Verdict; shadow: readonly string[] } {
  const sink: ShadowSink = { shadowRules: [], wantsBody: false };
  const verdict = policy.evaluate(asked, sink);
  return { verdict, shadow: sink.shadowRules.map(({ id }) => id) };
}

describe('for any rules and any canonical request', () => {
  it('evaluate and explain decide alike and see the same shadow rules', () => {
    fc.assert(
      fc.property(rules, request, (texts, asked) => {
        const policy = policyFrom(rulesText(texts));
        const { verdict, shadow } = evaluate(policy, asked);
        const told = policy.explain(asked);
        expect(told.verdict).toEqual(verdict);
        const matched = told.considered.filter((one) => one.matched);
        const inShadow = matched.filter((one) => one.mode === 'shadow');
        expect(inShadow.map((one) => one.rule.id)).toEqual(shadow);
        const first = matched.find((one) => one.mode === 'enforce');
        if (verdict === PASS) expect(first).toBeUndefined();
        else expect(verdict.rule?.id).toBe(first?.rule.id);
      }),
      { numRuns: 600 },
    );
  });

  it('another deny rule never turns a denial into an allowance', () => {
    fc.assert(
      fc.property(rules, rule, request, (texts, added, asked) => {
        const before = evaluate(policyFrom(rulesText(texts)), asked).verdict;
        const after = evaluate(policyFrom(rulesText([{ id: 'added', ...added }, ...texts])), asked).verdict;
        if (before !== PASS) expect(after).not.toBe(PASS);
      }),
      { numRuns: 300 },
    );
  });

  it('the order of rules does not change whether a request is denied', () => {
    const shuffled = rules.chain((texts) =>
      fc.tuple(fc.constant(texts), fc.shuffledSubarray(texts, { minLength: texts.length })),
    );
    fc.assert(
      fc.property(shuffled, request, ([texts, other], asked) => {
        const one = evaluate(policyFrom(rulesText(texts)), asked);
        const two = evaluate(policyFrom(rulesText(other)), asked);
        expect(two.verdict === PASS).toBe(one.verdict === PASS);
        expect(two.shadow.toSorted()).toEqual(one.shadow.toSorted());
      }),
      { numRuns: 300 },
    );
  });

  it('an earlier request leaves no trace in a later decision', () => {
    fc.assert(
      fc.property(rules, request, request, (texts, first, second) => {
        const used = policyFrom(rulesText(texts));
        evaluate(used, first);
        used.explain(first);
        expect(evaluate(used, second)).toEqual(evaluate(policyFrom(rulesText(texts)), second));
      }),
      { numRuns: 300 },
    );
  });

  it('a respelling of a denied path that an application would undo is denied too', () => {
    const policy = policyFrom(rulesText([{ id: 'r', match: '{ paths: ["/exports/**", "/a/*/send"] }' }]));
    const respell = fc.array(fc.nat(5), { minLength: 12, maxLength: 12 });
    fc.assert(
      fc.property(fc.constantFrom('/exports', '/exports/7', '/a/b/send'), respell, (plain, ways) => {
        let i = 0;
        const spelled = plain.replace(/[a-z]/g, (letter) => {
          const way = ways[i++ % ways.length];
          if (way === 0) return letter.toUpperCase();
          if (way === 1) return `%${letter.charCodeAt(0).toString(16)}`;
          return way === 2 ? encodeURIComponent(String.fromCodePoint(letter.charCodeAt(0) + 0xfee0)) : letter;
        });
        const suffixed = spelled.replaceAll('/', ways[0] === 3 ? '//' : '/').replace(/^\/+/, '/');
        const target = parseTarget(`${suffixed}${['', '/', ';x', '.json', '%20', '.'][ways[1] ?? 0]}`);
        if ('reason' in target) throw new Error(`refused: ${suffixed}`);
        expect(evaluate(policy, { ...facts(target.path), target }).verdict, suffixed).not.toBe(PASS);
      }),
      { numRuns: 500 },
    );
  });
});
