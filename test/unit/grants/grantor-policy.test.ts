// Who may give access, and under which conditions of content: each refusal with a code of its own.
import { describe, expect, it } from 'vitest';
import type { Actor, Grant, GrantorFacts } from '#model/grant.ts';
import { chooseInView, grantCovers } from '#model/grant.ts';
import { GrantRefusal, type GrantRefusalCode } from '#model/grant-refusal.ts';
import type { GrantorRule, TenantSettings } from '#model/tenant-settings.ts';
import type { GrantDraft, GrantPatch } from '#grants/grant-store.ts';
import { changedGrant, createdGrant, revokedGrant, verifiedGrant } from '#grants/lifecycle.ts';
import { standingGrants } from '#grants/standing-grants.ts';
import {
  acme,
  admin,
  at,
  bareService,
  draft,
  globex,
  grant,
  HOUR,
  sam,
  serviceForAda,
  settingsWith,
  START,
} from '../../support/grants-fixtures.ts';

const holding = (by: Actor, holds: Partial<GrantorFacts>): Actor => ({
  ...by,
  holds: { permissions: [], products: [], ...holds },
});
const user: Actor = { ...admin, kind: 'tenant_user', id: 'u-7', email: 'uma@acme.example', name: 'Uma' };

function create(over: Partial<GrantDraft>, by: Actor, settings: TenantSettings): Grant {
  return createdGrant(grant().id, draft(over), { now: START, settings, by, ofCase: () => [] });
}

function change(
  patch: GrantPatch,
  over: Partial<Grant>,
  given: { by?: Actor; settings?: TenantSettings } = {},
): Grant {
  const { by = admin, settings = settingsWith() } = given;
  return changedGrant(grant(over), patch, { now: at(HOUR), settings, by, ofCase: () => [] });
}

function outcome(run: () => unknown): GrantRefusalCode | 'allowed' {
  try {
    run();
    return 'allowed';
  } catch (error) {
    if (!(error instanceof GrantRefusal)) throw error;
    expect(error.message).toMatch(/^[A-Z].+\.$/);
    return error.code;
  }
}

const ADMINS: GrantorRule = { kind: 'admins' };
const USERS: GrantorRule = { kind: 'users' };
const NOBODY: GrantorRule = { kind: 'nobody' };
const PERMISSION: GrantorRule = { kind: 'permission', permission: 'support.manage' };
const LICENSED: GrantorRule = { kind: 'licensed_users', product: 'desk' };
const manager = holding(admin, { permissions: ['x', 'support.manage'] });
const licensed = holding(user, { products: ['desk'] });
const system: Actor = { ...bareService, kind: 'system' };

