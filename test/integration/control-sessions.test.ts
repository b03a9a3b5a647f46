import { describe, expect, it } from 'vitest';
import { createReportTally } from '#sessions/session-report.ts';
import { acme, at, HOUR, settingsWith, START } from '../support/grants-fixtures.ts';
import { type Answer, type SessionsUnderTest, startSessions } from '../support/control-sessions.ts';
import { givenGrant, MINUTE } from '../support/sessions-fixtures.ts';

const OPEN = {
  tenant: 'acme',
  caseRef: 'CASE-1',
  reason: { type: 'customer_initiated_support', detail: 'The invoice page is empty.' },
} as const;
const UNKNOWN = '/v1/sessions/ses_01JHNM9N0000000000000000ZZ';

interface Shown {
  readonly id: string;
}

async function opened(t: SessionsUnderTest, caller = 'sam'): Promise<Shown> {
  const { status, body } = await t.call(caller, 'POST', '/v1/sessions', OPEN);
  expect(status).toBe(201);
  return body['session'] as Shown;
}

const problem = (code: string) => `urn:postern:problem:${code}`;

describe('POST /v1/sessions', () => {
  it('opens one and answers it with a launch link, which nothing may keep', async () => {
    await using t = await startSessions();
    const grant = await givenGrant(t.room);
    const { status, headers, body } = await t.call('sam', 'POST', '/v1/sessions', OPEN);
    expect(status).toBe(201);
    const session = body['session'] as Shown;
    expect(headers.get('location')).toBe(`/v1/sessions/${session.id}`);
    expect(headers.get('cache-control')).toBe('no-store');
    expect(session).toEqual({
      id: session.id,
      tenant: 'acme',
      status: 'active',
      principal: {
        id: 'sam',
        issuer: 'https://idp.vendor.example',
        email: 'sam@vendor.example',
        name: 'Sam',
        org: 'vendor',
      },
      grantId: grant.id,
      access: 'read',
      reason: OPEN.reason,
      caseRef: 'CASE-1',
      startedAt: '2030-01-15T12:00:00.000Z',
      endsAt: '2030-01-15T20:00:00.000Z',
      idle: '30m',
      lastUsedAt: '2030-01-15T12:00:00.000Z',
    });
    const launch = body['launch'] as { readonly url: string; readonly expiresAt: string };
    expect(launch.expiresAt).toBe('2030-01-15T12:01:00.000Z');
    const [, token] =
      /^https:\/\/acme\.app\.example\.com\/-\/postern\/enter\?launch=([A-Za-z0-9_-]{65})$/.exec(launch.url) ??
      [];
    expect((await t.room.authority.takeLaunch(token ?? '', acme))?.session.id).toBe(session.id);
    const read = await t.call('sam', 'GET', `/v1/sessions/${session.id}`);
    expect(JSON.stringify(read.body)).not.toContain(token);
  });

  it('makes no link where no browser enters', async () => {
    await using t = await startSessions();
    await givenGrant(t.room);
    const { body } = await t.call('sam', 'POST', '/v1/sessions', { ...OPEN, browser: false });
    expect(body).not.toHaveProperty('launch');
    await using without = await startSessions(null);
    await givenGrant(without.room);
    expect((await without.call('sam', 'POST', '/v1/sessions', OPEN)).body).not.toHaveProperty('launch');
  });

  it('ends the caller’s earlier one, and says which', async () => {
    await using t = await startSessions();
    await givenGrant(t.room);
    const first = await opened(t);
    const { body } = await t.call('sam', 'POST', '/v1/sessions', OPEN);
    expect(body['replaced']).toBe(first.id);
    expect((await t.call('sam', 'GET', `/v1/sessions/${first.id}`)).body).toMatchObject({
      status: 'ended',
      endedBy: 'replaced',
    });
  });

  it.each([
    ['without a grant', {}, 403, 'session_not_covered'],
    ['for another case', { caseRef: 'CASE-2' }, 422, 'session_case_mismatch'],
    ['for no case', { caseRef: null }, 422, 'session_case_mismatch'],
    ['for writing under a grant to read', { access: 'write' }, 403, 'session_write_not_granted'],
    ['without words', { reason: { ...OPEN.reason, detail: '  ' } }, 422, 'reason_required'],
    ['with a reason of its own', { reason: { type: 'curiosity', detail: 'x' } }, 400, 'invalid_request'],
    ['without a reason', { reason: undefined }, 400, 'invalid_request'],
    ['with a key nobody knows', { admin: true }, 400, 'invalid_request'],
    ['with a control character', { caseRef: 'CASE\u0000' }, 400, 'invalid_request'],
  ])('refuses one %s, and opens none', async (name, over, status, code) => {
    await using t = await startSessions();
    if (name !== 'without a grant') await givenGrant(t.room);
    const answer = await t.call('sam', 'POST', '/v1/sessions', { ...OPEN, ...over });
    expect([answer.status, answer.body['type']]).toEqual([status, problem(code)]);
    expect(await t.room.sessions.openOf(acme)).toEqual([]);
    expect(t.room.events).toEqual([]);
  });

  it.each(['ada', 'uwe', 'key'])('is not for %s', async (caller) => {
    await using t = await startSessions();
    await givenGrant(t.room);
    const { status, body } = await t.call(caller, 'POST', '/v1/sessions', OPEN);
    expect([status, body['type']]).toEqual([403, problem('staff_only')]);
  });
});

