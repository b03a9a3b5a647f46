// Attacks on a session after what it stands on is gone, through the whole gate: a cookie whose token's key was withdrawn, a
// link that outlives its session, a grant that was narrowed, a person who left the group, a lock, a store that is away.
// Each is refused by its own reason, and by 503 where nobody can know; never let through.
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { call, type HttpAnswer } from '../../demo/http.ts';
import { testIssuer } from '../support/signing.ts';
import { ADA, openWorld, SAM, staff, SVEN, type World } from '../systems/world.ts';

const HOST = 'acme.helpdesk.localhost';
const OPENING = {
  tenant: 'acme',
  access: 'write',
  reason: { type: 'debug_log', detail: 'The import fails.' },
};

const world = (grants: object = {}): Promise<World> =>
  openWorld({ profile: 'account-access', grants: grants as Record<string, unknown> });

async function switchOn(w: World, more: object = {}): Promise<void> {
  const { status, text } = await w.control(ADA, 'PUT', '/v1/tenants/acme/access', {
    open: true,
    notice: { version: '1' },
    ...more,
  });
  expect([status, text]).toEqual([200, expect.anything()]);
}

interface Opened {
  readonly id: string;
  readonly launch: string;
}

async function open(w: World, more: object = {}): Promise<Opened> {
  const { status, body, text } = await w.control(SAM, 'POST', '/v1/sessions', { ...OPENING, ...more });
  expect([status, text]).toEqual([201, expect.anything()]);
  const url = new URL((body['launch'] as { url: string }).url);
  return { id: (body['session'] as { id: string }).id, launch: url.searchParams.get('launch') ?? '' };
}

function enter(w: World, launch: string): Promise<HttpAnswer> {
  return call({
    port: w.gate.dataPort,
    method: 'POST',
    path: '/-/postern/enter',
    headers: {
      host: HOST,
      origin: `http://${HOST}`,
      'content-type': 'application/x-www-form-urlencoded',
    },
    body: `launch=${launch}`,
  });
}

async function cookieOf(w: World, launch: string): Promise<string> {
  const { status, headers } = await enter(w, launch);
  expect(status).toBe(303);
  return (headers['set-cookie']?.[0] ?? '').split(';')[0] ?? '';
}

async function by(w: World, cookie: string, method = 'GET', path = '/api/v1/tickets') {
  const headers = { host: HOST, cookie, origin: `http://${HOST}`, accept: 'application/json' };
  const body = method === 'GET' ? {} : { body: { subject: 'A test', body: 'Made by support.' } };
  const { status, text } = await call({ port: w.gate.dataPort, method, path, headers, ...body });
  return { status, reason: /"reason":"([a-z_]+)"/.exec(text)?.[1] ?? null };
}

describe('a cookie', () => {
  it('is worth nothing from when the key of the token is withdrawn that its session was opened with', async () => {
    await using w = await world();
    await switchOn(w);
    const cookie = await cookieOf(w, (await open(w)).launch);
    expect(await by(w, cookie)).toMatchObject({ status: 200 });
    const successor = await testIssuer(w.gate.workforce.issuer, 'postern', 'k2');
    successor.writeKeySet(join(w.gate.folder, 'workforce.jwks.json'));
    await expect
      .poll(() => by(w, cookie), { timeout: 10_000 })
      .toEqual({ status: 401, reason: 'credential_invalid' });
  });

  it('ends with its session, and so does a link that was not followed yet', async () => {
    await using w = await world();
    await switchOn(w);
    const first = await open(w);
    const cookie = await cookieOf(w, first.launch);
    const second = await open(w);
    expect(await by(w, cookie)).toEqual({ status: 403, reason: 'session_ended' });
    expect((await w.control(SAM, 'POST', `/v1/sessions/${second.id}/end`, {})).status).toBe(200);
    expect((await enter(w, second.launch)).status).toBe(401);
  });

  it('is of one session only, however many are opened at once', async () => {
    await using w = await world();
    await switchOn(w);
    const all = await Promise.all([open(w), open(w), open(w)]);
    const entered = await Promise.all(all.map(({ launch }) => enter(w, launch)));
    expect(entered.map(({ status }) => status).toSorted()).toEqual([303, 401, 401]);
    const list = await w.control(SAM, 'GET', '/v1/me/sessions?status=open');
    expect(list.body['items']).toHaveLength(1);
  });

  it('reads only while the grant is narrowed to reading, and nothing once it is revoked', async () => {
    await using w = await world();
    await switchOn(w);
    const cookie = await cookieOf(w, (await open(w)).launch);
    expect((await by(w, cookie, 'POST')).status).toBe(201);
    await switchOn(w, { access: 'read' });
    expect(await by(w, cookie, 'POST')).toEqual({ status: 403, reason: 'read_only' });
    expect((await by(w, cookie)).status).toBe(200);
    await switchOn(w, { access: 'write' });
    expect((await by(w, cookie, 'POST')).status).toBe(201);
    expect((await w.control(ADA, 'PUT', '/v1/tenants/acme/access', { open: false })).status).toBe(200);
    expect(await by(w, cookie)).toEqual({ status: 403, reason: 'session_ended' });
    await switchOn(w);
    expect(await by(w, cookie)).toEqual({ status: 403, reason: 'session_ended' });
  });

  it('does not pass a lock, and works again once it is lifted', async () => {
    await using w = await world();
    await switchOn(w);
    const cookie = await cookieOf(w, (await open(w)).launch);
    const target = { kind: 'principal', issuer: 'https://elsewhere.test', id: 'x', email: 'SAM@vendor.test' };
    const set = await w.control(SVEN, 'POST', '/v1/locks', { target });
    expect(set.status).toBe(201);
    expect(await by(w, cookie)).toEqual({ status: 403, reason: 'locked' });
    await w.control(SVEN, 'DELETE', `/v1/locks/${String(set.body['id'])}`);
    expect((await by(w, cookie)).status).toBe(200);
  });

  it('is 503 while the store is away, and so is a token; both work again when it is back', async () => {
    await using w = await world({ cache: { ttl: '1s' } });
    await switchOn(w);
    const cookie = await cookieOf(w, (await open(w)).launch);
    expect((await by(w, cookie)).status).toBe(200);
    const file = join(w.gate.folder, 'postern.db');
    renameSync(file, `${file}.away`);
    await expect
      .poll(() => by(w, cookie), { timeout: 10_000 })
      .toEqual({ status: 503, reason: 'store_unavailable' });
    expect((await w.request(SAM, 'GET', '/api/v1/tickets')).body['reason']).toBe('store_unavailable');
    renameSync(`${file}.away`, file);
    await expect.poll(async () => (await by(w, cookie)).status, { timeout: 10_000 }).toBe(200);
    expect((await w.request(SAM, 'GET', '/api/v1/tickets')).status).toBe(200);
  });
});

describe('a token', () => {
  it('is refused from when its owner is in no group of the grant any more, whatever session is open', async () => {
    await using w = await world();
    await switchOn(w, { audience: { groups: ['tier2'] } });
    const inGroup = staff('sam', ['support', 'tier2']);
    expect((await w.control(inGroup, 'POST', '/v1/sessions', OPENING)).status).toBe(201);
    expect((await w.request(inGroup, 'GET', '/api/v1/tickets')).status).toBe(200);
    const after = await w.request(staff('sam', ['support']), 'GET', '/api/v1/tickets');
    expect([after.status, after.body['reason']]).toEqual([403, 'no_grant']);
  });
});
