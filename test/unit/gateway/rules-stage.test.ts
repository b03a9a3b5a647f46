// A reload between two looks at one request: the old policy has passed what the new one denies, or the body that the
// new one asks for comes when the stages before the rules are long through. The policy in force at the end counts.
import { describe, expect, it } from 'vitest';
import { deny, NEEDS_BODY, PASS, type Verdict } from '#model/verdict.ts';
import type { CompiledPolicy, RouteFacts } from '#policy/compiled-policy.ts';
import { bodyOf } from '#policy/read-body.ts';
import type { Exchange } from '../../../src/gateway/exchange.ts';
import { judgeUnder } from '../../../src/gateway/policy-judgement.ts';
import type { RouteSettingsStage } from '../../../src/gateway/stages/route-settings.ts';
import { policyInForceStage, rulesStage } from '../../../src/gateway/stages/rules.ts';
import { EXAMPLE_GRANT } from '../../support/audit-exchange.ts';

type Judge = (facts: RouteFacts) => Verdict;

/** Passes everything but for what is said. */
function policy(judges: { access?: Judge; workspace?: string; evaluate?: Judge } = {}): CompiledPolicy {
  const asked = {
    access: judges.access ?? (() => PASS),
    scope(_facts: RouteFacts, into: { workspace: string | null }) {
      into.workspace = judges.workspace ?? null;
      return PASS;
    },
    evaluate: judges.evaluate ?? (() => PASS),
    readBody: () => bodyOf('{"a":1}', 'application/json'),
  };
  return asked as unknown as CompiledPolicy;
}

/** With a body that is declared too large to be read, so that nothing has to be sent. */
function exchange(under: CompiledPolicy): Exchange {
  return {
    phase: 'judging',
    policy: under,
    settings: { maxInspectedBytes: 1 },
    maxBodyBytes: 1000,
    grant: EXAMPLE_GRANT,
    target: {},
    req: {},
    head: { contentLength: 7, contentType: '', contentEncoding: '' },
    workspace: null,
    body: null,
    wantsBody: false,
  } as unknown as Exchange;
}

function stagesUnder(source: { current: CompiledPolicy }) {
  const routeSettings = {
    name: 'route-settings',
    run(x: Exchange) {
      x.policy = source.current;
      return PASS;
    },
  } as RouteSettingsStage;
  const policies = {
    ...source,
    get current() {
      return source.current;
    },
    onSwap: () => ({ [Symbol.dispose]() {} }),
  };
  const rules = rulesStage(policies, routeSettings);
  return { rules, inForce: policyInForceStage(policies, rules) };
}

const whenRead =
  (verdict: Verdict): Judge =>
  ({ body }) =>
    body === null ? NEEDS_BODY : verdict;

describe('the rules, where another policy came since the request was passed by the stages before them', () => {
  it('ask it about access again once the body has come that it needs for that', async () => {
    const source = { current: policy({ access: whenRead(deny('read_only')) }) };
    const { rules } = stagesUnder(source);
    expect(await rules.run(exchange(policy()))).toEqual(deny('read_only'));
  });

  it('pass what it passes with the body', async () => {
    const source = { current: policy({ access: whenRead(PASS), evaluate: whenRead(PASS) }) };
    const { rules } = stagesUnder(source);
    expect(await rules.run(exchange(policy()))).toBe(PASS);
  });

  it('do not ask again where it is the same', async () => {
    const source = { current: policy({ access: () => deny('read_only') }) };
    const { rules } = stagesUnder(source);
    expect(await rules.run(exchange(source.current))).toBe(PASS);
  });
});

describe('a policy that came when the rules had passed the request, while its headers were made', () => {
  it.each([
    ['by its line', policy({ evaluate: () => deny('rule_denied') })],
    ['by a body that nobody had to read before', policy({ evaluate: whenRead(deny('rule_denied')) })],
    ['by access', policy({ access: () => deny('rule_denied') })],
  ])('still denies it %s', async (_how, next) => {
    const source = { current: policy() };
    const { rules, inForce } = stagesUnder(source);
    const x = exchange(source.current);
    expect(await rules.run(x)).toBe(PASS);
    source.current = next;
    expect(await inForce.run(x)).toEqual(deny('rule_denied'));
  });

  it('is not asked for where it did not change', () => {
    const source = { current: policy({ evaluate: () => deny('rule_denied') }) };
    expect(stagesUnder(source).inForce.run(exchange(source.current))).toBe(PASS);
  });
});

describe('an exchange judged under another policy', () => {
  it('is judged in the workspace that the other policy finds, and keeps its own', () => {
    const seen: (string | null)[] = [];
    const other = policy({
      workspace: 'w2',
      evaluate({ workspace }) {
        seen.push(workspace);
        return PASS;
      },
    });
    const x = exchange(policy());
    x.workspace = 'w1';
    expect(judgeUnder(other, x)).toBe(PASS);
    expect(seen).toEqual(['w2']);
    expect(x.workspace).toBe('w1');
  });
});
