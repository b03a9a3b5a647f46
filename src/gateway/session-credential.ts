// The credential that a browser's cookie is: the session's principal, until the session's limit. One object for each
// session as it is cached, so that what is kept by credential (assertions, journal lines) is found again. Hot.
import type { Credential } from '#model/principal.ts';
import type { SupportSession } from '#model/session.ts';

const known = new WeakMap<SupportSession, Credential>();

/** Frozen. Its key is that of the token which the session was opened with: what withdraws that cuts this. */
export function credentialOf(session: SupportSession): Credential {
  const seen = known.get(session);
  if (seen !== undefined) return seen;
  const { principal, endsAt, keyId = '' } = session;
  const credential: Credential = Object.freeze({ principal, keyId, expiresAt: endsAt });
  known.set(session, credential);
  return credential;
}
