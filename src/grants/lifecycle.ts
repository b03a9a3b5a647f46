// The rules that every grant obeys from creation to its end. Pure: the store runs them inside its transaction, with the
// settings it read there, so that two concurrent calls cannot agree on what neither may have. Assumes well-formed values
// (the API's schemas); decides only what is allowed, and refuses with one closed code and a sentence. Cold.
import type { EpochMs } from '#model/clock.ts';
import {
  type Actor,
  consentedTo,
  type Grant,
  grantStatusAt,
  recordedActor,
  type Verification,
} from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { GrantId } from '#model/ids.ts';
import type { Principal } from '#model/principal.ts';
import type { TenantSettings } from '#model/tenant-settings.ts';
import {
  checkAudience,
  checkAudienceNamesSomebody,
  checkLifts,
  checkNotice,
  checkPurpose,
  checkRoles,
  isActor,
} from './grant-content.ts';
import {
  type CasePeriod,
  checkCaseTime,
  checkEnd,
  checkPeriod,
  checkPreset,
  checkStart,
  endInstant,
} from './grant-limits.ts';
import { isSameScope, isWider } from './grant-scope.ts';
import type { GrantDraft, GrantPatch } from './grant-store.ts';
import { requireGrantor, requireOwnSide } from './grantor-policy.ts';
import type { StaffIssuer } from './staff-reach.ts';

export interface LifecycleContext {
  readonly now: EpochMs;
  /** The tenant's, in force at `now`. */
  readonly settings: TenantSettings;
  readonly by: Actor;
  /** Who of the vendor could enter at all; absent: nobody has said. */
  readonly staff?: readonly StaffIssuer[];
  /** The tenant's grants of a case, ended ones too; asked only where the time of a case is limited. */
  readonly ofCase: (caseRef: string) => readonly CasePeriod[];
}

const UNVERIFIED: Verification = Object.freeze({ at: null, by: null });

/** The grant a draft becomes, at revision 1; `pending` where the vendor verifies. Throws GrantRefusal. */
export function createdGrant(id: GrantId, draft: GrantDraft, context: LifecycleContext): Grant {
  const { now, settings, by } = context;
  const source = draft.source ?? 'direct';
  const { notice, widenedBy } = draft;
  const grant: Grant = {
    id,
    tenant: draft.tenant,
    revision: 1,
    startsAt: draft.startsAt,
    expiresAt: endInstant(draft.expiresAt, draft.startsAt, settings),
    access: draft.access ?? settings.defaultAccess,
    audience: draft.audience,
    roles: draft.roles,
    workspaces: draft.workspaces,
    actAs: draft.actAs,
    lifts: draft.lifts,
    caseRef: draft.caseRef,
    reason: draft.reason,
    grantedBy: recordedActor(by),
    ...(widenedBy === undefined ? {} : { widenedBy: widenedBy.map(recordedActor) }),
    createdAt: now,
    revokedAt: null,
    revokedBy: null,
    source,
    ...(notice === undefined ? {} : { notice: { version: notice.version } }),
    ...(settings.vendorVerification === 'required' ? { verification: draft.verification ?? UNVERIFIED } : {}),
  };
  requireGrantor(by, grant.actAs, settings.mayGrant);
  checkStart(grant.startsAt, context);
  checkConsented(grant, context, grant.startsAt);
  checkPreset(grant, source, settings);
  checkNotice(notice, by, settings.notice);
  return grant;
}

/**
 * The grant after a change, one revision later; `grant` itself when nothing differs. Throws GrantRefusal. Narrowing and
 * shortening are open to everybody of the customer's side; anything else is a new consent, verified anew.
 */
export function changedGrant(grant: Grant, patch: GrantPatch, context: LifecycleContext): Grant {
  const { now, settings, by } = context;
  requireOwnSide(by, grant);
  checkRevision(grant, patch.expectedRevision);
  requireAlive(grant, now);
  const from = periodStart(grant, patch, now);
  const next = patched(grant, patch, { from, settings });
  if (isSameScope(grant, next)) return grant;
  if (next.startsAt !== grant.startsAt) checkStartMoves(grant, next, context);
  if (!isWider(grant, next)) {
    checkEnd(next.startsAt, next.expiresAt, now);
    checkAudienceNamesSomebody(next);
    checkRoles(next);
    return next;
  }
  if (grant.source === 'break_glass') {
    throw new GrantRefusal(
      'break_glass_fixed',
      'Emergency access may only be shortened, narrowed or revoked.',
    );
  }
  requireGrantor(by, grant.actAs, settings.mayGrant);
  checkCaseStays(grant, next, context);
  checkConsented(next, context, from);
  // What was shown stays recorded; where the tenant has no notice any more, nobody can be asked for one.
  const { notice = settings.notice === null ? undefined : grant.notice } = patch;
  checkNotice(notice, by, settings.notice);
  return {
    ...next,
    widenedBy: withActor(grant.widenedBy ?? [], recordedActor(by)),
    ...(notice === undefined ? {} : { notice: { version: notice.version } }),
    ...(isVerified(grant, settings) ? { verification: unverified(grant) } : {}),
  };
}

/** The grant after its end; `grant` itself when it was revoked before. An expired one can be revoked too. */
export function revokedGrant(grant: Grant, { now, by }: Pick<LifecycleContext, 'now' | 'by'>): Grant {
  requireOwnSide(by, grant);
  if (grant.revokedAt !== null) return grant;
  return { ...grant, revision: grant.revision + 1, revokedAt: now, revokedBy: recordedActor(by) };
}

