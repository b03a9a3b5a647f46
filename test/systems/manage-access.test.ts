// 3. Manage access, as SYSTEMS.md tells it.
import { afterAll, expect } from 'vitest';
import { dial } from '../support/gate-traffic.ts';
import {
  arrivalsAt,
  atHost,
  credentialFor,
  DAY_MS,
  enter,
  enterWithBrowser,
  give,
  type GrantJson,
  grantIn,
  HOST,
  instantText,
  launchLink,
  mailAbout,
  manageAccessWorld,
  monthAfter,
  named,
  openSession,
  postLaunch,
  refusedAs,
  ROLES,
} from './manage-access-world.ts';
import { describeStory, type Steps } from './story.ts';
import { ADA, type Answer, customer, LEA, SAM, staff, type World } from './world.ts';

const PERMISSION = 'manage_support_access';
/** An admin who holds the permission; Ada is one who does not. */
const MAY = customer('acme-may', {
  is_admin: true,
  perms: [PERMISSION],
  email: 'may@acme.example',
  name: 'May Manager',
});
const UMA = staff('uma');
const VIC = staff('vic');
const WES = staff('wes');
const GRANTS = '/v1/tenants/acme/grants';
const SWITCH = '/v1/tenants/acme/access';
const SETTINGS = '/v1/tenants/acme/settings';
const TICKET = { subject: 'From support', body: 'A test.' };

const ruled = (id: string) => ({ status: 403, body: { reason: 'rule_denied', rule: { id } } });

const OFF = 'A toggle, off by default.';
const PERMITTED = 'The admin needs a permission of their own to use it; the refusal names the policy.';
const DEFAULT_END = 'An end date and time: default one week.';
const MAXIMUM =
  'Maximum one month, a calendar month: exactly that passes, a millisecond more is refused and changes nothing.';
const SCOPE = 'One or more account-wide roles; the workspaces it covers; a role per workspace.';
const TRAVEL = 'Roles, workspaces and whom it acts as reach the application: signed, and in headers.';
const WORKSPACES =
  'They limit what an unmodified application lets through: the granted workspaces, no other.';
const BY_ROLE = 'Rules ask for roles: account-wide ones, and those in the workspace that a request names.';
const CREDENTIAL = 'The injected credential depends on the role, and a role without one enters nothing.';
const NEVER = 'Whatever the role: no changing other agents, no exporting data.';
const NOT_LIFTABLE = 'Not liftable.';
const MAIL = 'The support agent gets an email when access is given.';
const WHO =
  'See who has access: agent name, email, last active; named principals, groups, and everyone who has used the grant.';
const REVOKE = 'Revoke with a confirmation: terminated immediately.';
const LOCKED_OUT = 'After a revoke the agent can no longer log in.';
const RUNS_OUT = 'It ends by itself at its end date and time.';

