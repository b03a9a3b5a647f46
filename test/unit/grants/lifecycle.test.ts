import { describe, expect, it } from 'vitest';
import type { EpochMs } from '#model/clock.ts';
import type { Actor, Grant } from '#model/grant.ts';
import { GrantRefusal, type GrantRefusalCode } from '#model/grant-refusal.ts';
import type { GrantDraft, GrantPatch } from '#grants/grant-store.ts';
import { changedGrant, createdGrant, revokedGrant } from '#grants/lifecycle.ts';
import {
  admin,
  at,
  bareService,
  DAY,
  draft,
  grant,
  HOUR,
  SECOND,
  sam,
  serviceForAda,
  settingsWith,
  START,
} from '../../support/grants-fixtures.ts';

const id = grant().id;

function create(over: Partial<GrantDraft> = {}, by: Actor = admin, settings = settingsWith()): Grant {
  return createdGrant(id, draft(over), { now: START, settings, by, ofCase: () => [] });
}

function change(patch: GrantPatch, over: Partial<Grant> = {}, by: Actor = admin, now = at(HOUR)): Grant {
  return changedGrant(grant(over), patch, { now, settings: settingsWith(), by, ofCase: () => [] });
}

function refusal(run: () => unknown): GrantRefusalCode | 'allowed' {
  try {
    run();
    return 'allowed';
  } catch (error) {
    if (error instanceof GrantRefusal) return error.code;
    throw error;
  }
}

describe('creating a grant', () => {
  it('starts at revision 1, unrevoked, by whoever created it', () => {
    expect(create()).toMatchObject({ id, revision: 1, createdAt: START, revokedAt: null, grantedBy: admin });
  });

  it.each<[string, Partial<GrantDraft>, GrantRefusalCode | 'allowed']>([
    ['the longest period is allowed', { expiresAt: at(14 * DAY) }, 'allowed'],
    ['a millisecond more is not', { expiresAt: at(14 * DAY + 1) }, 'too_long'],
    ['the shortest period is allowed', { expiresAt: at(SECOND) }, 'allowed'],
    ['a millisecond less is not', { expiresAt: at(SECOND - 1) }, 'too_short'],
    ['an end now is in the past', { expiresAt: at(0) }, 'end_in_past'],
    ['an end before the start', { startsAt: at(2 * HOUR), expiresAt: at(HOUR) }, 'end_before_start'],
    ['no end', { expiresAt: null }, 'indefinite_not_allowed'],
    [
      'an end beyond what can be written',
      { expiresAt: Number.MAX_SAFE_INTEGER as EpochMs },
      'instant_invalid',
    ],
    ['an end that is no number', { expiresAt: Number.NaN as EpochMs }, 'instant_invalid'],
    ['a start a minute ago, by a slow clock', { startsAt: at(-60_000) }, 'allowed'],
    ['a start longer ago', { startsAt: at(-60_001) }, 'start_in_past'],
    ['a start in a year', { startsAt: at(365 * DAY), expiresAt: at(366 * DAY) }, 'allowed'],
    ['a start later than that', { startsAt: at(365 * DAY + 1), expiresAt: at(366 * DAY) }, 'start_too_late'],
    [
      'an audience without a field',
      { audience: { org: null, groups: null, principals: null } },
      'empty_audience',
    ],
    [
      'an audience of no groups',
      { audience: { org: 'vendor', groups: [], principals: null } },
      'empty_audience',
    ],
    [
      'an audience of no principals',
      { audience: { org: null, groups: null, principals: [] } },
      'empty_audience',
    ],
    ['an empty organisation', { audience: { org: '', groups: null, principals: null } }, 'empty_audience'],
    ['any lift', { lifts: ['export'] }, 'lift_not_allowed'],
    ['no reason', { reason: null }, 'reason_required'],
    ['no case', { caseRef: null }, 'case_ref_required'],
  ])('%s: %#', (_name, over, expected) => {
    expect(refusal(() => create(over))).toBe(expected);
  });

  it('may have no end, no reason and no case where the limits say so', () => {
    const loose = settingsWith({
      durations: { indefinite: true },
      reasonRequired: false,
      caseRefRequired: false,
    });
    expect(create({ expiresAt: null, reason: null, caseRef: null }, admin, loose).expiresAt).toBeNull();
  });

  it('lifts only a category that is named liftable, and never one that would let support grant itself more', () => {
    const open = settingsWith({ liftable: ['export', 'credentials'] });
    expect(refusal(() => create({ lifts: ['export'] }, admin, open))).toBe('allowed');
    expect(refusal(() => create({ lifts: ['export', 'credentials'] }, admin, open))).toBe('lift_not_allowed');
  });

  it.each<[string, Actor, GrantRefusalCode | 'allowed']>([
    ['an admin', admin, 'allowed'],
    ['a service for a named person', serviceForAda, 'allowed'],
    ['a service for nobody', bareService, 'consent_required'],
    ['a user of the tenant', { ...admin, kind: 'tenant_user' }, 'policy_admins'],
    ['support staff', { ...admin, kind: 'staff' }, 'consent_required'],
    ['the security team', { ...admin, kind: 'security' }, 'consent_required'],
    ['an actor of a kind that does not exist', { ...admin, kind: 'robot' as 'system' }, 'consent_required'],
  ])('by %s', (_name, by, expected) => {
    expect(refusal(() => create({}, by))).toBe(expected);
  });
});