describe('who may grant', () => {
  it.each<[GrantorRule, string, Actor, string | null, GrantRefusalCode | 'allowed']>([
    [ADMINS, 'an admin', admin, null, 'allowed'],
    [ADMINS, 'an admin for a user', admin, 'u-7', 'allowed'],
    [ADMINS, 'a user for themselves', user, 'u-7', 'policy_admins'],
    [ADMINS, 'a service for a person', serviceForAda, null, 'allowed'],
    [ADMINS, 'a service for nobody', bareService, null, 'consent_required'],
    [PERMISSION, 'an admin with the permission', manager, null, 'allowed'],
    [PERMISSION, 'an admin without it', admin, null, 'policy_permission'],
    [
      PERMISSION,
      'an admin with another',
      holding(admin, { permissions: ['support'] }),
      null,
      'policy_permission',
    ],
    [
      PERMISSION,
      'a user with it',
      holding(user, { permissions: ['support.manage'] }),
      'u-7',
      'policy_permission',
    ],
    [PERMISSION, 'a service that says nothing', serviceForAda, null, 'policy_permission'],
    [
      PERMISSION,
      'a service that says so',
      holding(serviceForAda, { permissions: ['support.manage'] }),
      null,
      'allowed',
    ],
    [USERS, 'a user for themselves', user, 'u-7', 'allowed'],
    [USERS, 'a user for somebody else', user, 'u-1', 'policy_own_user'],
    [USERS, 'a user for nobody', user, null, 'policy_own_user'],
    [USERS, 'an admin for anyone', admin, null, 'allowed'],
    [LICENSED, 'a user with a licence', licensed, 'u-7', 'allowed'],
    [LICENSED, 'a user with a licence, for somebody else', licensed, 'u-1', 'policy_own_user'],
    [LICENSED, 'a user without one', user, 'u-7', 'policy_licence'],
    [LICENSED, 'an admin without one', admin, 'u-7', 'policy_licence'],
    [LICENSED, 'an admin with one', holding(admin, { products: ['desk'] }), 'u-7', 'allowed'],
    [NOBODY, 'an admin', manager, null, 'policy_nobody'],
    [NOBODY, 'a user', licensed, 'u-7', 'policy_nobody'],
    [NOBODY, 'a service for a person', serviceForAda, null, 'policy_nobody'],
    [NOBODY, 'the system, by the settings', system, null, 'allowed'],
    [USERS, 'support staff', { ...admin, kind: 'staff' }, null, 'consent_required'],
    [USERS, 'the security team', { ...admin, kind: 'security' }, null, 'consent_required'],
  ])('%j: %s', (...[mayGrant, , by, actAs, expected]) => {
    expect(outcome(() => create({ actAs }, by, settingsWith({ mayGrant })))).toBe(expected);
  });

  it('is asked again at every widening, and never of whoever narrows or ends', () => {
    const settings = settingsWith({ mayGrant: NOBODY });
    const wide = { access: 'write', actAs: 'u-7' } as const;
    expect(outcome(() => change({ expiresAt: at(30 * HOUR) }, wide, { settings }))).toBe('policy_nobody');
    expect(outcome(() => change({ access: 'read' }, wide, { settings }))).toBe('allowed');
    expect(outcome(() => change({ access: 'read' }, wide, { settings, by: user }))).toBe('allowed');
    expect(outcome(() => revokedGrant(grant(wide), { now: START, by: user }))).toBe('allowed');
  });

  it('lets a user, the staff and the security team touch nobody else’s grant', () => {
    const other = { ...user, id: 'u-8' };
    const staff: Actor = { ...admin, kind: 'staff' };
    const security: Actor = { ...admin, kind: 'security' };
    const own = { actAs: 'u-7' };
    expect(outcome(() => revokedGrant(grant(own), { now: START, by: other }))).toBe('policy_own_user');
    expect(outcome(() => change({ expiresAt: at(2 * HOUR) }, own, { by: other }))).toBe('policy_own_user');
    for (const by of [staff, security]) {
      expect(outcome(() => revokedGrant(grant(), { now: START, by }))).toBe('consent_required');
      expect(outcome(() => change({ expiresAt: at(2 * HOUR) }, {}, { by }))).toBe('consent_required');
    }
    const emergency = grant({ source: 'break_glass' });
    expect(outcome(() => revokedGrant(emergency, { now: START, by: security }))).toBe('allowed');
    expect(outcome(() => revokedGrant(emergency, { now: START, by: staff }))).toBe('consent_required');
    expect(outcome(() => change({ expiresAt: at(30 * HOUR) }, emergency))).toBe('break_glass_fixed');
  });

  it('keeps nothing of what somebody held', () => {
    const made = create({}, manager, settingsWith({ mayGrant: PERMISSION }));
    const widened = change({ access: 'write' }, {}, { by: manager });
    const revoked = revokedGrant(made, { now: START, by: manager });
    expect(JSON.stringify([made, widened, revoked])).not.toContain('support.manage');
  });
});

