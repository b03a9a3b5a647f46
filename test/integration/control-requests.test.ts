// Access requests over the control API: asked by staff, decided by a lead and then by the customer, seen by nobody else.
import { describe, expect, it } from 'vitest';
import { ASK, type RequestsControl, startRequestsControl } from '../support/control-requests.ts';
import { DAY } from '../support/grants-fixtures.ts';

const REQUESTS = '/v1/access-requests';
const problem = (code: string) => ({ type: `urn:postern:problem:${code}` });

async function asked(t: RequestsControl, body: object = ASK, caller = 'sam'): Promise<string> {
  const made = await t.call(caller, `POST ${REQUESTS}`, body);
  expect(made.status, JSON.stringify(made.body)).toBe(201);
  return String(made.body['id']);
}

describe('access requests', () => {
  it('are asked, shown and approved with the documented shape, and the grant is there', async () => {
    await using t = await startRequestsControl();
    const made = await t.call('sam', `POST ${REQUESTS}`, ASK);
    expect(made.status).toBe(201);
    const id = String(made.body['id']);
    expect(made.headers.get('location')).toBe(`${REQUESTS}/${id}`);
    expect(made.headers.get('etag')).toBe('"1"');
    expect(made.body).toEqual({
      id,
      tenant: 'acme',
      revision: 1,
      status: 'awaiting_tenant',
      asker: {
        id: 'sam',
        issuer: 'https://idp.vendor.example',
        email: 'sam@vendor.example',
        name: 'Sam',
        org: 'vendor',
      },
      caseRef: 'CASE-1',
      reason: ASK.reason,
      wanted: { access: 'write', duration: '3d', roles: ['agent'], workspaces: [], actAs: null, lifts: [] },
      tenantApprovals: [],
      createdAt: '2030-01-15T12:00:00.000Z',
      lapsesAt: '2030-01-16T12:00:00.000Z',
    });
    for (const caller of ['sam', 'ada', 'key']) {
      expect((await t.call(caller, `GET ${REQUESTS}/${id}`)).body).toEqual(made.body);
    }
    const approved = await t.call('ada', `POST ${REQUESTS}/${id}/approve`, { duration: '1d' });
    expect(approved).toMatchObject({
      status: 200,
      body: {
        status: 'approved',
        revision: 2,
        narrowed: { duration: '1d', access: 'write' },
        tenantApprovals: [{ by: { id: 'u-1', kind: 'tenant_admin' }, at: '2030-01-15T12:00:00.000Z' }],
      },
    });
    expect(approved.headers.get('etag')).toBe('"2"');
    const grant = await t.call('ada', `GET /v1/grants/${String(approved.body['grantId'])}`);
    expect(grant.body).toMatchObject({
      access: 'write',
      audience: {
        org: null,
        groups: null,
        principals: [{ issuer: 'https://idp.vendor.example', id: 'sam' }],
      },
      expiresAt: '2030-01-16T12:00:00.000Z',
      grantedBy: { id: 'u-1' },
    });
    expect(t.events.map(({ event }) => event)).toEqual(['request.made', 'request.decided', 'grant.created']);
  });

  it('pass a lead first where the tenant settled so; staff never decide in the customer’s place', async () => {
    await using t = await startRequestsControl({ settings: { leadFirst: true, approvals: 2 } });
    const id = await asked(t);
    const approve = (caller: string, body?: object) => t.call(caller, `POST ${REQUESTS}/${id}/approve`, body);
    expect(await approve('samAsLead')).toMatchObject({ status: 403, body: problem('own_request') });
    expect(await approve('tom')).toMatchObject({ status: 403, body: problem('leads_only') });
    expect(await approve('sue')).toMatchObject({ status: 403, body: problem('leads_only') });
    expect(await approve('ada')).toMatchObject({ status: 409, body: problem('awaiting_lead') });
    expect(await approve('lea')).toMatchObject({ status: 200, body: { status: 'awaiting_tenant' } });
    expect(await approve('lea')).toMatchObject({ status: 409, body: problem('awaiting_tenant') });
    expect(await approve('samAtAcme')).toMatchObject({ status: 403, body: problem('own_request') });
    expect(await approve('key')).toMatchObject({ status: 403, body: problem('on_behalf_of_required') });
    const ofSam = { onBehalfOf: { id: 'x', email: 'SAM@vendor.example' } };
    expect(await approve('key', ofSam)).toMatchObject({ status: 403, body: problem('own_request') });
    expect(await approve('ada')).toMatchObject({ status: 200, body: { status: 'awaiting_tenant' } });
    const ofAda = { onBehalfOf: { id: 'u-1', email: 'other@acme.example' } };
    expect(await approve('key', ofAda)).toMatchObject({ status: 409, body: problem('approved_before') });
    const ofAbe = { onBehalfOf: { id: 'u-9', email: 'abe@acme.example', name: 'Abe' } };
    expect(await approve('key', ofAbe)).toMatchObject({ status: 200, body: { status: 'approved' } });
    expect(await approve('abe')).toMatchObject({ status: 409, body: problem('request_decided') });
  });

  it('are seen by whoever asked, by leads at their turn and by the tenant, and exist for nobody else', async () => {
    await using t = await startRequestsControl();
    const id = await asked(t);
    const unknown = 'req_00000000000000000000000000';
    for (const [caller, target] of [
      ['tom', `GET ${REQUESTS}/${id}`],
      ['tom', `POST ${REQUESTS}/${id}/withdraw`],
      ['sue', `GET ${REQUESTS}/${id}`],
      ['lea', `GET ${REQUESTS}/${id}`],
      ['lea', `POST ${REQUESTS}/${id}/approve`],
      ['lea', `POST ${REQUESTS}/${id}/deny`],
      ['gil', `GET ${REQUESTS}/${id}`],
      ['gil', `POST ${REQUESTS}/${id}/approve`],
    ] as const) {
      const answer = await t.call(caller, target);
      const none = await t.call(caller, target.replace(id, unknown) as typeof target);
      expect(answer, `${caller} ${target}`).toMatchObject({ status: 404, body: problem('request_unknown') });
      expect({ ...answer.body, requestId: '' }).toEqual({ ...none.body, requestId: '' });
    }
    for (const [caller, target, code] of [
      ['ada', `POST ${REQUESTS}`, 'asker_only'],
      ['key', `POST ${REQUESTS}`, 'asker_only'],
      ['uwe', `GET ${REQUESTS}/${id}`, 'not_tenant_admin'],
      ['uwe', `POST ${REQUESTS}/${id}/approve`, 'not_tenant_admin'],
      ['idle', `POST ${REQUESTS}/${id}/approve`, 'service_not_allowed'],
      ['ada', `POST ${REQUESTS}/${id}/withdraw`, 'asker_only'],
      ['sam', 'GET /v1/tenants/acme/access-requests', 'not_tenant_admin'],
      ['sam', `GET ${REQUESTS}?view=awaiting_lead`, 'leads_only'],
    ] as const) {
      const body = target === `POST ${REQUESTS}` ? ASK : undefined;
      const answer = await t.call(caller, target, body);
      expect(answer, `${caller} ${target}`).toMatchObject({ status: 403, body: problem(code) });
    }
    const other = await t.call('gil', 'GET /v1/tenants/acme/access-requests');
    expect(other).toMatchObject({ status: 403, body: { reason: 'tenant_mismatch' } });
  });

  it('are listed in pages: one’s own, those that wait for a lead, those of a tenant', async () => {
    await using t = await startRequestsControl({ settings: { leadFirst: true } });
    for (let i = 0; i < 3; i++) await asked(t, { ...ASK, caseRef: `CASE-${i}` });
    const ofLead = await asked(t, ASK, 'lea');
    const first = await t.call('sam', `GET ${REQUESTS}?limit=2`);
    expect(first.body['items']).toMatchObject([{ caseRef: 'CASE-2' }, { caseRef: 'CASE-1' }]);
    const rest = await t.call('sam', `GET ${REQUESTS}?limit=2&cursor=${String(first.body['nextCursor'])}`);
    expect(rest.body).toMatchObject({ items: [{ caseRef: 'CASE-0' }], nextCursor: null });
    expect((await t.call('lea', `GET ${REQUESTS}`)).body['items']).toHaveLength(4);
    expect((await t.call('lea', `GET ${REQUESTS}?view=mine`)).body['items']).toMatchObject([{ id: ofLead }]);
    const ofTenant = await t.call('ada', 'GET /v1/tenants/acme/access-requests?status=awaiting_lead');
    expect(ofTenant.body['items']).toHaveLength(4);
    expect((await t.call('tom', `GET ${REQUESTS}`)).body).toEqual({ items: [], nextCursor: null });
  });

  it('are denied with a why, withdrawn, or lapse', async () => {
    await using t = await startRequestsControl();
    const first = await asked(t);
    const denied = await t.call('ada', `POST ${REQUESTS}/${first}/deny`, { why: 'Not on a Friday.' });
    expect(denied).toMatchObject({
      status: 200,
      body: { status: 'denied', denied: { why: 'Not on a Friday.', by: { id: 'u-1' } } },
    });
    const second = await asked(t);
    const twice = await t.call('sam', `POST ${REQUESTS}`, ASK);
    expect(twice).toMatchObject({ status: 409, body: problem('request_pending') });
    expect((await t.call('sam', `POST ${REQUESTS}/${second}/withdraw`)).body['status']).toBe('withdrawn');
    const third = await asked(t);
    t.store.clock.advance(DAY);
    const late = await t.call('ada', `POST ${REQUESTS}/${third}/approve`);
    expect(late).toMatchObject({ status: 409, body: problem('request_decided') });
    expect((await t.call('ada', `GET ${REQUESTS}/${third}`)).body['status']).toBe('lapsed');
    expect(await t.store.grants.activeFor('acme' as never)).toEqual([]);
  });

  it('refuse what does not have the form or is not allowed, each with a type and a sentence', async () => {
    await using t = await startRequestsControl();
    for (const [code, status, over] of [
      ['invalid_request', 400, { access: 'admin' }],
      ['invalid_request', 400, { tenant: 'a/b' }],
      ['invalid_request', 400, { audience: { org: 'vendor' } }],
      ['invalid_request', 400, { onBehalfOf: { id: 'u-1', email: 'ada@acme.example' } }],
      ['duration_invalid', 422, { duration: 'a week' }],
      ['too_long', 422, { duration: '1y' }],
      ['lift_not_allowed', 422, { lifts: ['billing'] }],
      ['case_ref_required', 422, { caseRef: null }],
      ['escalation_invalid', 422, { escalates: 'req_00000000000000000000000000' }],
    ] as const) {
      const answer = await t.call('sam', `POST ${REQUESTS}`, { ...ASK, ...over });
      expect(answer, code).toMatchObject({ status, body: problem(code) });
      expect(answer.body['detail']).toMatch(/^[A-Z].*\.$/);
    }
    t.store.settle({ suspended: true });
    const shut = await t.call('sam', `POST ${REQUESTS}`, ASK);
    expect(shut).toMatchObject({ status: 409, body: problem('tenant_suspended') });
    expect((await t.call('sam', `GET ${REQUESTS}`)).body['items']).toEqual([]);
    expect(t.events).toEqual([]);
  });

  it('are decided against the revision that If-Match names', async () => {
    await using t = await startRequestsControl({ settings: { approvals: 2 } });
    const id = await asked(t);
    const approve = (caller: string, tag: string) =>
      t.call(caller, `POST ${REQUESTS}/${id}/approve`, undefined, { 'if-match': tag });
    for (const tag of ['"2"', 'W/"1"', '1', '"x", "2"']) {
      expect(await approve('ada', tag), tag).toMatchObject({
        status: 412,
        body: problem('precondition_failed'),
      });
    }
    expect((await approve('ada', '"9", "1"')).headers.get('etag')).toBe('"2"');
    expect((await approve('abe', '"1"')).status).toBe(412);
    expect((await approve('abe', '*')).body['status']).toBe('approved');
  });
});
