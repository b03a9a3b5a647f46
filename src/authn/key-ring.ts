// A JWK set turned into the keys that may verify a token: public, for signatures, of an allowed algorithm and of
// sufficient strength; every other entry is left out. Assumes nothing about the document. Reading a key is hot
// enough to be synchronous and allocation free; making a ring happens once per refresh.
import { calculateJwkThumbprint, type CryptoKey, importJWK, type JWK } from 'jose';
import { PosternError } from '#model/fault.ts';
import { isJsonObject, type JsonObject, member } from '#model/strict-json.ts';
import type { Algorithm } from './options.ts';
import { isKeyId } from './token-parts.ts';

/** More than any provider has in rotation; importing costs time. */
const MAX_KEYS = 100;
const MIN_RSA_BITS = 2048;
/** A larger modulus is only a way to make verification slow. */
const MAX_RSA_BITS = 8192;

export interface SigningKey {
  /** Its `kid`, else its thumbprint (RFC 7638). */
  readonly keyId: string;
  readonly algorithm: Algorithm;
  readonly thumbprint: string;
  readonly key: CryptoKey;
}

/** Immutable. An RSA key without `alg` is there once per RSA algorithm allowed. */
export interface KeyRing {
  readonly keys: readonly SigningKey[];
  /** Without a key id only where there is no choice: exactly one key of that algorithm. */
  find(algorithm: string, keyId: string | null): SigningKey | undefined;
}

export const EMPTY_RING: KeyRing = ringOf([]);

/**
 * The keys of a JWK set (RFC 7517 section 5). A single unusable key is left out; a document that is no key set
 * throws KEYS_UNAVAILABLE. An empty set is an answer: every key was withdrawn.
 */
export async function importKeys(
  document: unknown,
  allowed: readonly Algorithm[],
): Promise<readonly SigningKey[]> {
  const list = isJsonObject(document) ? member(document, 'keys') : undefined;
  if (!Array.isArray(list)) throw new PosternError('KEYS_UNAVAILABLE', 'the answer is not a JWK set');
  if (list.length > MAX_KEYS)
    throw new PosternError('KEYS_UNAVAILABLE', `the JWK set has more than ${MAX_KEYS} keys`);
  const imported = await Promise.all(
    list.flatMap((jwk) => algorithmsOf(jwk, allowed).map((algorithm) => importKey(jwk, algorithm))),
  );
  return withoutAmbiguous(imported.filter((key) => key !== null));
}

/** A ring of `next` that keeps the objects of `current` for keys that did not change. */
export function mergeRing(current: KeyRing, next: readonly SigningKey[]): KeyRing {
  return ringOf(next.map((key) => current.keys.find((old) => isSameKey(old, key)) ?? key));
}

/** Ids of keys that are in `before` and not, with the same material, in `after`. Without duplicates. */
export function withdrawnIds(before: KeyRing, after: KeyRing): ReadonlySet<string> {
  const gone = before.keys.filter((old) => !after.keys.some((key) => isSameKey(old, key)));
  return new Set(gone.map((key) => key.keyId));
}

function ringOf(keys: readonly SigningKey[]): KeyRing {
  const byId = new Map<string, SigningKey[]>();
  const byAlgorithm = new Map<string, SigningKey[]>();
  for (const key of keys) {
    byId.set(key.keyId, [...(byId.get(key.keyId) ?? []), key]);
    byAlgorithm.set(key.algorithm, [...(byAlgorithm.get(key.algorithm) ?? []), key]);
  }
  return {
    keys,
    find(algorithm, keyId) {
      if (keyId !== null) return byId.get(keyId)?.find((key) => key.algorithm === algorithm);
      const candidates = byAlgorithm.get(algorithm);
      return candidates?.length === 1 ? candidates[0] : undefined;
    },
  };
}

function isSameKey(a: SigningKey, b: SigningKey): boolean {
  return a.keyId === b.keyId && a.algorithm === b.algorithm && a.thumbprint === b.thumbprint;
}

/** Two different keys under one id and algorithm: neither can be meant. The same key twice is one. */
function withoutAmbiguous(keys: readonly SigningKey[]): readonly SigningKey[] {
  const rivals = (key: SigningKey) =>
    keys.filter((other) => other.keyId === key.keyId && other.algorithm === key.algorithm);
  return keys.filter((key) => {
    const same = rivals(key);
    return same[0] === key && same.every((other) => other.thumbprint === key.thumbprint);
  });
}

/** The allowed algorithms that a JWK can serve; none for a key that is not for verifying, or too weak. */
function algorithmsOf(jwk: unknown, allowed: readonly Algorithm[]): readonly Algorithm[] {
  if (!isJsonObject(jwk) || !isForVerifying(jwk)) return [];
  const pinned = member(jwk, 'alg');
  return allowed.filter((algorithm) => {
    if (pinned !== undefined && pinned !== algorithm) return false;
    if (algorithm === 'ES256') return jwk.kty === 'EC' && jwk.crv === 'P-256';
    if (algorithm === 'EdDSA') return jwk.kty === 'OKP' && jwk.crv === 'Ed25519';
    return jwk.kty === 'RSA' && isSoundRsa(jwk);
  });
}

/** RFC 7517 sections 4.2 and 4.3. A set that shows private material is not one to trust a key of. */
function isForVerifying(jwk: JsonObject): boolean {
  const { use, key_ops: operations, kid } = jwk;
  if (use !== undefined && use !== 'sig') return false;
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) return false;
  if (kid !== undefined && !isKeyId(kid)) return false;
  return !Object.hasOwn(jwk, 'd') && !Object.hasOwn(jwk, 'k');
}

/** NIST SP 800-131A: 2048 bits at least. A huge exponent makes every verification slow. */
function isSoundRsa(jwk: JsonObject): boolean {
  if (typeof jwk.n !== 'string' || typeof jwk.e !== 'string') return false;
  const bits = bitLength(Buffer.from(jwk.n, 'base64url'));
  const exponent = Buffer.from(jwk.e, 'base64url');
  const odd = ((exponent.at(-1) ?? 0) & 1) === 1;
  return (
    bits >= MIN_RSA_BITS &&
    bits <= MAX_RSA_BITS &&
    odd &&
    bitLength(exponent) >= 2 &&
    bitLength(exponent) <= 32
  );
}

function bitLength(bytes: Buffer): number {
  const first = bytes.findIndex((byte) => byte !== 0);
  if (first < 0) return 0;
  return (bytes.length - first) * 8 - Math.clz32(bytes[first] as number) + 24;
}

async function importKey(jwk: JsonObject, algorithm: Algorithm): Promise<SigningKey | null> {
  try {
    const bare = publicPartOf(jwk);
    const thumbprint = await calculateJwkThumbprint(bare);
    const key = await importJWK(bare, algorithm);
    if (key instanceof Uint8Array) return null;
    return Object.freeze({
      keyId: typeof jwk.kid === 'string' ? jwk.kid : thumbprint,
      algorithm,
      thumbprint,
      key,
    });
  } catch {
    // A point off the curve, a missing member: this one key is of no use, the others still are.
    return null;
  }
}

/** Only what makes up the key: nothing else of the document may steer the import. */
function publicPartOf(jwk: JsonObject): JWK {
  const part: Record<string, unknown> = {};
  for (const name of ['kty', 'crv', 'x', 'y', 'n', 'e']) {
    if (Object.hasOwn(jwk, name)) part[name] = jwk[name];
  }
  return part as JWK;
}
