// 2. Support access, as SYSTEMS.md tells it: a date, a hidden administrator, and a list of what it can never do.
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { open } from '../../demo/http.ts';
import { mailTo, until } from './account-steps.ts';
import { describeStory, type Steps } from './story.ts';
import { LIST, sentenceOf, tryItem } from './support-access-list.ts';
import {
  ADA,
  type Answer,
  customer,
  openWorld,
  type Person,
  SAM,
  staff,
  type World,
  type WorldOptions,
} from './world.ts';

/** East of everybody: what is tomorrow here is still today for most. */
const ZONE = 'Pacific/Auckland';
const ACCESS = '/v1/tenants/acme/access';
const GRANTS = '/v1/tenants/acme/grants';
const SETTINGS = '/v1/tenants/acme/settings';
const VENDOR = { org: 'vendor' };
const NOTICE = { version: '1' };
const LOOK = { tenant: 'acme', reason: { type: 'customer_initiated_support', detail: 'The import fails.' } };
const EVE = staff('eve');
const GUS = customer('globex-gus', { org_id: 'globex', is_admin: true, email: 'gus@globex.example' });

/** All that policies/README.md names for this list; `destructive` for what support may not do with records. */
const PACKS =
  'self-grant user-admin settings credentials company permissions integrations assignment ai meetings third-party-data code zoho-crm destructive'.split(
    ' ',
  );

const WORLD: WorldOptions = {
  profile: 'support-access',
  config: {
    policies: { directory: fileURLToPath(new URL('../../policies', import.meta.url)), packs: PACKS },
  },
  upstream: { inject: { 'X-Support-User': '{principal.email}' } },
};

/** The day in the tenant’s zone, so many days from now. */
function day(world: World, days: number, zone = ZONE): Temporal.PlainDate {
  const now = Temporal.Instant.fromEpochMilliseconds(world.clock.now());
  return now.toZonedDateTimeISO(zone).toPlainDate().add({ days });
}

/** As the API writes the first instant after it. */
function endOf(date: Temporal.PlainDate, zone = ZONE): string {
  const end = date.add({ days: 1 }).toZonedDateTime(zone).epochMilliseconds;
  return new Date(end).toISOString();
}

interface ShownGrant {
  readonly id: string;
  readonly startsAt: string;
  readonly expiresAt: string | null;
  readonly notice: { readonly version: string } | null;
}

function pick(world: World, until: unknown, more: object = {}, by: Person = ADA): Promise<Answer> {
  return world.control(by, 'PUT', ACCESS, { open: true, until: String(until), notice: NOTICE, ...more });
}

async function opened(world: World, until: unknown, more: object = {}): Promise<ShownGrant> {
  const answer = await pick(world, until, more);
  expect([answer.status, answer.body]).toEqual([200, expect.objectContaining({ grant: expect.anything() })]);
  return answer.body['grant'] as ShownGrant;
}

async function off(world: World): Promise<void> {
  expect((await world.control(ADA, 'PUT', ACCESS, { open: false })).status).toBe(200);
}

/** A session that may write; the one before it ends. */
async function enter(world: World, by: Person = SAM): Promise<string> {
  const { status, body } = await world.control(by, 'POST', '/v1/sessions', { ...LOOK, access: 'write' });
  expect([status, body]).toEqual([201, expect.anything()]);
  return (body['session'] as { id: string }).id;
}

async function settled(world: World): Promise<{ readonly etag: string; readonly effective: object }> {
  const { headers, body } = await world.control(ADA, 'GET', SETTINGS);
  return { etag: String(headers['etag']), effective: body['effective'] as object };
}

async function grantsOf(world: World): Promise<unknown> {
  return (await world.control(ADA, 'GET', `${GRANTS}?limit=200`)).body['items'];
}

/** Refused with this problem type and a sentence, and no grant is other than it was. */
async function expectRefused(world: World, code: string, attempt: () => Promise<Answer>): Promise<void> {
  const before = await grantsOf(world);
  const { body } = await attempt();
  expect(body).toMatchObject({
    type: `urn:postern:problem:${code}`,
    detail: expect.stringMatching(/\w+\.$/),
  });
  expect(await grantsOf(world)).toEqual(before);
}

