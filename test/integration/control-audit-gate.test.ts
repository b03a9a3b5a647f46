// The calls that read the audit and erase people from it, on a whole gateway: what they answer of real requests, and
// what is journalled of them.
import { createHash } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { type Gate, startGate } from '../support/gate.ts';
import { ask, HELLO, untilPublished } from '../support/gate-traffic.ts';
import { startAnswering } from '../support/upstream-wire.ts';

const KEY = `psk_${'k'.repeat(40)}`;
const SUE = {
  sub: 'sue',
  aud: 'postern-staff-control',
  email: 'sue@vendor.test',
  name: 'Sue',
  groups: ['security'],
};

const IDENTITY = {
  support: [
    {
      name: 'workforce',
      issuer: 'https://idp.test',
      audience: 'postern',
      controlAudience: 'postern-staff-control',
      algorithms: ['ES256'],
      jwks: { fromFile: 'workforce.jwks.json' },
      org: { value: 'vendor' },
    },
  ],
  customers: [
    {
      name: 'saas',
      issuer: 'https://saas.test',
      audience: 'postern-control',
      jwks: { fromFile: 'saas.jwks.json' },
      algorithms: ['ES256'],
      claims: { tenant: 'org_id', admin: 'is_admin' },
    },
  ],
  services: [{ name: 'privacy-desk', keyHash: { fromFile: 'desk.hash' }, may: ['grants'] }],
  roles: { security: { groups: ['security'] } },
};

