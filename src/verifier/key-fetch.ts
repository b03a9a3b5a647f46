// The gate's key set over HTTP(S), and the keys in it that may have signed an assertion. Guarantees: no redirect is
// followed, size and time are bounded; only public signature keys of an allowed algorithm with an id come out of it.
// Assumes a checked address. Cold.
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { type CryptoKey, importJWK, type JWK } from 'jose';

/** EdDSA means Ed25519 (RFC 8037). What the gate signs with, and nothing symmetric. */
export const ASSERTION_ALGORITHMS = ['ES256', 'EdDSA'] as const;
export type AssertionAlgorithm = (typeof ASSERTION_ALGORITHMS)[number];

/** By key id, then by algorithm. */
export type AssertionKeys = ReadonlyMap<string, ReadonlyMap<string, CryptoKey>>;

const MAX_BODY_BYTES = 64 * 1024;
/** More is no key set of a gate. */
export const MAX_KEYS = 20;
const TIMEOUT_MS = 5000;

export interface KeyAddress {
  readonly url: URL;
  /** Sent as `Host`; null: the address's own. */
  readonly host: string | null;
}

/** The document as it stands there. Rejects with a plain Error that names no address. */
export function fetchKeySet({ url, host }: KeyAddress): Promise<unknown> {
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  const outgoing = send(url, {
    // A connection of its own: a request that waits behind others would wait for them.
    agent: false,
    signal: AbortSignal.timeout(TIMEOUT_MS),
    headers: { accept: 'application/jwk-set+json, application/json', ...(host === null ? {} : { host }) },
  });
  outgoing.on('error', (cause) => reject(new Error('the keys cannot be fetched', { cause })));
  outgoing.on('response', (response) => {
    const chunks: Buffer[] = [];
    let size = 0;
    if (response.statusCode !== 200) {
      outgoing.destroy(new Error(`the answer has status ${response.statusCode}`));
      return;
    }
    response.on('error', (cause) => reject(new Error('the keys cannot be read', { cause })));
    response.on('data', (chunk: Buffer) => {
      size += chunk.length;
      chunks.push(chunk);
      if (size > MAX_BODY_BYTES) outgoing.destroy(new Error('the answer is larger than 64 KiB'));
    });
    response.on('end', () => {
      try {
        resolve(JSON.parse(Buffer.concat(chunks).toString('utf8')));
      } catch {
        reject(new Error('the answer is not JSON'));
      }
    });
  });
  outgoing.end();
  return promise;
}

/** A key that cannot be used is left out; rejects for what is no key set (RFC 7517 section 5). May be empty. */
export async function importKeySet(
  document: unknown,
  allowed: readonly AssertionAlgorithm[],
): Promise<AssertionKeys> {
  const list: unknown = (document as { readonly keys?: unknown } | null)?.keys;
  if (!Array.isArray(list) || list.length > MAX_KEYS) throw new Error('the answer is not a key set');
  const keys = new Map<string, Map<string, CryptoKey>>();
  const seen = new Set<string>();
  for (const entry of list as readonly unknown[]) {
    const usable = usableKey(entry, allowed);
    if (usable === null) continue;
    const { kid, alg, jwk } = usable;
    const key = await importOne(jwk, alg);
    if (key === null) continue;
    const place = JSON.stringify([kid, alg]);
    const ofId = keys.get(kid) ?? new Map<string, CryptoKey>();
    // Two keys under one name: neither can be meant.
    if (seen.has(place)) ofId.delete(alg);
    else ofId.set(alg, key);
    seen.add(place);
    keys.set(kid, ofId);
  }
  return keys;
}

interface UsableKey {
  readonly kid: string;
  readonly alg: AssertionAlgorithm;
  /** The members that make up the key, and nothing else that could steer the import. */
  readonly jwk: JWK;
}

function usableKey(entry: unknown, allowed: readonly AssertionAlgorithm[]): UsableKey | null {
  if (typeof entry !== 'object' || entry === null) return null;
  const { kid, use, alg, kty, crv, x, y, d } = entry as Readonly<Record<string, unknown>>;
  if (typeof kid !== 'string' || kid === '' || typeof x !== 'string' || d !== undefined) return null;
  if (use !== undefined && use !== 'sig') return null;
  const isP256 = kty === 'EC' && crv === 'P-256' && typeof y === 'string';
  const isEd25519 = kty === 'OKP' && crv === 'Ed25519';
  if (!isP256 && !isEd25519) return null;
  const own = isP256 ? 'ES256' : 'EdDSA';
  if ((alg !== undefined && alg !== own) || !allowed.includes(own)) return null;
  const jwk: JWK = isP256 ? { kty: 'EC', crv: 'P-256', x, y } : { kty: 'OKP', crv: 'Ed25519', x };
  return { kid, alg: own, jwk };
}

async function importOne(jwk: JWK, alg: AssertionAlgorithm): Promise<CryptoKey | null> {
  try {
    const key = await importJWK(jwk, alg);
    return key instanceof Uint8Array ? null : key;
  } catch {
    // A point off the curve: this one key is of no use, the others still are.
    return null;
  }
}
