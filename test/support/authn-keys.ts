// Keys made at run time, tokens signed with them, and tokens put together by hand where a library would refuse.
import { generateKeyPairSync, type KeyObject, randomUUID, sign } from 'node:crypto';
import type { Algorithm } from '#authn/options.ts';

export interface TestKey {
  readonly kid: string | null;
  readonly algorithm: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  /** As it stands in a key set. */
  readonly jwk: Record<string, unknown>;
}

export function makeKey(algorithm: Algorithm, kid: string | null = randomUUID(), rsaBits = 2048): TestKey {
  const { privateKey, publicKey } = pairFor(algorithm, rsaBits);
  const jwk = {
    ...publicKey.export({ format: 'jwk' }),
    use: 'sig',
    alg: algorithm,
    ...(kid === null ? {} : { kid }),
  };
  return { kid, algorithm, privateKey, publicKey, jwk };
}

function pairFor(algorithm: Algorithm, rsaBits: number): { privateKey: KeyObject; publicKey: KeyObject } {
  if (algorithm === 'ES256') return generateKeyPairSync('ec', { namedCurve: 'P-256' });
  if (algorithm === 'EdDSA') return generateKeyPairSync('ed25519');
  return generateKeyPairSync('rsa', { modulusLength: rsaBits });
}

export function keySetOf(...keys: readonly TestKey[]): { keys: Record<string, unknown>[] } {
  return { keys: keys.map(({ jwk }) => jwk) };
}

export function base64url(value: string | Uint8Array): string {
  return Buffer.from(value as string).toString('base64url');
}

/** Header and payload are objects, or the very JSON text. */
export function signToken(
  key: TestKey,
  payload: object | string,
  header: object | string = { alg: key.algorithm, ...(key.kid === null ? {} : { kid: key.kid }) },
): string {
  const input = `${base64url(textOf(header))}.${base64url(textOf(payload))}`;
  return `${input}.${base64url(signatureOf(key, input))}`;
}

function textOf(value: object | string): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function signatureOf(key: TestKey, input: string): Buffer {
  const data = Buffer.from(input);
  if (key.algorithm === 'EdDSA') return sign(null, data, key.privateKey);
  if (key.algorithm === 'ES256')
    return sign('sha256', data, { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  if (key.algorithm === 'PS256')
    return sign('sha256', data, { key: key.privateKey, padding: 6, saltLength: 32 });
  return sign('sha256', data, key.privateKey);
}
