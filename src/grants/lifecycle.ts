// The rules that every grant obeys from creation to its end. Pure: the store runs them inside its transaction,
// so that two concurrent calls cannot agree on what neither may have. Assumes well-formed values (the API's
// schemas); decides only what is allowed, and refuses with one closed code and a sentence. Cold.
import type { EpochMs } from '#model/clock.ts';
import { type Actor, type Grant, grantStatusAt } from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { GrantId } from '#model/ids.ts';
import { isSamePerson } from '#model/principal.ts';
import { describeDuration, type GrantLimits, NEVER_LIFTABLE } from './grant-limits.ts';
import { isSameScope, isWider } from './grant-scope.ts';
import type { GrantDraft, GrantPatch } from './grant-store.ts';

/** A start may lie this far back: the caller's clock is not ours, and a call takes its time. */
const START_TOLERANCE_MS = 60_000;
/** The last instant that RFC 3339 can write. */
const LAST_INSTANT = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

export interface LifecycleContext {
  readonly now: EpochMs;
  readonly limits: GrantLimits;
  readonly by: Actor;
}

/** The grant a draft becomes, at revision 1. Throws GrantRefusal. */
export function createdGrant(id: GrantId, draft: GrantDraft, context: LifecycleContext): Grant {
  const { now, limits, by } = context;
  requireConsent(by);
  checkStart(draft.startsAt, context);
  checkPeriod(draft.startsAt, draft.expiresAt, context);
  checkAudience(draft, by);
  checkLifts(draft.lifts, limits);
  checkPurpose(draft, limits);
  return {
    id,
    tenant: draft.tenant,
    revision: 1,
    startsAt: draft.startsAt,
    expiresAt: draft.expiresAt,
    access: draft.access,
    audience: draft.audience,
    roles: draft.roles,
    workspaces: draft.workspaces,
    actAs: draft.actAs,
    lifts: draft.lifts,
    caseRef: draft.caseRef,
    reason: draft.reason,
    grantedBy: by,
    createdAt: now,
    revokedAt: null,
    revokedBy: null,
  };
}

/**
 * The grant after a change, one revision later; `grant` itself when nothing differs. Throws GrantRefusal.
 * Narrowing and shortening are open to every actor; anything else is a new consent.
 */
export function changedGrant(grant: Grant, patch: GrantPatch, context: LifecycleContext): Grant {
  checkRevision(grant, patch.expectedRevision);
  requireAlive(grant, context.now);
  const next = patched(grant, patch);
  if (isSameScope(grant, next)) return grant;
  if (next.startsAt !== grant.startsAt) checkStartMoves(grant, next, context);
  if (!isWider(grant, next)) {
    checkEnd(next.startsAt, next.expiresAt, context.now);
    checkAudienceNamesSomebody(next);
    return next;
  }
  requireConsent(context.by);
  checkPeriod(next.startsAt, next.expiresAt, context);
  checkAudience(next, context.by);
  checkPurpose(next, context.limits);
  return { ...next, widenedBy: withActor(grant.widenedBy ?? [], context.by) };
}

