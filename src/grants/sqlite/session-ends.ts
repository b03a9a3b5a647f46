// The end of one session inside a transaction of somebody's, and what of a tenant its sessions hang on. Guarantees: a
// session that the clock had ended before is put down as that, at that instant. Cold.
import { type Actor, grantCovers, grantStatusAt } from '#model/grant.ts';
import { type SessionEnding, sessionOverAt, type SupportSession } from '#model/session.ts';
import { grantById } from './grant-writes.ts';
import { replaceSession, sessionById } from './session-rows.ts';
import type { Transaction } from './store-core.ts';
import type { TenantViewDeps } from './tenant-view.ts';

export interface SessionEnd {
  readonly ending: SessionEnding;
  readonly by: Actor | null;
  readonly note: string | null;
}

/** Hands out what is stored. Assumes that nobody has ended it. */
export function endSession(
  tx: Transaction,
  before: SupportSession,
  { ending, by, note }: SessionEnd,
): SupportSession {
  const over = sessionOverAt(before, before.lastUsedAt, tx.now);
  // A session lasts at most as long as its grant: then the grant's end is what ended it.
  const isGrantsEnd = over?.endedBy === 'limit' && ending === 'grant_ended';
  const ended: SupportSession = {
    ...before,
    endedAt: over?.endedAt ?? tx.now,
    endedBy: isGrantsEnd ? ending : (over?.endedBy ?? ending),
    note,
  };
  replaceSession(tx.statements, ended);
  const { id, tenant } = before;
  tx.changed({ kind: 'session', id, tenant, operation: 'end', by, document: ended });
  return sessionById(tx.statements, id) as SupportSession;
}

/** Why a session that the clock has not ended cannot go on: its grant, or the tenant's settings; null while it can. */
export function lostAuthority(
  { statements, now }: Transaction,
  deps: TenantViewDeps,
  { tenant, principal, grantId }: SupportSession,
): 'grant_ended' | 'tenant' | null {
  const settings = deps.settingsOf(statements, tenant);
  if (settings.suspended || settings.excludedOrgs.includes(principal.org)) return 'tenant';
  const grant =
    grantById(statements, grantId) ??
    deps.standingGrants(tenant, settings, now).find(({ id }) => id === grantId) ??
    null;
  if (grant === null || grantStatusAt(grant, now) !== 'active') return 'grant_ended';
  return grantCovers(grant, principal) ? null : 'grant_ended';
}
