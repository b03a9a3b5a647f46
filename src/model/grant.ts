// A tenant's permission, and the pure rules that say whether it holds, for whom, and which one is used.
// Hot: `chooseGrant` runs once per request over the tenant's few unexpired grants; it allocates nothing.
import type { EpochMs } from './clock.ts';
import type { GrantId, TenantId } from './ids.ts';
import { isAddressOf, isSamePerson, type Principal } from './principal.ts';
import type { TenantView } from './tenant-settings.ts';

export type Access = 'read' | 'write';

/** Who may use a grant. Named fields must all match (AND), any value within one (OR); never all null. */
export interface Audience {
  readonly org: string | null;
  readonly groups: readonly string[] | null;
  readonly principals: readonly { readonly issuer: string; readonly id: string }[] | null;
}

/** The closed list of reasons a grantor or a principal may give. */
export const REASON_TYPES = [
  'customer_initiated_support',
  'vendor_initiated_service',
  'vendor_initiated_review',
  'third_party_data_request',
  'production_alert',
  'debug_log',
  'break_glass',
] as const;
export type ReasonType = (typeof REASON_TYPES)[number];

export interface StatedReason {
  readonly type: ReasonType;
  readonly detail: string;
}

/**
 * Who did something. `onBehalfOf` names the person a service acted for. `staff` ask, open and end sessions, verify as
 * leads; `security` sets locks and breaks the glass; neither ever consents (lifecycle.ts lists who does).
 */
export interface Actor {
  readonly kind: 'tenant_admin' | 'tenant_user' | 'service' | 'system' | 'staff' | 'security';
  readonly id: string;
  readonly issuer: string;
  readonly email: string | null;
  readonly name: string | null;
  readonly onBehalfOf: {
    readonly id: string;
    readonly email: string | null;
    readonly name: string | null;
  } | null;
  /** What a person of the customer holds, as the token (or the service that names them) says; absent: nothing. Never stored. */
  readonly holds?: GrantorFacts;
}

/** What a tenant's policy may ask of whoever grants. */
export interface GrantorFacts {
  readonly permissions: readonly string[];
  readonly products: readonly string[];
}

/** As it is recorded: without what the actor held at that moment. */
export function recordedActor({ kind, id, issuer, email, name, onBehalfOf }: Actor): Actor {
  return { kind, id, issuer, email, name, onBehalfOf };
}

/** How a grant came to be. `standing` ones are made by rules for each look, and stand in no store. */
export const GRANT_SOURCES = ['direct', 'switch', 'request', 'standing', 'break_glass'] as const;
export type GrantSource = (typeof GRANT_SOURCES)[number];

/** The vendor's own check before a grant is used: pending while `at` is null. */
export interface Verification {
  readonly at: EpochMs | null;
  readonly by: Actor | null;
  /** Who verified it before it was widened, each person once: none of them ever uses it. Absent: nobody. */
  readonly earlier?: readonly Actor[];
}

/** Immutable: every change makes a new object with a greater `revision`. */
export interface Grant {
  readonly id: GrantId;
  readonly tenant: TenantId;
  /** Starts at 1 and only grows. */
  readonly revision: number;
  readonly startsAt: EpochMs;
  /** Null is indefinite. */
  readonly expiresAt: EpochMs | null;
  readonly access: Access;
  readonly audience: Audience;
  /** The roles the upstream may give the principal. */
  readonly roles: readonly string[];
  readonly workspaces: readonly { readonly id: string; readonly roles: readonly string[] }[];
  /** The customer's user on whose behalf the upstream should act, if any. */
  readonly actAs: string | null;
  /** Categories of liftable deny rules that this grant opens. */
  readonly lifts: readonly string[];
  readonly caseRef: string | null;
  readonly reason: StatedReason | null;
  readonly grantedBy: Actor;
  /** Whoever extended or widened it since, each person once; absent when nobody did. */
  readonly widenedBy?: readonly Actor[];
  readonly createdAt: EpochMs;
  readonly revokedAt: EpochMs | null;
  readonly revokedBy: Actor | null;
  /** Absent: `direct`. */
  readonly source?: GrantSource;
  /** The text the customer was shown when granting; absent where there is none. */
  readonly notice?: { readonly version: string };
  /** Absent where the vendor does not verify grants. */
  readonly verification?: Verification;
}

export const GRANT_STATUSES = ['pending', 'scheduled', 'active', 'expired', 'revoked'] as const;
export type GrantStatus = (typeof GRANT_STATUSES)[number];

/** By the clock, at every use: a cached `active` is never believed. An end is exclusive. */
export function grantStatusAt(grant: Grant, now: EpochMs): GrantStatus {
  if (grant.revokedAt !== null) return 'revoked';
  if (grant.expiresAt !== null && now >= grant.expiresAt) return 'expired';
  if (grant.verification !== undefined && grant.verification.at === null) return 'pending';
  return now < grant.startsAt ? 'scheduled' : 'active';
}

