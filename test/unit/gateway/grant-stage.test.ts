// The one grant of a request: its session's, else the chosen one, else what stands without a grant. Never a union.
import { describe, expect, it } from 'vitest';
import { DEFAULT_TENANT_SETTINGS } from '#grants/settings/default-settings.ts';
import { type EpochMs, NEVER } from '#model/clock.ts';
import type { Grant } from '#model/grant.ts';
import type { GrantId, SessionId } from '#model/ids.ts';
import type { SupportSession } from '#model/session.ts';
import type { TenantView } from '#model/tenant-settings.ts';
import { PASS, type Verdict } from '#model/verdict.ts';
import type { Exchange } from '../../../src/gateway/exchange.ts';
import type { LiveExchanges } from '../../../src/gateway/live-exchanges.ts';
import { grantStage } from '../../../src/gateway/stages/grant.ts';
import { EXAMPLE_CREDENTIAL, EXAMPLE_GRANT } from '../../support/audit-exchange.ts';
import { manualClock } from '../../support/manual-clock.ts';

const NOW = EXAMPLE_GRANT.startsAt + 1;
const WRITE: Grant = Object.freeze({ ...EXAMPLE_GRANT, access: 'write' });

function sessionOf(changes: Partial<SupportSession> = {}): SupportSession {
  return {
    id: 'ses_1' as SessionId,
    tenant: EXAMPLE_GRANT.tenant,
    principal: EXAMPLE_CREDENTIAL.principal,
    grantId: EXAMPLE_GRANT.id,
    access: 'write',
    reason: { type: 'debug_log', detail: 'x' },
    caseRef: EXAMPLE_GRANT.caseRef,
    startedAt: NOW as EpochMs,
    endsAt: (NOW + 5000) as EpochMs,
    idleMs: 1000,
    lastUsedAt: NOW as EpochMs,
    endedAt: null,
    endedBy: null,
    note: null,
    ...changes,
  };
}

function judge(view: Partial<TenantView>, session: SupportSession | null = null) {
  const live: Exchange[] = [];
  const stage = grantStage({
    live: { add: (x: Exchange) => void live.push(x) } as LiveExchanges,
    clock: manualClock(NOW),
  });
  const x = {
    view: { grants: [], settings: DEFAULT_TENANT_SETTINGS, standing: [], loadedAt: 0, ...view },
    credential: EXAMPLE_CREDENTIAL,
    session,
    grant: null,
  } as unknown as Exchange;
  return { verdict: stage.run(x) as Verdict, x, live };
}

describe('the grant of a request', () => {
  it('makes it live until the earliest of grant, session and credential ends', () => {
    const { verdict, x, live } = judge({ grants: [WRITE] });
    expect(verdict).toBe(PASS);
    expect(live).toEqual([x]);
    expect(x).toMatchObject({ grant: WRITE, authorityEndsAt: WRITE.expiresAt });
    const session = sessionOf();
    expect(judge({ grants: [WRITE] }, session).x.authorityEndsAt).toBe(session.endsAt);
    const endless = { ...WRITE, expiresAt: null };
    expect(judge({ grants: [endless] }).x).toMatchObject({
      grantEndsAt: NEVER,
      authorityEndsAt: EXAMPLE_CREDENTIAL.expiresAt,
    });
  });

  it('is no more than the session asked for, and one object as often as it is looked at', () => {
    const session = sessionOf({ access: 'read' });
    const first = judge({ grants: [WRITE] }, session).x.grant;
    expect(first).toEqual({ ...WRITE, access: 'read' });
    expect(Object.isFrozen(first)).toBe(true);
    expect(judge({ grants: [WRITE] }, session).x.grant).toBe(first);
    expect(judge({ grants: [EXAMPLE_GRANT] }, sessionOf()).x.grant).toBe(EXAMPLE_GRANT);
  });

  it('may be one that stands, and a session may have been opened under it', () => {
    const standing = { ...EXAMPLE_GRANT, id: 'grt_s' as GrantId, source: 'standing' as const, caseRef: null };
    expect(judge({ standing: [standing] }).x.grant).toBe(standing);
    expect(judge({ standing: [standing] }, sessionOf({ grantId: standing.id })).x.grant).toBe(standing);
    expect(judge({ standing: [standing], grants: [WRITE] }).x.grant).toBe(WRITE);
  });

  it('is the wider of those that stand, of which the first is the wider', () => {
    const read = { ...EXAMPLE_GRANT, id: 'grt_r' as GrantId, createdAt: NEVER };
    expect(judge({ standing: [{ ...WRITE, id: 'grt_w' as GrantId }, read] }).x.grant?.id).toBe('grt_w');
  });

  it('is none where several differ in whom they act as, whatever stands besides', () => {
    const other = { ...WRITE, id: 'grt_2' as GrantId, actAs: 'u1' };
    const { verdict, live } = judge({ grants: [WRITE, other], standing: [EXAMPLE_GRANT] });
    expect(verdict).toMatchObject({ reason: 'grant_ambiguous' });
    expect(live).toEqual([]);
    // A session names its own.
    expect(judge({ grants: [WRITE, other] }, sessionOf({ grantId: other.id })).x.grant).toBe(other);
  });

  it('is never chosen in a session: one that covers as well does not stand in', () => {
    const other = { ...WRITE, id: 'grt_2' as GrantId };
    const { verdict, x } = judge({ grants: [other], standing: [other] }, sessionOf());
    expect(verdict).toMatchObject({ reason: 'session_ended' });
    expect(x.grant).toBeNull();
  });

  it('says more of a dead one than of none, unless something stands', () => {
    const dead = { ...WRITE, expiresAt: NOW as EpochMs };
    expect(judge({ grants: [dead] }).verdict).toMatchObject({ reason: 'grant_expired' });
    expect(judge({ grants: [dead], standing: [EXAMPLE_GRANT] }).verdict).toBe(PASS);
  });
});