describe('a session by its id', () => {
  it.each([
    ['sam', 200],
    ['ada', 200],
    ['sue', 200],
    ['tom', 404],
    ['fake', 404],
    ['gil', 404],
    ['uwe', 403],
    ['key', 403],
    ['', 401],
  ])('is read by %j: %i', async (caller, status) => {
    await using t = await startSessions();
    await givenGrant(t.room);
    const { id } = await opened(t);
    expect((await t.call(caller, 'GET', `/v1/sessions/${id}`)).status).toBe(status);
  });

  it('looks, of somebody else, as if it did not exist', async () => {
    await using t = await startSessions();
    await givenGrant(t.room);
    const { id } = await opened(t);
    for (const caller of ['tom', 'gil']) {
      for (const [method, more] of [
        ['GET', ''],
        ['GET', '/report'],
        ['POST', '/end'],
      ] as const) {
        const there = await t.call(caller, method, `/v1/sessions/${id}${more}`);
        const not = await t.call(caller, method, `${UNKNOWN}${more}`);
        expect(there.status).toBe(404);
        expect({ ...there.body, requestId: '' }).toEqual({ ...not.body, requestId: '' });
      }
    }
  });

  it('is over by the clock, whatever the store says', async () => {
    await using t = await startSessions();
    await givenGrant(t.room);
    const { id } = await opened(t);
    t.room.clock.advance(30 * MINUTE);
    const { body } = await t.call('sam', 'GET', `/v1/sessions/${id}`);
    expect(body).toMatchObject({ status: 'ended', endedBy: 'idle', endedAt: '2030-01-15T12:30:00.000Z' });
  });

  it('shows the latest use that is known here', async () => {
    await using t = await startSessions();
    await givenGrant(t.room);
    const { id } = await opened(t);
    const session = await t.room.cache.activeOf(acme, { issuer: 'https://idp.vendor.example', id: 'sam' });
    if (session === null) throw new Error('no session');
    t.room.cache.used(session, at(10 * MINUTE));
    t.room.clock.advance(35 * MINUTE);
    const { body } = await t.call('ada', 'GET', `/v1/sessions/${id}`);
    expect(body).toMatchObject({ status: 'active', lastUsedAt: '2030-01-15T12:10:00.000Z' });
  });
});

describe('POST /v1/sessions/{id}/end', () => {
  it.each([
    ['sam', 'left', { note: 'Cleared the cache.\nTold the customer.' }],
    ['ada', 'tenant', undefined],
    ['sue', 'vendor', {}],
  ])('by %s is put down as %s, and enforced', async (caller, endedBy, body) => {
    await using t = await startSessions();
    await givenGrant(t.room);
    const { id } = await opened(t);
    t.room.clock.advance(MINUTE);
    const answer = await t.call(caller, 'POST', `/v1/sessions/${id}/end`, body);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ status: 'ended', endedBy, endedAt: '2030-01-15T12:01:00.000Z' });
    expect(answer.body['note']).toBe(caller === 'sam' ? 'Cleared the cache.\nTold the customer.' : undefined);
    expect(t.room.enforced.map((one) => one.id)).toEqual([id]);
    const again = await t.call('sam', 'POST', `/v1/sessions/${id}/end`);
    expect(again.body).toEqual(answer.body);
  });

  it.each(['ada', 'sue'])('takes no note from %s', async (caller) => {
    await using t = await startSessions();
    await givenGrant(t.room);
    const { id } = await opened(t);
    const answer = await t.call(caller, 'POST', `/v1/sessions/${id}/end`, { note: 'not mine to say' });
    expect(answer.status).toBe(403);
    expect(await t.room.sessions.openOf(acme)).toHaveLength(1);
  });
});

