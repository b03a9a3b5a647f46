// 1. Account assumption, as SYSTEMS.md tells it.
import { call } from '../../demo/http.ts';
import { expect } from 'vitest';
import {
  ALMA,
  askForSession,
  DAY_MS,
  grantIds,
  mailTo,
  MINUTE_MS,
  monitor,
  monthsAfter,
  opened,
  reasonOf,
  SECOND_MS,
  seen,
  session,
  settle,
  statusOf,
  switchTo,
  TEST_TICKET,
  TICKETS,
  until,
  wordsOf,
  writes,
} from './account-steps.ts';
import { wishSteps } from './account-assumption-wishes.ts';
import { describeStory, type Steps } from './story.ts';
import { ADA, type Answer, customer, LEA, SAM, SVEN, type World } from './world.ts';

const ALAN = customer('acme-alan', { email: 'alan@acme.example', name: 'Alan Agent' });
const GUS = customer('globex-gus', {
  org_id: 'globex',
  is_admin: true,
  email: 'gus@globex.example',
  name: 'Gus Admin',
});
function lengthOf({ expiresAt, createdAt }: { expiresAt: string | null; createdAt: string }): number | null {
  return expiresAt === null ? null : Date.parse(expiresAt) - Date.parse(createdAt);
}

function iso(at: number): string {
  return new Date(at).toISOString();
}

