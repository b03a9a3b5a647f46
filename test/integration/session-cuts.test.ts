// What ends a session, or what holds for the tenant, ends the traffic in flight: when the call returns, it is over.
import { describe, expect, it } from 'vitest';
import type { EpochMs } from '#model/clock.ts';
import type { GrantId, TenantId } from '#model/ids.ts';
import type { Lock } from '#model/lock.ts';
import type { SupportSession } from '#model/session.ts';
import type { TenantView } from '#model/tenant-settings.ts';
import { rawConnect, type RawConnection } from '../support/raw-client.ts';
import {
  AS_ALICE,
  AS_BOB,
  cookieLine,
  grantOf,
  openAcme,
  type SessionGate,
  startSessionGate,
} from '../support/session-gate.ts';

const EVENT_STREAM =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n6\r\ndata:\n\r\n';
const ACME = 'acme' as TenantId;

/** A stream for whoever asks; what is in `parked` is left without an answer. */
function streaming(options: Parameters<typeof startSessionGate>[0] = {}): Promise<SessionGate> {
  return startSessionGate({
    ...options,
    respond: (request, socket) => {
      if (request.target !== '/parked') socket.write(EVENT_STREAM);
    },
  });
}

async function stream(gate: SessionGate, credential: string = AS_ALICE): Promise<RawConnection> {
  const connection = await rawConnect(gate.port);
  connection.write(gate.bytes('GET /stream', [credential]));
  await connection.waitFor('data:');
  return connection;
}

async function parked(gate: SessionGate, credential: string = AS_ALICE): Promise<RawConnection> {
  const connection = await rawConnect(gate.port);
  connection.write(gate.bytes('GET /parked', [credential]));
  await expect
    .poll(() => gate.upstream.requests.some(({ target }) => target === '/parked'), { timeout: 10_000 })
    .toBe(true);
  return connection;
}

/** With its reason, where a record says so. */
function lastEnd(gate: SessionGate, target: string): string | null {
  return gate.records.find((x) => x.routePath === target)?.endedBy ?? null;
}

const lockOn = (target: Lock['target'], changes: Partial<Lock> = {}): Lock => ({
  id: 'lck_1',
  target,
  message: 'Hold on.',
  createdAt: 0 as EpochMs,
  createdBy: { kind: 'security', id: 's', issuer: 'i', email: null, name: null, onBehalfOf: null },
  endsAt: null,
  liftedAt: null,
  liftedBy: null,
  ...changes,
});

describe('the end of a session', () => {
  it('ends its stream and its request without an answer before the call returns, and nobody else', async () => {
    await using gate = await streaming();
    openAcme(gate.held);
    const session = gate.held.session();
    await using hers = await stream(gate);
    await using waiting = await parked(gate);
    await using his = await stream(gate, AS_BOB);
    const ended: SupportSession = { ...session, endedAt: 1 as EpochMs, endedBy: 'tenant' };
    gate.held.sessions.set(session.id, ended);
    gate.gateway.sessionEnded(ended);
    expect([lastEnd(gate, '/stream'), lastEnd(gate, '/parked')]).toEqual(['session_ended', 'session_ended']);
    await hers.closed;
    expect(await waiting.waitFor('"reason"')).toContain('"reason":"session_ended"');
    await expect.poll(() => gate.gateway.inFlight, { timeout: 10_000 }).toBe(1);
    expect(his.socket.destroyed).toBe(false);
  });

  it('is not its narrowing: that cuts what a browser runs by a group that is gone, and nothing else', async () => {
    await using gate = await streaming();
    openAcme(gate.held);
    const session = gate.held.session();
    const cookie = cookieLine(gate.held.cookieFor(session));
    await using browser = await stream(gate, cookie);
    await using byToken = await stream(gate);
    gate.gateway.sessionNarrowed(session);
    gate.gateway.sessionNarrowed({ ...session, principal: { ...session.principal, id: 'bob', groups: [] } });
    expect(gate.gateway.inFlight).toBe(2);
    gate.gateway.sessionNarrowed({ ...session, principal: { ...session.principal, groups: [] } });
    await browser.closed;
    expect(lastEnd(gate, '/stream')).toBe('narrowed');
    expect([gate.gateway.inFlight, byToken.socket.destroyed]).toEqual([1, false]);
  });

  it('comes by the clock at its limit', async () => {
    await using gate = await streaming();
    openAcme(gate.held);
    gate.held.session({ endsAt: (Date.now() + 1500) as EpochMs });
    await using hers = await stream(gate);
    await hers.closed;
    expect(lastEnd(gate, '/stream')).toBe('session_ended');
  });

  it('is the end of the grant where both end at once', async () => {
    await using gate = await streaming();
    const endsAt = (Date.now() + 1500) as EpochMs;
    openAcme(gate.held, {}, { expiresAt: endsAt });
    gate.held.session({ endsAt });
    await using hers = await stream(gate);
    await hers.closed;
    expect(lastEnd(gate, '/stream')).toBe('expired');
  });

  it('does not come by idling while a stream is in progress, however quiet', async () => {
    await using gate = await streaming();
    openAcme(gate.held);
    const session = gate.held.session();
    await using _hers = await stream(gate);
    const begun = gate.held.uses.get(session.id) as EpochMs;
    await expect.poll(() => gate.held.uses.get(session.id), { timeout: 10_000 }).toBeGreaterThan(begun);
  });

  it('is not moved by a grant that is extended', async () => {
    await using gate = await streaming();
    const grant = openAcme(gate.held, {}, { expiresAt: (Date.now() + 60_000) as EpochMs });
    gate.held.session({ endsAt: (Date.now() + 1500) as EpochMs });
    await using hers = await stream(gate);
    gate.gateway.grantChanged({ ...grant, revision: 4, expiresAt: null });
    await hers.closed;
    expect(lastEnd(gate, '/stream')).toBe('session_ended');
  });

  it('comes with a grant that is for another case by now', async () => {
    await using gate = await streaming();
    const grant = openAcme(gate.held, {}, { caseRef: 'CASE-1' });
    gate.held.session({ caseRef: 'CASE-1' });
    await using hers = await stream(gate);
    gate.gateway.grantChanged({ ...grant, revision: 4, caseRef: 'CASE-2' });
    expect(lastEnd(gate, '/stream')).toBe('narrowed');
    await hers.closed;
  });
});

