// Keys made at run time, and tokens signed with them: a workforce, a SaaS that speaks for its customers' admins.
import { writeFileSync } from 'node:fs';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

export interface TestIssuer {
  readonly issuer: string;
  readonly keyId: string;
  readonly publicJwk: JWK;
  /** `lifetimeSeconds` defaults to five minutes; claims may override every registered one. */
  sign(claims: Record<string, unknown>, lifetimeSeconds?: number): Promise<string>;
  writeKeySet(file: string): void;
}

export async function testIssuer(issuer: string, audience: string, keyId = 'k1'): Promise<TestIssuer> {
  const { publicKey, privateKey } = await generateKeyPair('ES256', { extractable: true });
  const publicJwk: JWK = { ...(await exportJWK(publicKey)), kid: keyId, alg: 'ES256', use: 'sig' };
  return {
    issuer,
    keyId,
    publicJwk,
    sign: (claims, lifetimeSeconds = 300) =>
      signToken(privateKey, { keyId, issuer, audience, lifetimeSeconds }, claims),
    writeKeySet(file) {
      writeFileSync(file, JSON.stringify({ keys: [publicJwk] }));
    },
  };
}

interface TokenShape {
  readonly keyId: string;
  readonly issuer: string;
  readonly audience: string;
  readonly lifetimeSeconds: number;
}

function signToken(key: CryptoKey, shape: TokenShape, claims: Record<string, unknown>): Promise<string> {
  const now = Math.floor(Date.now() / 1000);
  const payload = {
    iss: shape.issuer,
    aud: shape.audience,
    iat: now,
    exp: now + shape.lifetimeSeconds,
    ...claims,
  };
  return new SignJWT(payload).setProtectedHeader({ alg: 'ES256', kid: shape.keyId, typ: 'JWT' }).sign(key);
}
