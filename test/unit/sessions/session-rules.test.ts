import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Grant } from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { GrantId, SessionId } from '#model/ids.ts';
import { sessionOverAt, sessionStatusAt } from '#model/session.ts';
import type { TenantView } from '#model/tenant-settings.ts';
import type { SessionWish } from '#sessions/session-authority.ts';
import { sessionMaker } from '#sessions/session-rules.ts';
import { at, DAY, grant, HOUR, sam, settingsWith, START } from '../../support/grants-fixtures.ts';
import { MINUTE, sessionLimits, supportSession, wish } from '../../support/sessions-fixtures.ts';

const ID = 'ses_01JHNM9N00000000000000000A' as SessionId;
const NAMED = (suffix: string): GrantId => `grt_01JHNM9N0000000000000000${suffix}` as GrantId;

function view(grants: readonly Grant[] = [], over: Partial<TenantView> = {}): TenantView {
  return { grants, settings: settingsWith(), standing: [], ...over };
}

function open(over: Partial<SessionWish>, seen: TenantView) {
  return sessionMaker(wish(over), sessionLimits)(seen, { id: ID, now: START });
}

function refusal(over: Partial<SessionWish>, seen: TenantView): string {
  try {
    open(over, seen);
  } catch (error) {
    if (!(error instanceof GrantRefusal)) throw error;
    expect(error.message).toMatch(/^[A-Z].*\.$/);
    return error.code;
  }
  throw new Error('nothing was refused');
}

describe('a session', () => {
  it('says who, why, under which grant, and until when', () => {
    expect(open({}, view([grant()]))).toEqual({
      id: ID,
      tenant: 'acme',
      principal: sam,
      grantId: grant().id,
      access: 'read',
      reason: wish().reason,
      caseRef: 'CASE-1',
      startedAt: START,
      endsAt: at(8 * HOUR),
      idleMs: 30 * MINUTE,
      lastUsedAt: START,
      endedAt: null,
      endedBy: null,
      note: null,
    });
  });

  it('never outlasts its grant', () => {
    expect(open({}, view([grant({ expiresAt: at(HOUR) })])).endsAt).toBe(at(HOUR));
    expect(open({}, view([grant({ expiresAt: null })])).endsAt).toBe(at(8 * HOUR));
  });

  it('keeps to the stricter of the gateway’s limits and the tenant’s', () => {
    const strict = settingsWith({ sessionIdleMs: MINUTE, sessionMaxMs: HOUR });
    expect(open({}, view([grant()], { settings: strict }))).toMatchObject({
      idleMs: MINUTE,
      endsAt: at(HOUR),
    });
    const loose = settingsWith({ sessionIdleMs: DAY, sessionMaxMs: DAY });
    expect(open({}, view([grant()], { settings: loose }))).toMatchObject({
      idleMs: 30 * MINUTE,
      endsAt: at(8 * HOUR),
    });
  });

  it('reads unless writing is asked for and granted', () => {
    const writable = view([grant({ access: 'write' })]);
    expect(open({}, writable).access).toBe('read');
    expect(open({ access: 'write' }, writable).access).toBe('write');
    expect(refusal({ access: 'write' }, view([grant()]))).toBe('session_write_not_granted');
  });

  it('has a reason in words', () => {
    const reason = { type: 'customer_initiated_support', detail: ' \n ' } as const;
    expect(refusal({ reason }, view([grant()]))).toBe('reason_required');
  });
});