async function picksADate(world: World): Promise<void> {
  const { etag } = await settled(world);
  const zone = await world.control(ADA, 'PUT', SETTINGS, { timeZone: ZONE }, { 'if-match': etag });
  expect(zone.status).toBe(200);
  const date = day(world, 10);
  const grant = await opened(world, date);
  expect(grant.expiresAt).toBe(endOf(date));
  expect(grant.expiresAt).not.toBe(endOf(date, 'UTC'));
  await mailTo(world, 'ada@acme.example', 'Ada Admin', ZONE);
  // Chosen anew, longer and shorter; the same day as an instant, and not a millisecond beside it.
  expect(await opened(world, day(world, 30))).toMatchObject({
    id: grant.id,
    expiresAt: endOf(day(world, 30)),
  });
  expect(await opened(world, endOf(date))).toMatchObject({ id: grant.id, expiresAt: endOf(date) });
  await off(world);
  for (const beside of [-1, 1]) {
    const instant = new Date(Date.parse(endOf(date)) + beside).toISOString();
    await expectRefused(world, 'whole_days', () => pick(world, instant));
  }
  await expectRefused(world, 'date_invalid', () => pick(world, `${date.year + 1}-02-30`));
}

async function runsFromActivation(world: World): Promise<void> {
  await off(world);
  const refused = await world.control(SAM, 'POST', '/v1/sessions', LOOK);
  expect([refused.status, refused.body['type']]).toEqual([403, 'urn:postern:problem:session_not_covered']);
  expect((await world.request(SAM, 'GET', '/api/v1/tickets')).status).toBe(403);
  const activated = world.clock.now();
  const grant = await opened(world, day(world, 3));
  expect(Date.parse(grant.startsAt)).toBeGreaterThanOrEqual(activated);
  expect(Date.parse(grant.startsAt)).toBeLessThanOrEqual(world.clock.now());
  const status = await world.control(ADA, 'GET', '/v1/tenants/acme/status');
  expect(status.body).toEqual({ open: true, openUntil: endOf(day(world, 3)), access: 'write' });
  await enter(world);
  expect((await world.request(SAM, 'GET', '/api/v1/tickets')).status).toBe(200);
}

async function atLeastOneDay(world: World): Promise<void> {
  await off(world);
  await expectRefused(world, 'too_short', () => pick(world, day(world, 0)));
  await expectRefused(world, 'end_in_past', () => pick(world, day(world, -1)));
  expect((await opened(world, day(world, 1))).expiresAt).toBe(endOf(day(world, 1)));
  await off(world);
  // Counted from activation, wherever that lies.
  const startsAt = new Date(world.clock.now() + 5 * 86_400_000).toISOString();
  const first = Temporal.Instant.from(startsAt).toZonedDateTimeISO(ZONE).toPlainDate();
  const later = (date: Temporal.PlainDate) =>
    world.control(ADA, 'POST', GRANTS, {
      audience: VENDOR,
      startsAt,
      expiresAt: String(date),
      notice: NOTICE,
    });
  await expectRefused(world, 'too_short', () => later(first));
  const scheduled = await later(first.add({ days: 1 }));
  expect(scheduled.body).toMatchObject({ status: 'scheduled', expiresAt: endOf(first.add({ days: 1 })) });
  const id = String(scheduled.body['id']);
  expect((await world.control(ADA, 'POST', `/v1/grants/${id}/revoke`)).status).toBe(200);
}

