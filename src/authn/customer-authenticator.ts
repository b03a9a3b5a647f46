// Who calls the control API: a customer's person, somebody of the support staff, or a service. Guarantees that a
// token for the data listener is nobody here, and the reverse, by their audiences. Nothing is cached: each call is
// verified. Not hot.
import type { Clock } from '#model/clock.ts';
import type { Principal } from '#model/principal.ts';
import type { JsonObject } from '#model/strict-json.ts';
import type { Denial } from '#model/verdict.ts';
import { readCustomer, readPrincipal } from './claims.ts';
import type { ControlAuthenticator, ControlIdentity, StaffRole } from './control-authenticator.ts';
import { DENIED } from './denials.ts';
import { type KeySets, keySetOf } from './key-sets.ts';
import {
  byIssuer,
  checkCustomerIssuer,
  checkSupportIssuer,
  type CustomerIssuer,
  type CustomerIssuerOptions,
  type SupportIssuer,
  type SupportIssuerOptions,
} from './options.ts';
import { createServiceKeys, SERVICE_KEY_PREFIX, type ServiceOptions } from './service-keys.ts';
import { readToken } from './token-parts.ts';
import { createTokenVerifier, type TokenVerifier } from './token-verifier.ts';

/** The vendor-side duties: a person holds one who is in any of its groups. */
interface RoleOptions {
  readonly lead?: readonly string[] | undefined;
  readonly security?: readonly string[] | undefined;
  /**
   * Names of the support issuers whose groups count. Default: only the first support issuer, for a partner's
   * provider must not make anybody the vendor's security by naming a group so.
   */
  readonly issuers?: readonly string[] | undefined;
}

export interface ControlAuthenticatorDeps {
  /** Those with a `controlAudience` can use the control API. */
  readonly support: readonly SupportIssuerOptions[];
  readonly customers: readonly CustomerIssuerOptions[];
  readonly services: readonly ServiceOptions[];
  readonly roles?: RoleOptions | undefined;
  /** Must hold every issuer; closed by whoever made it. */
  readonly keySets: KeySets;
  readonly clock: Clock;
}

interface Realm {
  readonly verify: TokenVerifier;
  readonly read: (claims: JsonObject, keyId: string) => ControlIdentity | Denial;
}

/** RFC 9110 section 11.4 and RFC 6750 section 2.1: the scheme in any case, one token, nothing behind it. */
const BEARER = /^bearer +([A-Za-z0-9._~+/-]+=*)$/i;
const MAX_HEADER_LENGTH = 17_000;

/** Throws a TypeError that names the issuer or service for a wrong option. */
export function createControlAuthenticator(deps: ControlAuthenticatorDeps): ControlAuthenticator {
  const realms = realmsOf(deps);
  const serviceOf = createServiceKeys(deps.services);
  return {
    async authenticate(header) {
      if (header === undefined || header.length > MAX_HEADER_LENGTH) return DENIED.noCredential;
      const token = BEARER.exec(header)?.[1];
      if (token === undefined) return DENIED.noCredential;
      if (token.startsWith(SERVICE_KEY_PREFIX)) return serviceOf(token) ?? DENIED.serviceKey;
      const parts = readToken(token);
      if ('reason' in parts) return parts;
      const realm = realms.get(parts.issuer);
      if (realm === undefined) return DENIED.issuerUnknown;
      const verified = await realm.verify(token, parts);
      return 'reason' in verified ? verified : realm.read(verified.claims, verified.key.keyId);
    },
  };
}

function realmsOf(deps: ControlAuthenticatorDeps): ReadonlyMap<string, Realm> {
  const support = deps.support.map(checkSupportIssuer);
  const customers = deps.customers.map(checkCustomerIssuer);
  byIssuer<SupportIssuer | CustomerIssuer>([...support, ...customers]);
  const rolesOf = createRoles(support, deps.roles ?? {});
  const realms = new Map<string, Realm>();
  for (const issuer of support) {
    if (issuer.controlAudience === null) continue;
    const verify = verifierFor(deps, issuer, issuer.controlAudience);
    realms.set(issuer.issuer, {
      verify,
      read(claims, keyId) {
        const principal = readPrincipal(issuer, claims);
        if ('reason' in principal) return principal;
        return Object.freeze({ kind: 'staff', principal, keyId, roles: rolesOf(principal) });
      },
    });
  }
  for (const issuer of customers) {
    const verify = verifierFor(deps, issuer, issuer.audience);
    realms.set(issuer.issuer, { verify, read: (claims) => readCustomer(issuer, claims) });
  }
  return realms;
}

function verifierFor(
  deps: ControlAuthenticatorDeps,
  issuer: SupportIssuer | CustomerIssuer,
  audience: string,
): TokenVerifier {
  return createTokenVerifier({ issuer, audience, keys: keySetOf(deps.keySets, issuer), clock: deps.clock });
}

function createRoles(
  support: readonly SupportIssuer[],
  options: RoleOptions,
): (principal: Principal) => readonly StaffRole[] {
  const names = options.issuers ?? support.slice(0, 1).map(({ name }) => name);
  for (const name of names) {
    if (support.some((issuer) => issuer.name === name)) continue;
    throw new TypeError(`roles.issuers: no support issuer is called ${JSON.stringify(name)}`);
  }
  const issuers = new Set(support.filter(({ name }) => names.includes(name)).map(({ issuer }) => issuer));
  const groups: Record<StaffRole, readonly string[]> = {
    lead: options.lead ?? [],
    security: options.security ?? [],
  };
  const all: readonly StaffRole[] = ['lead', 'security'];
  return (principal) => {
    if (!issuers.has(principal.issuer)) return Object.freeze([]);
    return Object.freeze(
      all.filter((role) => groups[role].some((group) => principal.groups.includes(group))),
    );
  };
}