const switchSteps: Steps = {
  async 'Off until any admin of the account enables it.'(world) {
    expect(await statusOf(world, ADA)).toEqual({ open: false, openUntil: null, access: null });
    const asUser = await switchTo(world, ALAN, { open: true, duration: '1d' });
    expect([asUser.status, asUser.body['type']]).toEqual([403, 'urn:postern:problem:not_tenant_admin']);
    const asStaff = await switchTo(world, SAM, { open: true, duration: '1d' });
    expect([asStaff.status, asStaff.body['type']]).toEqual([403, 'urn:postern:problem:staff_never_grant']);
    expect(await grantIds(world, ADA)).toEqual([]);
    // Ada is not the only one who may.
    for (const admin of [ADA, ALMA]) {
      await opened(world, admin, { duration: '1d' });
      expect(await statusOf(world, ADA)).toMatchObject({ open: true, access: 'write' });
      await switchTo(world, admin, { open: false });
      expect(await statusOf(world, ADA)).toMatchObject({ open: false });
    }
  },

  async 'Before it is enabled support has read-only insight; enabling gives the agent role.'(world) {
    expect(reasonOf(await world.request(SAM, 'GET', TICKETS))).toBe('session_required');
    const asked = await askForSession(world, SAM, { access: 'write' });
    expect([asked.status, asked.body['type']]).toEqual([
      403,
      'urn:postern:problem:session_write_not_granted',
    ]);
    await session(world, SAM, { access: 'read' });
    expect(await seen(world, SAM)).toBe(200);
    expect(reasonOf(await writes(world, SAM))).toBe('read_only');
    await opened(world, ADA, { duration: '1d' });
    await session(world, SAM);
    expect((await writes(world, SAM)).status).toBe(201);
    const { body } = await world.request(SAM, 'GET', '/api/v1/me');
    expect(body['actingAs']).toMatchObject({ kind: 'support', id: 'sam', access: 'write', roles: ['agent'] });
  },

  async 'A choice of one day, one week, one month, one year, or indefinitely.'(world) {
    await switchTo(world, ADA, { open: false });
    for (const [duration, days] of [
      ['1d', 1],
      ['1w', 7],
    ] as const) {
      expect(lengthOf(await opened(world, ADA, { duration }))).toBe(days * DAY_MS);
      await switchTo(world, ADA, { open: false });
    }
    for (const [duration, months] of [
      ['1mo', 1],
      ['1y', 12],
    ] as const) {
      const grant = await opened(world, ADA, { duration });
      expect(grant.expiresAt).toBe(iso(monthsAfter(Date.parse(grant.createdAt), months)));
      await switchTo(world, ADA, { open: false });
    }
    expect(await opened(world, ADA, { until: null })).toMatchObject({ expiresAt: null });
    await switchTo(world, ADA, { open: false });
    const before = await grantIds(world, ADA);
    const start = world.clock.now() + DAY_MS;
    const year = monthsAfter(start, 12);
    for (const [until, type] of [
      [start + DAY_MS - 1, 'too_short'],
      [start + 2 * DAY_MS, 'not_a_preset'],
      [year + 1, 'too_long'],
    ] as const) {
      const refused = await grantFor(world, { startsAt: iso(start), expiresAt: iso(until) });
      expect([refused.status, refused.body['type']]).toEqual([422, `urn:postern:problem:${type}`]);
    }
    const other = await switchTo(world, ADA, { open: true, duration: '2d' });
    expect([other.status, other.body['type']]).toEqual([422, 'urn:postern:problem:not_a_preset']);
    expect(await grantIds(world, ADA)).toEqual(before);
    for (const until of [start + DAY_MS, year]) {
      const made = await grantFor(world, { startsAt: iso(start), expiresAt: iso(until) });
      expect(made.status).toBe(201);
      await world.control(ADA, 'POST', `/v1/grants/${String(made.body['id'])}/revoke`);
    }
  },

  async 'It may be changed later (longer or shorter) and turned off at any time.'(world) {
    const first = await opened(world, ADA, { duration: '1w' });
    const longer = await opened(world, ALMA, { duration: '1y' });
    expect(longer.id).toBe(first.id);
    expect(lengthOf(longer)).toBeGreaterThan(364 * DAY_MS);
    const shorter = await opened(world, ADA, { duration: '1d' });
    expect(shorter.id).toBe(first.id);
    expect(lengthOf(shorter)).toBeLessThan(DAY_MS + 5 * MINUTE_MS);
    await session(world, SAM);
    const screen = await monitor(world, SAM);
    expect((await switchTo(world, ALMA, { open: false })).body['status']).toMatchObject({ open: false });
    await screen.ended;
    await world.direct('acme-rita', 'POST', TICKETS, { subject: 'After the end', body: 'Not for support.' });
    expect(screen.text()).not.toContain('After the end');
    expect((await writes(world, SAM)).status).toBe(403);
    const records = await world.recorded((one) => one['event'] === 'stream.ended');
    expect(records.at(-1)).toMatchObject({ tenant: 'acme', endedBy: 'revoked', outcome: 'cut' });
  },

  async 'It ends by itself at the end of the period.'(world) {
    const first = await opened(world, ADA, { duration: '1d' });
    await session(world, SAM);
    const screen = await monitor(world, SAM);
    const soon = iso(world.clock.now() + 2 * SECOND_MS);
    const path = `/v1/grants/${first.id}`;
    expect((await world.control(ADA, 'PATCH', path, { expiresAt: soon })).status).toBe(200);
    expect((await writes(world, SAM)).status).toBe(201);
    await screen.ended;
    expect(world.clock.now()).toBeGreaterThanOrEqual(Date.parse(soon));
    expect(screen.text()).toContain('"reason":"expired"');
    expect((await writes(world, SAM)).status).toBe(403);
    const { id } = await opened(world, ADA, { duration: '1d' });
    world.travel(DAY_MS - MINUTE_MS);
    await session(world, SAM);
    expect((await writes(world, SAM)).status).toBe(201);
    world.travel(MINUTE_MS);
    expect((await writes(world, SAM)).status).toBe(403);
    expect((await world.control(ADA, 'GET', `/v1/grants/${id}`)).body).toMatchObject({ status: 'expired' });
    expect((await askForSession(world, SAM)).status).toBe(403);
    await session(world, SAM, { access: 'read' });
    expect(await seen(world, SAM)).toBe(200);
  },

  async 'Support acts in the role of an agent; it takes no licence and no seat.'(world) {
    const before = await world.usersAndSeats();
    await opened(world, ADA, { duration: '1w' });
    await session(world, SAM);
    const { body } = await world.request(SAM, 'GET', '/api/v1/me');
    expect(body['actingAs']).toMatchObject({ id: 'sam', email: 'sam@vendor.test', roles: ['agent'] });
    expect((await writes(world, SAM)).status).toBe(201);
    expect(await world.usersAndSeats()).toEqual(before);
    expect(JSON.stringify(before)).not.toContain('sam');
  },
};

function grantFor(world: World, draft: object): Promise<Answer> {
  return world.control(ADA, 'POST', '/v1/tenants/acme/grants', { audience: { org: 'vendor' }, ...draft });
}

