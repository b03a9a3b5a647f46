// The workspace and tenant that a request names, by path, header and query, through the whole gate: limited grants stay
// in their workspaces, another tenant's name is refused, and every record says which workspace it was.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { untilPublished } from '../support/gate-traffic.ts';
import { PASSED, type PolicyGate, refusedBy, startPolicyGate } from '../support/policy-gate.ts';

const MAPS = `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: rules }
spec:
  rules:
    - { id: export.all, category: export, match: [ { paths: ["/**/exports/**"] } ] }
---
apiVersion: postern/v1
kind: ScopeMap
metadata: { name: scopes }
spec:
  scopes:
    - { paths: ["/workspaces/{id}/**"], workspace: { path: id } }
    - { paths: ["/tickets/**"], workspace: { header: X-Workspace } }
    - { paths: ["/reports/**"], workspace: { query: workspace } }
    - { paths: ["/must/**"], workspace: { header: X-Workspace }, required: true }
    - { paths: ["/orgs/{org}/**"], tenant: { path: org } }
    - { paths: ["/accounts/**"], tenant: { header: X-Account }, required: true }
`;
const OUT = refusedBy(403, 'workspace_out_of_scope');
const FOREIGN = refusedBy(403, 'tenant_mismatch');

const passes = (line: string) => ({ ...PASSED, forwarded: [line] });
const named = (value: string) => ({ headers: [`X-Workspace: ${value}`] });
const account = (value: string) => ({ headers: [`X-Account: ${value}`] });

describe('a grant for two workspaces', () => {
  let fixture: PolicyGate;
  /** Of somebody whose grant is for every workspace. */
  let everywhere: string;

  beforeAll(async () => {
    fixture = await startPolicyGate({ policy: MAPS, published: true });
    const { gate } = fixture;
    const only = (id: string) => ({ audience: { principals: [{ issuer: gate.workforce.issuer, id }] } });
    const workspaces = [
      { id: 'w1', roles: ['viewer'] },
      { id: 'w 2', roles: [] },
    ];
    await gate.grant({ ...only('sam'), workspaces });
    await gate.grant(only('uma'));
    everywhere = await gate.staffToken({ sub: 'uma' });
  });
  beforeEach(() => {
    fixture.takeLines();
  });
  afterAll(async () => {
    await fixture[Symbol.asyncDispose]();
  });

  it('reaches the workspaces that the path names, and no other', async () => {
    for (const path of ['/workspaces/w1', '/workspaces/w1/tickets', '/workspaces/w%202/x', '/elsewhere']) {
      expect(await fixture.send(`GET ${path}`), path).toEqual(passes(`GET ${path}`));
    }
    for (const path of ['/workspaces/w3', '/workspaces/w3/tickets', '/workspaces/W1', '/workspaces/w1;x/t']) {
      expect(await fixture.send(`GET ${path}`), path).toEqual(OUT);
    }
  });

  it('reaches the workspace that a header names, and without one nothing is named', async () => {
    expect(await fixture.send('POST /tickets/7', named('w1'))).toEqual(passes('POST /tickets/7'));
    expect(fixture.last().headers).toContainEqual(['X-Workspace', 'w1']);
    expect(await fixture.send('POST /tickets/7')).toEqual(passes('POST /tickets/7'));
    expect(await fixture.send('POST /tickets/7', named('w3'))).toEqual(OUT);
    expect(await fixture.send('POST /tickets/7', named(''))).toEqual(OUT);
    expect(await fixture.send('GET /must/x', named('w1'))).toEqual(passes('GET /must/x'));
    expect(await fixture.send('GET /must/x')).toEqual(OUT);
  });

  it('reaches the workspace that a query names', async () => {
    const allowed = ['/reports?workspace=w1', '/reports?a=1&workspace=w%202', '/reports?a=workspace'];
    for (const target of allowed)
      expect(await fixture.send(`GET ${target}`)).toEqual(passes(`GET ${target}`));
    expect(await fixture.send('GET /reports?workspace=w3')).toEqual(OUT);
    expect(await fixture.send('GET /reports?workspace=')).toEqual(OUT);
  });

  it('is asked of an upgrade as of anything else', async () => {
    const headers = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'];
    const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
    expect(await fixture.send('GET /workspaces/w3/live', { headers: [...headers, key] })).toEqual(OUT);
  });

  it('lets the other grant, which is for all of them, go anywhere in the tenant', async () => {
    for (const line of ['GET /workspaces/w3', 'GET /reports?workspace=w3', 'GET /must/x']) {
      expect(await fixture.send(line, { token: everywhere }), line).toEqual(passes(line));
    }
  });

  it('another tenant is foreign to every grant, and no name is too where one is required', async () => {
    for (const token of [undefined, everywhere]) {
      const sent = token === undefined ? {} : { token };
      expect(await fixture.send('GET /orgs/acme/x', sent)).toEqual(passes('GET /orgs/acme/x'));
      expect(await fixture.send('GET /orgs/globex/x', sent)).toEqual(FOREIGN);
      expect(await fixture.send('GET /orgs/Acme/x', sent)).toEqual(FOREIGN);
      expect(await fixture.send('GET /accounts/x', { ...account('acme'), ...sent })).toEqual(
        passes('GET /accounts/x'),
      );
      expect(await fixture.send('GET /accounts/x', { ...account('globex'), ...sent })).toEqual(FOREIGN);
      expect(await fixture.send('GET /accounts/x', sent)).toEqual(FOREIGN);
    }
  });

  it('comes before the rules, and the rules still hold in its workspaces', async () => {
    expect(await fixture.send('GET /workspaces/w3/exports')).toEqual(OUT);
    expect(await fixture.send('GET /workspaces/w1/exports')).toEqual(
      refusedBy(403, 'rule_denied', 'export.all'),
    );
  });

  it('has the workspace in the journal and the published record: of what passed, and of what a rule denied', async () => {
    await fixture.send('GET /workspaces/w1/noted');
    await fixture.send('GET /workspaces/w1/exports/noted');
    await fixture.send('GET /workspaces/w3/noted');
    await fixture.send('GET /noted');
    await fixture.send('GET /workspaces/w3/noted', { token: everywhere });
    await fixture.send('GET /WORKSPACES/w3/noted', { token: everywhere });
    const lines = fixture.takeLines().filter(({ k }) => k === 'intent' || k === 'refused');
    const wanted = [
      ['intent', 'w1'],
      ['refused', 'w1'],
      // What it named and may not have is in the path; the grant's own was none of it.
      ['refused', undefined],
      ['intent', undefined],
      ['intent', 'w3'],
      // In a spelling that the application may not take for the map's.
      ['intent', undefined],
    ];
    expect(lines.map(({ k, workspace }) => [k, workspace])).toEqual(wanted);
    const records = await untilPublished(
      fixture.gate,
      (all) => all.filter((record) => pathOf(record).endsWith('/noted')).length === 6,
    );
    const noted = records.filter((record) => pathOf(record).endsWith('/noted'));
    expect(noted.map(({ workspace }) => workspace ?? null).toSorted()).toEqual(
      ['w1', 'w1', 'w3', null, null, null].toSorted(),
    );
  });
});

