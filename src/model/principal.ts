// Who is asking: the authenticated support person or service, and the credential that proved it.
// Made by authn after verification; everyone else may trust it until `expiresAt`.
import type { EpochMs } from './clock.ts';

export interface Principal {
  /** The identity provider's stable subject; unique only together with `issuer`. */
  readonly id: string;
  readonly issuer: string;
  /** Null where the provider did not say, or said that it is not verified. */
  readonly email: string | null;
  readonly name: string | null;
  readonly groups: readonly string[];
  /** Pinned by configuration to the issuer, never a free claim. */
  readonly org: string;
}

/** A verified credential. Frozen; shared by every request that carries the same token. */
export interface Credential {
  readonly principal: Principal;
  /** The key that signed it: when that key is withdrawn, so is the credential. */
  readonly keyId: string;
  readonly expiresAt: EpochMs;
}

/** One human under two issuers is one actor: same (issuer, id), or same verified email, case folded. */
export function isSamePerson(
  a: { readonly id: string; readonly issuer: string; readonly email: string | null },
  b: { readonly id: string; readonly issuer: string; readonly email: string | null },
): boolean {
  if (a.id === b.id && a.issuer === b.issuer) return true;
  return a.email !== null && b.email !== null && a.email.toLowerCase() === b.email.toLowerCase();
}