const globex = { tenant: 'globex' };

const trialSteps: Steps = {
  async 'Trial accounts always have it on, given by the system and marked so in the records.'(world) {
    expect((await askForSession(world, SAM, globex)).status).toBe(403);
    expect((await settle(world, 'globex', { class: 'trial' })).status).toBe(200);
    const id = await session(world, SAM, globex);
    expect((await writes(world, SAM, 'globex')).status).toBe(201);
    const records = await world.recorded(
      (one) => one['event'] === 'request.allowed' && JSON.stringify(one['session']).includes(id),
    );
    expect(records[0]).toMatchObject({
      tenant: 'globex',
      grant: { access: 'write', grantedBy: { kind: 'system' } },
    });
    const { body } = await world.control(GUS, 'GET', '/v1/tenants/globex/access');
    expect((body['items'] as object[])[0]).toMatchObject({
      grant: { source: 'standing', access: 'write', grantedBy: { kind: 'system' }, expiresAt: null },
      lastActive: [{ principal: { id: 'sam' } }],
    });
    expect(await statusOf(world, GUS, 'globex')).toEqual({ open: true, openUntil: null, access: 'write' });
  },

  async 'The tenant of a trial cannot turn it off; a vendor lock still can.'(world) {
    for (const wish of [{ open: false }, { open: true, duration: '1d' }]) {
      const refused = await switchTo(world, GUS, wish, 'globex');
      expect([refused.status, refused.body['type']]).toEqual([
        409,
        'urn:postern:problem:access_set_by_class',
      ]);
    }
    const path = '/v1/tenants/globex/settings';
    const { headers } = await world.control(GUS, 'GET', path);
    const match = { 'if-match': String(headers['etag']) };
    const suspended = await world.control(GUS, 'PUT', path, { suspended: true }, match);
    expect([suspended.status, suspended.body['type']]).toEqual([
      409,
      'urn:postern:problem:suspension_not_available',
    ]);
    expect((await writes(world, SAM, 'globex')).status).toBe(201);
    const screen = await monitor(world, SAM, 'globex');
    const message = 'Under investigation.';
    const lock = await world.control(SVEN, 'POST', '/v1/locks', {
      target: { kind: 'tenant', tenant: 'globex' },
      message,
    });
    expect(lock.status).toBe(201);
    await screen.ended;
    expect(screen.text()).toContain('"reason":"locked"');
    expect((await writes(world, SAM, 'globex')).body).toMatchObject({ reason: 'locked', detail: message });
    expect((await askForSession(world, SAM, globex)).body['type']).toBe('urn:postern:problem:session_locked');
    expect((await world.control(SVEN, 'DELETE', `/v1/locks/${String(lock.body['id'])}`)).status).toBe(200);
    await session(world, SAM, globex);
    expect((await writes(world, SAM, 'globex')).status).toBe(201);
  },

  async 'The choice appears only when the account is converted to paid: conversion ends it, cuts its traffic and leaves access off.'(
    world,
  ) {
    const screen = await monitor(world, SAM, 'globex');
    expect((await settle(world, 'globex', { class: 'standard' })).status).toBe(200);
    await screen.ended;
    await world.direct('globex-gina', 'POST', TICKETS, { subject: 'Now paid', body: 'Not for support.' });
    expect(screen.text()).not.toContain('Now paid');
    expect(screen.text()).toContain('"reason":"narrowed"');
    expect((await writes(world, SAM, 'globex')).status).toBe(403);
    expect((await askForSession(world, SAM, globex)).body['type']).toBe(
      'urn:postern:problem:session_write_not_granted',
    );
    expect(await statusOf(world, GUS, 'globex')).toEqual({ open: false, openUntil: null, access: null });
    await opened(world, GUS, { duration: '1d' }, 'globex');
    await session(world, SAM, globex);
    expect((await writes(world, SAM, 'globex')).status).toBe(201);
    expect((await switchTo(world, GUS, { open: false }, 'globex')).status).toBe(200);
  },
};

