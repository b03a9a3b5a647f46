// The calls of the vendor's security team over real HTTP: locks and break glass, and who may not make them.
import { describe, expect, it } from 'vitest';
import { acme, HOUR } from '../support/grants-fixtures.ts';
import { everything, IDP, later, samAtAcme } from '../support/lock-fixtures.ts';
import { CALLER_NAMES, startSecurityServer } from '../support/security-server.ts';

const ASK = {
  tenant: acme,
  caseRef: 'CASE-1',
  reason: { type: 'production_alert', detail: 'Invoices are sent twice.' },
  access: 'write',
  duration: '2h',
};
const type = (code: string) => `urn:postern:problem:${code}`;

describe('POST /v1/locks', () => {
  it.each([
    [{ kind: 'principal', issuer: IDP, id: 'sam', email: 'sam@vendor.example' }],
    [{ kind: 'principal', issuer: IDP, id: 'sam' }],
    [{ kind: 'tenant', tenant: acme }],
    [{ kind: 'case', caseRef: 'CASE-1' }],
    [{ kind: 'case', caseRef: 'CASE-1', tenant: acme }],
    [{ kind: 'everything' }],
  ])('stops what it names: %o', async (target) => {
    await using t = await startSecurityServer();
    const { status, headers, body } = await t.call('quinn', 'POST', '/v1/locks', {
      target,
      message: 'Stop.',
    });
    expect(status).toBe(201);
    expect(headers.get('location')).toBe(`/v1/locks/${body.id}`);
    expect(body).toEqual({
      id: expect.stringMatching(/^lck_/),
      status: 'held',
      target,
      message: 'Stop.',
      createdAt: '2030-01-15T12:00:00.000Z',
      createdBy: { id: 'quinn', email: 'quinn@vendor.example', name: 'quinn', kind: 'security' },
      endsAt: null,
      liftedAt: null,
      liftedBy: null,
    });
    expect(t.board.lockFor(samAtAcme, later(0))?.id).toBe(body.id);
    expect(t.cut.map(({ id }) => id)).toContain(body.id);
  });

  it('takes an end or a duration', async () => {
    await using t = await startSecurityServer();
    const target = everything;
    const one = await t.call('quinn', 'POST', '/v1/locks', { target, endsAt: '2030-01-15T13:00:00+01:00' });
    expect(one).toMatchObject({ status: 422, body: { type: type('end_in_past') } });
    const two = await t.call('quinn', 'POST', '/v1/locks', { target, endsAt: '2030-01-15T13:00:00Z' });
    expect(two.body).toMatchObject({ endsAt: '2030-01-15T13:00:00.000Z' });
    const three = await t.call('quinn', 'POST', '/v1/locks', { target, duration: '90s' });
    expect(three.body).toMatchObject({ endsAt: '2030-01-15T12:01:30.000Z' });
    t.place.clock.advance(HOUR);
    expect(t.board.lockFor(samAtAcme, t.place.clock.now())).toBeNull();
    const { body } = await t.call('quinn', 'GET', '/v1/locks?status=all');
    expect(body.items.map(({ status }) => status)).toEqual(['ended', 'ended']);
  });

  it.each<[string, object, string]>([
    ['a kind nobody knows', { target: { kind: 'world' } }, '/target/kind'],
    ['no target', {}, '/target'],
    ['a principal without an issuer', { target: { kind: 'principal', id: 'sam' } }, '/target/issuer'],
    [
      'a tenant lock with a case',
      { target: { kind: 'tenant', tenant: acme, caseRef: 'C' } },
      '/target/caseRef',
    ],
    ['a tenant lock without a tenant', { target: { kind: 'tenant', tenant: null } }, '/target/tenant'],
    ['everything of one tenant', { target: { kind: 'everything', tenant: acme } }, '/target/tenant'],
    ['a control character', { target: everything, message: 'a\u0000b' }, '/message'],
    ['no instant', { target: everything, endsAt: 'tomorrow' }, '/endsAt'],
    ['no duration', { target: everything, duration: '90' }, '/duration'],
    ['two ends', { target: everything, duration: '1h', endsAt: null }, '/duration'],
    ['a key nobody knows', { target: everything, lifted: true }, '/lifted'],
  ])('refuses %s and stops nothing', async (_name, body, pointer) => {
    await using t = await startSecurityServer();
    const answer = await t.call('quinn', 'POST', '/v1/locks', body);
    expect(answer).toMatchObject({ status: 400, body: { type: type('invalid_request') } });
    expect(answer.body.errors.map((error) => error.pointer)).toContain(pointer);
    expect(await t.locks.held()).toEqual([]);
    expect(await t.notices()).toEqual([]);
  });
});

