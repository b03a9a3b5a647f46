// 4. Login access, as SYSTEMS.md tells it.
import { expect } from 'vitest';
import {
  ADA,
  ALAN,
  allGrants,
  clear,
  DAY_MS,
  enter,
  entered,
  FOURTEEN_DAYS_MS,
  grant,
  granted,
  GUS,
  MINUTE_MS,
  LENA,
  mailed,
  PAT,
  PIA,
  PIA_ALONE,
  reach,
  REASON,
  refusal,
  revoke,
  RITA,
  SAM_ALONE,
  TOM,
  verifiedGrant,
  verify,
  watchEvents,
} from './login-access-people.ts';
import { describeStory, type Story } from './story.ts';
import { LEA, SAM, staff, type World } from './world.ts';

const CASE = '00012345';
/** Of the case whose days are counted. */
const CLOCK = 'CASE-CLOCK';
const ADAS = 'ada@acme.example';

/** What one step of the story leaves for the next. */
const kept = { request: '', grant: '', first: '', until: 0 };

const asked = {
  tenant: 'acme',
  caseRef: CASE,
  reason: REASON,
  actAs: 'acme-ada',
  access: 'read',
  duration: '7d',
};

function ask(world: World, by: typeof SAM, more: object) {
  return world.control(by, 'POST', '/v1/access-requests', { ...asked, ...more });
}

async function asksForACase(world: World): Promise<void> {
  await world.control(ADA, 'GET', '/v1/tenants/acme/status');
  expect(await reach(world, SAM)).toBe('session_required');
  const made = await ask(world, SAM, {});
  expect([made.status, made.body['status']]).toEqual([201, 'awaiting_tenant']);
  kept.request = String(made.body['id']);
  await mailed(world, { to: ADAS, subject: 'asks for access to acme', says: CASE });
  const approve = `/v1/access-requests/${kept.request}/approve`;
  expect(refusal(await world.control(SAM, 'POST', approve))).toBe('403 leads_only');
  expect(refusal(await world.control(LEA, 'POST', approve))).toBe('404 request_unknown');
  const unlicensed = { ...ADA, claims: { ...ADA.claims, licences: [] } };
  expect(refusal(await world.control(unlicensed, 'POST', approve))).toBe('403 policy_licence');
  expect(await allGrants(world)).toEqual([]);
  const approved = await world.control(ADA, 'POST', approve);
  expect(approved.body).toMatchObject({ status: 'approved', grantId: expect.any(String) });
  kept.grant = String(approved.body['grantId']);

  expect(refusal(await ask(world, TOM, { caseRef: null }))).toBe('422 case_ref_required');
}

async function isVerifiedByALead(world: World): Promise<void> {
  const waiting = await world.control(ADA, 'GET', `/v1/grants/${kept.grant}`);
  expect(waiting.body).toMatchObject({ status: 'pending', verification: { status: 'pending' } });
  expect(refusal(await enter(world, SAM, { caseRef: CASE }))).toBe('403 session_grant_not_active');
  expect(await reach(world, SAM)).toBe('session_required');
  expect(refusal(await verify(world, kept.grant, SAM))).toBe('403 leads_only');
  expect(refusal(await verify(world, kept.grant, ADA))).toBe('403 leads_only');
  const byProgram = await world.service('POST', `/v1/grants/${kept.grant}/verify`);
  expect(refusal(byProgram)).toBe('403 service_not_allowed');
  const list = await world.control(LEA, 'GET', '/v1/me/verifications');
  expect(list.text).toContain(kept.grant);
  const { status, body } = await verify(world, kept.grant);
  expect([status, body['status']]).toEqual([200, 'active']);
  expect(body['verification']).toMatchObject({ status: 'verified', by: { id: 'lea' } });
  await mailed(world, { to: ADAS, subject: 'Support access to acme was verified' });

  // A lead who is a user: another lead has to look.
  const forLea = { org: 'vendor', principals: [{ issuer: 'https://idp.test', id: 'lea' }] };
  const own = await granted(world, { by: ALAN, caseRef: CASE, more: { audience: forLea } });
  expect(refusal(await verify(world, own, LEA))).toBe('403 verifier_is_user');
  expect(refusal(await enter(world, LEA, { caseRef: CASE }))).toBe('403 session_grant_not_active');
  expect((await verify(world, own, LENA)).body).toMatchObject({ status: 'active' });
  await entered(world, LEA, { caseRef: CASE });
  expect(await reach(world, LEA)).toBe('ok');
  await revoke(world, ALAN, own);
  await isVerifiedAnewWhenWidened(world);
}