const useSteps: Steps = {
  async 'Everything done while assumed is in the audit log.'(world) {
    const id = await session(world, SAM);
    const made = await writes(world, SAM);
    const ticket = `${TICKETS}/${String(made.body['id'])}`;
    await world.request(SAM, 'GET', ticket);
    await world.request(SAM, 'PATCH', ticket, { body: { status: 'solved' } });
    await world.request(SAM, 'DELETE', ticket);
    const items = await until('four records', async () => {
      const { body } = await world.control(ADA, 'GET', `/v1/tenants/acme/records?session=${id}`);
      const found = body['items'] as Record<string, unknown>[];
      return found.length === 4 ? found : null;
    });
    expect(
      items.map(({ actor, http, decision, effect, reason }) => ({ actor, http, decision, effect, reason })),
    ).toMatchObject(
      [
        ['DELETE', ticket, 'deny', 'write'],
        ['PATCH', ticket, 'allow', 'write'],
        ['GET', ticket, 'allow', 'read'],
        ['POST', TICKETS, 'allow', 'write'],
      ].map(([method, path, decision, effect]) => ({
        actor: { id: 'sam', email: 'sam@vendor.test' },
        http: { method, path },
        decision,
        effect,
      })),
    );
  },

  async 'Staff do not delete, purge, recover or overwrite in bulk: `destructive` is denied by default, liftable for one grant.'(
    world,
  ) {
    await session(world, SAM);
    const made = await writes(world, SAM);
    const ticket = `${TICKETS}/${String(made.body['id'])}`;
    for (const [method, path] of [
      ['DELETE', ticket],
      ['POST', `${TICKETS}/purge`],
      ['POST', `${ticket}/restore`],
      ['POST', `${TICKETS}/bulk-update`],
      ['POST', '/api/v1/imports'],
    ] as const) {
      const { body } = await world.request(SAM, method, path, { body: {} });
      expect([path, body]).toMatchObject([
        path,
        { reason: 'rule_denied', rule: { category: 'destructive' } },
      ]);
    }
    const notLiftable = await grantFor(world, { duration: '1d', lifts: ['self-grant'] });
    expect([notLiftable.status, notLiftable.body['type']]).toEqual([
      422,
      'urn:postern:problem:lift_not_allowed',
    ]);
    const wish = { duration: '1d', lifts: ['destructive'], caseRef: 'PURGE-1' };
    expect((await grantFor(world, wish)).body['type']).toBe('urn:postern:problem:reason_required');
    const reason = { type: 'vendor_initiated_service', detail: 'Ticket 1 was made twice.' };
    const lifted = await grantFor(world, { ...wish, reason });
    expect(lifted.status).toBe(201);
    const grantId = String(lifted.body['id']);
    await session(world, LEA, { grantId, caseRef: 'PURGE-1' });
    expect((await world.request(LEA, 'DELETE', ticket)).status).toBe(204);
    // Of one grant: Sam's session stands on another one.
    const another = await writes(world, SAM);
    const denied = await world.request(SAM, 'DELETE', `${TICKETS}/${String(another.body['id'])}`);
    expect(reasonOf(denied)).toBe('rule_denied');
    const { status } = await world.control(ADA, 'POST', `/v1/grants/${grantId}/revoke`);
    expect(status).toBe(200);
    expect((await world.request(LEA, 'DELETE', ticket)).status).toBe(403);
  },

  async 'Reasons for using it: escalated technical issues, faults that reproduce nowhere else, creating test tickets.'(
    world,
  ) {
    for (const detail of ['Escalated by the first line.', 'It happens in this account only.']) {
      const id = await session(world, SAM, { detail });
      const made = await writes(world, SAM);
      expect([made.status, made.body['subject']]).toEqual([201, TEST_TICKET.subject]);
      const mail = await mailTo(world, 'ada@acme.example', 'has entered acme', id);
      expect(wordsOf(mail)).toContain(detail);
    }
  },

  'Reasons for using it: console inspection (in a browser).': inBrowser,

  async 'Reasons for using it: a wrong IP configuration locks the tenant’s own admin out; support with a grant still enters.'(
    world,
  ) {
    const networks = '/api/v1/settings/networks';
    const wrong = { addresses: ['203.0.113.7'] };
    expect((await world.direct('acme-ada', 'PUT', networks, wrong)).status).toBe(200);
    expect((await world.direct('acme-ada', 'GET', networks)).status).toBe(403);
    expect((await world.direct('acme-ada', 'PUT', networks, { addresses: [] })).status).toBe(403);
    await session(world, SAM, { detail: 'The list of networks locks you out.' });
    expect((await world.request(SAM, 'GET', networks)).body).toEqual(wrong);
    const mended = await world.request(SAM, 'PUT', networks, { body: { addresses: [] } });
    expect(mended.status).toBe(200);
    expect((await world.direct('acme-ada', 'GET', networks)).status).toBe(200);
  },
};

