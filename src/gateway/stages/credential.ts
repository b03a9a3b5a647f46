// Whose request is it? A bearer token of a support issuer or a browser's session cookie, never both; verified or refused.
// Assumes that Authorization stands alone. Cookies are ambient: with one, whatever changes something must say that it comes
// from our own origin. Hot: a token seen before, or a cookie of a cached session, is answered without a promise, and a
// cookie that somebody made up without the store.
import { secretHash } from '#model/secret-hash.ts';
import type { SupportSession } from '#model/session.ts';
import { deny, PASS, type Verdict } from '#model/verdict.ts';
import type { AuthenticationResult, Authenticator } from '#authn/authenticator.ts';
import type { SessionLookup } from '#sessions/session-lookup.ts';
import type { Exchange } from '../exchange.ts';
import { looseValues } from '../loose-pairs.ts';
import { COOKIE_AMBIGUOUS, ownCookieOf } from '../own-cookie.ts';
import { isSameOrigin } from '../same-origin.ts';
import { credentialOf } from '../session-credential.ts';
import type { Stage } from '../stage.ts';

const SCHEME = 'bearer ';
const NOBODYS = deny('credential_invalid', 'a session cookie that nobody was given');

export interface CredentialStageDeps {
  readonly authenticator: Authenticator;
  /** Null: no cookie is a credential. */
  readonly sessions: Pick<SessionLookup, 'ofCookie' | 'isOwnCookie'> | null;
}

export function credentialStage({ authenticator, sessions }: CredentialStageDeps): Stage {
  const standsInQuery = (query: string) =>
    looseValues(query, 'access_token').some((token) => authenticator.isSupportCredential(token));

  function byCookie(x: Exchange, cookie: string | typeof COOKIE_AMBIGUOUS): Verdict | Promise<Verdict> {
    if (sessions === null || cookie === COOKIE_AMBIGUOUS)
      return deny('credential_invalid', 'a session cookie in a form that servers read differently');
    if (x.head.authorization !== '')
      return deny('credential_invalid', 'a session cookie beside another credential');
    if (!mayBeAmbient(x)) return deny('origin_refused', 'a session cookie, from another origin or from none');
    x.cookieHash = secretHash(cookie);
    const isOwn = sessions.isOwnCookie(cookie, x.cookieHash);
    if (isOwn === true) return bySession(x, sessions);
    return isOwn === false ? NOBODYS : isOwn.then((known) => (known ? bySession(x, sessions) : NOBODYS));
  }

  function bySession(x: Exchange, lookup: Pick<SessionLookup, 'ofCookie'>): Verdict | Promise<Verdict> {
    const found = lookup.ofCookie(x.cookieHash);
    return found instanceof Promise
      ? found.then((session) => acceptSession(x, session))
      : acceptSession(x, found);
  }

  /** Whether the session still holds is judged in its turn (stages/session.ts), so that its holder is told of its end. */
  function acceptSession(x: Exchange, session: SupportSession | null): Verdict {
    if (session === null) return NOBODYS;
    const { principal, keyId } = session;
    const refusal = keyId === undefined ? null : authenticator.refusalOfKey(principal.issuer, keyId);
    if (refusal !== null) return refusal;
    x.credential = credentialOf(session);
    // A cookie is bound to the session's tenant: at another's door it is nobody's (class 13).
    return x.tenant === null || x.tenant === session.tenant ? PASS : deny('tenant_mismatch');
  }

  return {
    name: 'credential',
    run(x) {
      if (x.target !== null && standsInQuery(x.target.query)) {
        // RFC 6750 section 2.3: it would stand in the upstream's access log.
        return deny('credential_invalid', 'a support credential in the query');
      }
      if (sessions !== null && x.head.cookie !== '') {
        const cookie = ownCookieOf(x.head.cookie);
        if (cookie !== null) return byCookie(x, cookie);
      }
      const { authorization } = x.head;
      if (authorization === '') return deny('no_credential');
      const token = bearerToken(authorization);
      if (token === null) return deny('credential_invalid', 'not a bearer credential');
      const result = authenticator.authenticate(token);
      return result instanceof Promise ? result.then((settled) => accept(x, settled)) : accept(x, result);
    },
  };
}

function accept(x: Exchange, result: AuthenticationResult): Verdict {
  if ('reason' in result) return result;
  x.credential = result;
  return PASS;
}

/** The upgrade stage has looked at the Origin of a handshake; with a cookie there has to be one. */
function mayBeAmbient(x: Exchange): boolean {
  if (x.isUpgrade) return x.head.origin !== '';
  return x.method === 'GET' || x.method === 'HEAD' || x.method === 'OPTIONS' || isSameOrigin(x);
}

/** RFC 6750 section 2.1: the scheme, one space, one token; anything looser is a second reading. */
function bearerToken(authorization: string): string | null {
  if (authorization.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return null;
  const token = authorization.slice(SCHEME.length);
  return token === '' || token.includes(' ') || token.includes(',') ? null : token;
}