/** A longer time is another consent: nobody uses the grant until it was looked at again. */
async function isVerifiedAnewWhenWidened(world: World): Promise<void> {
  await entered(world, SAM, { caseRef: CASE });
  const screen = await watchEvents(world, SAM);
  const expiresAt = new Date(world.clock.now() + 8 * DAY_MS).toISOString();
  const longer = await world.control(ADA, 'PATCH', `/v1/grants/${kept.grant}`, { expiresAt });
  expect(longer.body).toMatchObject({ status: 'pending', verification: { status: 'pending' } });
  await screen.cut;
  expect(await reach(world, SAM)).toBe('session_required');
  expect(refusal(await enter(world, SAM, { caseRef: CASE }))).toBe('403 session_grant_not_active');
  expect((await verify(world, kept.grant)).body).toMatchObject({ status: 'active' });
}

async function isForNamedStaff(world: World): Promise<void> {
  expect(refusal(await enter(world, TOM, { caseRef: CASE }))).toBe('403 session_not_covered');
  expect(refusal(await enter(world, TOM, { caseRef: CASE, grantId: kept.grant }))).toBe(
    '403 session_not_covered',
  );
  expect((await world.control(TOM, 'GET', '/v1/me/grants')).body['items']).toEqual([]);
  const { items } = (await world.control(SAM, 'GET', '/v1/me/grants?status=active')).body;
  expect(items).toMatchObject([{ id: kept.grant }]);

  // The switch lets in the authorised staff of the line, whom a lead beside them has verified.
  const opened = await world.control(ADA, 'PUT', '/v1/tenants/acme/access', {
    open: true,
    caseRef: CASE,
    reason: REASON,
  });
  const { id } = opened.body['grant'] as { id: string };
  expect((await verify(world, id)).body).toMatchObject({ status: 'active' });
  expect(refusal(await enter(world, TOM, { caseRef: CASE }))).toBe('403 session_not_covered');
  await entered(world, staff('stella', ['support', 'login-access']), { caseRef: CASE });
  await revoke(world, ADA, id);
}

async function isForTheCaseAlone(world: World): Promise<void> {
  expect(refusal(await enter(world, SAM, {}))).toBe('422 session_case_mismatch');
  expect(refusal(await enter(world, SAM, { caseRef: '00099999' }))).toBe('422 session_case_mismatch');
  expect(refusal(await enter(world, SAM, { caseRef: '00099999', grantId: kept.grant }))).toBe(
    '422 session_case_mismatch',
  );
  expect(await reach(world, SAM)).toBe('session_required');
  const session = await entered(world, SAM, { caseRef: CASE });
  expect(session).toMatchObject({ grantId: kept.grant, caseRef: CASE });
  expect(await reach(world, SAM)).toBe('ok');
  await mailed(world, { to: ADAS, subject: 'sam (sam@vendor.test) has entered acme' });
  const [record] = await world.recorded(
    ({ session: one }) => (one as { id?: string } | null)?.id === session['id'],
  );
  expect(record).toMatchObject({ caseRef: CASE, grant: { id: kept.grant } });
}