describe('what a grant says', () => {
  it.each<[string, Partial<GrantDraft>, Parameters<typeof settingsWith>[0], GrantRefusalCode | 'allowed']>([
    ['a case of the form asked for', { caseRef: '12345' }, { caseRefPattern: '[0-9]{5,8}' }, 'allowed'],
    [
      'a case with something before',
      { caseRef: 'x12345' },
      { caseRefPattern: '[0-9]{5,8}' },
      'case_ref_mismatch',
    ],
    [
      'a case with a line after',
      { caseRef: '12345\n' },
      { caseRefPattern: '[0-9]{5,8}' },
      'case_ref_mismatch',
    ],
    [
      'alternatives, each as a whole',
      { caseRef: 'AB-1x' },
      { caseRefPattern: 'AB-[0-9]|X' },
      'case_ref_mismatch',
    ],
    [
      'a pattern that is not safe to run',
      { caseRef: '1' },
      { caseRefPattern: '([0-9]+)+' },
      'case_ref_mismatch',
    ],
    [
      'no case where none is asked for',
      { caseRef: null },
      { caseRefPattern: '[0-9]', caseRefRequired: false },
      'allowed',
    ],
    ['a category that may be lifted', { lifts: ['export'] }, { liftable: ['export'] }, 'allowed'],
    ['one that may not', { lifts: ['email'] }, { liftable: ['export'] }, 'lift_not_allowed'],
    ['one that never may', { lifts: ['self-grant'] }, { liftable: ['self-grant'] }, 'lift_not_allowed'],
    [
      'a lift without a reason',
      { lifts: ['x'], reason: null },
      { liftable: ['x'], reasonRequired: false },
      'reason_required',
    ],
    ['the notice shown', { notice: { version: '2' } }, { notice: { version: '2', text: 't' } }, 'allowed'],
    [
      'an older notice',
      { notice: { version: '1' } },
      { notice: { version: '2', text: 't' } },
      'notice_not_current',
    ],
    ['no notice where there is one', {}, { notice: { version: '2', text: 't' } }, 'notice_not_current'],
    ['a notice where there is none', { notice: { version: '1' } }, {}, 'notice_not_current'],
    ['an excluded organisation', {}, { excludedOrgs: ['vendor'] }, 'org_excluded'],
    [
      'another organisation',
      { audience: { org: 'desk', groups: null, principals: null } },
      { excludedOrgs: ['vendor'] },
      'allowed',
    ],
    ['a role of no form', { roles: ['a\u0007'] }, {}, 'role_invalid'],
    ['a workspace of no form', { workspaces: [{ id: '', roles: [] }] }, {}, 'workspace_invalid'],
  ])('%s', (_name, over, settings, expected) => {
    expect(outcome(() => create(over, admin, settingsWith(settings)))).toBe(expected);
  });

  it('records the notice, and asks for the current one when a grant is widened', () => {
    const first = settingsWith({ notice: { version: '1', text: 'a' } });
    const second = settingsWith({ notice: { version: '2', text: 'b' } });
    const notice = { version: '1' };
    expect(create({ notice }, admin, first).notice).toEqual(notice);
    const wider = { access: 'write' } as const;
    expect(change(wider, { notice }, { settings: first }).notice).toEqual(notice);
    expect(outcome(() => change(wider, { notice }, { settings: second }))).toBe('notice_not_current');
    const shown = { ...wider, notice: { version: '2' } };
    expect(change(shown, { notice }, { settings: second }).notice).toEqual({ version: '2' });
    expect(outcome(() => change({ expiresAt: at(2 * HOUR) }, { notice }, { settings: second }))).toBe(
      'allowed',
    );
  });

  it('keeps the notice that was shown, and asks for none, once the tenant has none', () => {
    const notice = { version: '1' };
    const wider = { access: 'write' } as const;
    expect(change(wider, { notice })).toMatchObject({ revision: 2, notice });
    expect(outcome(() => change({ ...wider, notice }, { notice }))).toBe('notice_not_current');
  });

  it('may lose a lift at once, and gain one only by a consent that the settings allow', () => {
    const settings = settingsWith({ liftable: ['export'] });
    const lifted = { lifts: ['export'] };
    expect(change({ lifts: [] }, lifted, { by: bareService }).lifts).toEqual([]);
    expect(outcome(() => change(lifted, {}, { by: bareService, settings }))).toBe('consent_required');
    expect(outcome(() => change(lifted, {}))).toBe('lift_not_allowed');
    expect(change(lifted, {}, { settings }).lifts).toEqual(['export']);
  });
});

