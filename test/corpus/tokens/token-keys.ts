// The keys of the token cases: those of the issuers, those that an issuer publishes though they verify nothing, and the
// attacker's, one of which calls itself what the right one is called.
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { makeKey, type TestKey } from '../../support/authn-keys.ts';

export interface TokenKeys {
  readonly es256: TestKey;
  readonly rs256: TestKey;
  readonly eddsa: TestKey;
  /** Published, and too short. */
  readonly weak: TestKey;
  /** Published, for another algorithm than any that is allowed. */
  readonly p384: TestKey;
  /** Published, for encrypting. */
  readonly encrypting: TestKey;
  /** Of another configured issuer, which calls its key as the first one does. */
  readonly partner: TestKey;
  /** Of nobody, under the id of the right key. */
  readonly attacker: TestKey;
  readonly attackerRsa: TestKey;
}

export function tokenKeys(): TokenKeys {
  const encrypting = makeKey('RS256', 'enc-1');
  return {
    es256: makeKey('ES256', 'key-1'),
    rs256: makeKey('RS256', 'key-2'),
    eddsa: makeKey('EdDSA', 'key-3'),
    weak: makeKey('RS256', 'weak-1', 1024),
    p384: p384Key(),
    encrypting: { ...encrypting, jwk: { ...encrypting.jwk, use: 'enc' } },
    partner: makeKey('ES256', 'key-1'),
    attacker: makeKey('ES256', 'key-1'),
    attackerRsa: makeKey('RS256', 'key-2'),
  };
}

function p384Key(): TestKey {
  const pair: { privateKey: KeyObject; publicKey: KeyObject } = generateKeyPairSync('ec', {
    namedCurve: 'P-384',
  });
  const jwk = { ...pair.publicKey.export({ format: 'jwk' }), use: 'sig', alg: 'ES384', kid: 'p384-1' };
  return { kid: 'p384-1', algorithm: 'ES384', ...pair, jwk };
}

/** As the first issuer publishes it. The symmetric key is one that a careless issuer would publish too. */
export function publishedKeys(keys: TokenKeys): { keys: Record<string, unknown>[] } {
  const { es256, rs256, eddsa, weak, p384, encrypting } = keys;
  return {
    keys: [
      ...[es256, rs256, eddsa, weak, p384, encrypting].map(({ jwk }) => jwk),
      {
        kty: 'oct',
        kid: 'oct-1',
        alg: 'HS256',
        use: 'sig',
        k: Buffer.from('published').toString('base64url'),
      },
    ],
  };
}
