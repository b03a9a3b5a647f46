// Break glass, the one way in that the customer did not open, as SYSTEMS.md and ARCHITECTURE.md tell it.
import { expect } from 'vitest';
import {
  ADA,
  enter,
  entered,
  mailed,
  MINUTE_MS,
  reach,
  refusal,
  revoke,
  verifiedGrant,
  watchEvents,
} from './login-access-people.ts';
import { describeStory, type Story } from './story.ts';
import { type Answer, LEA, type Person, SAM, staff, SVEN, type World } from './world.ts';

const SECURITY = ['support', 'security'];
const SASHA = staff('sasha', SECURITY);
const SIRI = staff('siri', SECURITY);
const SVEN_ALONE = { org: 'vendor', principals: [{ issuer: 'https://idp.test', id: 'sven' }] };
const ADAS = 'ada@acme.example';
const REASON = { type: 'production_alert', detail: 'Every invoice is sent twice.' };
const CASE = 'INC-1';
const HOUR_MS = 60 * MINUTE_MS;

const POLICY = `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: story }
spec:
  rules:
    - id: story.export
      category: export
      liftable: true
      match: [ { paths: ["/api/v1/exports/**"] } ]
      message: No exports.
`;

const kept = { emergency: '', grant: '' };

/** Asks as Sven, for writing, for an hour. */
function ask(world: World, more: object = {}, by: Person = SVEN): Promise<Answer> {
  const body = { tenant: 'acme', caseRef: CASE, reason: REASON, access: 'write', duration: '1h', ...more };
  return world.control(by, 'POST', '/v1/break-glass', body);
}

async function asked(world: World, more: object = {}): Promise<string> {
  const { status, text, body } = await ask(world, more);
  expect([status, text]).toEqual([201, expect.stringContaining('"pending"')]);
  return String(body['id']);
}

function confirm(world: World, id: string, by: Person): Promise<Answer> {
  return world.control(by, 'POST', `/v1/break-glass/${id}/second`);
}

async function confirmed(world: World, id: string, by: Person = SASHA): Promise<string> {
  const { status, text, body } = await confirm(world, id, by);
  expect([status, text]).toEqual([200, expect.stringContaining('"confirmed"')]);
  return String(body['grantId']);
}

/** By the vendor's program, or as the customer's own part. */
async function settle(world: World, by: 'vendor' | 'customer', values: object): Promise<void> {
  const path = '/v1/tenants/acme/settings';
  const call = (method: string, body?: object, headers?: object) =>
    by === 'vendor'
      ? world.service(method, path, body, headers)
      : world.control(ADA, method, path, body, headers);
  const { headers } = await call('GET');
  const answer = await call('PUT', values, { 'if-match': String(headers.etag) });
  expect([answer.status, answer.text]).toEqual([200, expect.anything()]);
}

async function isOffAtFirst(world: World): Promise<void> {
  await world.control(ADA, 'GET', '/v1/tenants/acme/status');
  expect(refusal(await ask(world))).toBe('403 break_glass_off');
  await settle(world, 'vendor', { breakGlass: true, liftable: ['export'] });
  await settle(world, 'customer', { breakGlass: false });
  expect(refusal(await ask(world))).toBe('403 break_glass_off');
  await settle(world, 'customer', { breakGlass: null });
}