const steps: Steps = {
  async [OFF](world) {
    expect(await world.control(MAY, 'GET', '/v1/tenants/acme/status')).toMatchObject({
      status: 200,
      body: { open: false },
    });
    expect(await openSession(world, SAM)).toMatchObject(refusedAs('session_not_covered', 403));
    expect(await world.request(SAM, 'GET', '/api/v1/me')).toMatchObject({ status: 403 });
    const on = await world.control(MAY, 'PUT', SWITCH, { open: true });
    expect(on).toMatchObject({ status: 200, body: { status: { open: true }, grant: { roles: ['agent'] } } });
    await enter(world, SAM);
    expect((await world.request(SAM, 'GET', '/api/v1/me')).status).toBe(200);
    const off = await world.control(MAY, 'PUT', SWITCH, { open: false });
    expect(off).toMatchObject({ status: 200, body: { status: { open: false } } });
    expect(await world.request(SAM, 'GET', '/api/v1/me')).toMatchObject({ status: 403 });
  },

  async [PERMITTED](world) {
    const refused = {
      ...refusedAs('policy_permission', 403),
      body: expect.objectContaining({ detail: expect.stringContaining(PERMISSION) }),
    };
    const before = await grantsOf(world);
    const other = { ...ADA, claims: { ...ADA.claims, perms: ['manage_billing'] } };
    for (const admin of [ADA, other]) {
      const asked = await world.control(admin, 'PUT', SWITCH, { open: true });
      expect(asked).toMatchObject(refusedAs('policy_permission', 403));
      expect(asked).toMatchObject(refused);
      const created = await world.control(admin, 'POST', GRANTS, { audience: named(world, SAM) });
      expect(created).toMatchObject(refusedAs('policy_permission', 403));
    }
    const onBehalfOf = { id: 'acme-ada', email: 'ada@acme.example' };
    expect(await world.service('PUT', SWITCH, { open: true, onBehalfOf })).toMatchObject(refused);
    const agent = customer('acme-alan', { perms: [PERMISSION] });
    expect((await world.control(agent, 'PUT', SWITCH, { open: true })).status).toBe(403);
    expect(await grantsOf(world)).toEqual(before);

    const held = { ...onBehalfOf, permissions: [PERMISSION] };
    const opened = await world.service('PUT', SWITCH, { open: true, onBehalfOf: held });
    expect(opened).toMatchObject({ status: 200, body: { status: { open: true } } });
    // Ending access takes none: it is every admin's right.
    expect((await world.control(ADA, 'PUT', SWITCH, { open: false })).status).toBe(200);
  },

  async [DEFAULT_END](world) {
    const given = await give(world, MAY, { audience: named(world, SAM), roles: ['agent'] });
    expect(lengthOf(given)).toBe(7 * DAY_MS);
    await revoke(world, given.id);
    const on = await world.control(MAY, 'PUT', SWITCH, { open: true });
    expect(lengthOf(on.body['grant'] as GrantJson)).toBe(7 * DAY_MS);
    const until = instantText(world.clock.now() + 3 * DAY_MS + 12_345);
    const changed = await world.control(MAY, 'PUT', SWITCH, { open: true, until });
    expect(changed).toMatchObject({
      status: 200,
      body: { status: { openUntil: until }, grant: { expiresAt: until } },
    });
    await closeAll(world);
  },

  [MAXIMUM]: atMostAMonth,

  async [SCOPE](world) {
    const roles = ['agent', 'reporter'];
    const workspaces = [
      { id: 'sales', roles: ['agent'] },
      { id: 'hr', roles: ['viewer'] },
    ];
    const draft = { audience: named(world, SAM), roles, workspaces };
    const { id } = await give(world, MAY, draft);
    const mine = await world.control(SAM, 'GET', '/v1/me/grants?status=active');
    expect(mine.body['items']).toMatchObject([{ id, roles, workspaces, access: 'write' }]);
    const wrong: readonly (readonly [string, object])[] = [
      ['role_invalid', { roles: ['agent\u0007'] }],
      ['role_invalid', { workspaces: [{ id: 'sales', roles: ['a\u0000'] }] }],
      ['workspace_invalid', { workspaces: [{ id: 'sa\u0007les', roles: [] }] }],
      ['workspace_invalid', { workspaces: [...workspaces, { id: 'hr', roles: [] }] }],
    ];
    const before = await grantsOf(world);
    for (const [type, change] of wrong) {
      const refused = await world.control(MAY, 'POST', GRANTS, { ...draft, ...change });
      expect(refused, type).toMatchObject(refusedAs(type, 422));
    }
    expect(await grantsOf(world)).toEqual(before);
    const on = await world.control(MAY, 'PUT', SWITCH, { open: true, roles, workspaces });
    expect(on.body['grant']).toMatchObject({
      roles,
      workspaces,
      audience: { org: 'vendor', groups: ['support'] },
    });
    expect((await world.control(MAY, 'PUT', SWITCH, { open: false })).status).toBe(200);
  },

  [TRAVEL]: theyReachTheApplication,
  [WORKSPACES]: onlyTheGrantedWorkspaces,

  async [BY_ROLE](world) {
    const post = (workspace: string) =>
      world.request(SAM, 'POST', `/api/v1/tickets?workspace=${workspace}`, { body: TICKET });
    // Sam of the grant above is agent of the account.
    expect((await post('hr')).status).toBe(201);
    const workspaces = [
      { id: 'sales', roles: ['agent'] },
      { id: 'hr', roles: ['viewer'] },
    ];
    const [known] = await activeGrants(world);
    const narrowed = await world.control(MAY, 'PATCH', `/v1/grants/${known?.id}`, { roles: [], workspaces });
    expect(narrowed.status).toBe(200);
    const viewed = await give(world, MAY, { audience: named(world, UMA), roles: ['viewer'], workspaces });
    await enter(world, UMA);
    const uma = (method: string, target: string, body?: object) =>
      world.request(UMA, method, target, body === undefined ? {} : { body });
    const opened = await uma('POST', '/api/v1/tickets?workspace=sales', TICKET);
    expect(opened.status).toBe(201);
    const ticket = `/api/v1/tickets/${String(opened.body['id'])}?workspace=sales`;
    expect(await uma('POST', '/api/v1/tickets?workspace=hr', TICKET)).toMatchObject(ruled('roles.write'));
    expect((await uma('GET', '/api/v1/tickets?workspace=hr')).status).toBe(200);
    expect(await uma('DELETE', ticket)).toMatchObject(ruled('roles.delete'));
    const promoted = { roles: ['administrator'] };
    expect((await world.control(MAY, 'PATCH', `/v1/grants/${viewed.id}`, promoted)).status).toBe(200);
    expect((await uma('DELETE', ticket)).status).toBe(204);
    expect((await world.direct('acme-ada', 'GET', ticket)).status).toBe(404);
    await closeAll(world);
  },

  async [CREDENTIAL](world) {
    using arrivals = arrivalsAt(world);
    for (const role of ROLES) {
      const { id } = await give(world, MAY, { audience: named(world, SAM), roles: [role] });
      await enter(world, SAM);
      expect((await world.request(SAM, 'GET', '/api/v1/me')).status, role).toBe(200);
      expect(arrivals.header('authorization')).toBe(credentialFor(role));
      await revoke(world, id);
    }
    const reached = arrivals.requests.length;
    for (const roles of [['auditor'], ['auditor', 'agent'], ['constructor'], []]) {
      const { id } = await give(world, MAY, { audience: named(world, SAM), roles });
      await enter(world, SAM);
      expect((await world.request(SAM, 'GET', '/api/v1/me')).status, roles.join()).toBe(503);
      await revoke(world, id);
    }
    expect(arrivals.requests).toHaveLength(reached);
  },

  [NEVER]: neverWhateverTheRole,

  async [NOT_LIFTABLE](world) {
    const { id, revision } = await give(world, MAY, { audience: named(world, SAM), roles: ['agent'] });
    const before = await grantsOf(world);
    const reason = { type: 'customer_initiated_support', detail: 'They ask for a file.' };
    for (const category of ['export', 'user-admin', 'permissions', 'credentials', 'self-grant']) {
      const lifts = [category];
      const draft = { audience: named(world, SAM), roles: ['agent'], lifts, reason };
      const refused = refusedAs('lift_not_allowed', 422);
      expect(await world.control(MAY, 'POST', GRANTS, draft), category).toMatchObject(refused);
      const patch = { lifts, reason };
      expect(await world.control(MAY, 'PATCH', `/v1/grants/${id}`, patch)).toMatchObject(refused);
      const kept = await changeSettings(world, { liftable: lifts });
      expect([kept.status, kept.body['type']], category).toEqual([422, expect.anything()]);
    }
    expect(await grantsOf(world)).toEqual(before);
    expect((await world.control(MAY, 'GET', `/v1/grants/${id}`)).body).toMatchObject({ revision, lifts: [] });
    await closeAll(world);
  },

  async [MAIL](world) {
    // Lea has shown a token to the gate: that is how her address and her groups are known.
    await world.control(LEA, 'GET', '/v1/me/grants');
    const end = instantText(world.clock.now() + 5 * DAY_MS);
    const workspaces = [
      { id: 'sales', roles: ['agent'] },
      { id: 'hr', roles: ['viewer', 'reporter'] },
    ];
    const draft = { audience: named(world, SAM), roles: ['agent', 'reporter'], workspaces };
    const toSam = await give(world, MAY, { ...draft, expiresAt: end });
    const text = await mailAbout(world, 'sam@vendor.test', toSam.id, /^You have access to acme/);
    expect(text).toMatch(/Granted by:? +May Manager/);
    expect(text).toMatch(/Roles:? +agent, reporter/);
    expect(text).toMatch(/Workspaces:? +sales \(agent\), hr \(viewer, reporter\)/);
    expect(text).toContain(String(new Date(end).getUTCFullYear()));
    const audience = { org: 'vendor', groups: ['support-leads'] };
    const toLeads = await give(world, MAY, { audience, roles: ['administrator'] });
    await mailAbout(world, 'lea@vendor.test', toLeads.id, /^You have access to acme/);
    const on = await world.control(MAY, 'PUT', SWITCH, { open: true });
    const switched = (on.body['grant'] as GrantJson).id;
    for (const { claims } of [SAM, LEA, UMA]) {
      await mailAbout(world, String(claims['email']), switched, /^You have access to acme/);
    }
    expect((await world.control(MAY, 'PUT', SWITCH, { open: false })).status).toBe(200);
    const others = world.mail.mails.filter(({ to }) => to.includes('uma@vendor.test'));
    expect(others.filter(({ source }) => source.includes(toSam.id) || source.includes(toLeads.id))).toEqual(
      [],
    );
  },

  [WHO]: seeWhoHasAccess,
  [REVOKE]: revokeCuts,

  [LOCKED_OUT]: noLongerLogsIn,

  async [RUNS_OUT](world) {
    const expiresAt = instantText(world.clock.now() + 2 * DAY_MS);
    const { id } = await give(world, MAY, { audience: named(world, VIC), roles: ['agent'], expiresAt });
    world.travel(2 * DAY_MS - 30_000);
    await enter(world, VIC);
    expect((await world.request(VIC, 'GET', '/api/v1/me')).status).toBe(200);
    world.travel(30_000);
    expect((await world.request(VIC, 'GET', '/api/v1/me')).status).toBe(403);
    expect((await openSession(world, VIC)).status).toBe(403);
    expect((await world.control(MAY, 'GET', `/v1/grants/${id}`)).body).toMatchObject({ status: 'expired' });
  },
};