describe('DELETE /v1/locks/{id}', () => {
  it('lifts it, and answers the same again', async () => {
    await using t = await startSecurityServer();
    const { body } = await t.call('quinn', 'POST', '/v1/locks', { target: everything });
    const lifted = await t.call('rita', 'DELETE', `/v1/locks/${body.id}`);
    expect(lifted).toMatchObject({ status: 200, body: { status: 'lifted', liftedBy: { id: 'rita' } } });
    expect(await t.call('quinn', 'DELETE', `/v1/locks/${body.id}`)).toMatchObject({ body: lifted.body });
    expect(t.board.lockFor(samAtAcme, later(0))).toBeNull();
    expect((await t.call('quinn', 'GET', '/v1/locks')).body.items).toEqual([]);
  });

  it('is not for whoever is locked, under another issuer neither', async () => {
    await using t = await startSecurityServer();
    const target = { kind: 'principal', issuer: IDP, id: 'quinn', email: 'quinn@vendor.example' };
    const { body } = await t.call('rita', 'POST', '/v1/locks', { target });
    for (const caller of ['quinn', 'quinnToo']) {
      const answer = await t.call(caller, 'DELETE', `/v1/locks/${body.id}`);
      expect(answer).toMatchObject({ status: 403, body: { type: type('locked_actor') } });
    }
    expect(await t.locks.held()).toHaveLength(1);
  });

  it('says which locks there are none of', async () => {
    await using t = await startSecurityServer();
    const unknown = await t.call('quinn', 'DELETE', '/v1/locks/lck_00000000000000000000000000');
    expect(unknown).toMatchObject({ status: 404, body: { type: type('lock_unknown') } });
    expect(await t.call('quinn', 'DELETE', '/v1/locks/1')).toMatchObject({ status: 400 });
  });
});

describe('GET /v1/locks', () => {
  it('goes page by page, newest first', async () => {
    await using t = await startSecurityServer();
    for (let i = 0; i < 3; i++) await t.call('quinn', 'POST', '/v1/locks', { target: everything });
    const first = await t.call('quinn', 'GET', '/v1/locks?limit=2');
    expect(first.body.items).toHaveLength(2);
    const rest = await t.call('quinn', 'GET', `/v1/locks?limit=2&cursor=${first.body.nextCursor}`);
    expect(rest.body).toMatchObject({ items: [{ status: 'held' }], nextCursor: null });
    expect(await t.call('quinn', 'GET', '/v1/locks?cursor=x')).toMatchObject({ status: 400 });
  });
});

