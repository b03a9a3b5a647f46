// The vendor's own stop: no grant, standing tier or session overrides it. Pure rules of whom a lock is about.
// Hot: `lockFor` runs once per request over the few locks there are; usually none.
import { caseKey } from './case-pattern.ts';
import type { EpochMs } from './clock.ts';
import type { Actor } from './grant.ts';
import type { TenantId } from './ids.ts';
import { mailboxOf } from './mail-address.ts';
import type { Principal } from './principal.ts';

/** A principal by (issuer, id) or by verified email: one human under two issuers is one actor. */
export type LockTarget =
  | {
      readonly kind: 'principal';
      readonly issuer: string;
      readonly id: string;
      readonly email: string | null;
    }
  | { readonly kind: 'tenant'; readonly tenant: TenantId }
  /** With `tenant` null: this case wherever it is. */
  | { readonly kind: 'case'; readonly caseRef: string; readonly tenant: TenantId | null }
  | { readonly kind: 'everything' };

export interface Lock {
  readonly id: string;
  readonly target: LockTarget;
  /** Shown to whoever is stopped. */
  readonly message: string | null;
  readonly createdAt: EpochMs;
  readonly createdBy: Actor;
  /** Null: until it is lifted. */
  readonly endsAt: EpochMs | null;
  readonly liftedAt: EpochMs | null;
  readonly liftedBy: Actor | null;
}

/** Whom a request concerns, as far as is known at that point: null matches no lock of that kind. */
export interface Locked {
  readonly principal: Principal | null;
  readonly tenant: TenantId | null;
  readonly caseRef: string | null;
}

export function lockHoldsAt({ endsAt, liftedAt }: Lock, now: EpochMs): boolean {
  return liftedAt === null && (endsAt === null || now < endsAt);
}

export function lockConcerns({ target }: Lock, { principal, tenant, caseRef }: Locked): boolean {
  switch (target.kind) {
    case 'everything':
      return true;
    case 'tenant':
      return target.tenant === tenant;
    case 'case':
      return (
        caseRef !== null &&
        caseKey(target.caseRef) === caseKey(caseRef) &&
        (target.tenant === null || target.tenant === tenant)
      );
    case 'principal':
      return principal !== null && isTarget(target, principal);
  }
}

function isTarget(target: Extract<LockTarget, { kind: 'principal' }>, principal: Principal): boolean {
  if (target.issuer === principal.issuer && target.id === principal.id) return true;
  return (
    target.email !== null &&
    principal.email !== null &&
    mailboxOf(target.email) === mailboxOf(principal.email)
  );
}

/** The first lock that holds and concerns the request; null for none. */
export function lockFor(locks: readonly Lock[], subject: Locked, now: EpochMs): Lock | null {
  for (const lock of locks) if (lockHoldsAt(lock, now) && lockConcerns(lock, subject)) return lock;
  return null;
}