async function atMostAMonth(world: World): Promise<void> {
  // To the last of January, whose month is a short one.
  const now = new Date(world.clock.now());
  const january = Date.UTC(now.getUTCFullYear() + 1, 0, 31, 12);
  world.travel(january - world.clock.now());
  const startsAt = instantText(january);
  const most = monthAfter(january);
  expect(new Date(most).getUTCMonth()).toBe(1);
  const draft = { audience: named(world, SAM), roles: ['agent'], startsAt };
  const given = await give(world, MAY, { ...draft, expiresAt: instantText(most) });
  expect(given).toMatchObject({ startsAt, expiresAt: instantText(most) });
  const before = await grantsOf(world);
  const tooLong = refusedAs('too_long', 422);
  const longer = { expiresAt: instantText(most + 1) };
  expect(await world.control(MAY, 'POST', GRANTS, { ...draft, ...longer })).toMatchObject(tooLong);
  expect(await world.control(MAY, 'PATCH', `/v1/grants/${given.id}`, longer)).toMatchObject(tooLong);
  expect(await world.control(MAY, 'PUT', SWITCH, { open: true, duration: '32d' })).toMatchObject(tooLong);
  expect(await world.control(MAY, 'PUT', SWITCH, { open: true, until: null })).toMatchObject(
    refusedAs('indefinite_not_allowed', 422),
  );
  expect(await grantsOf(world)).toEqual(before);
  const month = await world.control(MAY, 'PUT', SWITCH, { open: true, duration: '1mo' });
  const switched = month.body['grant'] as GrantJson;
  expect(Date.parse(switched.expiresAt)).toBe(monthAfter(Date.parse(switched.startsAt)));
  const looser = { durations: { max: '2mo' } };
  expect(await changeSettings(world, looser)).toMatchObject(refusedAs('settings_looser', 422));
  await closeAll(world);
}