describe('the vendor’s verification', () => {
  const required = settingsWith({ vendorVerification: 'required' });
  const pending = grant({ verification: { at: null, by: null } });
  const lead = { ...sam, id: 'lea', email: 'lea@vendor.example', org: 'desk' };
  const verify = (over: Partial<Grant> = {}, by = lead) =>
    verifiedGrant({ ...pending, ...over }, { now: at(HOUR), lead: by });

  it('is asked of what is created or widened, and not of what is narrowed', () => {
    expect(create({}, admin, required).verification).toEqual({ at: null, by: null });
    const verified = verify();
    expect(verified).toMatchObject({
      revision: 2,
      verification: { at: at(HOUR), by: { id: 'lea', kind: 'staff' } },
    });
    const longer = change({ expiresAt: at(30 * HOUR) }, verified).verification;
    expect(longer).toEqual({ at: null, by: null, earlier: [expect.objectContaining({ id: 'lea' })] });
    expect(change({ access: 'write' }, {}, { settings: required }).verification).toEqual({
      at: null,
      by: null,
    });
    expect(change({ expiresAt: at(3 * HOUR) }, verified).verification).toEqual(verified.verification);
    expect(verifiedGrant(verified, { now: at(2 * HOUR), lead })).toBe(verified);
  });

  it.each<[string, Partial<Grant>, Partial<typeof lead>]>([
    [
      'named in it',
      { audience: { org: null, groups: null, principals: [{ issuer: sam.issuer, id: 'lea' }] } },
      {},
    ],
    [
      'named in it by address, under another issuer',
      { audience: { org: null, groups: null, principals: [{ issuer: 'x', id: 'Lea@Vendor.example' }] } },
      {},
    ],
    ['who gave it, under another issuer', { grantedBy: { ...admin, email: 'LEA@vendor.example' } }, {}],
    ['who widened it', { widenedBy: [{ ...admin, email: 'lea@vendor.example' }] }, {}],
    [
      'for whom a service gave it',
      { grantedBy: { ...bareService, onBehalfOf: { id: 'x', email: 'lea@vendor.example', name: null } } },
      {},
    ],
  ])('is refused to a lead %s', (_name, over, who) => {
    expect(outcome(() => verify(over, { ...lead, ...who }))).toBe('verifier_is_user');
  });

  it('is refused for what has ended and where it was never asked for', () => {
    expect(outcome(() => verify({ revokedAt: START }))).toBe('ended');
    expect(outcome(() => verify({ expiresAt: at(1) }))).toBe('ended');
    expect(outcome(() => verifiedGrant(grant(), { now: START, lead }))).toBe('verification_not_asked');
    expect(outcome(() => verifiedGrant(pending, { now: START, lead, expectedRevision: 2 }))).toBe(
      'stale_revision',
    );
  });

  it('keeps whoever verified from using it, whatever groups they join later', () => {
    const verified = verify();
    expect(grantCovers(verified, { ...lead, org: 'vendor' })).toBe(false);
    expect(grantCovers(verified, sam)).toBe(true);
  });

  it.each<[string, Partial<Grant>, Partial<typeof lead>]>([
    ['a whole organisation', {}, { org: 'vendor' }],
    ['a group', { audience: { org: null, groups: ['leads'], principals: null } }, { groups: ['leads'] }],
  ])('of a grant for %s may be by a lead of it, who then never uses it', (_name, over, who) => {
    const own = { ...lead, ...who };
    expect(grantCovers({ ...pending, ...over }, own)).toBe(true);
    const verified = verify(over, own);
    expect(grantCovers(verified, own)).toBe(false);
    expect(grantCovers(verified, { ...own, id: 'tom', email: 'tom@vendor.example' })).toBe(true);
  });

  it('is remembered when another lead verifies it anew: none of them uses it', () => {
    const own = { ...lead, org: 'vendor' };
    const longer = change({ expiresAt: at(30 * HOUR) }, verify({}, own));
    const anew = verify(longer, { ...own, id: 'lena', email: 'lena@vendor.example' });
    expect(anew.verification?.by?.id).toBe('lena');
    expect(grantCovers(anew, own)).toBe(false);
    expect(grantCovers(anew, sam)).toBe(true);
    // The first one may look again, each person is kept once.
    const third = verify(change({ expiresAt: at(40 * HOUR) }, verify(longer, own)), own);
    expect(third.verification).toMatchObject({ by: { id: 'lea' }, earlier: [{ id: 'lea' }] });
  });
});