async function atMostFiveYears(world: World): Promise<void> {
  await off(world);
  const last = day(world, 0).add({ years: 5 });
  const beyond = last.add({ days: 1 });
  await expectRefused(world, 'too_long', () => pick(world, beyond));
  await expectRefused(world, 'too_long', () => pick(world, endOf(beyond)));
  const grantUntil = (expiresAt: string | null) =>
    world.control(ADA, 'POST', GRANTS, { audience: VENDOR, expiresAt, notice: NOTICE });
  await expectRefused(world, 'too_long', () => grantUntil(String(beyond)));
  await expectRefused(world, 'indefinite_not_allowed', () => grantUntil(null));
  const onBehalfOf = { id: 'acme-ada', email: 'ada@acme.example' };
  const wish = { open: true, until: String(beyond), notice: NOTICE, onBehalfOf };
  await expectRefused(world, 'too_long', () => world.service('PUT', ACCESS, wish));

  const { id, expiresAt } = await opened(world, last);
  expect(expiresAt).toBe(endOf(last));
  const extend = (until: Temporal.PlainDate) =>
    world.control(ADA, 'PATCH', `/v1/grants/${id}`, { expiresAt: String(until), notice: NOTICE });
  await expectRefused(world, 'too_long', () => extend(beyond));
  expect((await extend(day(world, 20))).body).toMatchObject({ expiresAt: endOf(day(world, 20)) });
  expect((await extend(last)).body).toMatchObject({ expiresAt: endOf(last) });
}

/** As long as a watching person stays: the help desk never ends it. */
async function watch(world: World): Promise<IncomingMessage> {
  const authorization = `Bearer ${await world.token(SAM)}`;
  const headers = { host: 'acme.helpdesk.localhost', authorization };
  const path = '/api/v1/events';
  const response = await open({ port: world.gate.dataPort, path, headers }, AbortSignal.timeout(20_000));
  expect(response.statusCode).toBe(200);
  // A cut is a reset here, which is what is waited for.
  response.on('error', () => undefined);
  await once(response, 'data');
  return response;
}

async function revokes(world: World): Promise<void> {
  const { id } = await opened(world, day(world, 7));
  const impact = async () => (await world.control(ADA, 'GET', `/v1/grants/${id}/impact`)).body;
  expect(await impact()).toEqual({ requests: 0, streams: 0, principals: 0 });
  const session = await enter(world);
  const stream = await watch(world);
  const isOver = new Promise((resolve) => stream.once('close', resolve));
  expect(await impact()).toEqual({ requests: 0, streams: 1, principals: 1 });

  const revoked = await world.control(ADA, 'POST', `/v1/grants/${id}/revoke`);
  expect(revoked.body).toMatchObject({ status: 'revoked', revokedBy: { email: 'ada@acme.example' } });
  expect(await impact()).toEqual({ requests: 0, streams: 0, principals: 0 });
  // What happens in the account from here on reaches nobody.
  stream.removeAllListeners('data');
  let late = '';
  stream.on('data', (bytes) => (late += String(bytes)));
  await world.direct('acme-alan', 'POST', '/api/v1/tickets', {
    subject: 'After the revoke',
    body: 'Secret.',
  });
  await isOver;
  expect(late).toBe('');
  expect((await world.request(SAM, 'GET', '/api/v1/tickets')).status).toBe(403);
  const [cut] = await world.recorded(({ outcome }) => outcome === 'cut');
  expect(cut).toMatchObject({ grant: { id }, http: { path: '/api/v1/events' }, endedBy: 'revoked' });
  await expectReport(world, session);
}

/** Of the session that the revoke has ended: made by itself, sent to the customer, and a visit in the history. */
async function expectReport(world: World, session: string): Promise<void> {
  const report = await until('the report', async () => {
    const answer = await world.control(ADA, 'GET', `/v1/sessions/${session}/report`);
    return answer.status === 200 ? answer.body : null;
  });
  const who = { principal: { id: 'sam', email: 'sam@vendor.test' }, reason: LOOK.reason };
  expect(report).toMatchObject({ ...who, endedBy: 'grant_ended', complete: true, reads: 1, writes: 0 });
  await mailTo(world, 'ada@acme.example', 'sam@vendor.test', session);
  const { body } = await world.control(ADA, 'GET', '/v1/tenants/acme/access-history?principal=sam');
  expect(body['items']).toContainEqual(expect.objectContaining({ session, reason: LOOK.reason }));
}