async function actsAsTheGrantingUser(world: World): Promise<void> {
  const caseRef = 'CASE-DATA';
  const id = await verifiedGrant(world, { by: ALAN, caseRef });
  const session = await entered(world, SAM, { caseRef });
  const me = await world.request(SAM, 'GET', '/api/v1/me');
  expect(me.body['actingAs']).toMatchObject({ kind: 'support', id: 'sam', actAs: 'acme-alan', caseRef });
  const seen = await world.request(SAM, 'GET', '/api/v1/me/tickets');
  const alans = await world.direct('acme-alan', 'GET', '/api/v1/me/tickets');
  expect(alans.body['tickets']).toHaveLength(1);
  expect(seen.body).toEqual(alans.body);
  expect(seen.body).not.toEqual((await world.direct('acme-rita', 'GET', '/api/v1/me/tickets')).body);

  const [record] = await world.recorded((one) => one['caseRef'] === caseRef);
  expect(record).toMatchObject({ actor: { id: 'sam' }, grant: { id, grantedBy: { id: 'acme-alan' } } });
  const left = await world.control(SAM, 'POST', `/v1/sessions/${String(session['id'])}/end`, {
    note: 'Looked at the list.',
  });
  expect(left.status).toBe(200);
  const history = await world.control(ADA, 'GET', `/v1/tenants/acme/access-history?case=${caseRef}`);
  expect(history.body['items']).toMatchObject([
    { principal: { id: 'sam' }, actAs: 'acme-alan', caseRef, reason: REASON, reads: 2, writes: 0 },
  ]);
  await mailed(world, { to: ADAS, subject: 'The session of sam', says: 'Looked at the list.' });
  const report = await world.control(ADA, 'GET', `/v1/sessions/${String(session['id'])}/report`);
  expect(report.body).toMatchObject({ caseRef, reads: 2, writes: 0, note: 'Looked at the list.' });
  await revoke(world, ALAN, id);
}

async function escalates(world: World): Promise<void> {
  const ticket = { subject: 'Retry', body: 'Ran the backup again.' };
  await entered(world, SAM, { caseRef: CASE });
  expect(refusal(await enter(world, SAM, { caseRef: CASE, access: 'write' }))).toBe(
    '403 session_write_not_granted',
  );
  const write = await world.request(SAM, 'POST', '/api/v1/tickets', { body: ticket });
  expect(write.body).toMatchObject({ reason: 'read_only' });
  const more = { escalates: kept.request, access: 'write', duration: '1d' };
  expect(refusal(await ask(world, SAM, { ...more, access: 'read' }))).toBe('422 escalation_invalid');
  expect(refusal(await ask(world, SAM, { ...more, caseRef: '00099999' }))).toMatch(
    /^422 escalation_invalid$/,
  );
  const { body } = await ask(world, SAM, more);
  const approved = await world.control(ADA, 'POST', `/v1/access-requests/${String(body['id'])}/approve`);
  const id = String(approved.body['grantId']);
  const early = await enter(world, SAM, { caseRef: CASE, grantId: id, access: 'write' });
  expect(refusal(early)).toBe('403 session_grant_not_active');
  expect((await verify(world, id)).status).toBe(200);
  await entered(world, SAM, { caseRef: CASE, access: 'write' });
  expect((await world.request(SAM, 'POST', '/api/v1/tickets', { body: ticket })).status).toBe(201);
  await clear(world);
}

async function lastsFourteenDays(world: World): Promise<void> {
  const before = await allGrants(world);
  const startsAt = new Date(world.clock.now()).toISOString();
  const from = Date.parse(startsAt);
  const until = (ms: number) => ({
    startsAt,
    expiresAt: new Date(from + ms).toISOString(),
    duration: undefined,
  });
  const wish = { by: ALAN, caseRef: CLOCK };
  const tooLong = await grant(world, { ...wish, more: until(FOURTEEN_DAYS_MS + 1) });
  expect(refusal(tooLong)).toBe('422 too_long');
  expect(refusal(await grant(world, { ...wish, more: { duration: '15d' } }))).toBe('422 too_long');
  expect(await allGrants(world)).toEqual(before);
  kept.first = await verifiedGrant(world, { ...wish, more: until(FOURTEEN_DAYS_MS) });
  kept.until = from + FOURTEEN_DAYS_MS;
  const { body } = await world.control(ALAN, 'GET', `/v1/grants/${kept.first}`);
  expect(body).toMatchObject({ startsAt, expiresAt: new Date(kept.until).toISOString() });
  await entered(world, SAM, { caseRef: CLOCK });
}

/** A grant of the case that ends so many milliseconds after its fourteen days. */
function untilEndOfCase(world: World, by: typeof ALAN, ms: number) {
  const expiresAt = new Date(kept.until + ms).toISOString();
  return grant(world, { by, caseRef: CLOCK, more: { expiresAt, duration: undefined } });
}