describe('law 8: whoever consents is never the user', () => {
  const forSam = { audience: { org: null, groups: null, principals: [{ issuer: sam.issuer, id: sam.id }] } };

  it('refuses an actor who is a named principal', () => {
    const samAsAdmin: Actor = { ...admin, id: sam.id, issuer: sam.issuer };
    expect(refusal(() => create(forSam, samAsAdmin))).toBe('self_grant');
    expect(refusal(() => create(forSam, admin))).toBe('allowed');
  });

  it('refuses a service that acts for a named principal, whatever the issuer', () => {
    const forHimself: Actor = { ...bareService, onBehalfOf: { id: sam.id, email: null, name: null } };
    expect(refusal(() => create(forSam, forHimself))).toBe('self_grant');
  });

  it('refuses an actor whose address is the id of a named principal, in any case', () => {
    const byAddress = {
      audience: { ...forSam.audience, principals: [{ issuer: 'x', id: 'Ada@ACME.example' }] },
    };
    expect(refusal(() => create(byAddress, admin))).toBe('self_grant');
    expect(refusal(() => create(byAddress, serviceForAda))).toBe('self_grant');
  });

  it('refuses to extend for oneself, and lets anyone shorten what covers them', () => {
    const samAsAdmin: Actor = { ...admin, id: sam.id, issuer: sam.issuer };
    expect(refusal(() => change({ expiresAt: at(2 * DAY) }, forSam, samAsAdmin))).toBe('self_grant');
    expect(refusal(() => change({ expiresAt: at(2 * HOUR) }, forSam, samAsAdmin))).toBe('allowed');
  });

  it('records everyone who widened it, each once', () => {
    const second: Actor = { ...admin, id: 'u-2', email: 'bob@acme.example' };
    const once = change({ expiresAt: at(2 * DAY) }, {}, second);
    const twice = change({ expiresAt: at(3 * DAY) }, once, second);
    expect(twice.widenedBy).toEqual([second]);
    expect(change({ expiresAt: at(2 * HOUR) }, {}, second).widenedBy).toBeUndefined();
  });
});