async function theyReachTheApplication(world: World): Promise<void> {
  using arrivals = arrivalsAt(world);
  const [known] = await activeGrants(world);
  const session = await enter(world, SAM);
  const answer = await world.request(SAM, 'GET', '/api/v1/tickets?workspace=hr', {
    headers: { 'X-Support-Roles': 'administrator', 'X-Support-Workspace-Role': 'agent' },
  });
  expect(answer.status).toBe(200);
  const { id, revision, roles, workspaces } = known as GrantJson;
  expect(await arrivals.claims()).toMatchObject({
    sub: 'sam',
    tenant: 'acme',
    grant: { id, revision },
    roles,
    workspaces,
    session,
  });
  const header = (name: string) => arrivals.header(`x-support-${name}`);
  expect(header('user')).toBe('sam@vendor.test');
  expect(header('roles')).toBe('agent,reporter');
  expect(header('workspaces')).toBe('sales,hr');
  expect(header('workspace')).toBe('hr');
  expect(header('workspace-role')).toBe('viewer');
  expect(header('acts-as')).toBeUndefined();
  expect(arrivals.header('authorization')).toBe(credentialFor('agent'));

  const audience = named(world, UMA);
  const acting = await give(world, MAY, { audience, roles: ['viewer'], actAs: 'acme-alan' });
  await enter(world, UMA, { access: 'read' });
  expect((await world.request(UMA, 'GET', '/api/v1/me')).status).toBe(200);
  // A session for reading tells the application no more than that, whatever the grant allows.
  expect(await arrivals.claims()).toMatchObject({
    sub: 'uma',
    access: 'read',
    actAs: 'acme-alan',
    workspaces: [],
  });
  expect(header('acts-as')).toBe('acme-alan');
  // For every workspace: a list of none would say the opposite.
  expect(header('workspaces')).toBeUndefined();
  expect(header('workspace-role')).toBeUndefined();
  await revoke(world, acting.id);
}

