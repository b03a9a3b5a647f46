// One issuer's tokens for one audience: from an unverified reading to claims that may be believed, or a denial.
// The order is by cost: form and dates first, then the key, then the signature, then everything that may have
// changed while it was computed. Runs once per token; the signature is checked off the loop.
import { errors, type JWTPayload, jwtVerify } from 'jose';
import type { Clock, EpochMs } from '#model/clock.ts';
import { type JsonObject, member } from '#model/strict-json.ts';
import type { Denial } from '#model/verdict.ts';
import { DENIED } from './denials.ts';
import type { SigningKey } from './key-ring.ts';
import type { KeySet } from './key-set.ts';
import type { Algorithm, Issuer } from './options.ts';
import type { UnverifiedToken } from './token-parts.ts';

export interface TokenVerifierDeps {
  readonly issuer: Issuer;
  readonly audience: string;
  readonly keys: KeySet;
  readonly clock: Clock;
}

interface VerifiedToken {
  readonly claims: JsonObject;
  readonly key: SigningKey;
  /** The earlier of `exp` and the oldest age allowed, each with the clock tolerance. */
  readonly expiresAt: EpochMs;
}

/** Never rejects. Denies with `credential_invalid`, `credential_expired` or `keys_unavailable`. */
export type TokenVerifier = (token: string, parts: UnverifiedToken) => Promise<VerifiedToken | Denial>;

/** Seconds. Beyond the year 5138 a date is an attack on arithmetic (1e308), not a date. */
const MAX_DATE_S = 1e11;
/** RFC 7518 section 3.4 and RFC 8037: fixed. RSA: as long as the modulus, which is at most 8192 bits. */
const SIGNATURE_BYTES: Readonly<Record<Algorithm, readonly [min: number, max: number]>> = {
  ES256: [64, 64],
  EdDSA: [64, 64],
  RS256: [256, 1024],
  PS256: [256, 1024],
};

export function createTokenVerifier(deps: TokenVerifierDeps): TokenVerifier {
  const { issuer, keys } = deps;
  return async (token, parts) => {
    const algorithm = issuer.algorithms.find((allowed) => allowed === parts.algorithm);
    if (algorithm === undefined) return DENIED.algorithm;
    const [minBytes, maxBytes] = SIGNATURE_BYTES[algorithm];
    if (parts.signatureBytes < minBytes || parts.signatureBytes > maxBytes) return DENIED.signatureSize;
    const early = checkClaims(deps, parts.claims);
    if (typeof early === 'object') return early;

    const key = await keys.lookUp(algorithm, parts.keyId);
    if ('reason' in key) return key;
    const verified = await verifySignature(deps, token, key);
    if ('reason' in verified) return verified;
    const { claims } = verified;
    if (!keys.holds(key)) return DENIED.keyWithdrawn;
    const late = checkClaims(deps, claims);
    if (typeof late === 'object') return late;
    return { claims, key, expiresAt: late };
  };
}

async function verifySignature(
  deps: TokenVerifierDeps,
  token: string,
  key: SigningKey,
): Promise<{ readonly claims: JWTPayload } | Denial> {
  const { issuer, audience, clock } = deps;
  try {
    const { payload } = await jwtVerify(token, key.key, {
      algorithms: [key.algorithm],
      issuer: issuer.issuer,
      audience,
      // Coarser than ours, since jose counts whole seconds: `checkDates` decides.
      clockTolerance: Math.ceil(issuer.clockToleranceMs / 1000) + 1,
      currentDate: new Date(clock.now()),
      requiredClaims: ['exp'],
    });
    // Wrapped, for a token may well have a claim that is called `reason`.
    return { claims: payload };
  } catch (error) {
    // Everything else, a fault of the library included, means that the token was not proven.
    return error instanceof errors.JWTExpired ? DENIED.expired : DENIED.signature;
  }
}

/** The instant at which the token ends, or why it does not hold now. */
function checkClaims(deps: TokenVerifierDeps, claims: JsonObject): EpochMs | Denial {
  const { issuer, audience, clock } = deps;
  if (!isForUs(member(claims, 'aud'), audience, issuer.otherAudiences)) return DENIED.audience;
  if (issuer.authorizedParties.length > 0) {
    const party = member(claims, 'azp');
    if (typeof party !== 'string' || !issuer.authorizedParties.includes(party)) return DENIED.azp;
  }
  return checkDates(issuer, claims, clock.now());
}

/** RFC 7519 section 4.1.3; and, unless configured, nobody else's as well (see `otherAudiences`). */
function isForUs(aud: unknown, audience: string, others: readonly string[]): boolean {
  if (typeof aud === 'string') return aud === audience;
  if (!Array.isArray(aud)) return false;
  return aud.includes(audience) && aud.every((value) => value === audience || others.includes(value));
}

function checkDates(issuer: Issuer, claims: JsonObject, nowMs: number): EpochMs | Denial {
  const { clockToleranceMs, maxTokenAgeMs } = issuer;
  const exp = member(claims, 'exp');
  const iat = member(claims, 'iat');
  const nbf = member(claims, 'nbf');
  if (!isDate(exp)) return DENIED.exp;
  if (iat === undefined ? maxTokenAgeMs !== null : !isDate(iat)) return DENIED.iat;
  if (nbf !== undefined && !isDate(nbf)) return DENIED.nbf;
  if (isDate(iat) && iat * 1000 > nowMs + clockToleranceMs) return DENIED.iat;
  if (isDate(nbf) && nbf * 1000 > nowMs + clockToleranceMs) return DENIED.nbf;
  const endsAt = Math.floor(exp * 1000) + clockToleranceMs;
  if (nowMs >= endsAt) return DENIED.expired;
  if (!isDate(iat) || maxTokenAgeMs === null) return endsAt as EpochMs;
  const oldestAt = Math.floor(iat * 1000) + maxTokenAgeMs + clockToleranceMs;
  if (nowMs >= oldestAt) return DENIED.tooOld;
  return Math.min(endsAt, oldestAt) as EpochMs;
}

/** RFC 7519 section 2, NumericDate: a number of seconds; never a string of one. */
function isDate(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value < MAX_DATE_S;
}