/** In a world of its own: what was armed by earlier traffic knows nothing of travels. */
async function expires(): Promise<void> {
  await using world = await openWorld(WORLD);
  const date = day(world, 2, 'UTC');
  const { id, expiresAt } = await opened(world, date);
  expect(expiresAt).toBe(endOf(date, 'UTC'));
  const end = Date.parse(String(expiresAt));
  world.travel(end - world.clock.now() - 3_000);
  await enter(world);
  const stream = await watch(world);
  const isOver = new Promise((resolve) => stream.once('close', resolve));
  expect((await world.request(SAM, 'GET', '/api/v1/tickets')).status).toBe(200);
  // Nobody does anything: what is in flight is cut with the day, and not before.
  await isOver;
  expect(world.clock.now()).toBeGreaterThanOrEqual(end);
  expect((await world.request(SAM, 'GET', '/api/v1/tickets')).status).toBe(403);
  const again = await world.control(SAM, 'POST', '/v1/sessions', LOOK);
  expect([again.status, again.body['type']]).toEqual([403, 'urn:postern:problem:session_not_covered']);
  expect((await world.control(ADA, 'GET', `/v1/grants/${id}`)).body).toMatchObject({ status: 'expired' });
  const status = await world.control(ADA, 'GET', '/v1/tenants/acme/status');
  expect(status.body).toEqual({ open: false, openUntil: null, access: null });
  const cut = await world.recorded((one) => one['outcome'] === 'cut' && one['endedBy'] !== 'revoked');
  expect(cut).toMatchObject([{ grant: { id }, http: { path: '/api/v1/events' } }]);
}

async function allEditions(world: World): Promise<void> {
  for (const licences of [[], ['free'], ['standard'], ['professional'], ['enterprise'], ['ultimate']]) {
    await off(world);
    const admin: Person = { ...ADA, claims: { ...ADA.claims, licences } };
    const answer = await pick(world, day(world, 2), {}, admin);
    expect([licences, answer.status]).toEqual([licences, 200]);
  }
}

async function toldOfTheNotice(world: World): Promise<void> {
  await off(world);
  const { etag, effective } = await settled(world);
  const text = expect.stringContaining('can see the data of your account');
  expect(effective).toMatchObject({ notice: { version: '1', text } });
  const until = day(world, 5);
  for (const notice of [undefined, { version: '0' }]) {
    await expectRefused(world, 'notice_not_current', () => pick(world, until, { notice }));
  }
  const first = await opened(world, until);
  expect(first.notice).toEqual({ version: '1' });
  // Put anew by the vendor: what was consented to before stays as it was, and is no consent to this.
  const notice = { version: '2', text: 'Support staff can see your data, and your calendars.' };
  const changed = await world.service('PUT', SETTINGS, { notice }, { 'if-match': etag });
  expect(changed.status).toBe(200);
  expect((await world.control(ADA, 'GET', `/v1/grants/${first.id}`)).body).toMatchObject({ notice: NOTICE });
  await off(world);
  await expectRefused(world, 'notice_not_current', () => pick(world, until));
  expect(await opened(world, until, { notice: { version: '2' } })).toMatchObject({
    notice: { version: '2' },
  });
  const revision = (await settled(world)).etag;
  const back = await world.service('PUT', SETTINGS, { notice: null }, { 'if-match': revision });
  expect(back.status).toBe(200);
  await off(world);
}

/** A caller may make a hundred calls at once, and more after a pause. */
function rest(world: World): void {
  world.travel(10_000);
}

async function hiddenAdministrator(world: World): Promise<void> {
  await opened(world, day(world, 30));
  await enter(world);
  const me = await world.request(SAM, 'GET', '/api/v1/me');
  const acting = { kind: 'support', id: 'sam', org: 'vendor', access: 'write', roles: ['administrator'] };
  expect(me.body).toMatchObject({ actingAs: acting, assertionVerified: true });
  const seen = JSON.stringify(await world.usersAndSeats());
  expect(seen).toContain('ada@acme.example');
  expect(seen).not.toMatch(/sam|vendor/);
}