describe('changing a grant', () => {
  it('makes the next revision, and none when nothing differs', () => {
    expect(change({ access: 'write' }).revision).toBe(2);
    const same = grant();
    expect(
      changedGrant(
        same,
        { access: 'read', expectedRevision: 1 },
        {
          now: START,
          settings: settingsWith(),
          by: admin,
          ofCase: () => [],
        },
      ),
    ).toBe(same);
  });

  it.each<[string, GrantPatch, Partial<Grant>, GrantRefusalCode | 'allowed']>([
    ['an older revision', { expectedRevision: 1, access: 'write' }, { revision: 2 }, 'stale_revision'],
    ['a revoked grant', { access: 'write' }, { revokedAt: at(1) }, 'ended'],
    ['an expired grant', { expiresAt: at(DAY) }, { expiresAt: at(HOUR) }, 'ended'],
    ['the last millisecond', { expiresAt: at(DAY) }, { expiresAt: at(HOUR + 1) }, 'allowed'],
    ['an end in the past', { expiresAt: at(HOUR) }, {}, 'end_in_past'],
    ['an extension beyond the maximum from the start', { expiresAt: at(14 * DAY + 1) }, {}, 'too_long'],
    ['an extension to no end', { expiresAt: null }, {}, 'indefinite_not_allowed'],
    ['the start of one that runs', { startsAt: at(2 * HOUR) }, {}, 'already_started'],
    ['the start of one that waits', { startsAt: at(3 * HOUR) }, { startsAt: at(2 * HOUR) }, 'allowed'],
    [
      'an audience of nobody',
      { audience: { org: 'vendor', groups: [], principals: null } },
      {},
      'empty_audience',
    ],
    ['the case taken away', { caseRef: null }, {}, 'case_ref_required'],
  ])('%s: %#', (_name, patch, over, expected) => {
    expect(refusal(() => change(patch, over))).toBe(expected);
  });

  it('shortens even what is longer than today’s limits', () => {
    const old = { expiresAt: at(30 * DAY) };
    expect(change({ expiresAt: at(20 * DAY) }, old).expiresAt).toBe(at(20 * DAY));
  });

  const wide: Partial<Grant> = {
    access: 'write',
    roles: ['agent', 'viewer'],
    audience: { org: null, groups: ['a', 'b'], principals: null },
    workspaces: [{ id: 'w1', roles: ['agent', 'viewer'] }],
  };
  it.each<[string, GrantPatch, GrantRefusalCode | 'allowed']>([
    ['less access', { access: 'read' }, 'allowed'],
    ['fewer roles', { roles: ['agent'] }, 'allowed'],
    ['fewer groups', { audience: { org: null, groups: ['a'], principals: null } }, 'allowed'],
    ['one more condition', { audience: { org: 'vendor', groups: ['a', 'b'], principals: null } }, 'allowed'],
    ['fewer workspace roles', { workspaces: [{ id: 'w1', roles: ['agent'] }] }, 'allowed'],
    ['an earlier end', { expiresAt: at(2 * HOUR) }, 'allowed'],
    ['another role', { roles: ['agent', 'admin'] }, 'consent_required'],
    ['another first role', { roles: ['viewer'] }, 'consent_required'],
    ['the roles in another order', { roles: ['viewer', 'agent'] }, 'consent_required'],
    ['no role, which is as the upstream sees fit', { roles: [] }, 'consent_required'],
    ['another first workspace role', { workspaces: [{ id: 'w1', roles: ['viewer'] }] }, 'consent_required'],
    [
      'the workspace roles in another order',
      { workspaces: [{ id: 'w1', roles: ['viewer', 'agent'] }] },
      'consent_required',
    ],
    ['no workspace role', { workspaces: [{ id: 'w1', roles: [] }] }, 'consent_required'],
    [
      'a workspace twice',
      {
        workspaces: [
          { id: 'w1', roles: ['agent'] },
          { id: 'w1', roles: ['agent', 'viewer'] },
        ],
      },
      'workspace_invalid',
    ],
    ['another group', { audience: { org: null, groups: ['a', 'c'], principals: null } }, 'consent_required'],
    [
      'one condition less',
      { audience: { org: 'vendor', groups: null, principals: null } },
      'consent_required',
    ],
    ['no workspace, which is every workspace', { workspaces: [] }, 'consent_required'],
    ['another workspace', { workspaces: [{ id: 'w2', roles: [] }] }, 'consent_required'],
    ['a later end', { expiresAt: at(2 * DAY) }, 'consent_required'],
    ['another case', { caseRef: 'CASE-2' }, 'consent_required'],
  ])('by a service for nobody: %s', (_name, patch, expected) => {
    expect(refusal(() => change(patch, wide, bareService))).toBe(expected);
  });

  it.each<[string, GrantPatch, GrantRefusalCode | 'allowed']>([
    ['a workspace', { workspaces: [{ id: 'w1', roles: [] }] }, 'allowed'],
    ['a role in it', { workspaces: [{ id: 'w1', roles: ['agent'] }] }, 'consent_required'],
    ['no role, as before', { roles: [], expiresAt: at(2 * HOUR) }, 'allowed'],
    ['a role', { roles: ['agent'] }, 'consent_required'],
  ])('by a service for nobody, where none was named: %s', (_name, patch, expected) => {
    expect(refusal(() => change(patch, {}, bareService))).toBe(expected);
  });
});

describe('revoking a grant', () => {
  it('ends it once and for all', () => {
    const revoked = revokedGrant(grant(), { now: at(5), by: bareService });
    expect(revoked).toMatchObject({ revision: 2, revokedAt: at(5), revokedBy: bareService });
    expect(revokedGrant(revoked, { now: at(9), by: admin })).toBe(revoked);
  });
});
