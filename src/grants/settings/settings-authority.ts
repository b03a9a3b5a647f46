// What the control API calls to settle a tenant's settings and to press its switch. As in grant-authority.ts, each call
// returns when it is true for traffic: committed, out of the cache, and whatever is in flight without standing under the
// new settings is over. Settings that other processes change are enforced here as they become known. Cold.
import type { Actor, Grant } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import type { Log } from '#model/log.ts';
import type { AccessSwitchStore, SwitchOutcome, SwitchWish } from './access-switch.ts';
import { type GrantEvent, grantEvent } from '../grant-authority.ts';
import type { GrantCache } from '../grant-cache.ts';
import type { GrantEnforcer, TenantEnforcer } from '../grant-lookup.ts';
import type { SettingsChange, SettingsOutcome, SettingsStore, StoredSettings } from './settings-store.ts';
import type { ChangeSource } from '../store-change.ts';
import type { TenantViews } from '../tenant-view.ts';

/** Shaped as the journal's lifecycle events; the details say which keys were changed, never to what. */
export interface SettingsEvent {
  readonly event: 'settings.changed';
  readonly tenant: string;
  readonly grant: null;
  readonly actor: GrantEvent['actor'];
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

export interface SettingsAuthorityDeps {
  readonly settings: SettingsStore;
  readonly accessSwitch: AccessSwitchStore;
  readonly views: TenantViews;
  readonly cache: Pick<GrantCache, 'invalidate' | 'dropAll'>;
  readonly enforcer: GrantEnforcer & TenantEnforcer;
  /** Of the whole store: settings are picked out of it. */
  readonly changes: ChangeSource;
  /** Tenants that exchanges are bound to now: looked at again after a gap in the change feed. */
  readonly tenantsInUse: () => Iterable<TenantId>;
  /** Called after enforcement, never waited for; must not throw. */
  readonly onEvent: (event: GrantEvent | SettingsEvent) => void;
  readonly log: Log;
}

export interface SettingsAuthority extends Disposable {
  read(tenant: TenantId): Promise<StoredSettings>;
  /** Rejects with GrantRefusal or STORE_UNAVAILABLE; nothing was done then. */
  change(change: SettingsChange, by: Actor): Promise<SettingsOutcome>;
  /** The same; repeated, it enforces again, so that a caller whose first call failed half-way can heal it. */
  switchAccess(tenant: TenantId, wish: SwitchWish, by: Actor): Promise<SwitchOutcome>;
}

/** Follows the store's change feed until disposed of. */
export function createSettingsAuthority(deps: SettingsAuthorityDeps): SettingsAuthority {
  const { settings, accessSwitch, cache, enforcer, onEvent } = deps;
  const follower = followSettings(deps);
  return {
    read: (tenant) => settings.read(tenant),
    async change(change, by) {
      const outcome = await settings.change(change, by);
      const { tenant } = change;
      cache.invalidate(tenant);
      for (const grant of outcome.revoked) enforcer.grantRevoked(grant);
      enforcer.tenantChanged(tenant, outcome.view);
      if (outcome.changed) onEvent(settingsEvent(change, outcome, by));
      for (const grant of outcome.revoked) onEvent(grantEvent('grant.revoked', grant, by));
      return outcome;
    },
    async switchAccess(tenant, wish, by) {
      const outcome = await accessSwitch.set(tenant, wish, by);
      const { grant, operation } = outcome;
      cache.invalidate(tenant);
      if (grant === null) return outcome;
      enforce(enforcer, grant);
      if (operation !== 'unchanged') onEvent(grantEvent(`grant.${operation}`, grant, by));
      return outcome;
    },
    [Symbol.dispose]() {
      follower[Symbol.dispose]();
    },
  };
}

function enforce(enforcer: GrantEnforcer, grant: Grant): void {
  if (grant.revokedAt !== null) enforcer.grantRevoked(grant);
  else enforcer.grantChanged(grant);
}

function settingsEvent(
  { tenant, patch }: SettingsChange,
  { settings, revoked }: SettingsOutcome,
  by: Actor,
): SettingsEvent {
  const person = by.onBehalfOf ?? by;
  const { revision, effective } = settings;
  return {
    event: 'settings.changed',
    tenant,
    grant: null,
    actor: {
      kind: by.kind === 'service' && by.onBehalfOf === null ? 'service' : 'customer',
      id: person.id,
      issuer: by.issuer,
      email: person.email,
      name: person.name,
    },
    details: {
      part: patch.part,
      revision,
      keys: Object.keys(patch.values).toSorted().join(' '),
      class: effective.class,
      suspended: effective.suspended,
      revoked: revoked.length,
    },
  };
}

const RETRY_MS = 1000;

/**
 * Other processes' changes: out of the cache at once, then enforced with what the store says now. A tenant that cannot be
 * read stays in doubt and is looked at again until it can: new requests are refused by the store's fault meanwhile.
 */
function followSettings(deps: SettingsAuthorityDeps): Disposable {
  const { views, cache, enforcer, changes, tenantsInUse, log } = deps;
  const inDoubt = new Set<TenantId>();
  let retry: NodeJS.Timeout | undefined;
  let stopped = false;

  async function settle(): Promise<void> {
    for (const tenant of inDoubt) {
      try {
        const view = await views.tenantView(tenant);
        if (stopped) return;
        inDoubt.delete(tenant);
        enforcer.tenantChanged(tenant, view);
      } catch {
        if (stopped) return;
        // An earlier reading may have taken it out meanwhile, with what held before this change.
        inDoubt.add(tenant);
        log.warn({}, 'settings that changed elsewhere cannot be read; trying again');
        clearTimeout(retry);
        retry = setTimeout(() => void settle(), RETRY_MS);
        retry.unref();
        return;
      }
    }
  }

  const watching = changes.watch(
    ({ kind, tenant, elsewhere }) => {
      if (kind !== 'settings' || tenant === null) return;
      cache.invalidate(tenant);
      if (!elsewhere) return;
      inDoubt.add(tenant);
      void settle();
    },
    () => {
      cache.dropAll();
      for (const tenant of tenantsInUse()) inDoubt.add(tenant);
      void settle();
    },
  );
  return {
    [Symbol.dispose]() {
      stopped = true;
      clearTimeout(retry);
      watching[Symbol.dispose]();
    },
  };
}
