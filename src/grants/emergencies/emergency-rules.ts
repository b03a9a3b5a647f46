// Break glass, the one exception to law 8: access that the customer did not give, where its settings allow that at all.
// Guarantees: two different people with verified addresses, the one who confirms is the grant's grantor and so never its
// user, no lift ever, and never against a suspended tenant, an excluded organisation or a lock. Pure: the store runs the
// rules inside its transaction, at the asking and again at the confirmation. Cold.
import type { EpochMs } from '#model/clock.ts';
import type { Actor, Grant } from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { GrantId } from '#model/ids.ts';
import { type Lock, lockFor } from '#model/lock.ts';
import type { NoticeDraft } from '#model/notice.ts';
import { isSamePerson } from '#model/principal.ts';
import type { TenantSettings } from '#model/tenant-settings.ts';
import type { Emergency, EmergencyDraft, EmergencyStatus, Responder } from './emergency-store.ts';
import { checkCaseRef, isActor } from '../grant-content.ts';
import { personOf } from '../grant-notice.ts';
import { requireSecurity } from '../locks/lock-rules.ts';

const MINUTE_MS = 60_000;
/** The sentences of `too_long` and `emergency_lapsed` say these. */
const EMERGENCY_MAX_MS = 4 * 60 * MINUTE_MS;
const CONFIRM_WITHIN_MS = 30 * MINUTE_MS;

export interface EmergencyContext {
  readonly now: EpochMs;
  readonly by: Actor;
  readonly settings: TenantSettings;
  /** All that hold. */
  readonly locks: readonly Lock[];
}

export function emergencyStatusAt({ confirmedAt, lapsesAt }: Emergency, now: EpochMs): EmergencyStatus {
  if (confirmedAt !== null) return 'confirmed';
  return now < lapsesAt ? 'pending' : 'lapsed';
}

/** What a draft becomes: it gives nobody anything before it is confirmed. Throws GrantRefusal. */
export function askedEmergency(id: string, draft: EmergencyDraft, context: EmergencyContext): Emergency {
  const { now, by } = context;
  requirePerson(by);
  requireOpen(draft, context);
  // An emergency may be none of a case.
  if (draft.caseRef !== null) checkCaseRef(draft.caseRef, context.settings);
  requireUnlocked(draft, [by, draft.responder], context);
  checkDuration(draft.durationMs);
  return {
    ...draft,
    id,
    askedBy: by,
    createdAt: now,
    lapsesAt: (now + CONFIRM_WITHIN_MS) as EpochMs,
    confirmedBy: null,
    confirmedAt: null,
    grantId: null,
  };
}

/** Nobody asks twice for the same tenant while somebody may still say yes. `pending` are those of the tenant. */
export function requireNonePending(pending: readonly Emergency[], { now, by }: EmergencyContext): void {
  for (const one of pending) {
    if (emergencyStatusAt(one, now) === 'pending' && isSamePerson(one.askedBy, by)) {
      throw new GrantRefusal('emergency_pending', 'Have the first one confirmed, or let it lapse.');
    }
  }
}

/** The emergency after its confirmation by `context.by`. Throws GrantRefusal. */
export function confirmedEmergency(
  emergency: Emergency,
  grantId: GrantId,
  context: EmergencyContext,
): Emergency {
  const { now, by } = context;
  const { askedBy, responder } = emergency;
  requirePerson(by);
  if (emergency.confirmedAt !== null) {
    throw new GrantRefusal('emergency_confirmed', 'Each one is confirmed once; ask anew for more time.');
  }
  if (emergencyStatusAt(emergency, now) !== 'pending') {
    throw new GrantRefusal('emergency_lapsed', 'It is confirmed within 30 minutes; ask anew.');
  }
  if (isSamePerson(askedBy, by) || (responder !== null && isActor(by, responder))) {
    throw new GrantRefusal(
      'second_person_required',
      'Somebody else of the security team confirms, under another address too, and never uses the access.',
    );
  }
  requireOpen(emergency, context);
  requireUnlocked(emergency, [askedBy, responder, by], context);
  return { ...emergency, confirmedBy: by, confirmedAt: now, grantId };
}

/**
 * The grant of a confirmed emergency, by a way of its own so that `requireGrantor` needs no exception.
 * It gives no role, no workspace and no lift. Throws a TypeError for one that was not confirmed: a defect.
 */