async function onlyTheGrantedWorkspaces(world: World): Promise<void> {
  using arrivals = arrivalsAt(world);
  const get = (target: string) => world.request(SAM, 'GET', target);
  expect((await get('/api/v1/tickets?workspace=sales')).status).toBe(200);
  expect((await get('/api/v1/tickets/1?workspace=hr')).status).toBe(200);
  const reached = arrivals.requests.length;
  for (const target of [
    '/api/v1/tickets?workspace=finance',
    '/api/v1/tickets/1?workspace=finance',
    '/api/v1/tickets?workspace=SALES',
    '/api/v1/tickets?workspace=sales&workspace=finance',
    '/api/v1/tickets',
    '/api/v1/workspaces/finance/members',
    '/api/v1/workspaces/sales%2Ffinance',
  ]) {
    const { status, body } = await get(target);
    expect([status, body['reason']], target).toEqual([
      target.includes('%2F') ? 400 : 403,
      target.includes('%2F') ? 'bad_request_target' : 'workspace_out_of_scope',
    ]);
  }
  expect(arrivals.requests).toHaveLength(reached);
  // The application knows no workspaces: what passes reaches it, and it is it who says that there is no such page.
  expect((await get('/api/v1/workspaces/sales/tickets')).status).toBe(404);
  expect(arrivals.requests).toHaveLength(reached + 1);
}

async function neverWhateverTheRole(world: World): Promise<void> {
  using arrivals = arrivalsAt(world);
  const wanted: readonly (readonly [string, string, string])[] = [
    ['user-admin', 'PUT', '/api/v1/users/acme-alan'],
    ['user-admin', 'POST', '/api/v1/users'],
    ['user-admin', 'DELETE', '/api/v1/agents/7'],
    ['user-admin', 'PATCH', '/API/v1/Agents/7'],
    ['permissions', 'PUT', '/api/v1/roles/2'],
    ['credentials', 'POST', '/api/v1/users/acme-alan/password'],
    ['export', 'POST', '/api/v1/exports'],
    ['export', 'GET', '/api/v1/tickets.csv?workspace=sales'],
    ['export', 'GET', '/api/v1/reports/1/export'],
    ['export', 'GET', '/api/v1/me?format=csv'],
  ];
  for (const role of ROLES) {
    const workspaces = [{ id: 'sales', roles: [role] }];
    const { id } = await give(world, MAY, { audience: named(world, SAM), roles: [role], workspaces });
    await enter(world, SAM);
    const users = await world.request(SAM, 'GET', '/api/v1/users');
    expect([users.status, users.body['users']], role).toEqual([200, expect.anything()]);
    const reached = arrivals.requests.length;
    for (const [category, method, path] of wanted) {
      const body = method === 'GET' || method === 'DELETE' ? {} : { body: { role: 'admin' } };
      expect(await world.request(SAM, method, path, body), `${role} ${method} ${path}`).toMatchObject({
        status: 403,
        body: { reason: 'rule_denied', rule: { category } },
      });
    }
    expect(arrivals.requests).toHaveLength(reached);
    await revoke(world, id);
  }
}

