// Whether what an exchange is doing is still allowed after a change of its grant, or of what holds for its tenant. Pure; not
// hot, though run for every live exchange of a tenant at each change. Null where it may go on.
import type { EpochMs } from '#model/clock.ts';
import type { CutReason } from '#model/ended-by.ts';
import { type Grant, grantCovers, grantStatusAt } from '#model/grant.ts';
import type { TenantView } from '#model/tenant-settings.ts';
import type { Exchange } from './exchange.ts';

/** By the new revision of the grant that it is judged under. */
export function whyGrantEnds(x: Exchange, after: Grant, now: EpochMs): CutReason | null {
  if (x.grant === null) return null;
  const status = grantStatusAt(after, now);
  if (status === 'revoked' || status === 'expired') return status;
  if (status !== 'active') return 'narrowed';
  if (x.credential === null || !grantCovers(after, x.credential.principal)) return 'narrowed';
  // The session was opened for the case that the grant was for.
  if (x.session !== null && after.caseRef !== null && after.caseRef !== x.session.caseRef) return 'narrowed';
  return isNarrower(x.grant, after) ? 'narrowed' : null;
}

/** By what now holds for its tenant. A grant that the customer gave has a life of its own: its changes are told apart. */
export function whyTenantEnds(x: Exchange, view: TenantView, now: EpochMs): CutReason | null {
  const { settings } = view;
  if (settings.suspended) return 'suspended';
  if (x.credential === null || settings.excludedOrgs.includes(x.credential.principal.org)) return 'narrowed';
  if (settings.sessionsRequired && x.session === null) return 'session_ended';
  if (x.grant === null || x.grant.source !== 'standing') return null;
  const after = standingNow(x.grant, view);
  return after === null ? 'narrowed' : whyGrantEnds(x, after, now);
}

/** A standing grant as it is now; null for what stands no more, and for what never did. */
export function standingNow({ id }: Grant, { standing }: TenantView): Grant | null {
  for (const one of standing) if (one.id === id) return one;
  return null;
}

/** The upstream was told of the old grant: whatever it lost is lost for what is in flight too. */
function isNarrower(before: Grant, after: Grant): boolean {
  if (before.access === 'write' && after.access === 'read') return true;
  if (before.actAs !== after.actAs) return true;
  if (rolesLost(before.roles, after.roles)) return true;
  if (before.lifts.some((category) => !after.lifts.includes(category))) return true;
  // None named is all of them, so a list where there was none takes something away.
  if (before.workspaces.length === 0) return after.workspaces.length > 0;
  return before.workspaces.some(({ id, roles }) => {
    if (after.workspaces.length === 0) return false;
    const kept = after.workspaces.find((workspace) => workspace.id === id);
    return kept === undefined || rolesLost(roles, kept.roles);
  });
}

/** The first one chooses the credential that is injected: another first role takes that one away. */
function rolesLost(before: readonly string[], after: readonly string[]): boolean {
  if (before.length === 0) return false;
  return before[0] !== after[0] || before.some((role) => !after.includes(role));
}
