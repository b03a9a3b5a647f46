// The contract of the authn room on the control listener: an Authorization header in, who is calling or a
// denial out. It says who somebody is and what the configuration lets them be, never what a call allows.
// Not hot: a handful of calls per second at most.
import type { TenantId } from '#model/ids.ts';
import type { Principal } from '#model/principal.ts';
import type { Denial } from '#model/verdict.ts';

/** A person of one customer, vouched for by a token that the SaaS signed. Frozen. */
export interface CustomerIdentity {
  readonly kind: 'customer';
  readonly issuer: string;
  /** The SaaS's stable id of the user; unique only together with `issuer`. */
  readonly id: string;
  /** Null where the token does not say, or says that it is not verified. */
  readonly email: string | null;
  readonly name: string | null;
  /** The only tenant this caller may speak for. Any other is somebody else's. */
  readonly tenant: TenantId;
  /** True only for the JSON value `true` in the configured claim. */
  readonly admin: boolean;
  /** May be empty. As the token lists them, without duplicates. */
  readonly permissions: readonly string[];
  /** May be empty. As the token lists them, without duplicates. */
  readonly products: readonly string[];
}

/** The vendor-side duties that `identity.roles` gives to groups. */
export type StaffRole = 'lead' | 'security';

/** Somebody of the support staff, by a token for the control API (`controlAudience`). Frozen. */
interface StaffIdentity {
  readonly kind: 'staff';
  readonly principal: Principal;
  /** Of the key that signed the token. */
  readonly keyId?: string;
  /** May be empty: most of the staff have no duty. */
  readonly roles: readonly StaffRole[];
}

/** A program that holds a key of `identity.services`. Frozen. */
export interface ServiceIdentity {
  readonly kind: 'service';
  readonly name: string;
  /** As configured (`tenants`, `grants`, …); may be empty. */
  readonly may: readonly string[];
}

export type ControlIdentity = CustomerIdentity | StaffIdentity | ServiceIdentity;

export interface ControlAuthenticator {
  /**
   * `authorizationHeader` is the value as received, scheme included; the caller has refused a second one.
   * Denies with `no_credential` (absent, or not one `Bearer` credential), `issuer_unknown`,
   * `credential_invalid`, `credential_expired`, `groups_overage`, `not_support_principal`,
   * `keys_unavailable`; never throws or rejects.
   */
  authenticate(authorizationHeader: string | undefined): Promise<ControlIdentity | Denial>;
}
