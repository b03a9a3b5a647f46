// Whether a tenant's door is open, until when and how wide: for the tenant's admin over all grants, for a member of
// staff over those that cover them. What a class gives by itself (trial accounts) is open too; the standing tier, which is
// there whether anybody opens or not, is none of it. Pure and cold.
import type { EpochMs } from '#model/clock.ts';
import { type Access, type Grant, grantCovers, grantStatusAt } from '#model/grant.ts';
import type { Principal } from '#model/principal.ts';
import type { TenantView } from '#model/tenant-settings.ts';
import { formatInstant } from './instants.ts';

export interface TenantStatus {
  readonly open: boolean;
  /** The latest end; null when closed, and when something is open without an end. */
  readonly openUntil: string | null;
  /** The widest access of what is open; null when closed. */
  readonly access: Access | null;
}

export function tenantStatus(view: TenantView, now: EpochMs, covering: Principal | null): TenantStatus {
  let end: EpochMs | null = 0 as EpochMs;
  let access: Access | null = null;
  for (const grant of opening(view)) {
    if (grantStatusAt(grant, now) !== 'active') continue;
    if (covering !== null && !grantCovers(grant, covering)) continue;
    if (access !== 'write') access = grant.access;
    end = end === null || grant.expiresAt === null ? null : (Math.max(end, grant.expiresAt) as EpochMs);
  }
  if (access === null) return { open: false, openUntil: null, access: null };
  return { open: true, openUntil: end === null ? null : formatInstant(end), access };
}

/** Nothing where the customer has suspended support, whatever they gave before. */
function opening({ grants, settings, standing }: TenantView): readonly Grant[] {
  if (settings.suspended) return [];
  return settings.systemAccess === null ? grants : [...grants, ...standing];
}
