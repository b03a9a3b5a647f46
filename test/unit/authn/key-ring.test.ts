// Which entries of a key set may verify a token.
import { createPublicKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { EMPTY_RING, importKeys, mergeRing } from '#authn/key-ring.ts';
import type { Algorithm } from '#authn/options.ts';
import { makeKey } from '../../support/authn-keys.ts';

const ALL: readonly Algorithm[] = ['ES256', 'RS256', 'PS256', 'EdDSA'];
const ec = makeKey('ES256', 'ec');
const rsa = makeKey('RS256', 'rsa');
const ed = makeKey('EdDSA', 'ed');

async function usable(jwk: unknown, allowed = ALL): Promise<string[]> {
  const keys = await importKeys({ keys: [jwk] }, allowed);
  return keys.map(({ keyId, algorithm }) => `${keyId}:${algorithm}`);
}

const without = (jwk: Record<string, unknown>, name: string): Record<string, unknown> =>
  Object.fromEntries(Object.entries(jwk).filter(([key]) => key !== name));

describe('takes', () => {
  test('each kind of key for its algorithm', async () => {
    expect(await usable(ec.jwk)).toEqual(['ec:ES256']);
    expect(await usable(ed.jwk)).toEqual(['ed:EdDSA']);
    expect(await usable(rsa.jwk)).toEqual(['rsa:RS256']);
  });

  test('an RSA key without alg for every RSA algorithm that is allowed', async () => {
    const jwk = without(rsa.jwk, 'alg');
    expect(await usable(jwk)).toEqual(['rsa:RS256', 'rsa:PS256']);
    expect(await usable(jwk, ['PS256', 'ES256'])).toEqual(['rsa:PS256']);
  });

  test('a key without use, or for the operation of verifying', async () => {
    expect(await usable(without(ec.jwk, 'use'))).toHaveLength(1);
    expect(await usable({ ...ec.jwk, key_ops: ['verify'] })).toHaveLength(1);
  });

  test('a key without kid under its thumbprint', async () => {
    const [key] = await importKeys({ keys: [without(ec.jwk, 'kid')] }, ALL);
    expect(key?.keyId).toBe(key?.thumbprint);
    expect(key?.thumbprint).toMatch(/^[\w-]{43}$/);
  });

  test('one key that stands there twice as one', async () => {
    expect(await importKeys({ keys: [ec.jwk, { ...ec.jwk }] }, ALL)).toHaveLength(1);
  });

  test('the others when one is broken', async () => {
    expect(await importKeys({ keys: [null, 1, {}, [], { kty: 'EC' }, ec.jwk] }, ALL)).toHaveLength(1);
  });
});

describe('leaves out', () => {
  const cases: [string, unknown][] = [
    ['a key for encryption', { ...ec.jwk, use: 'enc' }],
    ['a key that may only sign or encrypt', { ...ec.jwk, key_ops: ['sign', 'encrypt'] }],
    ['a key whose operations are no list', { ...ec.jwk, key_ops: 'verify' }],
    ['a key that shows its private part', makeKey('ES256', 'p').privateKey.export({ format: 'jwk' })],
    ['a symmetric key', { kty: 'oct', k: 'c2VjcmV0', kid: 'x', alg: 'HS256' }],
    ['a symmetric key that calls itself RS256', { kty: 'oct', k: 'c2VjcmV0', kid: 'x', alg: 'RS256' }],
    ['an EC key of another alg', { ...ec.jwk, alg: 'ES384' }],
    ['an RSA key that calls itself ES256', { ...rsa.jwk, alg: 'ES256' }],
    ['an RSA key of 1024 bits', makeKey('RS256', 'weak', 1024).jwk],
    ['an RSA key that hides 1024 bits behind zeros', padded(makeKey('RS256', 'weak', 1024).jwk)],
    ['an RSA key with the exponent 1', { ...rsa.jwk, e: 'AQ' }],
    ['an RSA key with an even exponent', { ...rsa.jwk, e: 'AQAC' }],
    ['an RSA key with a huge exponent', { ...rsa.jwk, e: Buffer.alloc(64, 255).toString('base64url') }],
    ['an RSA key with a huge modulus', { ...rsa.jwk, n: Buffer.alloc(2000, 255).toString('base64url') }],
    ['another curve', { ...jwkOf('P-384'), kid: 'x' }],
    ['a point off the curve', { ...ec.jwk, y: ec.jwk.x }],
    ['a kid that is no text', { ...ec.jwk, kid: 7 }],
    ['a kid with a line break', { ...ec.jwk, kid: 'a\nb' }],
    ['an empty kid', { ...ec.jwk, kid: '' }],
  ];
  test.each(cases)('%s', async (_, jwk) => {
    expect(await usable(jwk)).toEqual([]);
  });

  test('what is not among the allowed algorithms', async () => {
    expect(await usable(rsa.jwk, ['ES256'])).toEqual([]);
  });

  test('both of two different keys under one id', async () => {
    expect(await importKeys({ keys: [ec.jwk, makeKey('ES256', 'ec').jwk] }, ALL)).toEqual([]);
  });
});

test('finds nothing under names that every object has', async () => {
  const ring = mergeRing(EMPTY_RING, await importKeys({ keys: [ec.jwk] }, ALL));
  for (const kid of ['__proto__', 'constructor', 'toString', 'length', '0']) {
    expect(ring.find('ES256', kid)).toBeUndefined();
    expect(ring.find(kid, 'ec')).toBeUndefined();
  }
  expect(ring.find('ES256', 'ec')?.keyId).toBe('ec');
});

function jwkOf(namedCurve: string): object {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve });
  return createPublicKey(publicKey.export({ format: 'pem', type: 'spki' })).export({ format: 'jwk' });
}

function padded(jwk: Record<string, unknown>): object {
  const n = Buffer.concat([Buffer.alloc(200), Buffer.from(jwk.n as string, 'base64url')]);
  return { ...jwk, n: n.toString('base64url') };
}
