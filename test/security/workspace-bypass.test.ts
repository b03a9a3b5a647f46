// The attack: a grant for one workspace reaches another one, or another tenant, because the request names it twice, in
// another spelling, in another place than the gate looks, or in a header that the gate reads and the application never
// gets. What is refused is not forwarded; what is forwarded names no foreign workspace in any place the map reads.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Outcome, PASSED, type PolicyGate, refusedBy, startPolicyGate } from '../support/policy-gate.ts';

const POLICY = `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: rules }
spec: { rules: [ { id: never, category: a, match: [ { paths: ["/never"] } ] } ] }
---
apiVersion: postern/v1
kind: ScopeMap
metadata: { name: scopes }
spec:
  scopes:
    - { paths: ["/workspaces/{id}/**", "/files/{id}/**"], workspace: { path: id } }
    - { paths: ["/tickets/**"], workspace: { header: X-Workspace }, required: true }
    - { paths: ["/reports/**"], workspace: { query: workspace_id }, required: true }
    - { paths: ["/both/{id}"], workspace: { path: id }, tenant: { header: X-Account } }
    - { paths: ["/both/**"], workspace: { query: ws } }
---
apiVersion: postern/v1
kind: RouteSettings
metadata: { name: files }
spec: { paths: ["/files/**"], allow: [encodedSlash, encodedPercent] }
`;
const OUT = 'workspace_out_of_scope';

/** Not forwarded, for one of these reasons. */
function expectRefused({ reason, forwarded }: Outcome, ...reasons: readonly string[]): void {
  expect(forwarded).toEqual([]);
  expect([OUT, 'bad_request_target', ...reasons]).toContain(reason);
}