describe('the grant of a session', () => {
  it.each([
    ['there is none', view(), 'session_not_covered'],
    [
      'it covers others',
      view([grant({ audience: { org: 'partner', groups: null, principals: null } })]),
      'session_not_covered',
    ],
    [
      'its principal gave it',
      view([grant({ grantedBy: { ...grant().grantedBy, email: sam.email } })]),
      'session_not_covered',
    ],
    ['it starts later', view([grant({ startsAt: at(1) })]), 'session_grant_not_active'],
    [
      'it waits for the vendor’s check',
      view([grant({ verification: { at: null, by: null } })]),
      'session_grant_not_active',
    ],
    ['it has expired', view([grant({ expiresAt: START })]), 'session_grant_not_active'],
    ['it was revoked', view([grant({ revokedAt: START })]), 'session_grant_not_active'],
    [
      'support is suspended',
      view([grant()], { settings: settingsWith({ suspended: true }) }),
      'session_support_disabled',
    ],
    [
      'the organisation is excluded',
      view([grant()], { settings: settingsWith({ excludedOrgs: ['vendor'] }) }),
      'session_not_covered',
    ],
  ])('refuses where %s', (_name, seen, code) => {
    expect(refusal({}, seen)).toBe(code);
    expect(refusal({ grantId: grant().id }, seen)).toBe(code === 'session_grant_not_active' ? code : code);
  });

  it('must be for the same case, where it names one', () => {
    const seen = view([grant()]);
    expect(refusal({ caseRef: 'CASE-2' }, seen)).toBe('session_case_mismatch');
    expect(refusal({ caseRef: null }, seen)).toBe('session_case_mismatch');
    expect(refusal({ caseRef: 'CASE-2', grantId: grant().id }, seen)).toBe('session_case_mismatch');
    expect(open({ caseRef: 'CASE-2' }, view([grant({ caseRef: null })])).caseRef).toBe('CASE-2');
    expect(open({ caseRef: null }, view([grant({ caseRef: null })])).caseRef).toBeNull();
  });

  it('is the one for the case named, then one without a case, then what stands', () => {
    const one = grant({ id: NAMED('01') });
    const newer = grant({ id: NAMED('02'), caseRef: 'CASE-2', createdAt: at(-1) });
    const any = grant({ id: NAMED('03'), caseRef: null });
    const standing = grant({ id: NAMED('04'), caseRef: null, source: 'standing' });
    const seen = view([one, newer, any], { standing: [standing] });
    expect(open({ caseRef: 'CASE-1' }, seen).grantId).toBe(one.id);
    expect(open({ caseRef: 'CASE-2' }, seen).grantId).toBe(newer.id);
    expect(open({ caseRef: 'CASE-3' }, seen).grantId).toBe(any.id);
    expect(open({ caseRef: 'CASE-3' }, view([one], { standing: [standing] })).grantId).toBe(standing.id);
    const pending = view([grant({ ...one, startsAt: at(1) }), any]);
    expect(open({ caseRef: 'CASE-1' }, pending).grantId).toBe(any.id);
  });

  it('is named by the caller where several differ in whom they act as', () => {
    const grants = [
      grant({ id: NAMED('01'), actAs: 'user-1' }),
      grant({ id: NAMED('02'), actAs: 'user-2', createdAt: at(-1) }),
    ];
    expect(refusal({}, view(grants))).toBe('session_grant_ambiguous');
    expect(open({ grantId: NAMED('02') }, view(grants)).grantId).toBe(NAMED('02'));
    expect(refusal({ grantId: NAMED('99') }, view(grants))).toBe('session_not_covered');
  });

  it('may be a standing one, named or not', () => {
    const standing = grant({ id: NAMED('04'), caseRef: null, source: 'standing' });
    const seen = view([], { standing: [standing] });
    expect(open({ caseRef: null }, seen).grantId).toBe(standing.id);
    expect(open({ caseRef: null, grantId: standing.id }, seen).grantId).toBe(standing.id);
    expect(refusal({ access: 'write', caseRef: null }, seen)).toBe('session_write_not_granted');
  });

  it('is never one that does not cover its principal or is not active, whatever is asked', () => {
    const anyGrant = fc.record({
      org: fc.constantFrom('vendor', 'partner'),
      startsAt: fc.constantFrom(at(-1), START, at(1)),
      expiresAt: fc.constantFrom(null, START, at(1), at(DAY)),
      access: fc.constantFrom('read' as const, 'write' as const),
      caseRef: fc.constantFrom(null, 'CASE-1', 'CASE-2'),
      createdAt: fc.constantFrom(at(-2), at(-1)),
    });
    const asked = fc.record({
      caseRef: fc.constantFrom(null, 'CASE-1', 'CASE-2'),
      access: fc.constantFrom('read' as const, 'write' as const),
      named: fc.option(fc.nat(3)),
    });
    fc.assert(
      fc.property(fc.array(anyGrant, { maxLength: 4 }), asked, (drafts, { caseRef, access, named }) => {
        const grants = drafts.map(({ org, ...rest }, i) =>
          grant({ ...rest, id: NAMED(`0${i}`), audience: { org, groups: null, principals: null } }),
        );
        const grantId = named === null ? null : NAMED(`0${named}`);
        let session;
        try {
          session = open({ caseRef, access, grantId }, view(grants));
        } catch (error) {
          expect(error).toBeInstanceOf(GrantRefusal);
          return;
        }
        const used = grants.find(({ id }) => id === session.grantId);
        expect(used).toMatchObject({ audience: { org: 'vendor' } });
        if (used === undefined) return;
        expect(used.startsAt).toBeLessThanOrEqual(START);
        if (used.expiresAt !== null) expect(session.endsAt).toBeLessThanOrEqual(used.expiresAt);
        expect(session.endsAt).toBeGreaterThan(START);
        if (used.caseRef !== null) expect(session.caseRef).toBe(used.caseRef);
        if (session.access === 'write') expect(used.access).toBe('write');
        if (grantId !== null) expect(session.grantId).toBe(grantId);
      }),
      { numRuns: 500 },
    );
  });
});

describe('by the clock', () => {
  it.each([
    [0, 30 * MINUTE - 1, 'active'],
    [0, 30 * MINUTE, 'idle'],
    [7 * HOUR + 45 * MINUTE, 8 * HOUR - 1, 'active'],
    [7 * HOUR + 45 * MINUTE, 8 * HOUR, 'limit'],
  ] as const)('a session last used at %i is, at %i, %s', (usedAt, nowAt, status) => {
    const session = supportSession();
    expect(sessionStatusAt(session, at(usedAt), at(nowAt))).toBe(status);
    expect(sessionOverAt(session, at(usedAt), at(nowAt))?.endedBy ?? 'active').toBe(status);
  });

  it('what ended it first counts, however late it is looked at', () => {
    const session = supportSession();
    expect(sessionOverAt(session, START, at(DAY))).toEqual({ endedBy: 'idle', endedAt: at(30 * MINUTE) });
    const busy = sessionOverAt(session, at(8 * HOUR - 1), at(DAY));
    expect(busy).toEqual({ endedBy: 'limit', endedAt: at(8 * HOUR) });
  });
});
