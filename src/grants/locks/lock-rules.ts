// What the vendor's security team may stop, and who may let go again. Pure: the store runs them inside its transaction.
// Assumes well-formed values (the API's schemas). Refuses with one closed code and a sentence. Cold.
import type { EpochMs } from '#model/clock.ts';
import type { Actor } from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { TenantId } from '#model/ids.ts';
import { type Lock, lockHoldsAt } from '#model/lock.ts';
import type { NoticeDraft } from '#model/notice.ts';
import { isSamePerson } from '#model/principal.ts';
import { personOf } from '../grant-notice.ts';
import type { LockDraft } from './lock-store.ts';

/** The last instant that RFC 3339 can write. */
const LAST_INSTANT = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

/** The lock a draft becomes. Throws GrantRefusal. */
export function setLock(id: string, draft: LockDraft, { now, by }: { now: EpochMs; by: Actor }): Lock {
  requireSecurity(by);
  const { target, message, endsAt } = draft;
  if (endsAt !== null) checkEnd(endsAt, now);
  return { id, target, message, createdAt: now, createdBy: by, endsAt, liftedAt: null, liftedBy: null };
}

/**
 * The lock after it was lifted; `lock` itself when it holds no more. `held` are all that hold: whoever is locked by
 * name or address lifts none of them, their own above all.
 */
export function liftedLock(
  lock: Lock,
  { now, by, held }: { now: EpochMs; by: Actor; held: readonly Lock[] },
): Lock {
  requireSecurity(by);
  if (held.some((one) => lockHoldsAt(one, now) && isOn(one, by))) {
    throw new GrantRefusal('locked_actor', 'Ask somebody of the security team who is not locked.');
  }
  if (!lockHoldsAt(lock, now)) return lock;
  return { ...lock, liftedAt: now, liftedBy: by };
}

/** The kinds are listed, not excluded: an actor of a kind nobody thought of stops nothing and lets nothing go. */
export function requireSecurity(by: Actor): void {
  if (by.kind === 'security') return;
  throw new GrantRefusal('security_required', 'Call this as somebody with the duty `security`.');
}

/** Null for a lock on a principal, on everything, or on a case wherever it is. */
export function tenantOfLock({ target }: Lock): TenantId | null {
  return target.kind === 'tenant' || target.kind === 'case' ? target.tenant : null;
}

/** A tenant's admins hear of a lock on their account or case; of one on a person, that person; the operator of each. */
export function lockNotice(event: 'lock.set' | 'lock.lifted', lock: Lock, by: Actor): NoticeDraft {
  const { target } = lock;
  return {
    dedupe: `${event}:${lock.id}`,
    event,
    tenant: tenantOfLock(lock),
    by: personOf(by),
    staff: {
      principals:
        target.kind === 'principal' ? [{ issuer: target.issuer, id: target.id, email: target.email }] : [],
      groups: [],
    },
    facts: {
      lockId: lock.id,
      lockKind: target.kind,
      caseRef: target.kind === 'case' ? target.caseRef : null,
      message: lock.message,
      endsAt: lock.endsAt,
    },
  };
}

function isOn({ target }: Lock, by: Actor): boolean {
  return target.kind === 'principal' && isSamePerson(target, by);
}

function checkEnd(endsAt: EpochMs, now: EpochMs): void {
  if (!Number.isSafeInteger(endsAt) || endsAt < 0 || endsAt > LAST_INSTANT) {
    throw new GrantRefusal('instant_invalid', 'An instant lies between the years 1970 and 9999.');
  }
  if (endsAt <= now) {
    throw new GrantRefusal('end_in_past', 'A lock ends later than now, or not before it is lifted.');
  }
}