async function seeWhoHasAccess(world: World): Promise<void> {
  await enter(world, SAM);
  await enter(world, LEA);
  const earliest = world.clock.now();
  for (const who of [SAM, LEA]) expect((await world.request(who, 'GET', '/api/v1/me')).status).toBe(200);
  const idle = await give(world, MAY, { audience: named(world, VIC), roles: ['viewer'] });
  await expect
    .poll(() => accessSeen(world), { timeout: 10_000 })
    .toMatchObject([
      { groups: ['support-leads'], people: [{ name: 'lea', email: 'lea@vendor.test' }] },
      { principals: ['vic'], lastActiveAt: null, people: [] },
      { principals: ['sam'], people: [{ name: 'sam', email: 'sam@vendor.test' }] },
    ]);
  const [byGroup, , bySam] = await accessSeen(world);
  for (const one of [byGroup, bySam]) {
    expect(Date.parse(one?.lastActiveAt ?? '')).toBeGreaterThanOrEqual(earliest);
  }
  // Under the switch, which is for all of support, it is those who have come.
  expect((await world.control(MAY, 'PUT', SWITCH, { open: true })).status).toBe(200);
  for (const who of [UMA, WES]) {
    await enter(world, who);
    expect((await world.request(who, 'GET', '/api/v1/me')).status).toBe(200);
  }
  const cameByTheSwitch = async () =>
    (await accessSeen(world)).find(({ groups }) => groups?.includes('support'))?.people;
  await expect
    .poll(cameByTheSwitch, { timeout: 10_000 })
    .toMatchObject([{ email: 'wes@vendor.test' }, { email: 'uma@vendor.test' }]);
  expect((await world.control(MAY, 'PUT', SWITCH, { open: false })).status).toBe(200);
  // Once it has been revoked nobody of it has access any more.
  await revoke(world, idle.id);
  expect(await accessSeen(world)).toHaveLength(2);
  const agent = customer('acme-alan');
  expect((await world.control(agent, 'GET', SWITCH)).status).toBe(403);
  expect((await world.control(SAM, 'GET', SWITCH)).status).toBe(403);
}

interface AccessSeen {
  readonly principals: readonly string[] | null;
  readonly groups: readonly string[] | null;
  readonly lastActiveAt: string | null;
  readonly people: readonly unknown[];
}

async function accessSeen(world: World): Promise<AccessSeen[]> {
  const { body } = await world.control(MAY, 'GET', SWITCH);
  const items = body['items'] as {
    grant: { audience: { principals: { id: string }[] | null; groups: string[] | null } };
    lastActiveAt: string | null;
    lastActive: { principal: unknown }[];
  }[];
  return items
    .map(({ grant: { audience }, lastActiveAt, lastActive }) => ({
      principals: audience.principals?.map(({ id }) => id) ?? null,
      groups: audience.groups,
      lastActiveAt,
      people: lastActive.map(({ principal }) => principal),
    }))
    .toSorted((a, b) => (JSON.stringify(a.principals) < JSON.stringify(b.principals) ? 1 : -1));
}

async function revokeCuts(world: World): Promise<void> {
  const known = (await activeGrants(world)).find(({ roles }) => roles.includes('agent'));
  const id = known?.id ?? '';
  using client = await dial(world.gate);
  const bearer = await world.token(SAM);
  client.send(`GET /api/v1/events HTTP/1.1\r\nHost: ${HOST}\r\nAuthorization: Bearer ${bearer}\r\n\r\n`);
  await client.seen('event: welcome');
  using socket = await dial(world.gate);
  const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13';
  const key = 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==';
  socket.send(
    `GET /ws HTTP/1.1\r\nHost: ${HOST}\r\nAuthorization: Bearer ${bearer}\r\n${upgrade}\r\n${key}\r\n\r\n`,
  );
  await socket.seen('"welcome"');
  // What the page asks before it says yes.
  const impact = await world.control(MAY, 'GET', `/v1/grants/${id}/impact`);
  expect(impact).toMatchObject({ status: 200, body: { streams: 2, principals: 1 } });
  await revoke(world, id);
  expect([await client.closed, await socket.closed]).toEqual(['reset', 'reset']);
  expect(client.text).toMatch(/event: postern\.ended\ndata: \{"reason":"revoked"\}\n\n\r\n$/);
  // A close frame with the code 4403.
  expect(socket.text).toContain('\u0011\u0033');
  const texts = [client.text, socket.text];
  await world.direct('acme-alan', 'POST', '/api/v1/tickets', { subject: 'After', body: 'the revoke' });
  expect([client.text, socket.text]).toEqual(texts);
  expect((await world.request(SAM, 'GET', '/api/v1/me')).status).toBe(403);
  const sessions = await world.control(MAY, 'GET', '/v1/tenants/acme/sessions?status=open');
  expect(JSON.stringify(sessions.body)).not.toContain('"sam"');
  const cut = await world.recorded(({ endedBy }) => endedBy === 'revoked');
  expect(cut).toContainEqual(
    expect.objectContaining({
      http: expect.objectContaining({ path: '/api/v1/events' }),
      actor: expect.objectContaining({ email: 'sam@vendor.test' }),
    }),
  );
  await mailAbout(world, 'sam@vendor.test', id, /^Your access to acme was revoked/);
}

