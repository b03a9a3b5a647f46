// Recorded requests judged by another policy: what flips, and what the record cannot decide.
import { describe, expect, it } from 'vitest';
import { parseTarget } from '#gateway/request-target.ts';
import type { EpochMs } from '#model/clock.ts';
import type { DefaultEffect } from '#policy/compile.ts';
import type { RecordedGrant, RecordedRequest } from '#policy/recorded-request.ts';
import { Replay, type ReplayReport } from '#policy/replay.ts';
import { policyFrom, rulesText } from '../../support/policy-sets.ts';

const GRANT: RecordedGrant = {
  id: 'grt_1',
  revision: 1,
  access: 'write',
  roles: ['agent'],
  lifts: [],
  workspaces: [],
  reasonType: null,
};

function recorded(path: string, part: Partial<RecordedRequest> = {}): RecordedRequest {
  return {
    id: 'r1',
    at: 1_760_000_000_000 as EpochMs,
    tenant: 'acme',
    method: 'GET',
    host: 'app.example.com',
    path,
    route: null,
    queryNames: '',
    queryPairs: '',
    bodyType: null,
    upgrade: false,
    actor: { id: 'sam', issuer: 'https://idp', org: 'vendor' },
    grant: GRANT,
    code: 'ok',
    rule: null,
    ...part,
  };
}

function replay(
  policy: string,
  requests: readonly RecordedRequest[],
  defaultEffect: DefaultEffect = 'allow',
): ReplayReport {
  const one = new Replay({ policy: policyFrom(policy, defaultEffect), parseTarget, examples: 2 });
  for (const request of requests) one.take(request);
  return one.report();
}

/** `kind: before → after` of the only flip, `unchanged`, `before policy`, or why it cannot be decided. */
function outcomeOf(policy: string, request: RecordedRequest): string {
  const report = replay(policy, [request]);
  const [flip] = report.flips;
  if (flip !== undefined) return `${flip.kind}: ${flip.before} → ${flip.after}`;
  if (report.unchanged === 1) return 'unchanged';
  if (report.beforePolicy === 1) return 'before policy';
  return Object.entries(report.undecidable)
    .filter(([, count]) => count === 1)
    .map(([reason]) => `undecidable: ${reason}`)
    .join();
}

const one = (match: string, more = '') => rulesText([{ id: 'r', match, more }]);