async function createsAndEdits(world: World): Promise<void> {
  await enter(world);
  const created = await world.request(SAM, 'POST', '/api/v1/tickets', {
    body: { subject: 'A test', body: 'By support.' },
  });
  expect(created.status).toBe(201);
  const path = `/api/v1/tickets/${String(created.body['id'])}`;
  const edited = await world.request(SAM, 'PATCH', path, { body: { status: 'pending' } });
  expect([edited.status, edited.body['status']]).toEqual([200, 'pending']);
  expect((await world.request(SAM, 'POST', `${path}/comments`, { body: { body: 'Seen.' } })).status).toBe(
    201,
  );
  // An assignment rule that gives records to somebody else is set-up like any other.
  const rule = await world.request(SAM, 'POST', '/api/v1/assignment-rules', {
    body: { assignee: 'acme-alan' },
  });
  expect(rule.body['reason']).toBeUndefined();
  const deletions = [
    await world.request(SAM, 'DELETE', path),
    await world.request(SAM, 'DELETE', '/crm/v8/leads/7'),
    await world.request(SAM, 'POST', `${path}?_method=DELETE`, { body: {} }),
    await world.request(SAM, 'POST', path, { body: {}, headers: { 'x-http-method-override': 'DELETE' } }),
  ];
  for (const { status, body } of deletions.slice(0, 3)) {
    expect([status, body]).toEqual([403, expect.objectContaining({ reason: 'rule_denied' })]);
    expect(body['rule']).toMatchObject({ category: 'destructive' });
  }
  expect(deletions[3]?.status).toBeGreaterThanOrEqual(400);
  expect((await world.direct('acme-ada', 'GET', path)).body).toMatchObject({ status: 'pending' });
}

async function ownedBySupport(world: World): Promise<void> {
  await enter(world);
  const created = await world.request(SAM, 'POST', '/api/v1/tickets', {
    body: { subject: 'Whose is it?', body: 'Of support.' },
    // Nobody hands the application an identity past the gate.
    headers: { 'x-support-user': 'ada@acme.example', 'x-support-assertion': 'forged' },
  });
  expect([created.status, created.body['requester']]).toEqual([201, 'sam']);
  const path = `/api/v1/tickets/${String(created.body['id'])}`;
  await world.request(SAM, 'POST', `${path}/comments`, { body: { body: 'Mine.' } });
  const shown = await world.direct('acme-ada', 'GET', path);
  expect(shown.body).toMatchObject({ comments: [{ author: 'sam', authorKind: 'support' }] });
  const me = await world.request(SAM, 'GET', '/api/v1/me', {
    headers: { 'x-support-user': 'ada@acme.example' },
  });
  expect(me.body).toMatchObject({
    actingAs: { id: 'sam', email: 'sam@vendor.test' },
    headersReceived: { 'x-support-user': 'sam@vendor.test' },
    assertionVerified: true,
  });
}

/** Every record that the filter finds, over all pages. */
async function recordsBy(world: World, filter: string): Promise<readonly Record<string, unknown>[]> {
  const found: Record<string, unknown>[] = [];
  let cursor = '';
  do {
    const path = `/v1/tenants/acme/records?${filter}&limit=100${cursor}`;
    const { status, body } = await world.control(ADA, 'GET', path);
    expect([status, body]).toEqual([200, expect.anything()]);
    found.push(...(body['items'] as Record<string, unknown>[]));
    const next = body['nextCursor'];
    cursor = typeof next === 'string' ? `&cursor=${encodeURIComponent(next)}` : '';
  } while (cursor !== '');
  return found;
}

const idsOf = (records: readonly Record<string, unknown>[]) => new Set(records.map(({ id }) => id));

async function actsOf(world: World, by: Person): Promise<readonly unknown[]> {
  await enter(world, by);
  const answers = [
    await world.request(by, 'GET', '/api/v1/tickets'),
    await world.request(by, 'POST', '/api/v1/tickets', { body: { subject: 'One', body: 'More.' } }),
    await world.request(by, 'DELETE', '/api/v1/tickets/1'),
    await world.request(by, 'POST', '/api/v1/exports', { body: {} }),
  ];
  expect(answers.map(({ status }) => status)).toEqual([200, 201, 403, 403]);
  return answers.map(({ headers, body }) => headers['x-request-id'] ?? body['requestId']);
}