async function noLongerLogsIn(world: World): Promise<void> {
  const given = await give(world, MAY, { audience: named(world, VIC, WES), roles: ['agent'] });
  const browser = await enterWithBrowser(world, VIC);
  expect((await browser.get('/api/v1/me')).status).toBe(200);
  const unused = await launchLink(world, WES);
  expect((await atHost(world, { path: unused })).status).toBe(200);
  await revoke(world, given.id);

  const refused = await browser.get('/api/v1/me');
  expect([refused.status, refused.text]).toEqual([403, expect.not.stringContaining('actingAs')]);
  expect((await atHost(world, { path: unused })).status).toBeGreaterThanOrEqual(400);
  expect((await postLaunch(world, unused)).headers['set-cookie']).toBeUndefined();
  const notCovered = refusedAs('session_not_covered', 403);
  expect(await openSession(world, VIC)).toMatchObject(notCovered);
  expect(await openSession(world, VIC, { grantId: given.id })).toMatchObject(notCovered);
  expect((await world.control(VIC, 'GET', '/v1/me/grants?status=active')).body).toMatchObject({ items: [] });
  expect((await world.request(VIC, 'GET', '/api/v1/me')).status).toBe(403);
  // Once revoked it stays so: it cannot be extended back to life.
  const expiresAt = instantText(world.clock.now() + 8 * DAY_MS);
  const revived = await world.control(MAY, 'PATCH', `/v1/grants/${given.id}`, { expiresAt });
  expect(revived.status).toBeGreaterThanOrEqual(400);
  expect((await world.control(MAY, 'GET', `/v1/grants/${given.id}`)).body).toMatchObject({
    status: 'revoked',
  });
}

function lengthOf({ startsAt, expiresAt }: GrantJson): number {
  return Date.parse(expiresAt) - Date.parse(startsAt);
}

/** The tenant's own part, as its admin changes it. */
async function changeSettings(world: World, change: object): Promise<Answer> {
  const { body } = await world.control(MAY, 'GET', SETTINGS);
  const headers = { 'if-match': `"${String(body['revision'])}"` };
  return world.control(MAY, 'PUT', SETTINGS, change, headers);
}

async function grantsOf(world: World): Promise<readonly GrantJson[]> {
  const { body } = await world.control(MAY, 'GET', `${GRANTS}?limit=100`);
  return body['items'] as GrantJson[];
}

async function activeGrants(world: World): Promise<readonly GrantJson[]> {
  return (await grantsOf(world)).filter(({ status }) => status === 'active');
}

async function revoke(world: World, id: string): Promise<void> {
  const revoked = grantIn(await world.control(MAY, 'POST', `/v1/grants/${id}/revoke`), 200);
  expect(revoked.status).toBe('revoked');
}

async function closeAll(world: World): Promise<void> {
  for (const { id } of await activeGrants(world)) await revoke(world, id);
}

const prepared = manageAccessWorld();
afterAll(() => prepared[Symbol.dispose]());

describeStory({
  system: 'manage access',
  world: prepared.world,
  sentences: [
    OFF,
    PERMITTED,
    DEFAULT_END,
    MAXIMUM,
    SCOPE,
    TRAVEL,
    WORKSPACES,
    BY_ROLE,
    CREDENTIAL,
    NEVER,
    NOT_LIFTABLE,
    MAIL,
    WHO,
    REVOKE,
    LOCKED_OUT,
    RUNS_OUT,
  ],
  steps,
});