describe('break glass', () => {
  it('takes two people, tells the tenant, and gives access for the time asked for', async () => {
    await using t = await startSecurityServer();
    const asked = await t.call('quinn', 'POST', '/v1/break-glass', ASK);
    expect(asked).toMatchObject({
      status: 201,
      body: {
        status: 'pending',
        tenant: acme,
        duration: '2h',
        askedBy: { id: 'quinn' },
        lapsesAt: '2030-01-15T12:30:00.000Z',
        grantId: null,
        expiresAt: null,
      },
    });
    const second = await t.call('rita', 'POST', `/v1/break-glass/${asked.body.id}/second`);
    expect(second).toMatchObject({
      status: 200,
      body: {
        status: 'confirmed',
        confirmedBy: { id: 'rita' },
        grantId: expect.stringMatching(/^grt_/),
        expiresAt: '2030-01-15T14:00:00.000Z',
      },
    });
    expect(t.forgotten).toEqual([acme]);
    expect((await t.notices()).map(({ event, tenant }) => [event, tenant])).toEqual([
      ['break_glass.asked', acme],
      ['break_glass.used', acme],
    ]);
    expect(t.events).toMatchObject([{ event: 'break_glass.asked' }, { event: 'break_glass.used' }]);
    const { body } = await t.call('rita', 'GET', '/v1/break-glass?status=all');
    expect(body.items).toEqual([second.body]);
    expect((await t.call('rita', 'GET', '/v1/break-glass?status=pending')).body.items).toEqual([]);
  });

  it.each([
    ['quinn', 'second_person_required'],
    ['quinnToo', 'second_person_required'],
    ['nameless', 'verified_email_required'],
  ])('is not confirmed by %s: %s', async (caller, code) => {
    await using t = await startSecurityServer();
    const { body } = await t.call('quinn', 'POST', '/v1/break-glass', ASK);
    const answer = await t.call(caller, 'POST', `/v1/break-glass/${body.id}/second`);
    expect(answer).toMatchObject({ status: 403, body: { type: type(code) } });
    expect(t.forgotten).toEqual([]);
  });

  it.each<[string, object, number]>([
    ['no reason', { ...ASK, reason: undefined }, 400],
    ['an empty reason', { ...ASK, reason: { type: 'production_alert', detail: '' } }, 400],
    ['no tenant', { ...ASK, tenant: undefined }, 400],
    ['lifts', { ...ASK, lifts: ['export'] }, 400],
    ['roles', { ...ASK, roles: ['admin'] }, 400],
    ['more than four hours', { ...ASK, duration: '14401s' }, 422],
    ['no time at all', { ...ASK, duration: '0s' }, 422],
    ['a duration that is none', { ...ASK, duration: '1mo' }, 400],
  ])('is refused with %s', async (_name, body, status) => {
    await using t = await startSecurityServer();
    expect((await t.call('quinn', 'POST', '/v1/break-glass', body)).status).toBe(status);
    expect(await t.notices()).toEqual([]);
  });

  it('reads for one hour when nothing else is asked for', async () => {
    await using t = await startSecurityServer();
    const { tenant, reason } = ASK;
    const { body } = await t.call('quinn', 'POST', '/v1/break-glass', { tenant, reason });
    expect(body).toMatchObject({ access: 'read', duration: '1h', caseRef: null, responder: null });
  });
});

describe('callers without the duty', () => {
  const calls: readonly (readonly [string, string, object | undefined])[] = [
    ['POST', '/v1/locks', { target: everything }],
    ['GET', '/v1/locks', undefined],
    ['DELETE', '/v1/locks/lck_00000000000000000000000000', undefined],
    ['POST', '/v1/break-glass', ASK],
    ['POST', '/v1/break-glass/emg_00000000000000000000000000/second', undefined],
    ['GET', '/v1/break-glass', undefined],
  ];
  const security = new Set(['quinn', 'rita', 'quinnToo', 'nameless']);
  const others = CALLER_NAMES.filter((caller) => !security.has(caller));

  it.each(calls)('%s %s is refused to all of them', async (method, path, body) => {
    await using t = await startSecurityServer();
    for (const caller of others) {
      const answer = await t.call(caller, method, path, body);
      expect([caller, answer.status]).toEqual([caller, 403]);
    }
    expect((await t.call('', method, path, body)).status).toBe(401);
    expect(await t.locks.held()).toEqual([]);
    expect(await t.notices()).toEqual([]);
  });
});
