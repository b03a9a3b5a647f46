// Settings and the switch through the control API: each side settles its own part, against the revision that it has read,
// and what is settled is true for traffic when the call returns.
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, it } from 'vitest';
import { type ControlUnderTest, startControl } from '../support/control-server.ts';
import { DAY } from '../support/grants-fixtures.ts';
import { TEST_DEFAULTS } from '../contract/settings-store.ts';

const SETTINGS = '/v1/tenants/acme/settings';
const ACCESS = '/v1/tenants/acme/access';

const start = () => startControl({ defaults: TEST_DEFAULTS });

async function settle(t: ControlUnderTest, caller: string, body: unknown, tag?: string) {
  const read = await t.call(caller, 'GET', SETTINGS);
  const etag = tag ?? read.headers.get('etag') ?? '';
  return t.callWith(caller, { method: 'PUT', path: SETTINGS, body, headers: { 'if-match': etag } });
}

const typeOf = (body: Readonly<Record<string, unknown>>) =>
  String(body['type']).replace('urn:postern:problem:', '');

describe('the settings of a tenant', () => {
  it('show what holds, with a tag, to the tenant’s admin and to a service that manages tenants', async () => {
    await using t = await start();
    const own = await t.call('ada', 'GET', SETTINGS);
    expect(own.status).toBe(200);
    expect(own.headers.get('etag')).toBe('"0"');
    expect(own.body).toMatchObject({
      tenant: 'acme',
      revision: 0,
      own: {},
      effective: {
        class: 'standard',
        suspended: false,
        sessionsRequired: true,
        sessionIdle: '30m',
        sessionMax: '8h',
        requestLifetime: '1d',
        durations: { presets: ['1d', '1w', '1mo', '1y'], indefinite: true },
        mayGrant: { kind: 'admins' },
      },
    });
    expect(own.body).not.toHaveProperty('vendor');
    expect((await t.call('idle', 'GET', SETTINGS)).body).toHaveProperty('vendor', {});
  });

  it('take each side’s part, and keep keys that are left out', async () => {
    await using t = await start();
    const vendor = await settle(t, 'idle', {
      approvals: 2,
      sessionIdle: '20m',
      notifyEmails: ['cs@vendor.example'],
    });
    expect(vendor).toMatchObject({
      status: 200,
      body: { revision: 1, vendor: { approvals: 2, sessionIdle: '20m' } },
    });
    expect(vendor.headers.get('etag')).toBe('"1"');
    const own = await settle(t, 'ada', { timeZone: 'Europe/Berlin', sessionIdle: '10m' });
    expect(own.body).toMatchObject({
      revision: 2,
      own: { timeZone: 'Europe/Berlin', sessionIdle: '10m' },
      effective: {
        approvals: 2,
        sessionIdle: '10m',
        timeZone: 'Europe/Berlin',
        notifyEmails: ['cs@vendor.example'],
      },
    });
    const back = await settle(t, 'ada', { sessionIdle: null });
    expect(back.body).toMatchObject({
      own: { timeZone: 'Europe/Berlin' },
      effective: { sessionIdle: '20m' },
    });
    expect(
      t.events.map(({ event, actor, details }) => [event, actor?.kind, details['part'], details['keys']]),
    ).toEqual([
      ['settings.changed', 'service', 'vendor', 'approvals notifyEmails sessionIdleMs'],
      ['settings.changed', 'customer', 'own', 'sessionIdleMs timeZone'],
      ['settings.changed', 'customer', 'own', 'sessionIdleMs'],
    ]);
  });

  it('change only with the tag that they were read with', async () => {
    await using t = await start();
    const none = await t.call('ada', 'PUT', SETTINGS, { suspended: true });
    expect([none.status, typeOf(none.body)]).toEqual([428, 'if_match_required']);
    for (const tag of ['"1"', 'W/"0"', '0', '""']) {
      const other = await settle(t, 'ada', { suspended: true }, tag);
      expect([other.status, typeOf(other.body)], tag).toEqual([412, 'precondition_failed']);
    }
    const [first, second] = await Promise.all([
      settle(t, 'ada', { suspended: true }, '"0"'),
      settle(t, 'pam', { approvals: 2 }, '"0"'),
    ]);
    expect([first?.status, second?.status].toSorted()).toEqual([200, 412]);
    expect((await t.call('ada', 'GET', SETTINGS)).body['revision']).toBe(1);
  });

  it('are enforced before the call returns: suspended is told to the gate, and is what it reads', async () => {
    await using t = await start();
    await settle(t, 'ada', { suspended: true });
    expect(t.settled).toMatchObject([['acme', { settings: { suspended: true }, standing: [] }]]);
    await settle(t, 'ada', { suspended: false });
    expect(t.settled.at(-1)?.[1]).toMatchObject({
      settings: { suspended: false },
      standing: [{ access: 'read' }],
    });
  });

  it('refuse what is the other side’s, or looser, or no value, each with its own problem', async () => {
    await using t = await start();
    for (const [caller, body, status, type] of [
      ['ada', { class: 'trial' }, 403, 'settings_not_yours'],
      ['ada', { durations: { presets: ['1d'] } }, 403, 'settings_not_yours'],
      ['ada', { notice: { version: '1', text: 'none' } }, 403, 'settings_not_yours'],
      ['idle', { suspended: true }, 403, 'settings_not_yours'],
      ['ada', { sessionsRequired: false }, 422, 'settings_looser'],
      ['ada', { liftable: ['destructive', 'sensitive'] }, 422, 'settings_looser'],
      ['ada', { liftable: ['user-admin'] }, 422, 'never_liftable'],
      ['ada', { timeZone: 'Mars/Olympus' }, 422, 'time_zone_unknown'],
      ['ada', { webhooks: [{ url: 'http://hooks.acme.example' }] }, 422, 'webhook_url_invalid'],
      ['ada', { notifyEmails: ['not an address'] }, 422, 'email_invalid'],
      ['idle', { caseRefPattern: '(a+)+' }, 422, 'case_pattern_unsafe'],
      ['idle', { durations: { default: '2w', max: '1w', presets: [] } }, 422, 'durations_contradict'],
      ['idle', { durations: { presets: ['5y'] } }, 422, 'preset_out_of_limits'],
      ['idle', { class: 'vip' }, 422, 'class_unknown'],
      ['idle', { sessionIdle: '1s' }, 422, 'duration_invalid'],
      ['idle', { systemAccess: 'write' }, 400, 'invalid_request'],
      ['idle', { excludedOrgs: [] }, 400, 'invalid_request'],
      ['idle', { mayGrant: { kind: 'permission' } }, 400, 'invalid_request'],
      ['idle', {}, 400, 'invalid_request'],
    ] as const) {
      const answer = await settle(t, caller, body);
      expect([answer.status, typeOf(answer.body)], JSON.stringify(body)).toEqual([status, type]);
      expect(answer.body['detail'], JSON.stringify(body)).toMatch(/^[A-Z].*\.$/);
    }
    expect((await t.call('ada', 'GET', SETTINGS)).body['revision']).toBe(0);
    expect([t.events, t.settled]).toEqual([[], []]);
  });

  it('are closed to everybody else, and to the admins of other tenants', async () => {
    await using t = await start();
    for (const [caller, type] of [
      ['sam', 'staff_never_grant'],
      ['sue', 'staff_never_grant'],
      ['uwe', 'not_tenant_admin'],
      ['key', 'service_not_allowed'],
      ['gil', 'tenant_mismatch'],
    ] as const) {
      const read = await t.call(caller, 'GET', SETTINGS);
      const put = await settle(t, caller, { suspended: false }, '"0"');
      for (const answer of [read, put])
        expect([answer.status, typeOf(answer.body)], caller).toEqual([403, type]);
    }
  });

  it('tell the secret of a webhook in the answer that made it, and never again', async () => {
    await using t = await start();
    const made = await settle(t, 'ada', { webhooks: [{ url: 'https://hooks.acme.example/p' }] });
    const [hook] = made.body['newWebhooks'] as { id: string; secret: string }[];
    expect(hook?.secret).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(made.body).toMatchObject({
      own: { webhooks: [{ id: hook?.id, url: 'https://hooks.acme.example/p' }] },
    });
    for (const caller of ['ada', 'idle']) {
      expect(JSON.stringify((await t.call(caller, 'GET', SETTINGS)).body)).not.toContain('whsec_');
    }
    const again = await settle(t, 'ada', { timeZone: 'Asia/Tokyo' });
    expect(JSON.stringify(again.body)).not.toContain('whsec_');
    expect(JSON.stringify(t.events)).not.toContain('whsec_');
  });

  it('of a trial account cannot be suspended; its conversion leaves access off', async () => {
    await using t = await start();
    await settle(t, 'idle', { class: 'trial' });
    const suspended = await settle(t, 'ada', { suspended: true });
    expect([suspended.status, typeOf(suspended.body)]).toEqual([409, 'suspension_not_available']);
    for (const body of [{ open: false }, { open: true, duration: '1w' }]) {
      const pressed = await t.call('ada', 'PUT', ACCESS, body);
      expect([pressed.status, typeOf(pressed.body)]).toEqual([409, 'access_set_by_class']);
    }
    await settle(t, 'idle', { class: 'standard' });
    expect(t.settled.at(-1)?.[1]).toMatchObject({ grants: [], standing: [{ access: 'read' }] });
    expect((await t.call('ada', 'GET', '/v1/tenants/acme/status')).body).toMatchObject({ open: false });
  });
});

