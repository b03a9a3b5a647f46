// Bearer tokens of the support staff on the data listener. Guarantees: what it answers was verified against keys
// that still hold, and holds now by the clock; nothing is thrown; a token seen before costs one lookup. Assumes
// that the caller took the token out of the only Authorization header. Hot: `authenticate` for a known token.
import type { Clock } from '#model/clock.ts';
import type { Credential, Principal } from '#model/principal.ts';
import type { Denial } from '#model/verdict.ts';
import type { AuthenticationResult, Authenticator } from './authenticator.ts';
import { readPrincipal } from './claims.ts';
import { DENIED } from './denials.ts';
import type { KeySet } from './key-set.ts';
import { type KeySets, keySetOf } from './key-sets.ts';
import { announce, createListeners } from './listeners.ts';
import { byIssuer, checkSupportIssuer, type SupportIssuer, type SupportIssuerOptions } from './options.ts';
import { TokenCache } from './token-cache.ts';
import { looselyReadIssuer, readToken, type UnverifiedToken } from './token-parts.ts';
import { createTokenVerifier, type TokenVerifier } from './token-verifier.ts';

export interface BearerAuthenticatorDeps {
  readonly issuers: readonly SupportIssuerOptions[];
  /** Must hold every issuer; closed by whoever made it. */
  readonly keySets: KeySets;
  readonly clock: Clock;
  /** Verified tokens that are remembered. Default 10,000. */
  readonly cacheEntries?: number | undefined;
  /** Called with the owner of each token that verified, when it is met and not at each use; must not throw. */
  readonly onPrincipal?: (principal: Principal) => void;
}

export interface BearerAuthenticator extends Authenticator {
  /** Verified tokens remembered now. */
  readonly cacheSize: number;
  /** Stops listening to the key sets. */
  close(): void;
}

interface Realm {
  readonly issuer: SupportIssuer;
  readonly keys: KeySet;
  readonly verify: TokenVerifier;
}

/** Throws a TypeError that names the issuer for a wrong option. */
export function createBearerAuthenticator(deps: BearerAuthenticatorDeps): BearerAuthenticator {
  const { clock } = deps;
  const realms = realmsOf(deps);
  const cache = new TokenCache(checkEntries(deps.cacheEntries ?? 10_000));
  const meet = createFirstMeeting(realms, cache, deps);
  const withdrawn = createListeners<[issuer: string, keyId: string]>();
  const subscriptions = Array.from(realms.values(), ({ issuer, keys }) =>
    keys.onWithdrawn((keyId) => {
      cache.dropSignedBy(keys, keyId);
      // A turn later: a credential that was handed out in this one has then reached the exchange it is for.
      setImmediate(() => announce(withdrawn, issuer.issuer, keyId));
    }),
  );

  return {
    authenticate(token) {
      const known = cache.get(token);
      if (known === undefined) return meet(token);
      const now = clock.now();
      if (now < known.credential.expiresAt && now < known.keys.trustedUntil) return known.credential;
      cache.delete(token);
      return now < known.credential.expiresAt ? meet(token) : DENIED.expired;
    },
    onKeyWithdrawn: (listener) => withdrawn.add(listener),
    isSupportCredential(token) {
      if (cache.get(token) !== undefined) return true;
      const issuer = looselyReadIssuer(token);
      return issuer !== null && realms.has(issuer);
    },
    refusalOfKey(issuer, keyId) {
      const keys = realms.get(issuer)?.keys;
      if (keys === undefined) return DENIED.issuerUnknown;
      if (clock.now() >= keys.trustedUntil) return DENIED.keysUnavailable;
      return keys.holdsId(keyId) ? null : DENIED.unknownKey;
    },
    get cacheSize() {
      return cache.size;
    },
    close() {
      for (const subscription of subscriptions) subscription[Symbol.dispose]();
    },
  };
}

type Meeting = (token: string) => AuthenticationResult | Promise<AuthenticationResult>;

/** For tokens that the cache does not know. Concurrent first sightings of one token share one verification. */
function createFirstMeeting(
  realms: ReadonlyMap<string, Realm>,
  cache: TokenCache,
  { clock, onPrincipal }: Pick<BearerAuthenticatorDeps, 'clock' | 'onPrincipal'>,
): Meeting {
  const pending = new Map<string, Promise<AuthenticationResult>>();

  async function verify(realm: Realm, token: string, parts: UnverifiedToken): Promise<AuthenticationResult> {
    const { issuer, keys } = realm;
    const verified = await realm.verify(token, parts);
    if ('reason' in verified) return refuse(realm, token, verified);
    const principal = readPrincipal(issuer, verified.claims);
    if ('reason' in principal) return refuse(realm, token, principal);
    // Asked again in the very step that stores it, else a withdrawal in between would be outlived.
    if (!keys.holds(verified.key)) return DENIED.keyWithdrawn;
    const { key, expiresAt } = verified;
    const credential: Credential = Object.freeze({ principal, keyId: key.keyId, expiresAt });
    cache.set(token, { credential, keys });
    onPrincipal?.(principal);
    return credential;
  }

  function refuse(realm: Realm, token: string, denial: Denial): Denial {
    // Whether keys can be had changes from one moment to the next, unlike a token.
    if (denial.reason !== 'keys_unavailable') cache.refuse(token, denial, realm.keys, clock.now());
    return denial;
  }

  return (token) => {
    const refusal = cache.refusalOf(token, clock.now());
    if (refusal !== undefined) return refusal;
    const underWay = pending.get(token);
    if (underWay !== undefined) return underWay;
    const parts = readToken(token);
    if ('reason' in parts) return parts;
    const realm = realms.get(parts.issuer);
    if (realm === undefined) return DENIED.issuerUnknown;
    const verification = verify(realm, token, parts).finally(() => pending.delete(token));
    pending.set(token, verification);
    return verification;
  };
}

function realmsOf(deps: BearerAuthenticatorDeps): ReadonlyMap<string, Realm> {
  const issuers = byIssuer(deps.issuers.map(checkSupportIssuer));
  const realms = new Map<string, Realm>();
  for (const [url, issuer] of issuers) {
    const keys = keySetOf(deps.keySets, issuer);
    const verify = createTokenVerifier({ issuer, audience: issuer.audience, keys, clock: deps.clock });
    realms.set(url, { issuer, keys, verify });
  }
  return realms;
}

function checkEntries(entries: number): number {
  if (!Number.isSafeInteger(entries) || entries < 1) throw new TypeError('cacheEntries must be at least 1');
  return entries;
}
