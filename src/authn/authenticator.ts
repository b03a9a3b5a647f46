// The contract of the authn room on the data listener: a bearer token in, a credential or a denial out.
// Hot: a token seen before is answered synchronously from a bounded cache keyed by its full string.
import type { Credential } from '#model/principal.ts';
import type { Denial } from '#model/verdict.ts';

export type AuthenticationResult = Credential | Denial;

export interface Authenticator {
  /**
   * `token` is what stood behind `Bearer `. Denies with `issuer_unknown`, `credential_invalid`,
   * `credential_expired`, `groups_overage`, `not_support_principal`, `keys_unavailable`; never throws or
   * rejects. Expiry is checked against the clock at every call, cached or not.
   */
  authenticate(token: string): AuthenticationResult | Promise<AuthenticationResult>;
  /** Whether a token is a support credential, however malformed the rest: ours to refuse, never to pass on. */
  isSupportCredential(token: string): boolean;
  /**
   * Null while a key of this id stands in the issuer's set and may be believed; else the denial. For credentials that were
   * derived from a token: a browser's cookie.
   */
  refusalOfKey(issuer: string, keyId: string): Denial | null;
  /** Called when a signing key was withdrawn: every credential with this issuer and key id is dead. */
  onKeyWithdrawn(listener: (issuer: string, keyId: string) => void): Disposable;
}
