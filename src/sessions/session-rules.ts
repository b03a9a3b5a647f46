// The rules of opening a session, and of when it is over. Pure: the store runs them inside its transaction, so that no
// grant can end between the look and the write. Assumes well-formed values (the API's schemas); refuses with one closed
// code and a sentence that repeats nothing the caller sent. Cold.
import type { EpochMs } from '#model/clock.ts';
import {
  chooseGrant,
  type Grant,
  grantCovers,
  grantStatusAt,
  type NoGrant,
  standingFor,
  type StatedReason,
} from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { SupportSession } from '#model/session.ts';
import type { TenantView } from '#model/tenant-settings.ts';
import type { SessionWish } from './session-authority.ts';
import type { SessionMaker, SessionStamp } from './session-store.ts';

/** The gateway's own; a tenant's settings may be stricter, never looser. */
export interface SessionLimits {
  readonly idleMs: number;
  readonly maxMs: number;
}

/** The session that a wish becomes in a tenant as it is. Throws GrantRefusal. */
export function sessionMaker(wish: SessionWish, limits: SessionLimits): SessionMaker {
  return (view, stamp) => openedSession(wish, limits, view, stamp);
}

function openedSession(
  wish: SessionWish,
  limits: SessionLimits,
  view: TenantView,
  { id, now }: SessionStamp,
): SupportSession {
  checkTenant(wish, view);
  checkReason(wish.reason);
  const grant = grantFor(wish, view, now);
  checkCase(wish, grant);
  if (wish.access === 'write' && grant.access !== 'write') {
    throw new GrantRefusal(
      'session_write_not_granted',
      'Open the session for reading, or name a grant that allows writing.',
    );
  }
  const { settings } = view;
  return {
    id,
    tenant: wish.tenant,
    principal: wish.principal,
    ...(wish.keyId === undefined ? {} : { keyId: wish.keyId }),
    grantId: grant.id,
    access: wish.access,
    reason: { type: wish.reason.type, detail: wish.reason.detail },
    caseRef: wish.caseRef,
    startedAt: now,
    endsAt: earlier(now + stricter(limits.maxMs, settings.sessionMaxMs), grant.expiresAt),
    idleMs: stricter(limits.idleMs, settings.sessionIdleMs),
    lastUsedAt: now,
    endedAt: null,
    endedBy: null,
    note: null,
  };
}

function checkTenant({ principal }: SessionWish, { settings }: TenantView): void {
  if (settings.suspended) {
    throw new GrantRefusal(
      'session_support_disabled',
      'Nobody enters until an admin of the customer opens support access again.',
    );
  }
  // A grant made before the tenant became one of this class is dead for them.
  if (!settings.excludedOrgs.includes(principal.org)) return;
  throw new GrantRefusal('session_not_covered', 'Staff of your organisation never enter this tenant.');
}

function checkReason({ detail }: StatedReason): void {
  if (detail.trim() !== '') return;
  throw new GrantRefusal('reason_required', 'State a reason: its type and one sentence of detail.');
}

/** A real grant goes before one that stands by rule, as for a request without a session. */
function grantFor(wish: SessionWish, view: TenantView, now: EpochMs): Grant {
  const { principal } = wish;
  if (wish.grantId !== null) return namedGrant(wish, view, now);
  for (const grants of inOrder(wish, view.grants)) {
    const chosen = chooseGrant(grants, principal, now);
    if (typeof chosen !== 'string') return chosen;
    if (chosen === 'grant_ambiguous') throw refusedFor(chosen);
  }
  const standing = standingFor(view, principal, now);
  if (standing !== null) return standing;
  const anyCase = chooseGrant(view.grants, principal, now);
  // There is one, for another case than the one named.
  if (typeof anyCase !== 'string' || anyCase === 'grant_ambiguous') throw caseMismatch();
  throw refusedFor(anyCase);
}

/** Whoever names a case means a grant of that case, then one that has none. */
function inOrder({ caseRef }: SessionWish, grants: readonly Grant[]): readonly (readonly Grant[])[] {
  if (caseRef === null) return [grants];
  const same = grants.filter((grant) => grant.caseRef === caseRef);
  return [same, grants.filter((grant) => grant.caseRef === null)];
}

/** By id alone: whether it exists for somebody else is not said. */
function namedGrant({ grantId, principal }: SessionWish, view: TenantView, now: EpochMs): Grant {
  const grant =
    view.grants.find(({ id }) => id === grantId) ?? view.standing.find(({ id }) => id === grantId);
  if (grant === undefined || !grantCovers(grant, principal)) throw refusedFor('no_grant');
  if (grantStatusAt(grant, now) !== 'active') throw refusedFor('grant_pending');
  return grant;
}

function checkCase({ caseRef }: SessionWish, grant: Grant): void {
  if (grant.caseRef !== null && grant.caseRef !== caseRef) throw caseMismatch();
}

function caseMismatch(): GrantRefusal {
  return new GrantRefusal(
    'session_case_mismatch',
    'Name the case that the grant was given for; a session is for that case alone.',
  );
}

function refusedFor(why: NoGrant): GrantRefusal {
  switch (why) {
    case 'grant_ambiguous':
      return new GrantRefusal(
        'session_grant_ambiguous',
        'Name the grant: several cover you, and they differ in whom they act as.',
      );
    case 'grant_pending':
    case 'grant_expired':
    case 'grant_revoked':
      return new GrantRefusal(
        'session_grant_not_active',
        'A session is opened under a grant that is active: started, verified where that is required, and not ended.',
      );
    case 'no_grant':
      return new GrantRefusal(
        'session_not_covered',
        'A session is opened under a grant of the tenant that covers you; ask for access, or see the grants that do.',
      );
  }
}

function stricter(floorMs: number, settledMs: number | null): number {
  return settledMs === null ? floorMs : Math.min(floorMs, settledMs);
}

function earlier(endMs: number, grantEnd: EpochMs | null): EpochMs {
  return (grantEnd === null ? endMs : Math.min(endMs, grantEnd)) as EpochMs;
}
