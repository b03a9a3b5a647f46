// What the gate's cache loads of a tenant: its grants, its settings and what stands without a grant, in one look, so that
// no change can come between them. A store that cannot find out throws STORE_UNAVAILABLE.
import type { EpochMs } from '#model/clock.ts';
import type { Grant } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import type { TenantSettings, TenantView } from '#model/tenant-settings.ts';

export interface TenantViews {
  /** Frozen; grants that start later may be among them. */
  tenantView(tenant: TenantId, signal?: AbortSignal): Promise<TenantView>;
}

/** What stands by the settings and no grant, the wider first; pure. */
export type StandingGrants = (tenant: TenantId, settings: TenantSettings, now: EpochMs) => readonly Grant[];
