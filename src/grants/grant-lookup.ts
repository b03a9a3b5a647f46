// The contract for the gateway: the tenant's grants, from the cache when they are there.
// Guarantees: what was loaded before a change is not answered after it. Hot.
import type { Grant } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import type { TenantView } from '#model/tenant-settings.ts';

/** One cache entry. Frozen; shared by every request of the tenant until it is dropped or too old. */
export interface CachedGrants extends TenantView {
  /** By the monotonic clock, when the load began. */
  readonly loadedAt: number;
}

export interface GrantLookup {
  /** Synchronous on a hit; otherwise one shared load per tenant. Rejects with STORE_UNAVAILABLE. */
  grantsOf(tenant: TenantId): CachedGrants | Promise<CachedGrants>;
  /** Drops everything: after a gap in the change feed, or a jump of the clock. */
  dropAll(): void;
}

/**
 * How a change to a grant becomes true for traffic in flight. `grants/grant-authority.ts` calls it after the
 * commit and after the cache entry is gone, and returns to its caller only when it has returned.
 */
export interface GrantEnforcer {
  /** Revoked: every exchange bound to the grant ends now. */
  grantRevoked(grant: Grant): void;
  /** Changed: an exchange ends when the new revision no longer allows it (narrowed, shortened). */
  grantChanged(grant: Grant): void;
}

/** How a change of a tenant's settings becomes true for traffic in flight; called as `GrantEnforcer` is. */
export interface TenantEnforcer {
  /**
   * The settings, or what stands without a grant, are now as `view` says: an exchange ends when that no longer allows it
   * (suspended, class changed, standing access lost, a session now required).
   */
  tenantChanged(tenant: TenantId, view: TenantView): void;
}