function pathOf(record: Record<string, unknown>): string {
  return (record['http'] as { path?: string } | undefined)?.path ?? '';
}

describe('a map where the tenant is a prefix of the path', () => {
  it.each([
    ['taken off', true, ''],
    ['kept', false, '/t/acme'],
  ])('is matched behind it, whether it is %s for the upstream', async (_what, strip, prefix) => {
    await using fixture = await startPolicyGate({
      policy: MAPS,
      config: {
        traffic: { hosts: ['acme.app.test'] },
        tenancy: { from: 'path', pattern: '/t/{tenant}', strip },
      },
    });
    await fixture.gate.grant({ workspaces: [{ id: 'w1', roles: [] }] });
    const passes = (path: string) => ({ ...PASSED, forwarded: [`GET ${prefix}${path}`] });
    expect(await fixture.send('GET /t/acme/workspaces/w1/x')).toEqual(passes('/workspaces/w1/x'));
    expect(await fixture.send('GET /t/acme/workspaces/w3/x')).toEqual(OUT);
    expect(await fixture.send('GET /t/acme/orgs/globex')).toEqual(FOREIGN);
    expect(await fixture.send('GET /t/acme/orgs/acme')).toEqual(passes('/orgs/acme'));
    expect(await fixture.send('GET /t/acme/workspaces/w1/exports')).toEqual(
      refusedBy(403, 'rule_denied', 'export.all'),
    );
    expect(await fixture.send('GET /t/globex/workspaces/w1/x')).toEqual(refusedBy(403, 'no_grant'));
  });
});