describe('a lock', () => {
  it.each<[string, Lock['target']]>([
    ['everything', { kind: 'everything' }],
    ['the tenant', { kind: 'tenant', tenant: ACME }],
    ['the case', { kind: 'case', caseRef: 'CASE-1', tenant: ACME }],
    ['the principal by address', { kind: 'principal', issuer: 'x', id: 'y', email: 'ALICE@vendor.test' }],
  ])('on %s cuts what it concerns, with its message', async (_what, target) => {
    await using gate = await streaming();
    openAcme(gate.held, {}, { caseRef: 'CASE-1' });
    await using hers = await stream(gate);
    await using waiting = await parked(gate);
    gate.gateway.locked(lockOn(target));
    expect([lastEnd(gate, '/stream'), lastEnd(gate, '/parked')]).toEqual(['locked', 'locked']);
    await hers.closed;
    expect(await waiting.waitFor('"detail"')).toContain('"detail":"Hold on."');
  });

  it.each<[string, Lock]>([
    ['on somebody else', lockOn({ kind: 'principal', issuer: 'https://idp.test', id: 'bob', email: null })],
    ['on another tenant', lockOn({ kind: 'tenant', tenant: 'globex' as TenantId })],
    ['that has ended', lockOn({ kind: 'everything' }, { endsAt: 1 as EpochMs })],
    ['that was lifted', lockOn({ kind: 'everything' }, { liftedAt: 1 as EpochMs })],
  ])('%s cuts nothing', async (_what, lock) => {
    await using gate = await streaming();
    openAcme(gate.held);
    await using _hers = await stream(gate);
    gate.gateway.locked(lock);
    expect(gate.gateway.inFlight).toBe(1);
  });
});

describe('a change of what holds for the tenant', () => {
  const standing = grantOf({ id: 'grt_standing' as GrantId, access: 'write', source: 'standing' });

  it.each<[string, (view: TenantView) => TenantView, string]>([
    ['suspended', (view) => ({ ...view, settings: { ...view.settings, suspended: true } }), 'suspended'],
    [
      'a session required',
      (view) => ({ ...view, settings: { ...view.settings, sessionsRequired: true } }),
      'session_ended',
    ],
    [
      'its organisation excluded',
      (view) => ({ ...view, settings: { ...view.settings, excludedOrgs: ['vendor'] } }),
      'narrowed',
    ],
    [
      'a class that a rule is about',
      (view) => ({ ...view, settings: { ...view.settings, class: 'gov' } }),
      'policy',
    ],
    ['standing access lost', (view) => ({ ...view, standing: [] }), 'narrowed'],
    [
      'standing access for reading alone',
      (view) => ({ ...view, standing: [{ ...standing, access: 'read' }] }),
      'narrowed',
    ],
  ])('cuts what it no longer allows: %s', async (_what, change, endedBy) => {
    await using gate = await streaming({
      policy: `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: test }
spec:
  rules:
    - { id: gov, category: export, match: [ { paths: ["/stream"] } ], when: { all: { tenantClass: [gov] } } }
`,
    });
    const view = { ...gate.held.view('acme', []), standing: [standing] };
    gate.held.views.set('acme', view);
    await using hers = await stream(gate);
    gate.gateway.tenantChanged(ACME, { ...view });
    gate.gateway.tenantChanged('globex' as TenantId, {
      ...view,
      settings: { ...view.settings, suspended: true },
    });
    expect(gate.gateway.inFlight).toBe(1);
    gate.gateway.tenantChanged(ACME, change(view));
    expect(lastEnd(gate, '/stream')).toBe(endedBy);
    await hers.closed;
  });

  it('leaves what the customer gave alone where only standing access changes', async () => {
    await using gate = await streaming();
    openAcme(gate.held);
    await using _hers = await stream(gate);
    gate.gateway.tenantChanged(ACME, gate.held.view('acme', [], { standing: 'none' }));
    expect(gate.gateway.inFlight).toBe(1);
  });

  it('refuses who is still waiting for the tenant to be read: suspended meanwhile', async () => {
    await using gate = await streaming();
    openAcme(gate.held);
    const read = Promise.withResolvers<void>();
    gate.held.slow = { views: read.promise, sessions: null };
    const answer = gate.ask('GET /x', [AS_ALICE]);
    await expect.poll(() => gate.gateway.inFlight, { timeout: 10_000 }).toBe(1);
    gate.gateway.tenantChanged(ACME, gate.held.view('acme', [grantOf()], { suspended: true }));
    expect((await answer).body).toContain('"reason":"tenant_support_disabled"');
    read.resolve();
  });

  it('says which tenants are in use, once each', async () => {
    await using gate = await streaming();
    openAcme(gate.held);
    await using _one = await stream(gate);
    await using _two = await stream(gate);
    expect([...gate.gateway.tenantsInUse()]).toEqual(['acme']);
  });
});
