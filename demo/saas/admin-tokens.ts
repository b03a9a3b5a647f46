// The help desk vouches for its customers' admins: short-lived JWTs that Postern's control API accepts because the
// help desk is one of its configured `customers` issuers. The private key never leaves this process.
import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { CustomerActor } from './identity.ts';

/** Enough for one call of the settings page. */
const LIFETIME_SECONDS = 300;

export interface AdminTokens {
  /** JSON Web Key Set (RFC 7517) for `/.well-known/jwks.json`. */
  readonly jwks: object;
  /** For one user of one tenant; five minutes, unless told otherwise. */
  sign(user: CustomerActor, lifetimeSeconds?: number): Promise<string>;
}

export async function createAdminTokens(options: {
  readonly issuer: string;
  readonly audience: string;
}): Promise<AdminTokens> {
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const kid = randomUUID();
  const jwk = await exportJWK(publicKey);
  return {
    jwks: { keys: [{ ...jwk, kid, alg: 'ES256', use: 'sig' }] },
    sign: (user, lifetimeSeconds = LIFETIME_SECONDS) =>
      new SignJWT({
        org_id: user.tenant,
        is_admin: user.role === 'admin',
        name: user.name,
        email: user.email,
        email_verified: true,
      })
        .setProtectedHeader({ alg: 'ES256', kid })
        .setIssuer(options.issuer)
        .setAudience(options.audience)
        .setSubject(user.id)
        .setJti(randomUUID())
        .setIssuedAt()
        .setExpirationTime(`${lifetimeSeconds}s`)
        .sign(privateKey),
  };
}
