// Which session a request belongs to, what it may do under it, and what ends it: through the real gateway, by the clock.
import { describe, expect, it } from 'vitest';
import type { EpochMs } from '#model/clock.ts';
import type { GrantId, TenantId } from '#model/ids.ts';
import type { Lock } from '#model/lock.ts';
import {
  AS_ALICE,
  AS_BOB,
  cookieLine,
  grantOf,
  openAcme,
  reasonOf,
  startSessionGate,
} from '../support/session-gate.ts';

const LOCK: Lock = {
  id: 'lck_1',
  target: { kind: 'tenant', tenant: 'acme' as TenantId },
  message: 'Hold on: incident 7.',
  createdAt: 0 as EpochMs,
  createdBy: { kind: 'security', id: 's', issuer: 'i', email: null, name: null, onBehalfOf: null },
  endsAt: null,
  liftedAt: null,
  liftedBy: null,
};

describe('a request where a session is required', () => {
  it.each([
    ['by the configuration', true, false],
    ['by the settings of the tenant', false, true],
  ])('is told how to open one, %s', async (_what, sessionsRequired, ofTenant) => {
    await using gate = await startSessionGate({ sessionsRequired });
    openAcme(gate.held, { sessionsRequired: ofTenant });
    const answer = await gate.ask('GET /tickets', [AS_ALICE]);
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body)).toMatchObject({
      reason: 'session_required',
      detail: expect.stringContaining('/v1/sessions') as unknown,
    });
    gate.held.session();
    expect((await gate.ask('GET /tickets', [AS_ALICE])).status).toBe(200);
    // It is hers, not everybody's.
    expect(reasonOf(await gate.ask('GET /tickets', [AS_BOB]))).toBe('session_required');
  });

  it('is refused once its session has idled out or reached its limit, before anybody has noted it', async () => {
    await using gate = await startSessionGate({ sessionsRequired: true });
    openAcme(gate.held);
    const idle = gate.held.session({ idleMs: 1000, lastUsedAt: (Date.now() - 1000) as EpochMs });
    expect(reasonOf(await gate.ask('GET /tickets', [AS_ALICE]))).toBe('session_ended');
    gate.held.sessions.delete(idle.id);
    gate.held.session({ endsAt: Date.now() as EpochMs });
    expect(reasonOf(await gate.ask('GET /tickets', [AS_ALICE]))).toBe('session_ended');
    expect(gate.upstream.requests).toEqual([]);
  });
});

describe('a request that belongs to a session', () => {
  it('is judged under its grant alone, never under another that allows more', async () => {
    await using gate = await startSessionGate();
    const reading = grantOf({ id: 'grt_read' as GrantId, access: 'read' });
    gate.held.view('acme', [reading, grantOf({ createdAt: 9 as EpochMs })]);
    gate.held.session({ grantId: reading.id });
    expect(reasonOf(await gate.ask('DELETE /tickets/1', [AS_ALICE]))).toBe('read_only');
    // Without a session the latest counts.
    expect((await gate.ask('DELETE /tickets/1', [AS_BOB])).status).toBe(200);
  });

  it('reads only in a session for reading, and the upstream and the record are told so', async () => {
    await using gate = await startSessionGate({
      inject: [
        { name: 'X-App-Access', template: '{grant.access}' },
        { name: 'X-App-Session', template: '{session.id}' },
      ],
    });
    openAcme(gate.held);
    const session = gate.held.session({ access: 'read' });
    expect(reasonOf(await gate.ask('POST /tickets', [AS_ALICE], 'x'))).toBe('read_only');
    expect((await gate.ask('GET /tickets', [AS_ALICE])).status).toBe(200);
    const sent = new Map(gate.upstream.requests[0]?.headers.map(([name, value]) => [name, value]));
    expect([sent.get('X-App-Access'), sent.get('X-App-Session')]).toEqual(['read', session.id]);
    expect(gate.records.at(-1)).toMatchObject({ grant: { access: 'read' }, session: { id: session.id } });
  });

  it.each([
    ['that is revoked', { revokedAt: 1 as EpochMs }, 'grant_revoked'],
    ['that has ended', { expiresAt: 1 as EpochMs }, 'grant_expired'],
    ['for others by now', { audience: { org: 'else', groups: null, principals: null } }, 'no_grant'],
    ['for another case by now', { caseRef: 'CASE-2' }, 'session_ended'],
    ['that is gone', { id: 'grt_99' as GrantId }, 'session_ended'],
  ])('is refused under a grant %s', async (_what, changes, reason) => {
    await using gate = await startSessionGate();
    openAcme(gate.held, {}, changes);
    gate.held.session({ caseRef: 'CASE-1' });
    expect(reasonOf(await gate.ask('GET /tickets', [AS_ALICE]))).toBe(reason);
  });

  it('is use of it when it passes, and only then', async () => {
    await using gate = await startSessionGate();
    openAcme(gate.held);
    const session = gate.held.session();
    await gate.ask('GET /exports/1', [AS_ALICE]);
    expect(gate.held.uses.has(session.id)).toBe(false);
    await gate.ask('GET /tickets', [AS_ALICE]);
    expect(gate.held.uses.has(session.id)).toBe(true);
  });
});