/** The grant after its end; `grant` itself when it was revoked before. An expired one can be revoked too. */
export function revokedGrant(grant: Grant, context: Pick<LifecycleContext, 'now' | 'by'>): Grant {
  if (grant.revokedAt !== null) return grant;
  return { ...grant, revision: grant.revision + 1, revokedAt: context.now, revokedBy: context.by };
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

function patched(grant: Grant, patch: GrantPatch): Grant {
  return {
    ...grant,
    revision: grant.revision + 1,
    startsAt: patch.startsAt ?? grant.startsAt,
    expiresAt: patch.expiresAt === undefined ? grant.expiresAt : patch.expiresAt,
    access: patch.access ?? grant.access,
    audience: patch.audience ?? grant.audience,
    roles: patch.roles ?? grant.roles,
    workspaces: patch.workspaces ?? grant.workspaces,
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

/**
 * Law 8: who consents is a person of the customer, or the system by the tenant's own settings. The kinds are
 * listed, not excluded: an actor of a kind nobody thought of, support staff above all, consents to nothing.
 */
function requireConsent(by: Actor): void {
  if (by.kind === 'tenant_admin' || by.kind === 'system') return;
  if (by.kind === 'service' && by.onBehalfOf !== null) return;
  throw new GrantRefusal(
    'consent_required',
    'An admin of the tenant, or a service on behalf of a named person, may create, extend or widen a grant; anyone else may only shorten, narrow or revoke it.',
  );
}

function checkStart(startsAt: EpochMs, { now, limits }: LifecycleContext): void {
  checkInstant(startsAt);
  if (startsAt < now - START_TOLERANCE_MS) {
    throw new GrantRefusal('start_in_past', 'A grant starts now or later; leave the start out for now.');
  }
  if (startsAt - now <= limits.maxStartDelayMs) return;
  const allowed = `A grant starts at most ${describeDuration(limits.maxStartDelayMs)} from now.`;
  throw new GrantRefusal('start_too_late', allowed);
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

function checkPeriod(startsAt: EpochMs, expiresAt: EpochMs | null, { now, limits }: LifecycleContext): void {
  if (expiresAt === null) {
    if (limits.indefiniteAllowed) return;
    const allowed = `Name an end, at most ${describeDuration(limits.maxDurationMs)} after the start.`;
    throw new GrantRefusal('indefinite_not_allowed', allowed);
  }
  checkEnd(startsAt, expiresAt, now);
  const durationMs = expiresAt - startsAt;
  if (durationMs > limits.maxDurationMs) {
    const allowed = `A grant lasts at most ${describeDuration(limits.maxDurationMs)} from its start, extensions included.`;
    throw new GrantRefusal('too_long', allowed);
  }
  if (durationMs < limits.minDurationMs) {
    const allowed = `A grant lasts at least ${describeDuration(limits.minDurationMs)}.`;
    throw new GrantRefusal('too_short', allowed);
  }
}

/** Shortening is always the customer's right, so it is held to no maximum and no minimum, only to this. */
function checkEnd(startsAt: EpochMs, expiresAt: EpochMs | null, now: EpochMs): void {
  if (expiresAt === null) return;
  checkInstant(expiresAt);
  if (expiresAt <= now) {
    throw new GrantRefusal('end_in_past', 'A grant ends later than now; to end one at once, revoke it.');
  }
  if (expiresAt <= startsAt) throw new GrantRefusal('end_before_start', 'A grant ends after it starts.');
}

function checkInstant(instant: EpochMs): void {
  if (Number.isSafeInteger(instant) && instant >= 0 && instant <= LAST_INSTANT) return;
  throw new GrantRefusal('instant_invalid', 'An instant lies between the years 1970 and 9999.');
}

function checkAudience(scope: Pick<Grant, 'audience'>, by: Actor): void {
  checkAudienceNamesSomebody(scope);
  for (const principal of scope.audience.principals ?? []) {
    if (isActor(by, principal)) {
      throw new GrantRefusal('self_grant', 'Whoever creates, extends or widens a grant is never its user.');
    }
  }
}

/** An empty list matches nobody, and in some other reading everybody: neither is what somebody meant. */
function checkAudienceNamesSomebody({ audience }: Pick<Grant, 'audience'>): void {
  const { org, groups, principals } = audience;
  const namesNothing = org === null && groups === null && principals === null;
  if (!namesNothing && org !== '' && groups?.length !== 0 && principals?.length !== 0) return;
  throw new GrantRefusal(
    'empty_audience',
    'Name an organisation, groups or principals; a list that is given holds at least one value.',
  );
}

/**
 * The person a service names carries no issuer, so an equal id counts under any; and where ids are email
 * addresses, an equal address counts. A needless refusal is seen and mended; a self-grant would not be.
 */
function isActor(by: Actor, principal: { readonly issuer: string; readonly id: string }): boolean {
  const user = { id: principal.id, issuer: principal.issuer, email: asEmail(principal.id) };
  if (isSamePerson(by, user)) return true;
  return by.onBehalfOf !== null && isSamePerson({ ...by.onBehalfOf, issuer: principal.issuer }, user);
}

function asEmail(id: string): string | null {
  return id.includes('@') ? id : null;
}

function checkLifts(lifts: readonly string[], limits: GrantLimits): void {
  for (const category of lifts) {
    if (!NEVER_LIFTABLE.includes(category) && limits.liftable.includes(category)) continue;
    const allowed =
      limits.liftable.length === 0
        ? 'No category of deny rules can be lifted for this tenant.'
        : `Only these categories can be lifted: ${limits.liftable.join(', ')}.`;
    throw new GrantRefusal('lift_not_allowed', allowed);
  }
}

function checkPurpose(scope: Pick<Grant, 'reason' | 'caseRef'>, limits: GrantLimits): void {
  if (limits.reasonRequired && scope.reason === null) {
    throw new GrantRefusal('reason_required', 'State a reason: its type and one sentence of detail.');
  }
  if (limits.caseRefRequired && scope.caseRef === null) {
    throw new GrantRefusal('case_ref_required', 'Name the support case that the access is for.');
  }
}