describe('the OpenAPI document', () => {
  it('describes the answers of settings and of the switch as they are', async () => {
    await using t = await start();
    const ajv = new Ajv2020({ strict: false, validateFormats: false });
    ajv.addSchema((await t.call('', 'GET', '/openapi.json')).body, 'doc');
    const matches = (call: string, value: unknown) => {
      const [path, method] = call.split(' ');
      const answer = `/paths/~1v1~1tenants~1{tenant}~1${path}/${method}/responses/200/content/application~1json/schema`;
      return ajv.validate({ $ref: `doc#${answer}` }, value) || ajv.errors;
    };
    const vendor = {
      approvals: 2,
      notice: { version: '1', text: 'Seen.' },
      auditRetention: '90d',
      caseRefPattern: 'C-[0-9]+',
    };
    expect(matches('settings put', (await settle(t, 'idle', vendor)).body)).toBe(true);
    const own = { webhooks: [{ url: 'https://hooks.acme.example' }], durations: { max: '1mo' } };
    expect(matches('settings put', (await settle(t, 'ada', own)).body)).toBe(true);
    for (const caller of ['ada', 'idle']) {
      expect(matches('settings get', (await t.call(caller, 'GET', SETTINGS)).body)).toBe(true);
    }
    const wish = { open: true, notice: { version: '1' } };
    expect(matches('access put', (await t.call('ada', 'PUT', ACCESS, wish)).body)).toBe(true);
    await t.call('ada', 'PUT', ACCESS, { open: false });
    expect(matches('access put', (await t.call('ada', 'PUT', ACCESS, { open: false })).body)).toBe(true);
  });
});