async function filtersTheAudit(world: World): Promise<void> {
  rest(world);
  const bySam = await actsOf(world, SAM);
  const byEve = await actsOf(world, EVE);
  await world.recorded(({ id }) => id === byEve.at(-1));
  const sams = await recordsBy(world, 'principal=sam');
  expect(idsOf(sams)).toEqual(idsOf(await recordsBy(world, 'principal=sam@vendor.test')));
  expect([...idsOf(sams)]).toEqual(expect.arrayContaining([...bySam]));
  for (const { actor, tenant } of sams) expect([actor, tenant]).toMatchObject([{ id: 'sam' }, 'acme']);
  expect(idsOf(await recordsBy(world, 'principal=eve'))).toEqual(new Set(byEve));
  const [read, write, ...denied] = byEve;
  expect(idsOf(await recordsBy(world, 'principal=eve&effect=read'))).toEqual(new Set([read]));
  expect(idsOf(await recordsBy(world, 'principal=eve&effect=write'))).toEqual(new Set([write]));
  expect(idsOf(await recordsBy(world, 'principal=eve&effect=denied'))).toEqual(new Set(denied));
  expect(await recordsBy(world, 'principal=nobody')).toEqual([]);
  // What support did in the list above is there too, each with its rule.
  const categories = sams.map(({ rule }) => (rule as { category?: string } | null)?.category);
  for (const { categories: listed } of LIST) expect(categories).toEqual(expect.arrayContaining([...listed]));
  const foreign = await world.control(GUS, 'GET', '/v1/tenants/acme/records?principal=sam');
  expect(foreign.status).toBeGreaterThanOrEqual(403);
  expect(foreign.body['items']).toBeUndefined();
}

async function nothingIsLifted(world: World): Promise<void> {
  rest(world);
  const { id } = await opened(world, day(world, 40));
  const categories = new Set(LIST.flatMap((listed) => listed.categories));
  expect(categories.size).toBeGreaterThan(10);
  const draft = { audience: VENDOR, expiresAt: String(day(world, 3)), notice: NOTICE };
  for (const category of [...categories, 'destructive']) {
    const lifts = [category];
    const attempts = [
      () => world.control(ADA, 'POST', GRANTS, { ...draft, lifts }),
      () => world.control(ADA, 'PATCH', `/v1/grants/${id}`, { lifts, notice: NOTICE }),
    ];
    for (const attempt of attempts) await expectRefused(world, 'lift_not_allowed', attempt);
  }
  // Nor does the customer's admin make them liftable.
  rest(world);
  const { etag } = await settled(world);
  const wish = { liftable: ['export'] };
  await expectRefused(world, 'settings_looser', () =>
    world.control(ADA, 'PUT', SETTINGS, wish, { 'if-match': etag }),
  );
}

const DENIED_READS = [1, 7, 8, 9, 10, 11, 16, 18, 19, 21, 22, 23, 25, 26, 27, 28, 29, 31, 32];
const OPEN_READS = [2, 3, 4, 5, 6, 12, 13, 14, 15, 17, 24, 30];

/** HEAD is a read as well; item by item, GET stands in the list. */
async function readsAsTheListSays(world: World): Promise<void> {
  await enter(world);
  const denied: number[] = [];
  const reached: number[] = [];
  for (const { number, reads } of LIST) {
    if (number === 20) continue;
    const statuses = new Set<number>();
    for (const one of reads) {
      const { status } = await world.request(SAM, 'HEAD', one.slice('GET '.length));
      statuses.add(status === 403 ? 403 : 200);
    }
    expect([number, statuses.size]).toEqual([number, 1]);
    (statuses.has(403) ? denied : reached).push(number);
  }
  expect(denied).toEqual(DENIED_READS);
  expect(reached).toEqual(OPEN_READS);
}

