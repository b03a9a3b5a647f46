// A grant under a tenant's own policy, through the control API: who may give it, what the vendor verifies before it is
// used, in whose zone its days end, and the history its admins read.
import { describe, expect, it } from 'vitest';
import { startControl, WISH } from '../support/control-server.ts';
import { acme, sam, settingsWith } from '../support/grants-fixtures.ts';

const GRANTS = '/v1/tenants/acme/grants';
const problem = (code: string) => `urn:postern:problem:${code}`;

describe('verification by the vendor', () => {
  const settings = settingsWith({ vendorVerification: 'required' });

  it('leaves a grant pending until a lead whom it does not cover has verified it, and says who', async () => {
    await using t = await startControl({ settings });
    const made = await t.call('ada', 'POST', GRANTS, WISH);
    expect(made.body).toMatchObject({ status: 'pending', verification: { status: 'pending' } });
    const path = `/v1/grants/${String(made.body['id'])}`;
    const waiting = await t.call('lea', 'GET', '/v1/me/verifications');
    expect(waiting.body).toMatchObject({ items: [{ id: made.body['id'] }], nextCursor: null });
    const verified = await t.call('lea', 'POST', `${path}/verify`);
    expect(verified).toMatchObject({
      status: 200,
      body: {
        status: 'active',
        revision: 2,
        verification: { status: 'verified', by: { id: 'lea', kind: 'staff' } },
      },
    });
    expect(verified.headers.get('etag')).toBe('"2"');
    expect((await t.call('lea', 'POST', `${path}/verify`)).body).toEqual(verified.body);
    expect((await t.call('lea', 'GET', '/v1/me/verifications')).body['items']).toEqual([]);
    expect(t.events.map(({ event, details }) => [event, details['verification']])).toEqual([
      ['grant.created', 'pending'],
      ['grant.changed', 'verified'],
    ]);
  });

  it('is refused to a lead whom the grant names, to staff without the duty, to the customer and to programs', async () => {
    await using t = await startControl({ settings });
    const audience = { org: 'vendor', principals: [{ issuer: sam.issuer, id: sam.id }] };
    const { id } = (await t.call('ada', 'POST', GRANTS, { ...WISH, audience })).body as { id: string };
    const verify = (caller: string) => t.call(caller, 'POST', `/v1/grants/${id}/verify`, {});
    expect(await verify('sam')).toMatchObject({ status: 403, body: { type: problem('verifier_is_user') } });
    expect((await verify('sue')).body['type']).toBe(problem('leads_only'));
    expect((await verify('ada')).body['type']).toBe(problem('leads_only'));
    expect((await verify('key')).body['type']).toBe(problem('service_not_allowed'));
    expect((await t.store.get(id as never))?.revision).toBe(1);
  });

  it('is asked anew once the grant lasts longer, and refused against a revision that was replaced', async () => {
    await using t = await startControl({ settings });
    const { id } = (await t.call('ada', 'POST', GRANTS, WISH)).body as { id: string };
    const path = `/v1/grants/${id}`;
    await t.call('lea', 'POST', `${path}/verify`);
    const longer = await t.call('ada', 'PATCH', path, { expiresAt: '2030-01-25T12:00:00Z' });
    expect(longer.body).toMatchObject({ status: 'pending', revision: 3 });
    expect(t.enforced.map(([what, { revision }]) => [what, revision])).toEqual([['changed', 3]]);
    const stale = await t.call('lea', 'POST', `${path}/verify`, { expectedRevision: 1 });
    expect(stale.body['type']).toBe(problem('stale_revision'));
    expect((await t.call('lea', 'POST', `${path}/verify`, { expectedRevision: 3 })).body['status']).toBe(
      'active',
    );
    const shorter = await t.call('ada', 'PATCH', path, { expiresAt: '2030-01-24T12:00:00Z' });
    expect(shorter.body['status']).toBe('active');
  });

  it('is not asked of a tenant that does not need it', async () => {
    await using t = await startControl();
    const made = await t.call('ada', 'POST', GRANTS, WISH);
    expect(made.body).not.toHaveProperty('verification');
    const answer = await t.call('lea', 'POST', `/v1/grants/${String(made.body['id'])}/verify`);
    expect(answer).toMatchObject({ status: 409, body: { type: problem('verification_not_asked') } });
  });
});