async function secondGrantRestartsNothing(world: World): Promise<void> {
  world.travel(5 * DAY_MS);
  const before = await allGrants(world);
  expect(refusal(await untilEndOfCase(world, ADA, 1))).toBe('422 case_limit');
  expect(refusal(await grant(world, { by: ADA, caseRef: CLOCK, more: { duration: '10d' } }))).toBe(
    '422 case_limit',
  );
  const longer = await world.control(ALAN, 'PATCH', `/v1/grants/${kept.first}`, {
    expiresAt: new Date(kept.until + 1).toISOString(),
  });
  expect(refusal(longer)).toBe('422 too_long');
  expect(refusal(await ask(world, TOM, { caseRef: CLOCK, duration: '10d' }))).toBe('422 case_limit');
  expect(await allGrants(world)).toEqual(before);
  const second = await untilEndOfCase(world, ADA, 0);
  expect(second.status).toBe(201);
  // The other spelling of the case is the same case.
  const spelt = await grant(world, {
    by: ADA,
    caseRef: CLOCK.toLowerCase(),
    more: { duration: '10d' },
  });
  expect(refusal(spelt)).toBe('422 case_limit');
  await clear(world);
  expect(await reach(world, SAM)).toBe('session_required');
}

async function gapsDoNotReset(world: World): Promise<void> {
  world.travel(4 * DAY_MS);
  expect(refusal(await untilEndOfCase(world, ALAN, 1))).toBe('422 case_limit');
  const third = await untilEndOfCase(world, ALAN, 0);
  expect(third.status).toBe(201);
  await verify(world, String(third.body['id']));

  world.travel(kept.until - world.clock.now() - 20 * MINUTE_MS);
  await entered(world, SAM, { caseRef: CLOCK });
  expect(await reach(world, SAM)).toBe('ok');
  world.travel(kept.until - world.clock.now() - 5000);
  expect(await reach(world, SAM)).toBe('ok');
  world.travel(kept.until - world.clock.now());
  expect(await reach(world, SAM)).toBe('session_ended');
  expect(refusal(await enter(world, SAM, { caseRef: CLOCK }))).toBe('403 session_not_covered');
  const shortest = await grant(world, { by: ALAN, caseRef: CLOCK, more: { duration: '1h' } });
  expect(refusal(shortest)).toBe('422 case_limit');
  const months = 3 * 30 * DAY_MS;
  world.travel(months);
  expect(refusal(await grant(world, { by: ADA, caseRef: CLOCK, more: { duration: '1h' } }))).toBe(
    '422 case_limit',
  );
  // Another case has days of its own.
  await granted(world, { by: ADA, caseRef: 'CASE-OTHER', more: { duration: '14d' } });
  await clear(world);
}

async function twoAtOnceCannotExceed(world: World): Promise<void> {
  const now = world.clock.now();
  const at = (days: number) => new Date(now + days * DAY_MS).toISOString();
  const halves = [
    { startsAt: at(0), expiresAt: at(8) },
    { startsAt: at(7), expiresAt: at(15) },
  ];
  for (let round = 0; round < 5; round += 1) {
    const caseRef = `CASE-TWO-${round}`;
    const answers = await Promise.all(
      halves.map((half, index) =>
        grant(world, { by: index === 0 ? ALAN : ADA, caseRef, more: { ...half, duration: undefined } }),
      ),
    );
    const statuses = answers.map(({ status }) => status).toSorted();
    expect(statuses).toEqual([201, 422]);
    expect(answers.map(refusal)).toContain('422 case_limit');
  }
  await clear(world);
}

