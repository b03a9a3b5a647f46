// A support session: one principal's use of one grant, with a stated reason. Pure rules of when it holds.
// Hot: `sessionStatusAt` runs once per request that has one; it allocates nothing.
import type { EpochMs } from './clock.ts';
import type { Access, StatedReason } from './grant.ts';
import type { GrantId, SessionId, TenantId } from './ids.ts';
import type { Principal } from './principal.ts';

export const SESSION_ENDINGS = [
  'left',
  'tenant',
  'vendor',
  'idle',
  'limit',
  'grant_ended',
  'replaced',
] as const;
export type SessionEnding = (typeof SESSION_ENDINGS)[number];

/**
 * Immutable but for its end, the groups of its principal, which only become fewer, and `lastUsedAt`, which lives beside it
 * (session-lookup.ts).
 */
export interface SupportSession {
  readonly id: SessionId;
  readonly tenant: TenantId;
  /** As the token said when it was opened, less the groups that a later one did not name. */
  readonly principal: Principal;
  /** The key that signed that token: when it is withdrawn, so is what the session's cookie is worth. Absent: not known. */
  readonly keyId?: string;
  readonly grantId: GrantId;
  /** At most the grant's, at each use. */
  readonly access: Access;
  readonly reason: StatedReason;
  readonly caseRef: string | null;
  readonly startedAt: EpochMs;
  /** The absolute limit; never past the grant's end when it was opened. */
  readonly endsAt: EpochMs;
  readonly idleMs: number;
  readonly lastUsedAt: EpochMs;
  readonly endedAt: EpochMs | null;
  readonly endedBy: SessionEnding | null;
  /** The principal's own words on the steps taken, given at the end. */
  readonly note: string | null;
}

/** `lastUsedAt` is handed in, since the one stored lags behind. An end is exclusive. */
export function sessionStatusAt(
  session: SupportSession,
  lastUsedAt: EpochMs,
  now: EpochMs,
): 'active' | 'ended' | 'limit' | 'idle' {
  if (session.endedAt !== null) return 'ended';
  if (now >= session.endsAt) return 'limit';
  return now - lastUsedAt >= session.idleMs ? 'idle' : 'active';
}

/**
 * How and when a session was over that nobody has ended yet, by the clock alone; null while it holds. The earlier of the
 * two limits counts, however late it is looked at.
 */
export function sessionOverAt(
  session: SupportSession,
  lastUsedAt: EpochMs,
  now: EpochMs,
): { readonly endedBy: 'idle' | 'limit'; readonly endedAt: EpochMs } | null {
  const idleAt = (lastUsedAt + session.idleMs) as EpochMs;
  if (now < session.endsAt && now < idleAt) return null;
  return idleAt < session.endsAt
    ? { endedBy: 'idle', endedAt: idleAt }
    : { endedBy: 'limit', endedAt: session.endsAt };
}
