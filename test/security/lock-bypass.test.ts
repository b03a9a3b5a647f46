// Attack: somebody whom the vendor's security team has stopped goes on with whatever lets people in otherwise: an older
// or a newer grant, a session, its cookie, what stands without a grant, a broken glass, another issuer's account. None
// overrides a lock; and a broken glass overrides neither the tenant's suspension nor its excluded organisations.
import { describe, expect, it } from 'vitest';
import type { EpochMs } from '#model/clock.ts';
import type { Grant } from '#model/grant.ts';
import type { GrantId, TenantId } from '#model/ids.ts';
import type { LockTarget } from '#model/lock.ts';
import { emergencyGrant } from '#grants/emergencies/emergency-rules.ts';
import { emergencyDraft, lock, quinn, rita } from '../support/lock-fixtures.ts';
import {
  ALICE,
  AS_ALICE,
  cookieLine,
  grantOf,
  reasonOf,
  type SessionGate,
  startSessionGate,
} from '../support/session-gate.ts';

const acme = 'acme' as TenantId;
const BROWSER = ['Sec-Fetch-Site: none', 'Accept: application/json'];

/** Alice asked, Rita confirmed. */
function brokenGlass(): Grant {
  const now = Date.now() as EpochMs;
  return emergencyGrant({
    ...emergencyDraft({ org: ALICE.org, caseRef: 'CASE-9' }),
    id: 'emg_01JHNM9N00000000000000000A',
    askedBy: { ...quinn, id: ALICE.id, issuer: ALICE.issuer, email: ALICE.email },
    createdAt: now,
    lapsesAt: (now + 1_800_000) as EpochMs,
    confirmedBy: rita,
    confirmedAt: now,
    grantId: 'grt_01' as GrantId,
  });
}

const write = () => grantOf({ caseRef: 'CASE-9' });

/** How Alice is let in, as headers of her requests. */
const ways: readonly (readonly [string, (gate: SessionGate) => readonly string[]])[] = [
  [
    'a grant',
    ({ held }) => {
      held.view('acme', [write()]);
      return [AS_ALICE];
    },
  ],
  [
    'a session',
    ({ held }) => {
      held.view('acme', [write()], { sessionsRequired: true });
      held.session({ grantId: write().id, caseRef: 'CASE-9' });
      return [AS_ALICE];
    },
  ],
  [
    'the cookie of a session',
    ({ held }) => {
      held.view('acme', [write()], { sessionsRequired: true });
      const session = held.session({ grantId: write().id, caseRef: 'CASE-9' });
      return [cookieLine(held.cookieFor(session)), ...BROWSER];
    },
  ],
  [
    'what stands without a grant',
    ({ held }) => {
      const view = held.view('acme', [], { standing: 'read' });
      const standing = { ...write(), source: 'standing' as const, access: 'read' as const };
      held.views.set('acme', { ...view, standing: [standing] });
      return [AS_ALICE];
    },
  ],
  [
    'a broken glass',
    ({ held }) => {
      held.view('acme', [brokenGlass()], { breakGlass: true });
      return [AS_ALICE];
    },
  ],
];

const targets: readonly (readonly [string, LockTarget])[] = [
  ['everything', { kind: 'everything' }],
  ['the tenant', { kind: 'tenant', tenant: acme }],
  ['the case', { kind: 'case', caseRef: 'CASE-9', tenant: null }],
  ['Alice', { kind: 'principal', issuer: ALICE.issuer, id: ALICE.id, email: null }],
  [
    'Alice as another issuer knows her',
    {
      kind: 'principal',
      issuer: 'https://partner.test',
      id: 'a-7',
      email: String(ALICE.email).toUpperCase(),
    },
  ],
];

describe.each(ways)('%s', (_way, enter) => {
  it('lets Alice in when nothing is locked', async () => {
    await using gate = await startSessionGate();
    const headers = enter(gate);
    expect((await gate.ask('GET /tickets', headers)).status).toBe(200);
  });

  it.each(targets)('does not override a lock on %s', async (_name, target) => {
    await using gate = await startSessionGate();
    const headers = enter(gate);
    gate.held.locks = [lock(target, { createdAt: Date.now() as EpochMs })];
    const answer = await gate.ask('GET /tickets', headers);
    expect([answer.status, reasonOf(answer)]).toEqual([403, 'locked']);
    expect(gate.upstream.requests).toEqual([]);
  });
});

describe('a grant made after the lock', () => {
  it('changes nothing', async () => {
    await using gate = await startSessionGate();
    gate.held.locks = [lock({ kind: 'tenant', tenant: acme }, { createdAt: 1 as EpochMs })];
    gate.held.view('acme', [{ ...write(), createdAt: Date.now() as EpochMs }]);
    expect(reasonOf(await gate.ask('GET /tickets', [AS_ALICE]))).toBe('locked');
  });
});

describe('a broken glass', () => {
  it.each([
    ['a suspended tenant', { suspended: true }, 'tenant_support_disabled'],
    ['an excluded organisation', { excludedOrgs: [ALICE.org] }, 'no_grant'],
  ])('does not override %s', async (_name, settings, reason) => {
    await using gate = await startSessionGate();
    gate.held.view('acme', [brokenGlass()], { breakGlass: true, ...settings });
    expect(reasonOf(await gate.ask('GET /tickets', [AS_ALICE]))).toBe(reason);
    expect(gate.upstream.requests).toEqual([]);
  });

  it('is not used by whoever confirmed it', async () => {
    await using gate = await startSessionGate();
    const asked = brokenGlass();
    gate.held.view('acme', [{ ...asked, grantedBy: { ...rita, issuer: 'x', id: 'y', email: ALICE.email } }]);
    expect(reasonOf(await gate.ask('GET /tickets', [AS_ALICE]))).toBe('no_grant');
  });
});