describe('what holds for the tenant', () => {
  it('lets standing access in only where no grant covers', async () => {
    await using gate = await startSessionGate();
    const view = gate.held.view('acme', []);
    const standing = grantOf({ id: 'grt_standing' as GrantId, access: 'read', source: 'standing' });
    gate.held.views.set('acme', { ...view, standing: [standing] });
    expect((await gate.ask('GET /tickets', [AS_ALICE])).status).toBe(200);
    expect(reasonOf(await gate.ask('POST /tickets', [AS_ALICE], 'x'))).toBe('read_only');
    gate.held.views.set('acme', { ...view, standing: [standing], grants: [grantOf()] });
    expect((await gate.ask('POST /tickets', [AS_ALICE], 'x')).status).toBe(200);
  });

  it('beats every grant and session where support is suspended', async () => {
    await using gate = await startSessionGate();
    openAcme(gate.held, { suspended: true });
    gate.held.session();
    expect(reasonOf(await gate.ask('GET /tickets', [AS_ALICE]))).toBe('tenant_support_disabled');
  });

  it('leaves an excluded organisation without any grant', async () => {
    await using gate = await startSessionGate();
    openAcme(gate.held, { excludedOrgs: ['vendor'] });
    gate.held.session();
    expect(reasonOf(await gate.ask('GET /tickets', [AS_ALICE]))).toBe('no_grant');
  });

  it('reaches the rules by its class', async () => {
    await using gate = await startSessionGate({
      policy: `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: test }
spec:
  rules:
    - { id: gov, category: export, match: [ { paths: ["/tickets"] } ], when: { all: { tenantClass: [gov] } } }
`,
    });
    openAcme(gate.held, { class: 'gov' });
    expect(reasonOf(await gate.ask('GET /tickets', [AS_ALICE]))).toBe('rule_denied');
    openAcme(gate.held, { class: 'standard' });
    expect((await gate.ask('GET /tickets', [AS_ALICE])).status).toBe(200);
  });
});

describe('a lock', () => {
  it.each<[string, Lock['target']]>([
    ['everything', { kind: 'everything' }],
    ['the tenant', { kind: 'tenant', tenant: 'acme' as TenantId }],
    ['the principal', { kind: 'principal', issuer: 'https://idp.test', id: 'alice', email: null }],
    ['the case of the grant', { kind: 'case', caseRef: 'CASE-1', tenant: null }],
  ])('on %s stops whoever has a grant, with its message', async (_what, target) => {
    await using gate = await startSessionGate();
    openAcme(gate.held, {}, { caseRef: 'CASE-1' });
    gate.held.locks = [{ ...LOCK, target }];
    const answer = await gate.ask('GET /tickets', [AS_ALICE]);
    expect(answer.status).toBe(403);
    expect(JSON.parse(answer.body)).toMatchObject({ reason: 'locked', detail: 'Hold on: incident 7.' });
    gate.held.locks = [{ ...LOCK, target, endsAt: Date.now() as EpochMs }];
    expect((await gate.ask('GET /tickets', [AS_ALICE])).status).toBe(200);
  });

  it('on the case of the session stops it, under a grant for any case', async () => {
    await using gate = await startSessionGate();
    openAcme(gate.held);
    gate.held.session({ caseRef: 'CASE-9' });
    gate.held.locks = [{ ...LOCK, target: { kind: 'case', caseRef: 'CASE-9', tenant: 'acme' as TenantId } }];
    expect(reasonOf(await gate.ask('GET /tickets', [AS_ALICE]))).toBe('locked');
    expect((await gate.ask('GET /tickets', [AS_BOB])).status).toBe(200);
  });

  it('that cannot be read stops everybody', async () => {
    await using gate = await startSessionGate();
    openAcme(gate.held);
    gate.held.locksAvailable = false;
    expect(reasonOf(await gate.ask('GET /tickets', [AS_ALICE]))).toBe('store_unavailable');
  });

  it('comes before what the tenant has settled, and before its sessions', async () => {
    await using gate = await startSessionGate({ sessionsRequired: true });
    openAcme(gate.held, { suspended: true });
    gate.held.locks = [LOCK];
    expect(reasonOf(await gate.ask('GET /tickets', [AS_ALICE]))).toBe('locked');
    gate.held.locks = [];
    expect(reasonOf(await gate.ask('GET /tickets', [AS_ALICE]))).toBe('tenant_support_disabled');
  });
});

describe('a request that waited while its tenant or session was read', () => {
  it.each(['views', 'sessions'] as const)(
    'does not get the grant that was revoked meanwhile: %s',
    async (what) => {
      await using gate = await startSessionGate();
      const grant = openAcme(gate.held);
      const read = Promise.withResolvers<void>();
      gate.held.slow = { views: null, sessions: null, [what]: read.promise };
      const answer = gate.ask('GET /tickets', [AS_ALICE]);
      await expect.poll(() => gate.gateway.inFlight, { timeout: 10_000 }).toBe(1);
      gate.held.view('acme', []);
      gate.gateway.grantRevoked(grant);
      gate.held.slow = { views: null, sessions: null };
      read.resolve();
      expect(reasonOf(await answer)).toBe('no_grant');
      expect(gate.upstream.requests).toEqual([]);
    },
  );

  it('does not go on in the session that ended meanwhile', async () => {
    await using gate = await startSessionGate();
    openAcme(gate.held);
    const session = gate.held.session();
    const cookie = gate.held.cookieFor(session);
    const read = Promise.withResolvers<void>();
    gate.held.slow = { views: read.promise, sessions: null };
    const answer = gate.ask('GET /tickets', [cookieLine(cookie)]);
    await expect.poll(() => gate.gateway.inFlight, { timeout: 10_000 }).toBe(1);
    const ended = { ...session, endedAt: 1 as EpochMs };
    gate.held.sessions.set(session.id, ended);
    gate.gateway.sessionEnded(ended);
    read.resolve();
    expect(reasonOf(await answer)).toBe('session_ended');
    expect(gate.upstream.requests).toEqual([]);
  });
});
