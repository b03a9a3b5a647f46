// Assertions that Postern did not make, as an attacker would who has seen one: with everything that the gate says, signed by
// a key made for it and thrown away, under the gate's own key id, and not signed at all. Guarantees: no secret of the
// configuration is used. What the gate says is compared with this by a test. Cold.
import { generateKeyPairSync, randomUUID, sign } from 'node:crypto';
import type { AssertionConfig } from '#config/config.ts';

const TYPE = 'postern-assertion+jwt';
const NAME = 'postern-doctor';
const ID = '01K00000000000000000000000';

export interface Forgery {
  /** With its article, for a sentence. */
  readonly what: string;
  readonly token: string;
}

/** What the gate's key is known by, which anybody can read at the gate. */
export interface KnownKey {
  readonly kid: string;
  readonly alg: 'ES256' | 'EdDSA';
}

export interface ForgeryOptions {
  readonly assertion: Pick<AssertionConfig, 'issuer' | 'audience' | 'lifetimeMs'>;
  readonly key: KnownKey;
  /** The identity provider and the organisation of the support people. */
  readonly who: { readonly issuer: string; readonly org: string };
  /** Null: not known, so one is made up. */
  readonly tenant: string | null;
}

/** The signed one, then the unsigned one. */
export function forgeriesOf(options: ForgeryOptions): readonly Forgery[] {
  const { kid, alg } = options.key;
  const claims = encoded(claimsOf(options));
  const signed = `${encoded({ alg, kid, typ: TYPE })}.${claims}`;
  const unsigned = `${encoded({ alg: 'none', kid, typ: TYPE })}.${claims}`;
  return [
    { what: 'a forged assertion', token: `${signed}.${signatureOf(signed, alg)}` },
    { what: 'an unsigned assertion', token: `${unsigned}.` },
  ];
}

/**
 * All but `actAs`: a user of the customer's that is made up would be looked up and not found, which would pass for a
 * check, and the gate's own assertions have none where the grant names none.
 */
function claimsOf({ assertion, who, tenant }: ForgeryOptions): object {
  const iat = Math.floor(Date.now() / 1000);
  return {
    iss: assertion.issuer,
    aud: assertion.audience,
    iat,
    exp: iat + Math.floor(assertion.lifetimeMs / 1000),
    jti: randomUUID(),
    sub: NAME,
    idp: who.issuer,
    org: who.org,
    email: `${NAME}@example.com`,
    name: NAME,
    tenant: tenant ?? NAME,
    grant: { id: `grt_${ID}`, revision: 1 },
    access: 'read',
    roles: [],
    workspaces: [],
    caseRef: NAME,
    session: `ses_${ID}`,
  };
}

function signatureOf(text: string, alg: KnownKey['alg']): string {
  const bytes = Buffer.from(text);
  const signature =
    alg === 'EdDSA'
      ? sign(null, bytes, generateKeyPairSync('ed25519').privateKey)
      : sign('sha256', bytes, {
          key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey,
          dsaEncoding: 'ieee-p1363',
        });
  return signature.toString('base64url');
}

function encoded(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