async function anyUserGrants(world: World): Promise<void> {
  const caseRef = 'CASE-OWN';
  const forAda = { actAs: 'acme-ada' };
  expect(refusal(await grant(world, { by: ALAN, caseRef, more: forAda }))).toBe('403 policy_own_user');
  expect(refusal(await grant(world, { by: ALAN, caseRef, more: { actAs: null } }))).toBe(
    '403 policy_own_user',
  );
  const own = await verifiedGrant(world, { by: ALAN, caseRef });
  await mailed(world, { to: 'sam@vendor.test', subject: 'You have access to acme', says: caseRef });
  const adas = await granted(world, { by: ADA, caseRef: 'CASE-ADA' });
  expect(refusal(await world.control(ALAN, 'GET', `/v1/grants/${adas}`))).toBe('404 grant_unknown');
  expect(refusal(await world.control(ALAN, 'POST', `/v1/grants/${adas}/revoke`))).toBe('404 grant_unknown');
  await revoke(world, ADA, adas);

  const session = await entered(world, SAM, { caseRef });
  const screen = await watchEvents(world, SAM);
  const impact = await world.control(ALAN, 'GET', `/v1/grants/${own}/impact`);
  expect(impact.body).toMatchObject({ streams: 1, principals: 1 });
  await revoke(world, ALAN, own);
  await screen.cut;
  expect(await reach(world, SAM)).toBe('session_required');
  await mailed(world, { to: ADAS, subject: 'was revoked', says: caseRef });
  const ended = await world.control(SAM, 'GET', `/v1/sessions/${String(session['id'])}`);
  expect(ended.body).toMatchObject({ status: 'ended', endedBy: 'grant_ended' });
}

/** The customer's own part of the settings. */
async function settle(world: World, mayGrant: object | null): Promise<string> {
  const path = '/v1/tenants/acme/settings';
  const { headers } = await world.control(ADA, 'GET', path);
  const answer = await world.control(ADA, 'PUT', path, { mayGrant }, { 'if-match': String(headers.etag) });
  return answer.status === 200 ? 'ok' : refusal(answer);
}

async function unlessThePolicyForbids(world: World): Promise<void> {
  const caseRef = 'CASE-POLICY';
  expect(await settle(world, { kind: 'users' })).toBe('422 settings_looser');
  expect(await settle(world, { kind: 'admins' })).toBe('ok');
  const byUser = await grant(world, { by: ALAN, caseRef });
  expect(refusal(byUser)).toBe('403 policy_admins');
  expect(byUser.body['detail']).toContain('only its admins');
  await granted(world, { by: ADA, caseRef });
  const { claims } = ADA;
  const unlicensed = { ...ADA, claims: { ...claims, licences: [] } };
  expect(refusal(await grant(world, { by: unlicensed, caseRef }))).toBe('403 policy_licence');

  expect(await settle(world, { kind: 'nobody' })).toBe('ok');
  const before = await allGrants(world);
  const byAdmin = await grant(world, { by: ADA, caseRef });
  expect(refusal(byAdmin)).toBe('403 policy_nobody');
  expect(byAdmin.body['detail']).toContain('nobody grants');
  expect(refusal(await ask(world, SAM, { caseRef }))).toBe('403 policy_nobody');
  expect(await allGrants(world)).toEqual(before);
  expect(await settle(world, null)).toBe('ok');
  await granted(world, { by: ALAN, caseRef });
  await clear(world);
}

async function needsALicence(world: World): Promise<void> {
  const before = await allGrants(world);
  const none = { ...RITA, claims: { ...RITA.claims, licences: undefined } };
  for (const by of [RITA, none]) {
    const answer = await grant(world, { by, caseRef: 'CASE-RITA' });
    expect(refusal(answer)).toBe('403 policy_licence');
    expect(answer.body['detail']).toContain('licence of backup');
  }
  expect(await allGrants(world)).toEqual(before);
  const licensed = { ...RITA, claims: { ...RITA.claims, licences: ['crm', 'backup'] } };
  await granted(world, { by: licensed, caseRef: 'CASE-RITA' });
  await clear(world);
}

async function severalAtOnce(world: World): Promise<void> {
  const caseRef = 'CASE-SEVERAL';
  const licensed = { ...RITA, claims: { ...RITA.claims, licences: ['backup'] } };
  const ids = [];
  for (const by of [ALAN, licensed]) ids.push(await verifiedGrant(world, { by, caseRef }));
  // No admin of the account: told of their own grant all the same.
  await mailed(world, { to: 'acme-rita@acme.example', subject: 'was given by Rita Requester' });
  expect(refusal(await enter(world, SAM, { caseRef }))).toBe('409 session_grant_ambiguous');
  const seen = [];
  for (const grantId of ids) {
    expect(await entered(world, SAM, { caseRef, grantId })).toMatchObject({ grantId });
    seen.push((await world.request(SAM, 'GET', '/api/v1/me/tickets')).body);
  }
  const own = ['acme-alan', 'acme-rita'].map(async (user) => {
    return (await world.direct(user, 'GET', '/api/v1/me/tickets')).body;
  });
  expect(seen).toEqual(await Promise.all(own));
  expect(seen[0]).not.toEqual(seen[1]);
  await clear(world);
}