describe('the lists', () => {
  it('show staff their own, and an admin the tenant’s, with those marked that wrote', async () => {
    await using t = await startSessions();
    await givenGrant(t.room);
    const first = await opened(t);
    t.room.clock.advance(1000);
    const second = await opened(t, 'tom');
    await t.call('sam', 'POST', `/v1/sessions/${first.id}/end`);
    const ended = await t.room.sessions.get(first.id as never);
    if (ended === null) throw new Error('no session');
    const report = createReportTally().report(ended, { at: START, complete: true });
    await t.room.sessions.saveReport({ ...report, writes: 1 });
    const mine = await t.call('sam', 'GET', '/v1/me/sessions');
    expect(mine.body['items']).toMatchObject([{ id: first.id, hasWrites: true }]);
    const all = await t.call('ada', 'GET', '/v1/tenants/acme/sessions');
    expect((all.body['items'] as Shown[]).map(({ id }) => id)).toEqual([second.id, first.id]);
    expect((all.body['items'] as object[])[0]).not.toHaveProperty('hasWrites');
    const open = await t.call('ada', 'GET', '/v1/tenants/acme/sessions?status=open');
    expect(open.body['items']).toMatchObject([{ id: second.id }]);
    const page = await t.call('ada', 'GET', '/v1/tenants/acme/sessions?limit=1');
    const next = await t.call(
      'ada',
      'GET',
      `/v1/tenants/acme/sessions?limit=1&cursor=${String(page.body['nextCursor'])}`,
    );
    expect(next.body).toMatchObject({ items: [{ id: first.id }], nextCursor: null });
  });

  it.each([
    ['sam', '/v1/tenants/acme/sessions', 403],
    ['sue', '/v1/tenants/acme/sessions', 403],
    ['gil', '/v1/tenants/acme/sessions', 403],
    ['ada', '/v1/me/sessions', 403],
    ['ada', '/v1/tenants/acme/sessions?cursor=nonsense', 400],
    ['ada', '/v1/tenants/acme/sessions?limit=0', 400],
  ])('refuse %s %s: %i', async (caller, path, status) => {
    await using t = await startSessions();
    expect((await t.call(caller, 'GET', path)).status).toBe(status);
  });
});

async function reported() {
  const t = await startSessions();
  await givenGrant(t.room);
  const { id } = await opened(t);
  t.room.clock.advance(HOUR / 4);
  await t.call('sam', 'POST', `/v1/sessions/${id}/end`, { note: 'restarted the import' });
  const pending = await t.call('ada', 'GET', `/v1/sessions/${id}/report`);
  expect([pending.status, pending.body['type']]).toEqual([409, problem('session_report_pending')]);
  const session = await t.room.sessions.get(id as never);
  if (session === null) throw new Error('no session');
  const tally = createReportTally();
  const rule = { id: 'export.all', category: 'export' };
  tally.take({ event: 'request.denied', decision: 'deny', reasonCode: 'rule_denied', rule });
  tally.take({
    event: 'request.allowed',
    decision: 'allow',
    effect: 'read',
    http: { method: 'GET', route: '/tickets/1' },
  });
  await t.room.sessions.saveReport(tally.report(session, { at: t.room.clock.now(), complete: true }));
  return { t, id };
}

