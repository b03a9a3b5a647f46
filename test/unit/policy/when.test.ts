// `when`: whom a rule is about. What is not known leaves the rule in force.
import { describe, expect, it } from 'vitest';
import type { Grant } from '#model/grant.ts';
import { PLAIN_GRANT } from '#policy/policy-test.ts';
import { decide, type FactsOptions, policyFrom, problemLines, rulesText } from '../../support/policy-sets.ts';

const text = (when: string) => rulesText([{ id: 'r', match: '{ paths: ["/x"] }', more: `, when: ${when}` }]);
const grant = (part: Partial<Grant>): FactsOptions => ({ grant: { ...PLAIN_GRANT, ...part } });
const reason = { type: 'debug_log', detail: 'why' } as const;

describe('when', () => {
  it.each<[string, FactsOptions, string]>([
    ['{ none: { roles: [administrator] } }', grant({ roles: ['agent'] }), 'r'],
    ['{ none: { roles: [administrator] } }', grant({ roles: ['agent', 'administrator'] }), 'allow'],
    ['{ any: { roles: [a, b] } }', grant({ roles: ['b'] }), 'r'],
    ['{ any: { roles: [a, b] } }', grant({ roles: [] }), 'allow'],
    ['{ any: { roles: [a], access: [read] } }', grant({ access: 'read' }), 'r'],
    ['{ all: { roles: [a], access: [read] } }', grant({ access: 'read' }), 'allow'],
    ['{ all: { roles: [a], access: [read] } }', grant({ roles: ['a'], access: 'read' }), 'r'],
    ['{ none: { roles: [a], access: [read] } }', grant({ access: 'read' }), 'allow'],
    ['{ any: { reasonType: [debug_log] } }', grant({ reason }), 'r'],
    ['{ any: { reasonType: [production_alert] } }', grant({ reason }), 'allow'],
    ['{ any: { reasonType: [debug_log] } }', grant({ reason: null }), 'allow'],
    ['{ any: { groups: [tier-2] } }', { principal: { groups: ['tier-1', 'tier-2'] } }, 'r'],
    ['{ any: { groups: [tier-2] } }', { principal: { groups: [] } }, 'allow'],
    ['{ none: { org: [vendor] } }', { principal: { org: 'partner' } }, 'r'],
    ['{ none: { org: [vendor] } }', { principal: { org: 'vendor' } }, 'allow'],
    ['{ any: { tenantClass: [gov] } }', { tenantClass: 'gov' }, 'r'],
    ['{ any: { tenantClass: [gov] } }', { tenantClass: 'trial' }, 'allow'],
    ['{ any: { actAs: [user] } }', grant({ actAs: 'u1' }), 'r'],
    ['{ any: { actAs: [user] } }', grant({ actAs: null }), 'allow'],
    ['{ any: { actAs: [none] } }', grant({ actAs: null }), 'r'],
    ['{ any: { session: [none] } }', { hasSession: false }, 'r'],
    ['{ any: { session: [none] } }', { hasSession: true }, 'allow'],
    ['{ none: { session: [open] } }', { hasSession: true }, 'allow'],
    ['{ any: { workspace: [w1] } }', { workspace: 'w1' }, 'r'],
    ['{ any: { workspace: [w1] } }', { workspace: 'w2' }, 'allow'],
    ['{ any: { org: [a] }, none: { access: [read] } }', { principal: { org: 'a' } }, 'r'],
    ['{ any: { org: [a] }, none: { access: [write] } }', { principal: { org: 'a' } }, 'allow'],
  ])('%s, %j: %s', (when, options, expected) => {
    expect(decide(policyFrom(text(when)), '/x', options)).toBe(expected);
  });

  it.each([
    '{ any: { org: [a] } }',
    '{ all: { org: [a], groups: [g] } }',
    '{ none: { org: [a] } }',
    '{ none: { tenantClass: [trial] } }',
    '{ any: { tenantClass: [gov] } }',
    '{ any: { roles: [a] } }',
    '{ none: { workspaceRoles: [a] } }',
    '{ none: { session: [open] } }',
    '{ any: { session: [none] } }',
    '{ none: { workspace: [w1] } }',
    '{ any: { actAs: [user] } }',
    '{ all: { access: [read], reasonType: [debug_log] } }',
  ])('%s holds where nothing is known of grant and principal', (when) => {
    expect(decide(policyFrom(text(when)), '/x', { grant: null })).toBe('r');
  });

  it('counts workspace roles in the workspace that the request names, and in no other', () => {
    const policy = policyFrom(text('{ none: { workspaceRoles: [editor] } }'));
    const workspaces = [
      { id: 'one', roles: ['editor'] },
      { id: 'two', roles: ['viewer'] },
    ];
    const asked = (workspace?: string) =>
      decide(policy, '/x', { ...grant({ workspaces }), ...(workspace === undefined ? {} : { workspace }) });
    expect(asked('one')).toBe('allow');
    expect(asked('two')).toBe('r');
    expect(asked('three')).toBe('r');
    expect(asked()).toBe('r');
    expect(decide(policy, '/x', grant({ workspaces: [] }))).toBe('r');
  });

  it('shuts a GraphQL mutation that a read grant sends as a GET', () => {
    const match = '{ paths: ["/graphql"], graphql: { type: mutation } }';
    const policy = policyFrom(rulesText([{ id: 'r', match, more: ', when: { all: { access: [read] } }' }]));
    const sent = (access: 'read' | 'write', document: string) =>
      decide(policy, '/graphql', { ...grant({ access }), query: `query=${encodeURIComponent(document)}` });
    expect(sent('read', 'mutation { close(id: 7) { id } }')).toBe('r');
    expect(sent('read', '{ tickets { id } }')).toBe('allow');
    expect(sent('write', 'mutation { close(id: 7) { id } }')).toBe('allow');
  });

  it('never opens another rule', () => {
    const both = rulesText([
      { id: 'narrow', match: '{ paths: ["/x"] }', more: ', when: { any: { roles: [a] } }' },
      { id: 'wide', match: '{ paths: ["/x"] }' },
    ]);
    expect(decide(policyFrom(both), '/x', grant({ roles: ['b'] }))).toBe('wide');
  });

  it.each([
    ['{}', '6:68 when must name one of all, any, none'],
    ['{ any: {} }', /when\.any must name one of roles, workspaceRoles/],
    ['{ some: { roles: [a] } }', /unknown key "some" in when/],
    ['{ any: { role: [a] } }', /unknown key "role" in when\.any; did you mean "?roles/],
    ['{ any: { access: [reed] } }', /access\[0\] must be one of read, write; did you mean "?read/],
    ['{ any: { reasonType: [debug] } }', /reasonType\[0\] must be one of customer_initiated_support/],
    ['{ any: { roles: [] } }', /roles must not be empty/],
    ['{ any: { roles: a } }', /roles must be a list/],
  ])('refuses %s', (when, message) => {
    expect(problemLines(text(when))).toEqual([
      typeof message === 'string' ? message : expect.stringMatching(message),
    ]);
  });
});