async function oneRowPerLine(world: World): Promise<void> {
  const caseRef = 'CASE-LINE';
  const ours = await verifiedGrant(world, {
    by: ALAN,
    caseRef,
    more: { audience: { org: 'vendor', groups: ['login-access'] } },
  });
  const claimsOurs = {
    ...PIA,
    claims: { ...PIA.claims, org: 'vendor', org_id: 'vendor', groups: ['login-access'] },
  };
  expect(refusal(await enter(world, claimsOurs, { caseRef }))).toBe('403 session_not_covered');
  const theirs = await granted(world, {
    by: ADA,
    caseRef,
    more: { audience: PIA_ALONE },
  });
  // Attack: another issuer's groups that are called like those of the vendor's leads.
  expect(refusal(await verify(world, theirs, PAT))).toBe('403 leads_only');
  expect((await verify(world, theirs)).body).toMatchObject({ status: 'active' });
  expect(refusal(await enter(world, SAM, { caseRef, grantId: theirs }))).toBe('403 session_not_covered');
  // The same id under the other issuer is somebody else.
  const namesake = { ...SAM, claims: { ...SAM.claims, sub: 'pia', groups: ['support', 'login-access'] } };
  expect(await entered(world, namesake, { caseRef })).toMatchObject({ grantId: ours });
  expect(await entered(world, PIA, { caseRef })).toMatchObject({ grantId: theirs });
  expect(await reach(world, PIA)).toBe('ok');
  await revoke(world, ADA, theirs);
  expect(await reach(world, PIA)).toBe('session_required');
  expect(await reach(world, namesake)).toBe('ok');
  await clear(world);
}

async function becomesGovernment(world: World): Promise<void> {
  const path = '/v1/tenants/globex/settings';
  const { headers } = await world.service('GET', path);
  const changed = await world.service('PUT', path, { class: 'gov' }, { 'if-match': String(headers.etag) });
  expect([changed.status, changed.text]).toEqual([200, expect.anything()]);
}

async function excludesGovernments(world: World): Promise<void> {
  const tenant = 'globex';
  const caseRef = 'CASE-GOV';
  const before = await verifiedGrant(world, { by: GUS, caseRef, tenant });
  await entered(world, SAM, { tenant, caseRef });
  const screen = await watchEvents(world, SAM, tenant);
  await becomesGovernment(world);
  await screen.cut;
  expect(await reach(world, SAM, '/api/v1/me', tenant)).toBe('session_required');
  expect(refusal(await enter(world, SAM, { tenant, caseRef, grantId: before }))).toBe(
    '403 session_not_covered',
  );
  expect(refusal(await grant(world, { by: GUS, caseRef, tenant }))).toBe('403 org_excluded');
  const longer = { expiresAt: new Date(world.clock.now() + 10 * DAY_MS).toISOString() };
  expect(refusal(await world.control(GUS, 'PATCH', `/v1/grants/${before}`, longer))).toBe('403 org_excluded');
  expect(refusal(await ask(world, SAM, { tenant, caseRef, actAs: 'globex-gus' }))).toBe('403 org_excluded');
  // Named without their organisation, they are no less of it.
  const named = { principals: SAM_ALONE.principals };
  const dead = await grant(world, { by: GUS, caseRef, tenant, more: { audience: named } });
  expect(refusal(dead)).toBe('403 org_excluded');
  const mistyped = await grant(world, { by: GUS, caseRef, tenant, more: { audience: { org: 'vendro' } } });
  expect(refusal(mistyped)).toBe('422 audience_unreachable');
  expect(refusal(await enter(world, SAM, { tenant, caseRef }))).toBe('403 session_not_covered');

  const theirs = await grant(world, {
    by: GUS,
    caseRef,
    tenant,
    more: { audience: PIA_ALONE },
  });
  await verify(world, String(theirs.body['id']));
  await entered(world, PIA, { tenant, caseRef });
  expect(await reach(world, PIA, '/api/v1/me', tenant)).toBe('ok');
}