/** The page's form spends the link; the cookie then works in the application's own pages, its scripts and calls. */
async function inBrowser(world: World): Promise<void> {
  const { body } = await world.control(SAM, 'POST', '/v1/sessions', {
    tenant: 'acme',
    access: 'write',
    reason: { type: 'customer_initiated_support', detail: 'The console shows an error.' },
  });
  const url = new URL((body['launch'] as { url: string }).url);
  const { host, origin, port } = url;
  expect([url.hostname, port]).toEqual(['acme.helpdesk.localhost', String(world.gate.dataPort)]);
  const browse = (path: string, more: { method?: string; body?: string | object; headers?: object } = {}) =>
    call({
      port: world.gate.dataPort,
      path,
      ...more,
      headers: { host, accept: 'text/html', ...more.headers },
    });
  expect((await browse(url.pathname + url.search)).text).toContain('The console shows an error.');
  const form = new URLSearchParams({ launch: url.searchParams.get('launch') ?? '' }).toString();
  const type = { origin, 'content-type': 'application/x-www-form-urlencoded' };
  const entered = await browse('/-/postern/enter', { method: 'POST', body: form, headers: type });
  expect(entered.status).toBe(303);
  const [cookie = ''] = String(entered.headers['set-cookie']).split(';');
  expect((await browse('/login', { headers: { cookie } })).text).toContain('<!doctype html>');
  const script = await browse('/assets/elements.js', { headers: { cookie, accept: '*/*' } });
  expect([script.status, script.headers['content-type']]).toEqual([
    200,
    expect.stringContaining('javascript'),
  ]);
  const me = await browse('/api/v1/me', { headers: { cookie, accept: 'application/json' } });
  expect(JSON.parse(me.text)).toMatchObject({ actingAs: { kind: 'support', id: 'sam' } });
  const write = { method: 'POST', body: TEST_TICKET };
  expect((await browse(TICKETS, { ...write, headers: { cookie, origin } })).status).toBe(201);
  const forged = await browse(TICKETS, { ...write, headers: { cookie, origin: 'https://evil.example' } });
  expect(forged.status).toBe(403);
}

const steps: Steps = { ...switchSteps, ...trialSteps, ...useSteps, ...wishSteps };

describeStory({
  system: 'account assumption',
  world: {
    profile: 'account-assumption',
    packs: ['self-grant', 'user-admin', 'permissions', 'credentials', 'destructive'],
    upstream: { timeouts: { idle: '1s' } },
  },
  sentences: [
    'Off until any admin of the account enables it.',
    'Before it is enabled support has read-only insight; enabling gives the agent role.',
    'A choice of one day, one week, one month, one year, or indefinitely.',
    'It may be changed later (longer or shorter) and turned off at any time.',
    'It ends by itself at the end of the period.',
    'Support acts in the role of an agent; it takes no licence and no seat.',
    'Trial accounts always have it on, given by the system and marked so in the records.',
    'The tenant of a trial cannot turn it off; a vendor lock still can.',
    'The choice appears only when the account is converted to paid: conversion ends it, cuts its traffic and leaves access off.',
    'Everything done while assumed is in the audit log.',
    'Staff do not delete, purge, recover or overwrite in bulk: `destructive` is denied by default, liftable for one grant.',
    'Reasons for using it: escalated technical issues, faults that reproduce nowhere else, creating test tickets.',
    'Reasons for using it: console inspection (in a browser).',
    'Reasons for using it: a wrong IP configuration locks the tenant’s own admin out; support with a grant still enters.',
    'wish: see why access was granted and for which incident',
    'wish: see, without asking, who was in and when',
    'wish: the name of the admin who granted it in the email to all admins',
    'wish: grant it to a trusted third party, whose organisation is pinned to its issuer and never taken from a free claim',
    'wish: a long-running monitor screen that does not get cut off by the gate',
    'wish: GDPR answers (what is kept, how long, export, erasure)',
  ],
  steps,
});
