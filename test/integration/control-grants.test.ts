// The life of a grant through the control API: created, listed, changed, revoked by the customer; and refused to
// everybody whose grant it is not.
import { describe, expect, it } from 'vitest';
import { startControl, WISH } from '../support/control-server.ts';
import { DAY, HOUR } from '../support/grants-fixtures.ts';

const GRANTS = '/v1/tenants/acme/grants';
const ON_BEHALF = { onBehalfOf: { id: 'u-1', email: 'ada@acme.example', name: 'Ada' } };

describe('the control API', () => {
  it('creates a grant with the documented defaults and shape', async () => {
    await using t = await startControl();
    const made = await t.call('ada', 'POST', GRANTS, WISH);
    expect(made.status).toBe(201);
    expect(made.headers.get('location')).toBe(`/v1/grants/${String(made.body['id'])}`);
    expect(made.headers.get('cache-control')).toBe('no-store');
    expect(made.body).toEqual({
      id: expect.stringMatching(/^grt_/),
      tenant: 'acme',
      revision: 1,
      status: 'active',
      startsAt: '2030-01-15T12:00:00.000Z',
      expiresAt: '2030-01-22T12:00:00.000Z',
      access: 'read',
      audience: { org: 'vendor', groups: null, principals: null },
      roles: [],
      workspaces: [],
      actAs: null,
      lifts: [],
      caseRef: 'CASE-1',
      reason: WISH.reason,
      source: 'direct',
      notice: null,
      grantedBy: {
        id: 'u-1',
        email: 'ada@acme.example',
        name: 'Ada',
        kind: 'tenant_admin',
        onBehalfOf: null,
      },
      createdAt: '2030-01-15T12:00:00.000Z',
      revokedAt: null,
      revokedBy: null,
    });
    expect((await t.call('ada', 'GET', `/v1/grants/${String(made.body['id'])}`)).body).toEqual(made.body);
    expect(t.events).toMatchObject([{ event: 'grant.created', tenant: 'acme', actor: { id: 'u-1' } }]);
  });

  it.each([
    [{ duration: '8h' }, '2030-01-15T20:00:00.000Z'],
    [{ expiresAt: '2030-01-20T00:00:00+02:00' }, '2030-01-19T22:00:00.000Z'],
    [{ expiresAt: '2030-01-20' }, '2030-01-21T00:00:00.000Z'],
    [{ startsAt: '2030-01-16T00:00:00Z', duration: '1d' }, '2030-01-17T00:00:00.000Z'],
  ])('takes an end as %j', async (end, expiresAt) => {
    await using t = await startControl();
    expect((await t.call('ada', 'POST', GRANTS, { ...WISH, ...end })).body).toMatchObject({ expiresAt });
  });

  it('changes, shows what a revoke would cut, and revokes as often as it is asked to', async () => {
    await using t = await startControl();
    const { id } = (await t.call('ada', 'POST', GRANTS, WISH)).body as { id: string };
    const changed = await t.call('ada', 'PATCH', `/v1/grants/${id}`, {
      access: 'write',
      expectedRevision: 1,
    });
    expect(changed).toMatchObject({ status: 200, body: { revision: 2, access: 'write', status: 'active' } });
    const impact = await t.call('ada', 'GET', `/v1/grants/${id}/impact`);
    expect(impact.body).toEqual({ requests: 3, streams: 2, principals: 1 });
    const first = await t.call('ada', 'POST', `/v1/grants/${id}/revoke`);
    expect(first).toMatchObject({ status: 200, body: { status: 'revoked', revokedBy: { id: 'u-1' } } });
    expect(t.enforced.map(([what]) => what)).toEqual(['changed', 'revoked']);
    const again = await t.call('key', 'POST', `/v1/grants/${id}/revoke`, '');
    expect(again.body).toEqual(first.body);
    const late = await t.call('ada', 'PATCH', `/v1/grants/${id}`, { access: 'read' });
    expect(late).toMatchObject({ status: 409, body: { type: 'urn:postern:problem:ended' } });
  });

  it('pages through the grants of a tenant, by status too', async () => {
    await using t = await startControl();
    for (let i = 0; i < 3; i++) await t.call('ada', 'POST', GRANTS, WISH);
    await t.call('ada', 'POST', GRANTS, { ...WISH, duration: '1h' });
    t.clock.advance(HOUR);
    const first = await t.call('ada', 'GET', `${GRANTS}?limit=2`);
    expect(first.body['items']).toHaveLength(2);
    const rest = await t.call('ada', 'GET', `${GRANTS}?limit=2&cursor=${String(first.body['nextCursor'])}`);
    expect(rest.body).toMatchObject({ items: [{}, {}], nextCursor: null });
    expect((await t.call('ada', 'GET', `${GRANTS}?status=expired`)).body['items']).toHaveLength(1);
    expect((await t.call('gil', 'GET', '/v1/tenants/globex/grants')).body['items']).toEqual([]);
  });

  it('keeps the tenants apart: another’s path is a mismatch, another’s grant does not exist', async () => {
    await using t = await startControl();
    const { id } = (await t.call('ada', 'POST', GRANTS, WISH)).body as { id: string };
    for (const [method, path, body] of [
      ['POST', GRANTS, WISH],
      ['GET', GRANTS],
      ['GET', '/v1/tenants/acme/status'],
    ] as const) {
      const answer = await t.call('gil', method, path, body);
      expect(answer, path).toMatchObject({ status: 403, body: { reason: 'tenant_mismatch' } });
    }
    for (const [method, path, body] of [
      ['GET', `/v1/grants/${id}`],
      ['GET', `/v1/grants/${id}/impact`],
      ['PATCH', `/v1/grants/${id}`, { access: 'write' }],
      ['POST', `/v1/grants/${id}/revoke`, {}],
    ] as const) {
      const answer = await t.call('gil', method, path, body);
      const unknown = await t.call('gil', method, path.replace(id, 'grt_00000000000000000000000000'), body);
      expect(answer, path).toMatchObject({
        status: 404,
        body: { type: 'urn:postern:problem:grant_unknown' },
      });
      expect({ ...answer.body, requestId: '' }).toEqual({ ...unknown.body, requestId: '' });
    }
    expect(t.enforced).toEqual([]);
    expect((await t.store.activeFor('acme' as never))[0]?.revision).toBe(1);
  });

  it('refuses staff and services without the duty everything but their lists', async () => {
    await using t = await startControl();
    const { id } = (await t.call('ada', 'POST', GRANTS, WISH)).body as { id: string };
    const calls = [
      ['POST', GRANTS, { ...WISH, ...ON_BEHALF }],
      ['POST', GRANTS, 'not json'],
      ['GET', `/v1/grants/${id}`],
      ['HEAD', `/v1/grants/${id}`],
      ['PATCH', `/v1/grants/${id}`, { access: 'write' }],
      ['POST', `/v1/grants/${id}/revoke`],
      ['GET', `/v1/grants/${id}/impact`],
    ] as const;
    for (const [caller, type] of [
      ['sam', 'staff_never_grant'],
      ['idle', 'service_not_allowed'],
    ] as const) {
      for (const [method, path, body] of calls) {
        const answer = await t.call(caller, method, path, body);
        expect(answer.status, `${caller} ${method} ${path}`).toBe(403);
        if (method !== 'HEAD') expect(answer.body['type']).toBe(`urn:postern:problem:${type}`);
      }
    }
    expect(t.events).toHaveLength(1);
  });

  it('lists for staff what covers them, in a tenant and everywhere, and whether it is open for them', async () => {
    await using t = await startControl();
    const mine = (await t.call('ada', 'POST', GRANTS, WISH)).body['id'];
    await t.call('ada', 'POST', GRANTS, { ...WISH, access: 'write', audience: { groups: ['security'] } });
    await t.call('gil', 'POST', '/v1/tenants/globex/grants', { ...WISH, audience: { org: 'other' } });
    for (const path of ['/v1/me/grants', GRANTS]) {
      expect((await t.call('sam', 'GET', path)).body, path).toMatchObject({
        items: [{ id: mine }],
        nextCursor: null,
      });
    }
    const status = (caller: string, tenant: string) => t.call(caller, 'GET', `/v1/tenants/${tenant}/status`);
    expect((await status('sam', 'acme')).body).toMatchObject({ open: true, access: 'read' });
    expect((await status('sam', 'globex')).body).toEqual({ open: false, openUntil: null, access: null });
    expect((await status('ada', 'acme')).body).toEqual({
      open: true,
      openUntil: '2030-01-22T12:00:00.000Z',
      access: 'write',
    });
    expect((await t.call('ada', 'GET', '/v1/me/grants')).status).toBe(403);
    expect((await status('key', 'acme')).status).toBe(403);
  });

  it('lets a service create only for a named person, and narrow and revoke without one', async () => {
    await using t = await startControl();
    const alone = await t.call('key', 'POST', GRANTS, WISH);
    expect(alone).toMatchObject({ status: 403, body: { type: 'urn:postern:problem:on_behalf_of_required' } });
    const made = await t.call('key', 'POST', GRANTS, {
      ...WISH,
      ...ON_BEHALF,
      roles: ['viewer', 'administrator'],
    });
    expect(made.body['grantedBy']).toEqual({
      id: 'provisioning',
      email: null,
      name: 'provisioning',
      kind: 'service',
      ...ON_BEHALF,
    });
    const path = `/v1/grants/${String(made.body['id'])}`;
    const longer = { expiresAt: new Date(t.clock.now() + 10 * DAY).toISOString() };
    for (const wider of [longer, { roles: ['administrator'] }]) {
      const widened = await t.call('key', 'PATCH', path, wider);
      expect(widened).toMatchObject({ status: 403, body: { type: 'urn:postern:problem:consent_required' } });
    }
    expect((await t.call('key', 'PATCH', path, { ...longer, ...ON_BEHALF })).status).toBe(200);
    const shorter = { expiresAt: new Date(t.clock.now() + HOUR).toISOString(), roles: ['viewer'] };
    expect((await t.call('key', 'PATCH', path, shorter)).status).toBe(200);
    expect((await t.call('key', 'POST', `${path}/revoke`)).body['status']).toBe('revoked');
    const claimed = await t.call('ada', 'POST', GRANTS, { ...WISH, ...ON_BEHALF });
    expect(claimed.body['type']).toBe('urn:postern:problem:on_behalf_of_not_allowed');
  });

  it('never lets a named person be the user of what a service asks for them', async () => {
    await using t = await startControl();
    const sams = { audience: { principals: [{ issuer: 'https://idp.vendor.example', id: 'sam' }] } };
    const onBehalfOf = { id: 'sam', email: 'sam@vendor.example' };
    const answer = await t.call('key', 'POST', GRANTS, { ...WISH, ...sams, onBehalfOf });
    expect(answer).toMatchObject({ status: 403, body: { type: 'urn:postern:problem:self_grant' } });
    await t.call('key', 'POST', GRANTS, { ...WISH, onBehalfOf: { id: 'x', email: 'SAM@vendor.example' } });
    expect((await t.call('sam', 'GET', '/v1/me/grants')).body['items']).toEqual([]);
  });

  it('says store_unavailable and enforces nothing when the store fails', async () => {
    await using t = await startControl();
    const { id } = (await t.call('ada', 'POST', GRANTS, WISH)).body as { id: string };
    t.breakStore();
    const answer = await t.call('ada', 'POST', `/v1/grants/${id}/revoke`);
    expect(answer).toMatchObject({ status: 503, body: { reason: 'store_unavailable' } });
    expect(answer.headers.get('retry-after')).toBe('1');
    expect(t.enforced).toEqual([]);
    expect(t.logged).toMatchObject([{ code: 'STORE_UNAVAILABLE', requestId: answer.body['requestId'] }]);
  });
});