async function hasAPurposeForDebugLogs(world: World): Promise<void> {
  const caseRef = 'CASE-DEBUG';
  const reason = { type: 'debug_log', detail: 'Read the debug log of the packaged job.' };
  const before = await allGrants(world);
  const other = { type: 'curiosity', detail: 'Just so.' };
  expect(refusal(await grant(world, { by: ALAN, caseRef, more: { reason: other } }))).toBe(
    '400 invalid_request',
  );
  expect(refusal(await grant(world, { by: ALAN, caseRef, more: { reason: null } }))).toBe(
    '422 reason_required',
  );
  expect(await allGrants(world)).toEqual(before);
  await verifiedGrant(world, { by: ALAN, caseRef, more: { reason } });
  await entered(world, SAM, { caseRef, reason });
  expect(await reach(world, SAM)).toBe('ok');
  const [record] = await world.recorded((one) => one['caseRef'] === caseRef);
  expect(record).toMatchObject({ reason, session: { reason }, actAs: 'acme-alan' });
  const { body } = await world.control(ADA, 'GET', `/v1/tenants/acme/access-history?case=${caseRef}`);
  expect(body['items']).toMatchObject([{ principal: { id: 'sam' }, reason }]);
  await clear(world);
}

const STEPS: Story['steps'] = {
  'Support requests access for a case.': asksForACase,
  'The vendor verifies each grant case by case before using it: a customer’s grant stays pending until a vendor lead, who is not its user, has verified the case.':
    isVerifiedByALead,
  'Only specifically authorised staff may use it,': isForNamedStaff,
  'for that case alone (a session’s case must equal the grant’s).': isForTheCaseAlone,
  'Login as the granting user, seeing that user’s data.': actsAsTheGrantingUser,
  'Escalation may need a further request.': escalates,
  'At most fourteen continuous days per support case:': lastsFourteenDays,
  'a second grant on the same case does not restart the clock;': secondGrantRestartsNothing,
  'days count from the first start on that case, gaps do not reset it.': gapsDoNotReset,
  'Two concurrent calls cannot exceed the maximum per case.': twoAtOnceCannotExceed,
  'Any user may grant for themselves': anyUserGrants,
  'unless the organisation’s login access policy forbids it (admins only, or nobody).':
    unlessThePolicyForbids,
  'A user needs a licence of the product for the choice to appear (refused with its own type otherwise).':
    needsALicence,
  'Several users may have granted at once: the session names the grant.': severalAtOnce,
  'One row per vendor or publisher: a grant to one vendor line is useless to another’s staff.': oneRowPerLine,
  'Debug logs of packaged code need such a login: a purpose `debug_log`.': hasAPurposeForDebugLogs,
  'Government-cloud customers are excluded for this vendor line: no grant to the excluded organisations can be made, and any that exists is dead; another line may still have one.':
    excludesGovernments,
};

const sentences = [
  'Support requests access for a case.',
  'The vendor verifies each grant case by case before using it: a customer’s grant stays pending until a vendor lead, who is not its user, has verified the case.',
  'Only specifically authorised staff may use it,',
  'for that case alone (a session’s case must equal the grant’s).',
  'Login as the granting user, seeing that user’s data.',
  'Escalation may need a further request.',
  'At most fourteen continuous days per support case:',
  'a second grant on the same case does not restart the clock;',
  'days count from the first start on that case, gaps do not reset it.',
  'Two concurrent calls cannot exceed the maximum per case.',
  'Any user may grant for themselves',
  'unless the organisation’s login access policy forbids it (admins only, or nobody).',
  'A user needs a licence of the product for the choice to appear (refused with its own type otherwise).',
  'Several users may have granted at once: the session names the grant.',
  'One row per vendor or publisher: a grant to one vendor line is useless to another’s staff.',
  'Debug logs of packaged code need such a login: a purpose `debug_log`.',
  'Government-cloud customers are excluded for this vendor line: no grant to the excluded organisations can be made, and any that exists is dead; another line may still have one.',
];

describeStory({
  system: 'login access',
  world: {
    profile: 'login-access',
    packs: ['self-grant', 'user-admin', 'permissions', 'credentials'],
  },
  sentences,
  steps: STEPS,
});