describe('a grant for workspace w1', () => {
  let fixture: PolicyGate;

  beforeAll(async () => {
    fixture = await startPolicyGate({ policy: POLICY });
    await fixture.gate.grant({ workspaces: [{ id: 'w1', roles: [] }] });
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  it.each([
    '/workspaces/w2/x',
    '/workspaces/w2',
    '/WORKSPACES/w2/x',
    '/workspaces//w2/x',
    '//workspaces/w2/x',
    '/workspaces/./w2/x',
    '/workspaces/w1/../w2/x',
    '/workspaces/w1/%2e%2e/w2/x',
    '/workspaces/w1%2f..%2fw2/x',
    '/workspaces/w1%2Fw2/x',
    '/workspaces/w1%5C..%5Cw2/x',
    '/w%6Frkspaces/w2/x',
    '/workspaces/%77%32/x',
    '/workspaces/w%32/x',
    '/workspaces;a=b/w2/x',
    '/workspaces/;/w2/x',
    '/;/workspaces/w2/x',
    '/workspaces/w1;w2/x',
    '/workspaces/w1,w2/x',
    '/workspaces/w1%00w2/x',
    '/workspaces/w1%20/x',
    '/workspaces/%20w1/x',
    '/workspaces/w1./x',
    '/workspaces/W1/x',
    '/workspaces/%EF%BD%971/x',
    '/workspaces/w1%E2%80%8B/x',
    '/workspaces/*/x',
    '/workspaces%20/w2/x',
    '/work%E2%80%8Bspaces/w2/x',
    '/files/w1%2F..%2Fw2/x',
    '/files/w1%252Fw2/x',
    '/files%2Fw2/x',
    '/files/w2%2Fx',
    '/files%252Fw2%252Fx',
    '/files/w1%3Fa/x',
    '/%66iles/w2/x',
  ])('does not reach another by the path %s', async (path) => {
    for (const method of ['GET', 'POST', 'OPTIONS']) expectRefused(await fixture.send(`${method} ${path}`));
    const { host } = fixture.gate;
    expectRefused(await fixture.send(`GET http://${host}${path}`));
    expectRefused(await fixture.send(`GET ${path}?id=w1`, { headers: ['X-Workspace: w1'] }));
  });

  it.each([
    ['another', ['X-Workspace: w2']],
    ['another in another case', ['x-wORKSPACE: w2']],
    ['two lines, its own first', ['X-Workspace: w1', 'X-Workspace: w2']],
    ['two lines, its own last', ['X-Workspace: w2', 'X-Workspace: w1']],
    ['two lines of two spellings', ['X-Workspace: w1', 'x-workspace: w2']],
    ['a list', ['X-Workspace: w1, w2']],
    ['a list without a space', ['X-Workspace: w2,w1']],
    ['quotes', ['X-Workspace: "w1"']],
    ['another case of its own', ['X-Workspace: W1']],
    ['a parameter', ['X-Workspace: w1;w2']],
    ['nothing', ['X-Workspace:']],
    ['no header', []],
    ['only an alias', ['X_Workspace: w1']],
    ['only a dotted alias', ['X.Workspace: w1']],
    ['a header of another name', ['X-Workspace-Id: w1']],
    ['a header that Connection takes away', ['X-Workspace: w1', 'Connection: x-workspace']],
    ['one that Connection takes away in a list', ['Connection: close, X-WORKSPACE', 'X-Workspace: w1']],
    [
      'one that a second Connection takes away',
      ['Connection: close', 'X-Workspace: w1', 'Connection: keep-alive ,\tx-workspace '],
    ],
    ['one that Proxy-Connection takes away', ['X-Workspace: w2', 'Proxy-Connection: x-workspace']],
  ])('does not reach another by headers: %s', async (_what, headers) => {
    expectRefused(await fixture.send('GET /tickets/7', { headers }), 'bad_header');
    expectRefused(await fixture.send('POST /tickets/7', { headers, body: '{}' }), 'bad_header');
  });

  it('does not reach another by an alias beside its own name: the alias never arrives', async () => {
    for (const alias of ['X_Workspace: w2', 'X.Workspace: w2', 'x_workspace: w2']) {
      const { forwarded } = await fixture.send('GET /tickets/7', { headers: ['X-Workspace: w1', alias] });
      if (forwarded.length === 0) continue;
      const named = fixture.last().headers.filter(([name]) => /workspace/i.test(name));
      expect(named, alias).toEqual([['X-Workspace', 'w1']]);
    }
  });

  it('does not reach another by a trailer, which comes when everything is decided', async () => {
    const { forwarded } = await fixture.send('POST /tickets/7', {
      headers: ['X-Workspace: w1', 'Trailer: X-Workspace'],
      chunks: ['{}'],
    });
    if (forwarded.length > 0)
      expect(fixture.last().headers.map(([name]) => name.toLowerCase())).not.toContain('trailer');
  });

  it.each([
    'workspace_id=w2',
    'workspace_id=w1&workspace_id=w2',
    'workspace_id=w2&workspace_id=w1',
    'WORKSPACE_ID=w2',
    'workspace_id=w1&Workspace_Id=w2',
    'workspace%5Fid=w2',
    'workspace_id=%77%32',
    'workspace_id=w1;workspace_id=w2',
    'workspace_id=w1%26workspace_id=w2',
    'a=1;workspace_id=w2',
    'workspace_id[]=w2',
    'workspace_id[]=w1&workspace_id[]=w2',
    'workspace_id[ne]=w1',
    'workspace_id[$ne]=w1',
    'workspace_id%5B%5D=w2',
    'workspace_id=w1&filter[workspace_id]=w2',
    'filter.workspace_id=w2',
    'workspace.id=w2',
    'workspace%20id=w2',
    'workspace+id=w2',
    'workspace[id=w2',
    '+workspace_id=w2',
    'workspace_id%00=w2',
    'workspace_id=w1,w2',
    'workspace_id=w1%00',
    'workspace_id=w1+',
    'workspace_id=W1',
    'workspace_id=',
    'workspace_id',
    'workspace_id=%ff',
    'workspace_id=%zz',
    'workspace_i%zz=w1',
    'work%E2%80%8Bspace_id=w2',
    '%EF%BD%97orkspace_id=w2',
    '',
  ])('does not reach another by the query %s', async (query) => {
    const line = `GET /reports/daily${query === '' ? '' : '?'}${query}`;
    expectRefused(await fixture.send(line), 'bad_header');
    expectRefused(await fixture.send(line, { headers: ['X-Workspace: w1'] }));
  });

  it('does not reach another by two places that disagree, whichever of them is its own', async () => {
    for (const line of [
      'GET /both/w1?ws=w2',
      'GET /both/w2?ws=w1',
      'GET /both/w1?ws=w1&ws=w2',
      'GET /both/w1?ws[]=w2',
    ]) {
      expectRefused(await fixture.send(line));
    }
    expect(await fixture.send('GET /both/w1?ws=w1')).toMatchObject(PASSED);
  });

  it('does not reach another tenant in its own workspace', async () => {
    const foreign = refusedBy(403, 'tenant_mismatch');
    for (const account of [
      ['globex'],
      ['acme', 'globex'],
      ['globex', 'acme'],
      ['acme,globex'],
      ['ACME'],
      [''],
    ]) {
      const headers = account.map((name) => `X-Account: ${name}`);
      expect(await fixture.send('GET /both/w1', { headers })).toEqual(foreign);
    }
    expect(await fixture.send('GET /both/w1', { headers: ['X-Account: acme'] })).toMatchObject(PASSED);
  });

  it('is the only workspace that the upstream has seen named', () => {
    for (const { target, headers } of fixture.upstream.requests) {
      expect(target).not.toContain('w2');
      expect(headers.filter(([name, value]) => /workspace/i.test(name) && value !== 'w1')).toEqual([]);
    }
    expect(fixture.upstream.requests.length).toBeGreaterThan(1);
  });
});