function startFor(port: number): Promise<Gate> {
  return startGate({
    upstreamPort: port,
    published: true,
    config: { identity: IDENTITY },
    prepare: (folder) =>
      writeFileSync(path.join(folder, 'desk.hash'), createHash('sha256').update(KEY).digest('hex')),
  });
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

async function call(gate: Gate, token: string, method: string, target: string): Promise<Answer> {
  const response = await fetch(`http://127.0.0.1:${gate.controlPort}${target}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
  });
  return { status: response.status, body: (await response.json()) as Answer['body'] };
}

/** Sam's, by a request of theirs. */
async function subjectOf(gate: Gate, target: string, claims: Record<string, unknown> = {}): Promise<string> {
  await ask(gate, `GET ${target}`, [], await gate.staffToken(claims));
  const isIt = (record: Record<string, unknown>) =>
    (record['http'] as { path?: string } | undefined)?.path === target;
  const records = await untilPublished(gate, (all) => all.some(isIt));
  const found = records.find(isIt) as unknown as Recorded;
  return found.actor.subject;
}

function staffSeen(file: string): unknown[] {
  using db = new DatabaseSync(file, { readOnly: true });
  return db
    .prepare("SELECT id FROM people_seen WHERE side = 'staff'")
    .all()
    .map(({ id }) => id);
}

describe('DELETE /v1/subjects/{id}', () => {
  it('is true when it returns: the person’s next request is somebody new’s, and the event says who asked', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startFor(upstream.port);
    await gate.grant({});
    const before = await subjectOf(gate, '/before');
    const sue = await gate.workforce.sign(SUE);
    const { status, body } = await call(gate, sue, 'DELETE', `/v1/subjects/${before}`);
    expect(status).toBe(200);
    expect(body).toEqual({ subject: before, erasedAt: expect.stringMatching(/Z$/) });
    expect(await subjectOf(gate, '/after')).not.toBe(before);
    const records = await untilPublished(gate, (all) => all.some(({ event }) => event === 'subject.erased'));
    expect(records.find(({ event }) => event === 'subject.erased')).toMatchObject({
      tenant: null,
      actor: { id: 'sue', email: 'sue@vendor.test', name: 'Sue', issuer: 'https://idp.test' },
      details: { subject: before },
    });
    expect(await call(gate, KEY, 'DELETE', `/v1/subjects/${before}`)).toEqual({ status, body });
  });

  it('takes the person out of the list of people seen too, and erases nothing while that cannot be done', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startFor(upstream.port);
    await gate.grant({});
    const subject = await subjectOf(gate, '/before');
    const atControl = await gate.staffToken({ aud: 'postern-staff-control' });
    expect((await call(gate, atControl, 'GET', '/v1/me/grants')).status).toBe(200);
    const file = path.join(gate.folder, 'postern.db');
    await expect.poll(() => staffSeen(file), { timeout: 10_000 }).toEqual(['sam']);
    renameSync(file, `${file}.away`);
    expect(await call(gate, KEY, 'DELETE', `/v1/subjects/${subject}`)).toMatchObject({
      status: 503,
      body: { reason: 'store_unavailable' },
    });
    renameSync(`${file}.away`, file);
    expect(staffSeen(file)).toEqual(['sam']);
    expect((await call(gate, KEY, 'DELETE', `/v1/subjects/${subject}`)).status).toBe(200);
    expect(staffSeen(file)).toEqual([]);
  });

  it('erases nobody at their own wish, by whichever of their two tokens they are known', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startFor(upstream.port);
    await gate.grant({});
    const own = await subjectOf(gate, '/sue', { ...SUE, aud: 'postern' });
    const { status, body } = await call(
      gate,
      await gate.workforce.sign(SUE),
      'DELETE',
      `/v1/subjects/${own}`,
    );
    expect(status).toBe(403);
    expect(body['type']).toMatch(/own_subject$/);
    expect((await call(gate, KEY, 'DELETE', `/v1/subjects/${own}`)).status).toBe(200);
  });
});

interface Person {
  readonly subject: string;
  readonly id: string | null;
}
interface Visited {
  readonly principal: Person;
  readonly reads: number;
  readonly writes: number;
  readonly deniedCount: number;
}
interface Recorded {
  readonly tenant: string;
  readonly actor: Person;
  readonly http: { readonly path: string };
  readonly effect: string;
  readonly decision: string;
}

async function items<T>(gate: Gate, target: string): Promise<readonly T[]> {
  const { status, body } = await gate.control('GET', `/v1/tenants/acme${target}`);
  expect(status, JSON.stringify(body)).toBe(200);
  return body['items'] as readonly T[];
}

describe('what a customer’s admin reads', () => {
  it('is who may enter, who came, and their requests, of what happened a moment ago', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startFor(upstream.port);
    const { id: grantId } = await gate.grant({});
    await ask(gate, 'GET /one');
    await ask(gate, 'POST /two', ['Content-Length: 0']);
    await ask(gate, 'GET /exports/three');
    await ask(
      gate,
      'GET /elsewhere',
      ['X-Other: 1'],
      await gate.staffToken({ sub: 'tom', email: 'tom@vendor.test' }),
    );

    const [access] = await items<{ grant: { id: string }; lastActiveAt: string; lastActive: unknown[] }>(
      gate,
      '/access',
    );
    expect(access?.grant.id).toBe(grantId);
    expect(access?.lastActiveAt).toMatch(/Z$/);
    expect(access?.lastActive).toHaveLength(2);

    const visits = await items<Visited>(gate, '/access-history');
    expect(visits.map(({ principal }) => principal.id)).toEqual(['tom', 'sam']);
    expect(visits[1]).toMatchObject({
      grant: { id: grantId },
      caseRef: 'CASE-1',
      reason: { type: 'customer_initiated_support', detail: 'the import fails' },
      from: ['127.0.0.1'],
      reads: 1,
      writes: 1,
      denied: [{ what: 'export.all', count: 1 }],
      deniedCount: 1,
    });

    const records = await items<Recorded>(gate, '/records');
    expect(records.map(({ http }) => http.path)).toEqual(['/elsewhere', '/exports/three', '/two', '/one']);
    const paths = async (query: string) =>
      (await items<Recorded>(gate, `/records?${query}`)).map(({ http }) => http.path);
    expect(await paths('effect=write')).toEqual(['/two']);
    expect(await paths('effect=denied')).toEqual(['/exports/three']);
    expect(await paths('principal=tom%40vendor.test')).toEqual(['/elsewhere']);
    expect(await paths('case=CASE-2')).toEqual([]);
    expect(await paths('since=2099-01-01T00:00:00Z')).toEqual([]);

    const readings = gate.journal().filter(({ event }) => event === 'audit.read');
    expect(readings).toHaveLength(8);
    expect(readings.map(({ details }) => details)).toContainEqual({
      call: 'audit.records',
      count: 1,
      filters: 'principal',
    });
    expect(JSON.stringify(readings)).not.toContain('tom');
  });

  it('comes page by page, each record once, and a cursor is good for its own question alone', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startFor(upstream.port);
    await gate.grant({});
    for (let i = 0; i < 5; i += 1) await ask(gate, `GET /page/${i}`);
    const seen: string[] = [];
    let cursor: unknown = null;
    do {
      const next = cursor === null ? '' : `&cursor=${encodeURIComponent(String(cursor))}`;
      const { body } = await gate.control('GET', `/v1/tenants/acme/records?limit=2${next}`);
      seen.push(...(body['items'] as Recorded[]).map(({ http }) => http.path));
      cursor = body['nextCursor'];
    } while (cursor !== null);
    expect(seen).toEqual(['/page/4', '/page/3', '/page/2', '/page/1', '/page/0']);
    const { status } = await gate.control('GET', '/v1/tenants/acme/records?cursor=bm9uZQ');
    expect(status).toBe(400);
  });

  it('ends at the border of the tenant, for cursors of another too', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startFor(upstream.port);
    await gate.grant({});
    for (let i = 0; i < 3; i += 1) await ask(gate, `GET /acme/${i}`);
    const { body: page } = await gate.control('GET', '/v1/tenants/acme/records?limit=1');
    const gil = await gate.adminToken({ sub: 'u-gil', org_id: 'globex' });
    const own = await call(gate, gil, 'GET', '/v1/tenants/globex/records');
    expect(own).toEqual({ status: 200, body: { items: [], nextCursor: null } });
    const cursor = encodeURIComponent(String(page['nextCursor']));
    const forged = await call(gate, gil, 'GET', `/v1/tenants/globex/records?cursor=${cursor}`);
    expect(forged.body['items'] ?? []).toEqual([]);
    expect((await call(gate, gil, 'GET', '/v1/tenants/acme/records')).status).toBe(403);
    for (const target of ['access', 'access-history']) {
      expect((await call(gate, gil, 'GET', `/v1/tenants/globex/${target}`)).body['items']).toEqual([]);
    }
  });

  it('names nobody who was erased, and still says that it was one person', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startFor(upstream.port);
    await gate.grant({});
    const subject = await subjectOf(gate, '/before');
    await items(gate, '/records');
    expect((await call(gate, KEY, 'DELETE', `/v1/subjects/${subject}`)).status).toBe(200);
    const nobody = { subject, id: null, email: null, name: null };
    expect(await items<Recorded>(gate, '/records')).toEqual([
      expect.objectContaining({
        actor: expect.objectContaining(nobody),
        client: { ip: null, peerIp: null },
      }),
    ]);
    expect(await items<Visited>(gate, '/access-history')).toEqual([
      expect.objectContaining({ principal: { ...nobody, issuer: null, org: null }, from: [], reads: 1 }),
    ]);
    const [access] = await items<{ lastActive: { principal: Person }[] }>(gate, '/access');
    expect(access?.lastActive.map(({ principal }) => principal)).toEqual([
      { ...nobody, issuer: null, org: null },
    ]);
    expect(await items<Recorded>(gate, '/records?principal=sam%40vendor.test')).toEqual([]);
    expect(await items<Recorded>(gate, `/records?principal=${subject}`)).toHaveLength(1);
  });
});