describe('users of the customer', () => {
  const settings = settingsWith({ mayGrant: { kind: 'licensed_users', product: 'helpdesk' } });

  it('grant to act as themselves and reach only that, where the tenant lets them', async () => {
    await using t = await startControl({ settings });
    const own = await t.call('ulla', 'POST', GRANTS, { ...WISH, actAs: 'u-4' });
    expect(own).toMatchObject({ status: 201, body: { actAs: 'u-4', grantedBy: { kind: 'tenant_user' } } });
    expect(own.body['grantedBy']).not.toHaveProperty('holds');
    expect((await t.store.get(own.body['id'] as never))?.grantedBy).not.toHaveProperty('holds');
    const path = `/v1/grants/${String(own.body['id'])}`;
    const longer = await t.call('ulla', 'PATCH', path, { expiresAt: '2030-01-25T12:00:00Z' });
    expect(longer.body['revision']).toBe(2);
    expect((await t.call('ulla', 'GET', GRANTS)).body['items']).toHaveLength(1);
    expect((await t.call('uwe', 'GET', GRANTS)).body['items']).toEqual([]);
    for (const [method, url, body] of [
      ['GET', path],
      ['GET', `${path}/impact`],
      ['PATCH', path, { access: 'read' }],
      ['POST', `${path}/revoke`],
    ] as const) {
      expect((await t.call('uwe', method, url, body)).body['type'], url).toBe(problem('grant_unknown'));
    }
    expect((await t.call('ulla', 'GET', `${path}/revisions`)).body['type']).toBe(problem('not_tenant_admin'));
    expect((await t.call('ulla', 'POST', `${path}/revoke`)).body['status']).toBe('revoked');
  });

  it.each([
    ['ulla', { actAs: 'u-1' }, 'policy_own_user'],
    ['ulla', {}, 'policy_own_user'],
    ['uwe', { actAs: 'u-2' }, 'policy_licence'],
    ['ada', {}, 'policy_licence'],
  ] as const)('%s with %j is %s', async (caller, over, code) => {
    await using t = await startControl({ settings });
    const answer = await t.call(caller, 'POST', GRANTS, { ...WISH, ...over });
    expect(answer).toMatchObject({ status: 403, body: { type: problem(code) } });
    expect(answer.body['detail']).toMatch(/policy of this tenant/);
    expect((await t.store.list({ tenant: acme, limit: 1, cursor: null })).items).toEqual([]);
  });

  it('grant nothing by default, and the answer names the policy', async () => {
    await using t = await startControl();
    const answer = await t.call('uwe', 'POST', GRANTS, { ...WISH, actAs: 'u-2' });
    expect(answer).toMatchObject({ status: 403, body: { type: problem('policy_admins') } });
  });

  it('are believed by what a service says they hold, and nothing more', async () => {
    const policy = settingsWith({ mayGrant: { kind: 'permission', permission: 'support.manage' } });
    await using t = await startControl({ settings: policy });
    const named = { id: 'u-1', email: 'ada@acme.example' };
    const without = await t.call('key', 'POST', GRANTS, { ...WISH, onBehalfOf: named });
    expect(without.body['type']).toBe(problem('policy_permission'));
    const onBehalfOf = { ...named, permissions: ['support.manage'] };
    expect((await t.call('key', 'POST', GRANTS, { ...WISH, onBehalfOf })).status).toBe(201);
  });
});

