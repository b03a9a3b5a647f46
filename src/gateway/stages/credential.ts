// Whose request is it? A bearer token of a support issuer, verified or refused; nothing else is a credential here.
// Assumes that Authorization stands alone. Hot: a token seen before is answered without a promise.
import { deny, PASS, type Verdict } from '#model/verdict.ts';
import type { AuthenticationResult, Authenticator } from '#authn/authenticator.ts';
import type { Exchange } from '../exchange.ts';
import { looseValues } from '../loose-pairs.ts';
import type { Stage } from '../stage.ts';

const SCHEME = 'bearer ';

export function credentialStage(authenticator: Authenticator): Stage {
  const standsInQuery = (query: string) =>
    looseValues(query, 'access_token').some((token) => authenticator.isSupportCredential(token));
  return {
    name: 'credential',
    run(x) {
      if (x.target !== null && standsInQuery(x.target.query)) {
        // RFC 6750 section 2.3: it would stand in the upstream's access log.
        return deny('credential_invalid', 'a support credential in the query');
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

/** RFC 6750 section 2.1: the scheme, one space, one token; anything looser is a second reading. */
function bearerToken(authorization: string): string | null {
  if (authorization.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return null;
  const token = authorization.slice(SCHEME.length);
  return token === '' || token.includes(' ') || token.includes(',') ? null : token;
}
