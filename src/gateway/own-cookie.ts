// The session cookie of browsers, `__Host-postern`: how it is read, set and cleared. Its name makes the browser keep it for
// this very host, over TLS only, whatever the application's other hosts do (draft-ietf-httpbis-rfc6265bis section 4.1.3.2).
// Guarantees: only the one exact pair is a credential; two of them, or one that is no secret, are refused. Whatever looks
// like it to some server is ignored here and never travels (src/upstream/headers.ts). Warm: browsers only.
import { isSealedSecret } from '#model/secret-hash.ts';

const NAME = '__Host-postern';

/** More than one, or one whose value is no secret of ours: two servers could disagree on whose request it is. */
export const COOKIE_AMBIGUOUS: unique symbol = Symbol('ambiguous');

/** The secret; null where the header holds no cookie of ours. */
export function ownCookieOf(header: string): string | null | typeof COOKIE_AMBIGUOUS {
  if (!header.includes(NAME)) return null;
  let found: string | null = null;
  for (const pair of header.split(';')) {
    // With the one space before it that browsers put between pairs.
    const text = pair.startsWith(' ') ? pair.slice(1) : pair;
    if (!text.startsWith(`${NAME}=`)) continue;
    const value = text.slice(NAME.length + 1);
    if (found !== null || !isSealedSecret(value)) return COOKIE_AMBIGUOUS;
    found = value;
  }
  return found;
}

/**
 * For `Set-Cookie`. Without an end of its own: the browser forgets it when it closes, and the session ends by our clock.
 * `Lax`, since a link in a ticket should still open the application.
 */
export function cookieSetting(secret: string): string {
  return `${NAME}=${secret}; Path=/; Secure; HttpOnly; SameSite=Lax`;
}

export const COOKIE_CLEARING = `${NAME}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax`;