describe('a replayed request', () => {
  it.each<[string, string, RecordedRequest, string]>([
    ['is unchanged', one('{ paths: ["/x"] }'), recorded('/y'), 'unchanged'],
    ['is newly denied', one('{ paths: ["/y"] }'), recorded('/y'), 'newly_denied: allow → deny by r'],
    [
      'is newly allowed',
      one('{ paths: ["/x"] }'),
      recorded('/y', { code: 'rule_denied', rule: 'old' }),
      'newly_allowed: deny by old → allow',
    ],
    [
      'is denied by another rule',
      one('{ paths: ["/y"] }'),
      recorded('/y', { code: 'rule_denied', rule: 'old' }),
      'other: deny by old → deny by r',
    ],
    [
      'is denied by the same rule',
      one('{ paths: ["/y"] }'),
      recorded('/y', { code: 'rule_denied', rule: 'r' }),
      'unchanged',
    ],
    [
      'never got to the policy',
      one('{ paths: ["/y"] }'),
      recorded('/y', { code: 'no_grant', grant: null }),
      'before policy',
    ],
    [
      'was stopped by a limit',
      one('{ paths: ["/y"] }'),
      recorded('/y', { code: 'rate_limited' }),
      'before policy',
    ],
    [
      'is lifted by its grant',
      one('{ paths: ["/y"] }', ', liftable: true'),
      recorded('/y', { grant: { ...GRANT, lifts: ['export'] } }),
      'unchanged',
    ],
    [
      'is read-only still',
      one('{ paths: ["/x"] }'),
      recorded('/y', { method: 'POST', code: 'read_only', grant: { ...GRANT, access: 'read' } }),
      'unchanged',
    ],
    [
      'holds the query value that was recorded',
      one('{ paths: ["/y"], query: { format: [csv] } }'),
      recorded('/y', { queryNames: 'format&page', queryPairs: 'format=csv' }),
      'newly_denied: allow → deny by r',
    ],
    [
      'holds another value',
      one('{ paths: ["/y"], query: { format: [csv] } }'),
      recorded('/y', { queryNames: 'format', queryPairs: 'format=html' }),
      'unchanged',
    ],
    [
      'has a key whose value nobody recorded',
      one('{ paths: ["/y"], query: { view: [print] } }'),
      recorded('/y', { queryNames: 'format&view', queryPairs: 'format=html' }),
      'undecidable: query_value',
    ],
    [
      'has such a key where presence decides',
      one('{ paths: ["/y"], query: { view: "*" } }'),
      recorded('/y', { queryNames: 'view' }),
      'newly_denied: allow → deny by r',
    ],
    [
      'has such a key on another path',
      one('{ paths: ["/x"], query: { view: [print] } }'),
      recorded('/y', { queryNames: 'view' }),
      'unchanged',
    ],
    [
      'has more keys than a record keeps',
      one('{ paths: ["/y"], query: { view: [print] } }'),
      recorded('/y', { queryNames: Array.from({ length: 32 }, (_, i) => `k${i}`).join('&') }),
      'undecidable: query_value',
    ],
    [
      'has a value that was too long for the record',
      one('{ paths: ["/y"], query: { format: [csv] } }'),
      recorded('/y', { queryNames: 'format', queryPairs: 'format=%E2%80%A6' }),
      'undecidable: query_value',
    ],
    [
      'has a body that a rule would have to see',
      one('{ paths: ["/y"], json: { "/type": [export] } }'),
      recorded('/y', { method: 'POST', bodyType: 'application/json' }),
      'undecidable: body',
    ],
    [
      'has no body to see',
      one('{ paths: ["/y"], json: { "/type": [export] } }'),
      recorded('/y', { method: 'POST' }),
      'unchanged',
    ],
    [
      'is an upgrade to such a path',
      one('{ paths: ["/y"], json: { "/type": [export] } }'),
      recorded('/y', { upgrade: true }),
      'newly_denied: allow → deny by r',
    ],
    [
      'meets a rule that asks for groups',
      one('{ paths: ["/y"] }', ', when: { none: { groups: [leads] } }'),
      recorded('/y'),
      'undecidable: principal',
    ],
    [
      'meets a rule that asks for its organisation',
      one('{ paths: ["/y"] }', ', when: { none: { org: [vendor] } }'),
      recorded('/y'),
      'unchanged',
    ],
    [
      'meets a rule that asks for its roles',
      one('{ paths: ["/y"] }', ', when: { any: { roles: [agent] } }'),
      recorded('/y'),
      'newly_denied: allow → deny by r',
    ],
    [
      'has a path that was cut',
      one('{ paths: ["/y"] }'),
      recorded(`/${'x'.repeat(2047)}\u2026`),
      'undecidable: record',
    ],
    [
      'was seen by the rules without its tenant',
      one('{ paths: ["/y"] }'),
      recorded('/acme/y', { route: '/y' }),
      'newly_denied: allow → deny by r',
    ],
  ])('%s', (_name, policy, request, expected) => {
    expect(outcomeOf(policy, request)).toBe(expected);
  });

  it('cannot be decided where a map asks for a header', () => {
    const map = `---
apiVersion: postern/v1
kind: ScopeMap
metadata: { name: m }
spec: { scopes: [ { paths: ["/y"], workspace: { header: X-Workspace }, required: true } ] }
`;
    const limited = { ...GRANT, workspaces: ['one'] };
    const policy = `${one('{ paths: ["/x"] }')}${map}`;
    expect(outcomeOf(policy, recorded('/y', { grant: limited }))).toBe('undecidable: header');
    expect(outcomeOf(policy, recorded('/z', { grant: limited }))).toBe('unchanged');
  });

  it('is denied by an allow-list that leaves it out', () => {
    const { flips } = replay(one('{ paths: ["/x"] }'), [recorded('/y')], 'deny');
    expect(flips.map(({ after }) => after)).toEqual(['deny by policy.default-deny']);
  });
});

describe('the report', () => {
  it('counts by change and tenant, most frequent first, with as many examples as asked for', () => {
    const requests = [
      recorded('/gone', { code: 'rule_denied', rule: 'old', id: 'a' }),
      ...Array.from({ length: 5 }, (_, i) =>
        recorded('/y', { id: `n${i}`, tenant: i < 4 ? 'acme' : 'globex' }),
      ),
      recorded('/other'),
    ];
    const report = replay(one('{ paths: ["/y"] }'), requests);
    expect(report).toMatchObject({ requests: 7, unchanged: 1, flipped: 6, beforePolicy: 0 });
    const [denied, allowed] = report.flips;
    expect(denied).toMatchObject({ kind: 'newly_denied', count: 5 });
    expect([...(denied?.tenants ?? [])]).toEqual([
      ['acme', 4],
      ['globex', 1],
    ]);
    expect(denied?.examples.map(({ requestId }) => requestId)).toEqual(['n0', 'n1']);
    expect(allowed).toMatchObject({ kind: 'newly_allowed', count: 1 });
  });
});
