// Assertions that Postern did not make, as an attacker would: signed by a key made for it and thrown away, under the gate's
// own key id, and not signed at all. Guarantees: no secret of the configuration is used. Cold.
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import type { AssertionConfig } from '#config/config.ts';

const TYPE = 'postern-assertion+jwt';

export interface Forgery {
  /** With its article, for a sentence. */
  readonly what: string;
  readonly token: string;
}

/** `keyId`: what the gate's key is known by, which anybody can read at the gate. */
export function forgeriesOf({ issuer, audience }: AssertionConfig, keyId: string): readonly Forgery[] {
  const iat = Math.floor(Date.now() / 1000);
  const claims = {
    iss: issuer,
    aud: audience,
    iat,
    exp: iat + 30,
    jti: randomUUID(),
    sub: 'postern-doctor',
    org: 'postern-doctor',
    tenant: 'postern-doctor',
    grant: { id: 'grt_postern_doctor', revision: 1 },
    access: 'read',
    roles: [],
    workspaces: [],
  };
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signed = `${encoded({ alg: 'ES256', kid: keyId, typ: TYPE })}.${encoded(claims)}`;
  const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return [
    { what: 'a forged assertion', token: `${signed}.${signature.toString('base64url')}` },
    { what: 'an unsigned assertion', token: `${encoded({ alg: 'none', typ: TYPE })}.${encoded(claims)}.` },
  ];
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