async function needsTwoOfSecurity(world: World): Promise<void> {
  for (const by of [SAM, LEA]) expect(refusal(await ask(world, {}, by))).toBe('403 security_staff_only');
  expect(refusal(await ask(world, {}, ADA))).toBe('403 security_staff_only');
  expect(refusal(await ask(world, {}, staff('nomail', SECURITY, { email: undefined })))).toBe(
    '403 verified_email_required',
  );
  kept.emergency = await asked(world);
  expect(await reach(world, SVEN)).toBe('session_required');
  expect(refusal(await enter(world, SVEN, { caseRef: CASE }))).toBe('403 session_not_covered');
  for (const by of [LEA, ADA]) {
    expect(refusal(await confirm(world, kept.emergency, by))).toBe('403 security_staff_only');
  }
  const otherAccount = staff('sven-2', SECURITY, { email: 'SVEN@vendor.test' });
  for (const by of [SVEN, otherAccount]) {
    expect(refusal(await confirm(world, kept.emergency, by))).toBe('403 second_person_required');
  }
  expect((await world.control(ADA, 'GET', '/v1/tenants/acme/grants')).body['items']).toEqual([]);
  kept.grant = await confirmed(world, kept.emergency);
  expect(refusal(await confirm(world, kept.emergency, SIRI))).toBe('409 emergency_confirmed');
}

async function tellsTheTenant(world: World): Promise<void> {
  const says = 'Every invoice is sent twice.';
  await mailed(world, { to: ADAS, subject: 'Emergency access to acme was asked for', says });
  await mailed(world, { to: ADAS, subject: 'Emergency access to acme was taken', says: 'sasha' });
  const { body } = await world.control(ADA, 'GET', `/v1/grants/${kept.grant}`);
  expect(body).toMatchObject({ source: 'break_glass', status: 'active', grantedBy: { id: 'sasha' } });
}

async function isForTheAskerAlone(world: World): Promise<void> {
  for (const by of [SASHA, SIRI, SAM]) {
    expect(refusal(await enter(world, by, { caseRef: CASE }))).toBe('403 session_not_covered');
  }
  expect(refusal(await enter(world, SVEN, { caseRef: 'INC-2' }))).toBe('422 session_case_mismatch');
  const session = await entered(world, SVEN, { caseRef: CASE, access: 'write', reason: REASON });
  const ticket = { subject: 'Stopped the mailer', body: 'See INC-1.' };
  expect((await world.request(SVEN, 'POST', '/api/v1/tickets', { body: ticket })).status).toBe(201);
  const [record] = await world.recorded((one) => one['effect'] === 'write');
  expect(record).toMatchObject({
    actor: { id: 'sven' },
    grant: { id: kept.grant },
    session: { id: session['id'] },
    caseRef: CASE,
  });
  const { body } = await world.control(ADA, 'GET', '/v1/tenants/acme/access-history');
  const [visit] = body['items'] as object[];
  expect(visit).toMatchObject({
    principal: { id: 'sven' },
    grant: { id: kept.grant },
    writes: 1,
    reason: REASON,
  });
}

/** A grant of the customer's may lift it here; broken glass never does. */
async function liftsNothing(world: World): Promise<void> {
  const exports = () => world.request(SVEN, 'POST', '/api/v1/exports', { body: {} });
  expect((await exports()).body).toMatchObject({ reason: 'rule_denied' });
  expect((await ask(world, { lifts: ['export'] })).status).toBe(400);
  const lifting = await verifiedGrant(world, {
    by: ADA,
    caseRef: 'INC-2',
    more: { audience: SVEN_ALONE, lifts: ['export'] },
  });
  await entered(world, SVEN, { caseRef: 'INC-2', access: 'write' });
  expect((await exports()).status).toBe(202);
  await revoke(world, ADA, lifting);
  await entered(world, SVEN, { caseRef: CASE, access: 'write' });
  expect((await exports()).body).toMatchObject({ reason: 'rule_denied' });
}

async function mayBeRevoked(world: World): Promise<void> {
  const path = `/v1/grants/${kept.grant}`;
  const longer = { expiresAt: new Date(world.clock.now() + 2 * HOUR_MS).toISOString() };
  expect(refusal(await world.control(ADA, 'PATCH', path, longer))).toBe('403 break_glass_fixed');
  const screen = await watchEvents(world, SVEN);
  await revoke(world, ADA, kept.grant);
  await screen.cut;
  expect(await reach(world, SVEN)).toBe('session_required');
  expect(refusal(await enter(world, SVEN, { caseRef: CASE }))).toBe('403 session_not_covered');
}