function ids(settings: TenantSettings, tenant = acme): readonly string[] {
  return standingGrants(tenant, settings).map((one) => one.id);
}

function viewOf(grants: readonly Grant[], settings: TenantSettings) {
  return { grants, settings, standing: standingGrants(acme, settings) };
}

describe('what stands without a grant', () => {
  const switchGrant = {
    access: 'write',
    audience: { org: 'vendor', groups: null, principals: null },
    roles: ['agent'],
    workspaces: [],
  } as const;
  const tier = settingsWith({ standing: 'read', switchGrant });
  const trial = settingsWith({ standing: 'read', systemAccess: 'write', switchGrant });

  it('is made of the settings: the tier, the class, or both, the wider first', () => {
    expect(standingGrants(acme, settingsWith({ switchGrant }))).toEqual([]);
    expect(standingGrants(acme, tier)).toMatchObject([
      {
        access: 'read',
        source: 'standing',
        roles: ['agent'],
        grantedBy: { kind: 'system' },
        expiresAt: null,
      },
    ]);
    expect(standingGrants(acme, trial).map((one) => one.access)).toEqual(['write', 'read']);
    expect(standingGrants(acme, settingsWith({ ...trial, systemAccess: 'read' }))).toHaveLength(1);
    expect(standingGrants(acme, settingsWith({ ...tier, suspended: true }))).toEqual([]);
    expect(standingGrants(acme, settingsWith({ standing: 'read' }))).toEqual([]);
  });

  it('has ids in the form of a grant’s, for good, and another revision when it gives something else', () => {
    expect(ids(trial)).toEqual(ids(trial));
    expect(ids(trial)[0]).toMatch(/^grt_7Z{9}[0-9A-HJKMNP-TV-Z]{16}$/);
    const all = [...ids(trial), ...ids(trial, globex)];
    expect(new Set(all).size).toBe(all.length);
    const other = settingsWith({ ...trial, switchGrant: { ...switchGrant, roles: ['admin'] } });
    const reading = settingsWith({ ...trial, systemAccess: 'read' });
    expect(ids(other)).toEqual(ids(trial));
    expect(ids(reading)).toEqual(ids(trial).slice(0, 1));
    const revisions = [trial, other, reading].map((one) => standingGrants(acme, one)[0]?.revision ?? 0);
    expect(new Set(revisions).size).toBe(3);
    expect(revisions.every((one) => Number.isSafeInteger(one) && one >= 1)).toBe(true);
    expect(standingGrants(acme, trial)[0]?.revision).toBe(revisions[0]);
  });

  it('is the last resort, and a real grant that is not active never hides it', () => {
    const real = grant({ access: 'write' });
    expect(chooseInView(viewOf([real], tier), sam, START)).toBe(real);
    expect(chooseInView(viewOf([{ ...real, revokedAt: START }], tier), sam, START)).toMatchObject({
      source: 'standing',
    });
    expect(chooseInView(viewOf([], trial), sam, START)).toMatchObject({ access: 'write' });
    expect(chooseInView(viewOf([{ ...real, expiresAt: START }], tier), { ...sam, org: 'x' }, START)).toBe(
      'no_grant',
    );
    const two = [real, { ...real, actAs: 'u-1' }];
    expect(chooseInView(viewOf(two, tier), sam, START)).toBe('grant_ambiguous');
  });

  it('is as dead as every grant for an excluded organisation', () => {
    const settings = settingsWith({ ...tier, excludedOrgs: ['vendor'] });
    const view = { grants: [grant()], settings, standing: standingGrants(acme, settings) };
    expect(chooseInView(view, sam, START)).toBe('no_grant');
    const partner = { ...sam, org: 'desk', id: 'pia' };
    const theirs = grant({ audience: { org: 'desk', groups: null, principals: null } });
    expect(chooseInView({ ...view, grants: [theirs] }, partner, START)).toBe(theirs);
  });
});