const STEPS: Steps = {
  'The admin picks a date: the end of that day in the tenant’s time zone.': picksADate,
  'Access runs from activation to that date.': runsFromActivation,
  'At least one day, counted from activation.': atLeastOneDay,
  'At most five years, enforced in the store.': atMostFiveYears,
  'Revocable any time, with a confirmation that shows what is live.': revokes,
  'Expires by itself.': expires,
  'All editions.': allEditions,
  'The customer is told that their data will be visible: a notice with a version, recorded with the grant.':
    toldOfTheNotice,
  'Admin-level access minus a list, as a hidden user that takes no licence.': hiddenAdministrator,
  'Support may create, edit and update records, not delete.': createsAndEdits,
  'What they add is owned by the support user: the upstream learns the staff identity, not a customer’s.':
    ownedBySupport,
  'Reads are denied too for 1, 7–11, 16, 18, 19, 21–23, 25–29, 31, 32; only writes for 2–6, 12–15, 17, 24, 30.':
    readsAsTheListSays,
  'None of them can be lifted in this profile.': nothingIsLifted,
  'All actions are in the audit log; the customer filters it by the support user.': filtersTheAudit,
};

const LIST_STEPS: Steps = Object.fromEntries(
  LIST.map((listed) => [
    sentenceOf(listed),
    async (world: World) => {
      if (listed.number === 20) return atMostFiveYears(world);
      await enter(world);
      await tryItem(world, listed);
    },
  ]),
);

describe('the list of what support can never do', () => {
  it('has exactly the 32 items, in their order', () => {
    expect(LIST.map(({ number }) => number)).toEqual(Array.from({ length: 32 }, (_, index) => index + 1));
  });
});

describeStory({
  system: 'support access',
  world: WORLD,
  sentences: [
    'The admin picks a date: the end of that day in the tenant’s time zone.',
    'Access runs from activation to that date.',
    'At least one day, counted from activation.',
    'At most five years, enforced in the store.',
    'Revocable any time, with a confirmation that shows what is live.',
    'Expires by itself.',
    'All editions.',
    'The customer is told that their data will be visible: a notice with a version, recorded with the grant.',
    'Admin-level access minus a list, as a hidden user that takes no licence.',
    'Support may create, edit and update records, not delete.',
    'What they add is owned by the support user: the upstream learns the staff identity, not a customer’s.',
    'Support can never do 1: the support access page itself: enable, disable, change duration [self-grant].',
    'Support can never do 2: change other users’ details [user-admin].',
    'Support can never do 3: tab groups, mail merge, trusted domains, workflow actions by an integration [settings].',
    'Support can never do 4: manage the subscription [billing].',
    'Support can never do 5: send email [email].',
    'Support can never do 6: change email permissions: mass email, autoresponders, scheduled mass email, workflow email [email-config].',
    'Support can never do 7: export, data backup [export].',
    'Support can never do 8: export reports [export].',
    'Support can never do 9: export audit logs [export].',
    'Support can never do 10: generate secret keys [credentials].',
    'Support can never do 11: company details [company].',
    'Support can never do 12: change admin-level permissions [permissions].',
    'Support can never do 13: set up integrations [integrations].',
    'Support can never do 14: copy customizations [settings].',
    'Support can never do 15: connections: view only [integrations].',
    'Support can never do 16: marketplace [integrations].',
    'Support can never do 17: be assigned records by an assignment rule [assignment].',
    'Support can never do 18: channels [settings].',
    'Support can never do 19: sheet and print views [export].',
    'Support can never do 20: a date beyond five years [grant limit, not a route].',
    'Support can never do 21: chatbot [ai].',
    'Support can never do 22: conversational AI [ai].',
    'Support can never do 23: voice assistant, developer space [ai].',
    'Support can never do 24: create online meetings [meetings].',
    'Support can never do 25: data enrichment [third-party-data].',
    'Support can never do 26: voice-of-the-customer [settings].',
    'Support can never do 27: vision [ai].',
    'Support can never do 28: voice assistant [ai].',
    'Support can never do 29: surveys [email].',
    'Support can never do 30: set up connections [integrations].',
    'Support can never do 31: client scripts [code].',
    'Support can never do 32: social channel [settings].',
    'Reads are denied too for 1, 7–11, 16, 18, 19, 21–23, 25–29, 31, 32; only writes for 2–6, 12–15, 17, 24, 30.',
    'None of them can be lifted in this profile.',
    'All actions are in the audit log; the customer filters it by the support user.',
  ],
  steps: { ...STEPS, ...LIST_STEPS },
});