async function isBoxedInTime(world: World): Promise<void> {
  const grants = async () => (await world.control(ADA, 'GET', '/v1/tenants/acme/grants')).body['items'];
  const before = await grants();
  expect(refusal(await ask(world, { duration: '14401s' }))).toBe('422 too_long');
  expect(refusal(await ask(world, { duration: '59s' }))).toBe('422 too_short');
  const late = await asked(world, { duration: '4h' });
  expect(refusal(await ask(world))).toBe('409 emergency_pending');
  world.travel(30 * MINUTE_MS);
  expect(refusal(await confirm(world, late, SASHA))).toBe('409 emergency_lapsed');
  expect(await grants()).toEqual(before);

  const inTime = await asked(world, { duration: '4h', access: 'read' });
  world.travel(30 * MINUTE_MS - 5000);
  const at = world.clock.now();
  const id = await confirmed(world, inTime);
  const { body } = await world.control(ADA, 'GET', `/v1/grants/${id}`);
  const end = Date.parse(String(body['expiresAt']));
  expect(end - Date.parse(String(body['startsAt']))).toBe(4 * HOUR_MS);
  expect(Date.parse(String(body['startsAt']))).toBeGreaterThanOrEqual(at);
  world.travel(end - world.clock.now() - 20 * MINUTE_MS);
  await entered(world, SVEN, { caseRef: CASE });
  world.travel(end - world.clock.now() - 5000);
  expect(await reach(world, SVEN)).toBe('ok');
  world.travel(end - world.clock.now());
  expect(await reach(world, SVEN)).toBe('session_ended');
  expect(refusal(await enter(world, SVEN, { caseRef: CASE }))).toBe('403 session_not_covered');
}

async function opensNoSuspendedTenant(world: World): Promise<void> {
  const id = await asked(world);
  await settle(world, 'customer', { suspended: true });
  expect(refusal(await confirm(world, id, SASHA))).toBe('409 tenant_suspended');
  expect(refusal(await ask(world, {}, SIRI))).toBe('409 tenant_suspended');
  await settle(world, 'customer', { suspended: null });
  const lock = await world.control(SVEN, 'POST', '/v1/locks', {
    target: { kind: 'case', caseRef: CASE },
    message: 'Nobody works on this case.',
  });
  expect(lock.status).toBe(201);
  expect(refusal(await confirm(world, id, SASHA))).toBe('403 break_glass_locked');
}

const STEPS: Story['steps'] = {
  'It is off unless the customer’s settings allow it.': isOffAtFirst,
  'It needs two vendor principals: somebody of security asks, somebody else of security confirms.':
    needsTwoOfSecurity,
  'It always notifies the tenant.': tellsTheTenant,
  'Whoever confirmed is never its user; the asker enters, with a reason, and is in the records.':
    isForTheAskerAlone,
  'It lifts no deny rule.': liftsNothing,
  'The tenant may revoke it at any moment; nobody makes it longer.': mayBeRevoked,
  'It is time-boxed: confirmed within 30 minutes, over after four hours at most.': isBoxedInTime,
  'It beats neither the customer’s suspension nor a lock.': opensNoSuspendedTenant,
};

const sentences = [
  'It is off unless the customer’s settings allow it.',
  'It needs two vendor principals: somebody of security asks, somebody else of security confirms.',
  'It always notifies the tenant.',
  'Whoever confirmed is never its user; the asker enters, with a reason, and is in the records.',
  'It lifts no deny rule.',
  'The tenant may revoke it at any moment; nobody makes it longer.',
  'It is time-boxed: confirmed within 30 minutes, over after four hours at most.',
  'It beats neither the customer’s suspension nor a lock.',
];

describeStory({
  system: 'break glass',
  world: { profile: 'login-access', policy: POLICY },
  sentences,
  steps: STEPS,
});