/**
 * Fails closed: an audience that names nothing covers nobody. Whoever created, extended, widened or verified the
 * grant is never covered by it: an audience of a whole group can be checked for that only where it is used.
 */
export function grantCovers(grant: Grant, principal: Principal): boolean {
  if (consentedTo(grant, principal) || hasVerified(grant, principal)) return false;
  return audienceNames(grant.audience, principal);
}

/** The audience alone, whoever consented. */
function audienceNames({ org, groups, principals }: Audience, principal: Principal): boolean {
  if (org === null && groups === null && principals === null) return false;
  if (org !== null && org !== principal.org) return false;
  if (groups !== null && !sharesOne(groups, principal.groups)) return false;
  if (principals === null) return true;
  for (const one of principals) if (one.id === principal.id && one.issuer === principal.issuer) return true;
  return false;
}

function sharesOne(named: readonly string[], held: readonly string[]): boolean {
  for (const group of named) if (held.includes(group)) return true;
  return false;
}

/** Whether the principal is one of those who gave the grant, extended or widened it. */
export function consentedTo(grant: Grant, principal: Principal): boolean {
  return actsFor(grant.grantedBy, principal) || isOneOf(grant.widenedBy, principal);
}

function hasVerified({ verification }: Grant, principal: Principal): boolean {
  if (verification === undefined) return false;
  const { by, earlier } = verification;
  return (by !== null && actsFor(by, principal)) || isOneOf(earlier, principal);
}

function isOneOf(actors: readonly Actor[] | undefined, principal: Principal): boolean {
  if (actors === undefined) return false;
  for (const actor of actors) if (actsFor(actor, principal)) return true;
  return false;
}

/** The person a service names carries no issuer, so here only an address tells who it is. */
function actsFor(actor: Actor, principal: Principal): boolean {
  if (isSamePerson(actor, principal)) return true;
  const { onBehalfOf } = actor;
  if (onBehalfOf === null) return false;
  if (isAddressOf(onBehalfOf.email, principal)) return true;
  return onBehalfOf.id.includes('@') && isAddressOf(onBehalfOf.id, principal);
}

/** Why no grant was chosen. A covering but dead grant gives a better answer than none at all. */
export type NoGrant = 'no_grant' | 'grant_pending' | 'grant_expired' | 'grant_revoked' | 'grant_ambiguous';

/**
 * The one grant a request without a session is judged under: of the active ones that cover the principal
 * the latest by `createdAt`, then by id; never a union. `grants` are all of one tenant, in any order.
 */
export function chooseGrant(grants: readonly Grant[], principal: Principal, now: EpochMs): Grant | NoGrant {
  let chosen: Grant | null = null;
  let ambiguous = false;
  let refusal: NoGrant = 'no_grant';
  for (const grant of grants) {
    if (!grantCovers(grant, principal)) continue;
    const status = grantStatusAt(grant, now);
    if (status !== 'active') {
      refusal = moreTelling(refusal, status);
      continue;
    }
    if (chosen !== null && chosen.actAs !== grant.actAs) ambiguous = true;
    if (chosen === null || isLater(grant, chosen)) chosen = grant;
  }
  if (chosen === null) return refusal;
  return ambiguous ? 'grant_ambiguous' : chosen;
}

/**
 * The one grant a request without a session is judged under, what holds without a grant included: a real one first,
 * the first covering of the standing ones when no real one is active. Nobody of an excluded organisation has one.
 */
export function chooseInView(view: TenantView, principal: Principal, now: EpochMs): Grant | NoGrant {
  if (view.settings.excludedOrgs.includes(principal.org)) return 'no_grant';
  const chosen = chooseGrant(view.grants, principal, now);
  // What is ambiguous is the customer's to settle, and nothing that stands anyway hides it.
  if (typeof chosen !== 'string' || chosen === 'grant_ambiguous') return chosen;
  return standingFor(view, principal, now) ?? chosen;
}

/** The first of what stands without a grant that covers the principal now; null for none. */
export function standingFor({ standing }: TenantView, principal: Principal, now: EpochMs): Grant | null {
  for (let i = 0; i < standing.length; i++) {
    const grant = standing[i] as Grant;
    if (grantStatusAt(grant, now) === 'active' && grantCovers(grant, principal)) return grant;
  }
  return null;
}

function isLater(a: Grant, b: Grant): boolean {
  return a.createdAt === b.createdAt ? a.id > b.id : a.createdAt > b.createdAt;
}

const TELLING: readonly NoGrant[] = ['no_grant', 'grant_revoked', 'grant_expired', 'grant_pending'];
const REFUSAL_OF = {
  pending: 'grant_pending',
  scheduled: 'grant_pending',
  expired: 'grant_expired',
  revoked: 'grant_revoked',
} as const;

function moreTelling(current: NoGrant, status: Exclude<GrantStatus, 'active'>): NoGrant {
  const candidate = REFUSAL_OF[status];
  return TELLING.indexOf(candidate) > TELLING.indexOf(current) ? candidate : current;
}