export interface VerificationContext {
  readonly now: EpochMs;
  /** Known to be a lead of the vendor's. */
  readonly lead: Principal;
  readonly expectedRevision?: number | undefined;
}

/**
 * The grant after the vendor's own check; `grant` itself when it was verified before. Never by somebody whom it names, nor
 * by whoever gave it; a lead of the organisation or of a group that it is for verifies, and is excluded from it for good
 * (`grantCovers`). Throws GrantRefusal.
 */
export function verifiedGrant(grant: Grant, { now, lead, expectedRevision }: VerificationContext): Grant {
  requireAlive(grant, now);
  if (grant.verification === undefined) {
    throw new GrantRefusal(
      'verification_not_asked',
      'Only grants that are pending are verified; this one is not.',
    );
  }
  if (grant.verification.at !== null) return grant;
  if (isNamed(grant, lead) || consentedTo(grant, lead)) {
    throw new GrantRefusal(
      'verifier_is_user',
      'A lead verifies a grant that neither names them nor was given by them, and never uses it from then on.',
    );
  }
  checkRevision(grant, expectedRevision);
  const { id, issuer, email, name } = lead;
  const by: Actor = { kind: 'staff', id, issuer, email, name, onBehalfOf: null };
  return { ...grant, revision: grant.revision + 1, verification: { ...grant.verification, at: now, by } };
}

/** Under another issuer too: one human is one actor. */
function isNamed({ audience }: Grant, { id, issuer, email }: Principal): boolean {
  return audience.principals?.some((one) => isActor({ id, issuer, email, onBehalfOf: null }, one)) ?? false;
}

/** To be verified anew; whoever verified it before never uses it all the same. */
function unverified({ verification }: Grant): Verification {
  const { by = null, earlier = [] } = verification ?? UNVERIFIED;
  const all = by === null ? earlier : withActor(earlier, by);
  return all.length === 0 ? UNVERIFIED : { ...UNVERIFIED, earlier: all };
}

function isVerified(grant: Grant, { vendorVerification }: TenantSettings): boolean {
  return grant.verification !== undefined || vendorVerification === 'required';
}

/** What a consent is checked for, whether it makes a grant or widens one. */
function checkConsented(grant: Grant, context: LifecycleContext, from: EpochMs): void {
  const { settings, by } = context;
  checkPeriod(from, grant.expiresAt, context);
  checkAudience(grant, by, { staff: context.staff ?? [], excludedOrgs: settings.excludedOrgs });
  checkRoles(grant);
  checkLifts(grant.lifts, settings.liftable);
  checkPurpose(grant, settings);
  if (settings.durations.maxPerCase === null || grant.caseRef === null) return;
  checkCaseTime(grant, context.ofCase(grant.caseRef), context);
}

/** Its start counts for the case it was given for; under another name that would be forgotten. */
function checkCaseStays(grant: Grant, next: Grant, { now, settings }: LifecycleContext): void {
  if (next.caseRef === grant.caseRef || settings.durations.maxPerCase === null || now < grant.startsAt)
    return;
  throw new GrantRefusal('case_fixed', 'Revoke the grant and create one for the other case.');
}

/** Each person once, so that a grant extended every week does not grow with every week. */
function withActor(actors: readonly Actor[], by: Actor): readonly Actor[] {
  const known = actors.some(
    (one) =>
      one.id === by.id &&
      one.issuer === by.issuer &&
      one.email === by.email &&
      one.onBehalfOf?.id === by.onBehalfOf?.id &&
      one.onBehalfOf?.email === by.onBehalfOf?.email,
  );
  return known ? actors : [...actors, by];
}

/** A period chosen anew counts from now, or from a start that is still to come. */
function periodStart(
  grant: Grant,
  { startsAt = grant.startsAt, periodFrom }: GrantPatch,
  now: EpochMs,
): EpochMs {
  if (periodFrom === undefined) return startsAt;
  if (periodFrom !== now) throw new RangeError('a period is chosen anew from now, not from another instant');
  return startsAt > now ? startsAt : now;
}

interface PatchContext {
  readonly from: EpochMs;
  readonly settings: TenantSettings;
}

function patched(grant: Grant, patch: GrantPatch, { from, settings }: PatchContext): Grant {
  const { startsAt = grant.startsAt, expiresAt } = patch;
  return {
    ...grant,
    revision: grant.revision + 1,
    startsAt,
    expiresAt: expiresAt === undefined ? grant.expiresAt : endInstant(expiresAt, from, settings),
    access: patch.access ?? grant.access,
    audience: patch.audience ?? grant.audience,
    roles: patch.roles ?? grant.roles,
    workspaces: patch.workspaces ?? grant.workspaces,
    lifts: patch.lifts ?? grant.lifts,
    caseRef: patch.caseRef === undefined ? grant.caseRef : patch.caseRef,
    reason: patch.reason === undefined ? grant.reason : patch.reason,
  };
}

function checkRevision(grant: Grant, expected: number | undefined): void {
  if (expected === undefined || expected === grant.revision) return;
  throw new GrantRefusal('stale_revision', `Read the grant again; its revision is now ${grant.revision}.`);
}

function requireAlive(grant: Grant, now: EpochMs): void {
  const status = grantStatusAt(grant, now);
  if (status !== 'revoked' && status !== 'expired') return;
  throw new GrantRefusal('ended', 'A grant that was revoked or has expired stays so; create a new one.');
}

function checkStartMoves(grant: Grant, next: Grant, context: LifecycleContext): void {
  if (grant.startsAt <= context.now) {
    throw new GrantRefusal(
      'already_started',
      'The start of a grant can be moved only before it has started.',
    );
  }
  checkStart(next.startsAt, context);
}