export function emergencyGrant(emergency: Emergency): Grant {
  const { askedBy, confirmedBy, confirmedAt, grantId, responder } = emergency;
  if (confirmedBy === null || confirmedAt === null || grantId === null) {
    throw new TypeError('an emergency gives no access before it is confirmed');
  }
  const asker = { issuer: askedBy.issuer, id: askedBy.id };
  return {
    id: grantId,
    tenant: emergency.tenant,
    revision: 1,
    startsAt: confirmedAt,
    expiresAt: (confirmedAt + emergency.durationMs) as EpochMs,
    access: emergency.access,
    audience: {
      org: emergency.org,
      groups: null,
      principals: responder === null || isOne(responder, asker) ? [asker] : [asker, responder],
    },
    roles: [],
    workspaces: [],
    actAs: null,
    lifts: [],
    caseRef: emergency.caseRef,
    reason: emergency.reason,
    // Whoever granted a grant is never its user (`grantCovers`): so the second person looks in on nothing.
    grantedBy: confirmedBy,
    createdAt: confirmedAt,
    revokedAt: null,
    revokedBy: null,
    source: 'break_glass',
  };
}

/**
 * The tenant hears of both steps, whatever its settings say of other notices; `securityGroups` of the first one, since
 * somebody of them has to agree before it lapses.
 */
export function emergencyNotice(
  event: 'break_glass.asked' | 'break_glass.used',
  emergency: Emergency,
  by: Actor,
  securityGroups: readonly string[] = [],
): NoticeDraft {
  const { id, askedBy, responder, confirmedAt } = emergency;
  const asker = { issuer: askedBy.issuer, id: askedBy.id, email: askedBy.email };
  return {
    dedupe: `${event}:${id}`,
    event,
    tenant: emergency.tenant,
    by: personOf(by),
    staff: { principals: responder === null ? [asker] : [asker, responder], groups: [] },
    ...(event === 'break_glass.asked' ? { deciders: securityGroups } : {}),
    facts: {
      emergencyId: id,
      grantId: emergency.grantId,
      access: emergency.access,
      durationMs: emergency.durationMs,
      startsAt: confirmedAt,
      expiresAt: confirmedAt === null ? null : confirmedAt + emergency.durationMs,
      caseRef: emergency.caseRef,
      reasonType: emergency.reason.type,
      reasonDetail: emergency.reason.detail,
      askedByName: askedBy.name,
      askedByEmail: askedBy.email,
      lapsesAt: emergency.lapsesAt,
    },
  };
}

/** Without a verified address nobody can tell that two accounts are two people. */
function requirePerson(by: Actor): void {
  requireSecurity(by);
  if (by.email !== null && by.email !== '') return;
  throw new GrantRefusal(
    'verified_email_required',
    'Both people have an address that their identity provider has verified.',
  );
}

function requireOpen({ org }: EmergencyDraft, { settings }: EmergencyContext): void {
  if (!settings.breakGlass) {
    throw new GrantRefusal('break_glass_off', 'The customer’s settings allow it, or it is not there.');
  }
  if (settings.suspended) {
    throw new GrantRefusal('tenant_suspended', 'Ask again once the customer has lifted the suspension.');
  }
  if (settings.excludedOrgs.includes(org)) {
    throw new GrantRefusal('org_excluded', 'Somebody of an organisation that is not excluded may ask.');
  }
}

/** One look for each of the people: a lock on the tenant, its case or everything is found by any of them. */
function requireUnlocked(
  { tenant, caseRef, org }: EmergencyDraft,
  people: readonly (Actor | Responder | null)[],
  { locks, now }: EmergencyContext,
): void {
  for (const person of people) {
    if (person === null) continue;
    const principal = { ...asPerson(person), name: null, groups: [], org };
    if (lockFor(locks, { principal, tenant, caseRef }, now) === null) continue;
    throw new GrantRefusal('break_glass_locked', 'The security team lifts the lock first.');
  }
}

function checkDuration(durationMs: number): void {
  if (durationMs < MINUTE_MS) {
    throw new GrantRefusal('too_short', 'Emergency access lasts at least 1 minute.');
  }
  if (durationMs > EMERGENCY_MAX_MS) {
    throw new GrantRefusal('too_long', 'Emergency access lasts at most 4 hours.');
  }
}

/** Where ids are addresses, the id of somebody named by it tells their address. */
function asPerson(person: Actor | Responder): { issuer: string; id: string; email: string | null } {
  const { issuer, id } = person;
  return { issuer, id, email: 'email' in person ? person.email : id.includes('@') ? id : null };
}

function isOne(a: Responder, b: Responder): boolean {
  return a.issuer === b.issuer && a.id === b.id;
}
