// The tenants' grants and settings in memory: bounded, short-lived, one load per tenant at a time. Hot: a hit is one
// map lookup and one comparison, without a promise. What is cached is believed only for what it says, never for how
// long it holds: status is asked of the clock at each use. Entries are keyed by the tenant's id alone.
import { LRUCache } from 'lru-cache';
import type { Clock } from '#model/clock.ts';
import { PosternError, storeFault } from '#model/fault.ts';
import type { Grant } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import type { TenantSettings, TenantView } from '#model/tenant-settings.ts';
import type { CachedGrants, GrantLookup } from './grant-lookup.ts';
import type { TenantViews } from './tenant-view.ts';

export interface GrantCacheDeps {
  readonly views: TenantViews;
  readonly clock: Pick<Clock, 'monotonic'>;
  /** Tenants, not grants. */
  readonly maxEntries: number;
  readonly ttlMs: number;
  /** For a tenant where nobody may enter: short, so that a grant made elsewhere is soon seen. */
  readonly negativeTtlMs: number;
  readonly observer?: GrantCacheObserver;
}

/** One call per lookup; who shares a load that another began counts as a miss. */
interface GrantCacheObserver {
  hit(): void;
  miss(): void;
  error(): void;
}

export interface GrantCache extends GrantLookup {
  /** After a commit: the entry is gone and no load begun before this call may bring it back. */
  invalidate(tenant: TenantId): void;
  readonly size: number;
}

/** Every load that an invalidation overtook is begun again; this often, then the tenant is busier than its store. */
const MAX_RELOADS = 8;

class CacheEntry implements CachedGrants {
  readonly grants: readonly Grant[];
  readonly settings: TenantSettings;
  readonly standing: readonly Grant[];
  readonly loadedAt: number;
  readonly freshUntil: number;

  constructor({ grants, settings, standing }: TenantView, loadedAt: number, freshUntil: number) {
    this.grants = grants;
    this.settings = settings;
    this.standing = standing;
    this.loadedAt = loadedAt;
    this.freshUntil = freshUntil;
    Object.freeze(this);
  }
}

/** A load on its way; compared by identity with the one that may fill the entry. */
interface Flight {
  result: Promise<CachedGrants> | null;
}

/** Throws a RangeError for sizes and times that are not positive whole numbers. */
export function createGrantCache(deps: GrantCacheDeps): GrantCache {
  const { views, clock, maxEntries, ttlMs, negativeTtlMs, observer } = deps;
  assertPositive({ maxEntries, ttlMs, negativeTtlMs });
  const entries = new LRUCache<TenantId, CacheEntry>({ max: maxEntries });
  /** The load that may fill the entry. An invalidation takes it out, so that it fills nothing any more. */
  const flights = new Map<TenantId, Flight>();

  function load(tenant: TenantId, reloads: number): Promise<CachedGrants> {
    const running = flights.get(tenant)?.result;
    if (running !== undefined && running !== null) return running;
    const flight: Flight = { result: null };
    flights.set(tenant, flight);
    flight.result = read(tenant, flight, reloads);
    return flight.result;
  }

  async function read(tenant: TenantId, flight: Flight, reloads: number): Promise<CachedGrants> {
    const loadedAt = clock.monotonic();
    let view: TenantView;
    try {
      view = await views.tenantView(tenant);
    } catch (error) {
      if (flights.get(tenant) === flight) flights.delete(tenant);
      observer?.error();
      throw storeFault(error, 'the grants and settings of a tenant could not be read');
    }
    if (flights.get(tenant) !== flight) return readAgain(tenant, reloads);
    flights.delete(tenant);
    const isOpen = view.grants.length > 0 || view.standing.length > 0;
    const entry = new CacheEntry(view, loadedAt, loadedAt + (isOpen ? ttlMs : negativeTtlMs));
    entries.set(tenant, entry);
    return entry;
  }

  /** Whoever waited for an overtaken load must not be answered with what it read: it may hold a revoked grant. */
  function readAgain(tenant: TenantId, reloads: number): CachedGrants | Promise<CachedGrants> {
    const newer = entries.get(tenant);
    if (newer !== undefined) return newer;
    if (reloads < MAX_RELOADS) return load(tenant, reloads + 1);
    observer?.error();
    throw new PosternError('STORE_UNAVAILABLE', 'grants changed faster than they could be read');
  }

  return {
    grantsOf(tenant) {
      const entry = entries.get(tenant);
      if (entry !== undefined && clock.monotonic() < entry.freshUntil) {
        observer?.hit();
        return entry;
      }
      observer?.miss();
      return load(tenant, 0);
    },
    invalidate(tenant) {
      entries.delete(tenant);
      flights.delete(tenant);
    },
    dropAll() {
      entries.clear();
      flights.clear();
    },
    get size() {
      return entries.size;
    },
  };
}

function assertPositive(values: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(values)) {
    if (!Number.isSafeInteger(value) || value <= 0)
      throw new RangeError(`${name} must be a positive whole number`);
  }
}