describe('the switch', () => {
  it('opens for a period, changes it, and closes; each call says what is open', async () => {
    await using t = await start();
    const on = await t.call('ada', 'PUT', ACCESS, { open: true, duration: '1w', caseRef: 'CASE-1' });
    expect(on).toMatchObject({
      status: 200,
      body: {
        status: { open: true, openUntil: '2030-01-22T12:00:00.000Z', access: 'write' },
        grant: {
          source: 'switch',
          status: 'active',
          caseRef: 'CASE-1',
          grantedBy: { id: 'u-1' },
          revision: 1,
        },
      },
    });
    t.clock.advance(DAY);
    const longer = await t.call('ada', 'PUT', ACCESS, { open: true, duration: '1y' });
    expect(longer.body).toMatchObject({
      status: { openUntil: '2031-01-16T12:00:00.000Z' },
      grant: { revision: 2 },
    });
    const endless = await t.call('ada', 'PUT', ACCESS, { open: true, until: null });
    expect(endless.body).toMatchObject({ status: { open: true, openUntil: null } });
    const off = await t.call('ada', 'PUT', ACCESS, { open: false });
    expect(off.body).toMatchObject({ status: { open: false, access: null }, grant: { status: 'revoked' } });
    expect((await t.call('ada', 'PUT', ACCESS, { open: false })).body).toMatchObject({ grant: null });
    expect(t.enforced.map(([what]) => what)).toEqual(['changed', 'changed', 'changed', 'revoked']);
    expect(t.events.map(({ event }) => event)).toEqual([
      'grant.created',
      'grant.changed',
      'grant.changed',
      'grant.revoked',
    ]);
  });

  it('takes dates and instants where no periods are on offer, and who holds the permission', async () => {
    await using t = await start();
    await settle(t, 'idle', {
      profile: 'plain',
      timeZone: 'Europe/Berlin',
      caseRefPattern: 'CASE-[0-9]+',
      reasonRequired: false,
      mayGrant: { kind: 'permission', permission: 'manage_support_access' },
      switchGrant: { audience: { org: 'vendor' } },
    });
    const wish = { open: true, until: '2030-01-20', caseRef: 'CASE-7', roles: ['helper'], access: 'write' };
    expect(await t.call('ada', 'PUT', ACCESS, wish)).toMatchObject({
      status: 403,
      body: { type: 'urn:postern:problem:policy_permission' },
    });
    const opened = await t.call('pam', 'PUT', ACCESS, wish);
    expect(opened.body).toMatchObject({
      status: { openUntil: '2030-01-20T23:00:00.000Z' },
      grant: { roles: ['helper'], access: 'write', caseRef: 'CASE-7' },
    });
    const instant = await t.call('pam', 'PUT', ACCESS, { open: true, until: '2030-01-18T08:00:00+01:00' });
    expect(instant.body).toMatchObject({ status: { openUntil: '2030-01-18T07:00:00.000Z' } });
  });

  it('refuses what it does not take, each with its own problem, and opens nothing', async () => {
    await using t = await start();
    const open = { open: true };
    for (const [caller, body, status, type] of [
      ['ada', { ...open, duration: '3d' }, 422, 'not_a_preset'],
      ['ada', { ...open, duration: 'a week' }, 422, 'duration_invalid'],
      ['ada', { ...open, until: '1w' }, 422, 'date_invalid'],
      ['ada', { ...open, until: '2030-01-20', duration: '1d' }, 400, 'invalid_request'],
      ['ada', { open: false, duration: '1d' }, 400, 'invalid_request'],
      ['ada', { duration: '1d' }, 400, 'invalid_request'],
      ['ada', { ...open, actAs: 'u-1' }, 400, 'invalid_request'],
      ['ada', { ...open, notice: { version: '9' } }, 422, 'notice_not_current'],
      ['ada', { ...open, audience: { org: null } }, 422, 'empty_audience'],
      ['key', open, 403, 'on_behalf_of_required'],
      ['idle', open, 403, 'service_not_allowed'],
      ['uwe', open, 403, 'not_tenant_admin'],
      ['sam', open, 403, 'staff_never_grant'],
      ['gil', open, 403, 'tenant_mismatch'],
    ] as const) {
      const answer = await t.call(caller, 'PUT', ACCESS, body);
      expect([answer.status, typeOf(answer.body)], JSON.stringify(body)).toEqual([status, type]);
    }
    expect([t.events, t.enforced]).toEqual([[], []]);
  });

  it('is pressed by a service for a named person', async () => {
    await using t = await start();
    const onBehalfOf = { id: 'u-1', email: 'ada@acme.example', name: 'Ada' };
    const on = await t.call('key', 'PUT', ACCESS, { open: true, onBehalfOf });
    expect(on.body).toMatchObject({ grant: { grantedBy: { kind: 'service', onBehalfOf: { name: 'Ada' } } } });
  });

  it('says store_unavailable and enforces nothing when the store fails', async () => {
    await using t = await start();
    t.breakStore();
    expect(await t.call('ada', 'PUT', ACCESS, { open: true })).toMatchObject({ status: 503 });
    expect(await settle(t, 'ada', { suspended: true }, '"0"')).toMatchObject({ status: 503 });
    expect([t.events, t.enforced, t.settled]).toEqual([[], [], []]);
  });
});
