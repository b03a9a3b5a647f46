// When an exchange's authority ends, and what ended it: the earliest of its grant, its session and its credential.
// Assumes that grant and credential are set. Hot: three comparisons, nothing allocated.
import { type EpochMs, NEVER } from '#model/clock.ts';
import type { CutReason } from '#model/ended-by.ts';
import type { Grant } from '#model/grant.ts';
import type { Exchange } from './exchange.ts';

/** Sets `grantEndsAt` and `authorityEndsAt` by this revision of the grant. */
export function setAuthorityEnd(x: Exchange, grant: Grant): void {
  const grantEnd = grant.expiresAt ?? NEVER;
  let end: EpochMs = grantEnd;
  if (x.session !== null && x.session.endsAt < end) end = x.session.endsAt;
  if (x.credential !== null && x.credential.expiresAt < end) end = x.credential.expiresAt;
  x.grantEndsAt = grantEnd;
  x.authorityEndsAt = end;
}

/** Which of them ended first. A session never outlives its grant: where both end at once the grant is what ended. */
export function endedFirst(x: Exchange): CutReason {
  const end = x.authorityEndsAt;
  if (x.session !== null && x.session.endsAt <= end)
    return x.grantEndsAt <= end ? 'expired' : 'session_ended';
  const credentialEnd = x.credential === null ? NEVER : x.credential.expiresAt;
  return credentialEnd <= end ? 'credential_expired' : 'expired';
}