describe('the tenant’s own calendar', () => {
  it('ends days in the tenant’s zone and counts months there', async () => {
    const settings = settingsWith({ timeZone: 'America/New_York', durations: { max: '1y' } });
    await using t = await startControl({ settings });
    const end = async (over: object) =>
      (await t.call('ada', 'POST', GRANTS, { ...WISH, ...over })).body['expiresAt'];
    expect(await end({ expiresAt: '2030-01-20' })).toBe('2030-01-21T05:00:00.000Z');
    expect(await end({ expiresAt: '2030-03-10' })).toBe('2030-03-11T04:00:00.000Z');
    expect(await end({ duration: '2mo' })).toBe('2030-03-15T11:00:00.000Z');
    expect(await end({})).toBe('2030-01-22T12:00:00.000Z');
  });

  it('takes nothing but whole days where ends are dates, and its own default access', async () => {
    const durations = { wholeDays: 1, min: '1d', max: '5y', default: '1w' };
    const settings = settingsWith({ timeZone: 'Asia/Kolkata', durations, defaultAccess: 'write' });
    await using t = await startControl({ settings });
    const made = await t.call('ada', 'POST', GRANTS, WISH);
    expect(made.body).toMatchObject({ access: 'write', expiresAt: '2030-01-22T18:30:00.000Z' });
    const refused = async (expiresAt: string) =>
      (await t.call('ada', 'POST', GRANTS, { ...WISH, expiresAt })).body['type'];
    expect(await refused('2030-01-20T12:00:00Z')).toBe(problem('whole_days'));
    expect(await refused('2030-01-15')).toBe(problem('too_short'));
    expect(await refused('2035-01-16')).toBe(problem('too_long'));
    expect((await t.call('ada', 'POST', GRANTS, { ...WISH, expiresAt: '2035-01-15' })).status).toBe(201);
    expect((await t.call('ada', 'POST', GRANTS, { ...WISH, expiresAt: '2030-01-16' })).status).toBe(201);
  });
});

describe('the history of a grant', () => {
  it('tells the tenant’s admins each revision, newest first, page by page', async () => {
    await using t = await startControl();
    const { id } = (await t.call('ada', 'POST', GRANTS, WISH)).body as { id: string };
    const path = `/v1/grants/${id}`;
    await t.call('ada', 'PATCH', path, { access: 'write' });
    await t.call('key', 'POST', `${path}/revoke`);
    const first = await t.call('ada', 'GET', `${path}/revisions?limit=2`);
    expect(first.body['items']).toMatchObject([
      { operation: 'revoke', by: { id: 'provisioning' }, grant: { revision: 3, status: 'revoked' } },
      { operation: 'change', by: { id: 'u-1' }, grant: { revision: 2, access: 'write' } },
    ]);
    const cursor = String(first.body['nextCursor']);
    const rest = await t.call('ada', 'GET', `${path}/revisions?limit=2&cursor=${cursor}`);
    expect(rest.body).toMatchObject({
      items: [{ operation: 'create', grant: { revision: 1 } }],
      nextCursor: null,
    });
    expect((await t.call('gil', 'GET', `${path}/revisions`)).body['type']).toBe(problem('grant_unknown'));
    expect((await t.call('key', 'GET', `${path}/revisions`)).status).toBe(403);
    expect((await t.call('sam', 'GET', `${path}/revisions`)).status).toBe(403);
  });

  it('refuses a change against another revision than If-Match names', async () => {
    await using t = await startControl();
    const made = await t.call('ada', 'POST', GRANTS, WISH);
    expect(made.headers.get('etag')).toBe('"1"');
    const path = `/v1/grants/${String(made.body['id'])}`;
    const change = (tag: string) =>
      fetch(t.url + path, {
        method: 'PATCH',
        headers: { authorization: 'Bearer ada', 'content-type': 'application/json', 'if-match': tag },
        body: '{"access":"write"}',
      });
    expect((await change('"7"')).status).toBe(412);
    expect((await change('"1"')).headers.get('etag')).toBe('"2"');
    expect((await change('"1"')).status).toBe(412);
  });
});

describe('an excluded organisation', () => {
  const settings = settingsWith({ excludedOrgs: ['vendor'] });

  it('is let in by no new grant, and sees none of those there are', async () => {
    await using t = await startControl({ settings });
    const answer = await t.call('ada', 'POST', GRANTS, WISH);
    expect(answer).toMatchObject({ status: 403, body: { type: problem('org_excluded') } });
    const unnamed = { ...WISH, audience: { groups: sam.groups } };
    expect((await t.call('ada', 'POST', GRANTS, unnamed)).status).toBe(201);
    expect((await t.call('sam', 'GET', '/v1/me/grants')).body['items']).toEqual([]);
    expect((await t.call('ada', 'POST', GRANTS, { ...WISH, audience: { org: 'desk' } })).status).toBe(201);
  });
});
