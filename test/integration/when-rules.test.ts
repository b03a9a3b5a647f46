// `when` through the whole gate: a deny rule that is about some principals or grants, by what real tokens and grants
// say. It narrows its own rule, opens no other, and what is not known leaves it in force.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PASSED, type PolicyGate, refusedBy, startPolicyGate } from '../support/policy-gate.ts';

const POLICY = `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: when }
spec:
  rules:
    - { id: by.group, category: a, when: { none: { groups: [lead] } }, match: [ { paths: ["/group/**"] } ] }
    - { id: by.org, category: a, when: { all: { org: [partner] } }, match: [ { paths: ["/org/**"] } ] }
    - { id: by.role, category: a, when: { none: { roles: [administrator] } }, match: [ { paths: ["/role/**"] } ] }
    - { id: by.access, category: a, when: { all: { access: [write] } }, match: [ { paths: ["/access/**"] } ] }
    - { id: by.reason, category: a, when: { all: { reasonType: [vendor_initiated_review] } }, match: [ { paths: ["/reason/**"] } ] }
    - { id: by.class, category: a, when: { all: { tenantClass: [standard] } }, match: [ { paths: ["/class/**"] } ] }
    - { id: by.workspace.role, category: a, when: { none: { workspaceRoles: [admin] } }, match: [ { methods: [DELETE], paths: ["/workspaces/**", "/all/**"] } ] }
    - { id: by.any, category: a, when: { any: { groups: [trainee], access: [read] } }, match: [ { paths: ["/any/**"] } ] }
    - id: by.all
      category: a
      when: { all: { groups: [support], org: [vendor] }, none: { roles: [administrator] } }
      match: [ { methods: [POST], paths: ["/both"], json: { "/type": [export] } } ]
    - { id: always, category: a, match: [ { paths: ["/role/always"] } ] }
---
apiVersion: postern/v1
kind: ScopeMap
metadata: { name: scopes }
spec: { scopes: [ { paths: ["/workspaces/{id}/**"], workspace: { path: id } } ] }
`;

/** Who asks: by the subject of a token, each under one grant of their own. */
const GRANTS: Readonly<Record<string, object>> = {
  plain: {},
  administrator: { roles: ['viewer', 'administrator'] },
  reader: { access: 'read' },
  reviewer: { reason: { type: 'vendor_initiated_review', detail: 'yearly' } },
  local: {
    workspaces: [
      { id: 'w1', roles: ['admin'] },
      { id: 'w2', roles: ['viewer'] },
    ],
  },
};

describe('a rule with `when`', () => {
  let fixture: PolicyGate;

  beforeAll(async () => {
    fixture = await startPolicyGate({
      policy: POLICY,
      support: { org: { claim: 'org', oneOf: ['vendor', 'partner'] } },
    });
    const { gate } = fixture;
    for (const [id, draft] of Object.entries(GRANTS)) {
      await gate.grant({ audience: { principals: [{ issuer: gate.workforce.issuer, id }] }, ...draft });
    }
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  async function asked(who: string, line: string, claims: Record<string, unknown> = {}, body?: string) {
    const token = await fixture.gate.staffToken({ sub: who, org: 'vendor', ...claims });
    const headers = body === undefined ? {} : { body, headers: ['Content-Type: application/json'] };
    return fixture.send(line, { token, ...headers });
  }

  it.each([
    ['by.group', 'plain', 'GET /group/x', {}],
    ['by.group', 'plain', 'GET /group/x', { groups: ['Lead', 'leads'] }],
    ['by.group', 'plain', 'GET /group/x', { groups: [] }],
    ['by.org', 'plain', 'GET /org/x', { org: 'partner' }],
    ['by.role', 'plain', 'GET /role/x', {}],
    ['by.role', 'plain', 'GET /role/x', { roles: ['administrator'] }],
    ['by.access', 'plain', 'GET /access/x', {}],
    ['by.reason', 'reviewer', 'GET /reason/x', {}],
    ['by.class', 'plain', 'GET /class/x', {}],
    ['by.any', 'plain', 'GET /any/x', { groups: ['support', 'trainee'] }],
    ['by.any', 'reader', 'GET /any/x', {}],
    ['by.workspace.role', 'local', 'DELETE /workspaces/w2/x', {}],
    ['by.workspace.role', 'plain', 'DELETE /workspaces/w1/x', {}],
    // Which role counts is not known where no workspace is named.
    ['by.workspace.role', 'local', 'DELETE /all/x', {}],
    ['always', 'administrator', 'GET /role/always', {}],
  ])('%s denies %s: %s %j', async (rule, who, line, claims) => {
    expect(await asked(who, line, claims)).toEqual(refusedBy(403, 'rule_denied', rule));
  });

  it.each([
    ['plain', 'GET /group/x', { groups: ['support', 'lead'] }],
    ['plain', 'GET /org/x', {}],
    ['administrator', 'GET /role/x', {}],
    ['reader', 'GET /access/x', {}],
    ['plain', 'GET /reason/x', {}],
    ['plain', 'GET /any/x', {}],
    ['local', 'DELETE /workspaces/w1/x', {}],
  ])('does not concern %s: %s %j', async (who, line, claims) => {
    expect(await asked(who, line, claims)).toEqual({ ...PASSED, forwarded: [line] });
  });

  it('that looks into bodies does so only for those whom it is about', async () => {
    const body = '{"type":"export"}';
    expect(await asked('plain', 'POST /both', {}, body)).toEqual(refusedBy(403, 'rule_denied', 'by.all'));
    expect(await asked('plain', 'POST /both', {}, 'no JSON')).toEqual(
      refusedBy(415, 'body_uninspectable', 'by.all'),
    );
    for (const text of [body, 'no JSON']) {
      expect(await asked('administrator', 'POST /both', {}, text)).toMatchObject(PASSED);
      expect(await asked('plain', 'POST /both', { groups: ['sales'] }, text)).toMatchObject(PASSED);
    }
  });
});