describe('GET /v1/sessions/{id}/report', () => {
  it('says what was done and what the principal says was done; its reading is recorded', async () => {
    const { t, id } = await reported();
    await using _ = t;
    const { status, body } = await t.call('ada', 'GET', `/v1/sessions/${id}/report`);
    expect(status).toBe(200);
    expect(body).toMatchObject({
      session: id,
      duration: '15m',
      endedBy: 'left',
      note: 'restarted the import',
      reads: 1,
      writes: 0,
      denied: 1,
      resources: [{ resource: '/tickets', reads: 1, writes: 0, methods: { GET: 1 } }],
      denials: [{ reasonCode: 'rule_denied', rule: { id: 'export.all', category: 'export' }, count: 1 }],
    });
    expect(t.recorded).toMatchObject([
      { event: 'audit.read', tenant: 'acme', actor: { id: 'u-1' }, details: { call: 'sessions.report' } },
    ]);
  });

  it('is shown while the session’s beginning is within the tenant’s retention, and its counts with it', async () => {
    const { t, id } = await reported();
    await using _ = t;
    const { clock } = t.room;
    t.room.settings = settingsWith({ auditRetentionMs: 2 * HOUR });
    const asked = async () => {
      const report = await t.call('ada', 'GET', `/v1/sessions/${id}/report`);
      const one = await t.call('ada', 'GET', `/v1/sessions/${id}`);
      const { body: list } = await t.call('ada', 'GET', '/v1/tenants/acme/sessions');
      const [listed] = list['items'] as Answer['body'][];
      return [report.status, one.body['hasWrites'], listed?.['hasWrites'], listed?.['id']];
    };
    clock.advance(2 * HOUR - HOUR / 4);
    expect(await asked()).toEqual([200, false, false, id]);
    clock.advance(1);
    expect(await asked()).toEqual([410, undefined, undefined, id]);
    const { body } = await t.call('sam', 'GET', `/v1/sessions/${id}/report`);
    expect(body['type']).toBe(problem('session_report_gone'));
    expect(body).not.toHaveProperty('reads');
    expect(t.recorded.filter(({ details }) => details['call'] === 'sessions.report')).toHaveLength(1);
  });

  it('is not read out when the reading cannot be recorded', async () => {
    const { t, id } = await reported();
    await using _ = t;
    t.journal.isThere = false;
    const { status, body } = await t.call('sam', 'GET', `/v1/sessions/${id}/report`);
    expect([status, body['reason']]).toEqual([503, 'audit_unavailable']);
    expect(body).not.toHaveProperty('reads');
  });

  it.each([
    ['sam', 200],
    ['sue', 404],
    ['tom', 404],
    ['gil', 404],
    ['key', 403],
  ])('is answered to %s with %i', async (caller, status) => {
    const { t, id } = await reported();
    await using _ = t;
    expect((await t.call(caller, 'GET', `/v1/sessions/${id}/report`)).status).toBe(status);
  });
});

const reading = (who: string, call: string, filters: string) => ({
  event: 'audit.read',
  tenant: 'acme',
  actor: { id: who },
  details: { call, count: 1, filters },
});

describe('reading sessions', () => {
  it('of somebody else is recorded, with the names of the filters; of one’s own it is not', async () => {
    await using t = await startSessions();
    await givenGrant(t.room);
    const { id } = await opened(t);
    const [one, list] = [`/v1/sessions/${id}`, '/v1/tenants/acme/sessions?status=open&limit=2'];
    for (const path of [one, '/v1/me/sessions']) expect((await t.call('sam', 'GET', path)).status).toBe(200);
    expect(t.recorded).toEqual([]);
    for (const [caller, path] of [
      ['ada', list],
      ['ada', one],
      ['sue', one],
    ] as const)
      expect((await t.call(caller, 'GET', path)).status).toBe(200);
    expect(t.recorded).toMatchObject([
      reading('u-1', 'sessions.list', 'status'),
      reading('u-1', 'sessions.read', 'session'),
      reading('sue', 'sessions.read', 'session'),
    ]);
    for (const path of [one, list]) expect((await t.call('gil', 'GET', path)).status).not.toBe(200);
    expect(t.recorded).toHaveLength(3);
    t.journal.isThere = false;
    for (const path of [one, list]) {
      const { status, body } = await t.call('ada', 'GET', path);
      expect([status, body['reason']], path).toEqual([503, 'audit_unavailable']);
      expect(JSON.stringify(body)).not.toContain(id);
    }
    expect((await t.call('sam', 'GET', one)).status).toBe(200);
  });
});
