// Everything that is kept with grants, over the one store: settings, grants, requests, sessions, notices, and what of it
// stands in memory for the gate. Guarantees: nothing here asks the store before it is asked itself, so that a store that
// is away does not stop the start; what was opened is closed before the store is. Cold.
import type { Config } from '#config/config.ts';
import { createGrantCache, type GrantCache, type GrantCacheDeps } from '#grants/grant-cache.ts';
import type { IdempotencyStore } from '#grants/idempotency-store.ts';
import { type AccessSwitchStore } from '#grants/settings/access-switch.ts';
import type { SettingsStore } from '#grants/settings/settings-store.ts';
import { createAccessSwitch } from '#grants/sqlite/access-switch.ts';
import { grantStoreOn, type SqliteGrantStore } from '#grants/sqlite/grant-store.ts';
import { createGrantWrites } from '#grants/sqlite/grant-writes.ts';
import { createIdempotentCore } from '#grants/sqlite/idempotency-store.ts';
import { createRequestStore, type SqliteRequestStore } from '#grants/sqlite/request-store.ts';
import { createSessionStore } from '#grants/sqlite/session-store.ts';
import { createSettingsSource, type SettingsSource } from '#grants/sqlite/settings-source.ts';
import { createSettingsStore } from '#grants/sqlite/settings-store.ts';
import { createStoreCore, type StoreCore } from '#grants/sqlite/store-core.ts';
import { createTenantViews, createViewReader } from '#grants/sqlite/tenant-view.ts';
import type { StaffIssuer } from '#grants/staff-reach.ts';
import { standingGrants } from '#grants/standing-grants.ts';
import type { TenantViews } from '#grants/tenant-view.ts';
import type { Clock } from '#model/clock.ts';
import type { Log } from '#model/log.ts';
import { createSessionCache, type SessionCache } from '#sessions/session-cache.ts';
import type { SessionStore } from '#sessions/session-store.ts';
import { type Notices, openNotices } from './compose-notify.ts';

export interface AccessStart {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly cacheObserver: GrantCacheDeps['observer'];
}

export interface Access {
  /** Every part of the store stands on this one. */
  readonly core: StoreCore;
  readonly settingsOf: SettingsSource;
  readonly grants: SqliteGrantStore;
  readonly settings: SettingsStore;
  readonly accessSwitch: AccessSwitchStore;
  readonly requests: SqliteRequestStore;
  readonly sessions: SessionStore;
  readonly idempotency: IdempotencyStore;
  readonly views: TenantViews;
  readonly cache: GrantCache;
  readonly sessionCache: SessionCache;
  readonly notices: Notices;
}

export function openAccess(start: AccessStart, opened: AsyncDisposableStack): Access {
  const { config, clock, log, cacheObserver } = start;
  const { settings: defaults, store: place, cache: bounds } = config.grants;
  const { core, idempotency } = createIdempotentCore(createStoreCore({ path: place.sqlite.path, clock }));
  opened.defer(() => core.close());
  const settingsOf = createSettingsSource(defaults);
  const { lead: leadGroups } = config.identity.roles;
  const writes = createGrantWrites(settingsOf, staffIssuers(config.identity), leadGroups);
  const view = { settingsOf, standingGrants };
  const viewOf = createViewReader(view);
  const views = createTenantViews(core, view);
  const sessions: SessionStore = createSessionStore(core, view);
  const { maxEntries, ttlMs } = bounds;
  const sessionCache = createSessionCache({ store: sessions, clock, maxEntries, ttlMs, log });
  opened.use(sessionCache);
  const { dangerouslyAllowPrivateWebhooks } = config.notify;
  return {
    core,
    settingsOf,
    grants: grantStoreOn(core, writes, settingsOf),
    settings: createSettingsStore(core, {
      rules: { defaults, dangerouslyAllowHttpWebhooks: dangerouslyAllowPrivateWebhooks },
      writes,
      viewOf,
    }),
    accessSwitch: createAccessSwitch(core, { writes, viewOf }),
    requests: createRequestStore(core, { settingsOf, writes, leadGroups }),
    sessions,
    idempotency,
    views,
    cache: createGrantCache({
      views,
      clock,
      ...bounds,
      ...(cacheObserver === undefined ? {} : { observer: cacheObserver }),
    }),
    sessionCache,
    notices: openNotices({ config: config.notify, core, settings: settingsOf, clock, log }, opened),
  };
}

function staffIssuers({ support }: Config['identity']): readonly StaffIssuer[] {
  return support.map(({ issuer, org }) => ({ issuer, orgs: 'value' in org ? [org.value] : org.oneOf }));
}
