// Both issuers of the run: the vendor's workforce and the application that vouches for its customers' admins.
// Keys are made here and now (ES256); Postern gets the public halves as files.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

export const WORKFORCE = {
  issuer: 'https://idp.vendor.test',
  audience: 'postern',
  controlAudience: 'postern-control',
};
export const APPLICATION = { issuer: 'https://app.unleash.test', audience: 'postern-control' };
export const STAFF = { id: 'staff-7', email: 'sam@vendor.test', name: 'Sam Support' };

export interface IdentityProvider {
  readonly workforceKeys: string;
  readonly applicationKeys: string;
  /** A member of the support staff, for the data listener or the control API. */
  staffToken(audience: string): Promise<string>;
  /** An admin of one customer. */
  adminToken(tenant: string): Promise<string>;
}

async function makeIssuer(issuer: string, file: string): Promise<(claims: JWTPayload) => Promise<string>> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const kid = `${new URL(issuer).hostname}-1`;
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' };
  writeFileSync(file, JSON.stringify({ keys: [jwk] }));
  return (claims) =>
    new SignJWT(claims)
      .setProtectedHeader({ alg: 'ES256', kid, typ: 'JWT' })
      .setIssuer(issuer)
      .setIssuedAt()
      .setExpirationTime('15m')
      .sign(privateKey);
}

/** Writes both key sets into `folder`. */
export async function startIdentityProvider(folder: string): Promise<IdentityProvider> {
  const workforceKeys = join(folder, 'workforce.jwks.json');
  const applicationKeys = join(folder, 'application.jwks.json');
  const signWorkforce = await makeIssuer(WORKFORCE.issuer, workforceKeys);
  const signApplication = await makeIssuer(APPLICATION.issuer, applicationKeys);
  return {
    workforceKeys,
    applicationKeys,
    staffToken: (aud) =>
      signWorkforce({
        sub: STAFF.id,
        aud,
        email: STAFF.email,
        name: STAFF.name,
        email_verified: true,
        groups: ['support'],
      }),
    adminToken: (tenant) =>
      signApplication({
        sub: 'customer-1',
        aud: APPLICATION.audience,
        email: 'ada@acme.example.com',
        email_verified: true,
        name: 'Ada Admin',
        org_id: tenant,
        is_admin: true,
      }),
  };
}
