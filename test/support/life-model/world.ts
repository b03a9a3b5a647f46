// The real thing that the model is held against: the embedded store with everything that is kept in it, the caches and
// authorities above it, and the gate's own stages, as the composition joins them. One file for every sequence; `begin`
// empties it.
import { join } from 'node:path';
import type { ControlIdentity } from '#authn/control-authenticator.ts';
import { createEmergencyAuthority } from '#grants/emergencies/emergency-authority.ts';
import { createGrantAuthority } from '#grants/grant-authority.ts';
import { createGrantCache } from '#grants/grant-cache.ts';
import { createLockAuthority } from '#grants/locks/lock-authority.ts';
import { createLockBoard } from '#grants/locks/lock-board.ts';
import { createRequestAuthority } from '#grants/requests/request-authority.ts';
import { NO_SETTINGS_DEFAULTS } from '#grants/settings/effective-settings.ts';
import { createSettingsAuthority } from '#grants/settings/settings-authority.ts';
import { createEmergencyStore } from '#grants/sqlite/emergency-store.ts';
import { grantStoreOn } from '#grants/sqlite/grant-store.ts';
import { createGrantWrites } from '#grants/sqlite/grant-writes.ts';
import { createLockStore } from '#grants/sqlite/lock-store.ts';
import { createRequestStore } from '#grants/sqlite/request-store.ts';
import { createSessionStore } from '#grants/sqlite/session-store.ts';
import { createSettingsSource } from '#grants/sqlite/settings-source.ts';
import { createStoreCore } from '#grants/sqlite/store-core.ts';
import { standingGrants } from '#grants/standing-grants.ts';
import type { Clock, EpochMs, MonotonicMs } from '#model/clock.ts';
import type { Actor, Audience, Grant } from '#model/grant.ts';
import type { GrantId, TenantId } from '#model/ids.ts';
import type { LockTarget } from '#model/lock.ts';
import type { Principal } from '#model/principal.ts';
import type { GrantorRule } from '#model/tenant-settings.ts';
import { createSessionAuthority } from '#sessions/session-authority.ts';
import { createSessionCache } from '#sessions/session-cache.ts';
import type { SessionStore } from '#sessions/session-store.ts';
import { settingsWith, temporaryFolder } from '../grants-fixtures.ts';
import { nothingToEnforce as enforcer, quietLog } from '../sessions-fixtures.ts';
import { settingsOnStore } from '../settings-on-store.ts';
import { type Account, accountNamed, isStaff, PARTNER_IDP, STAFF_IDP, type Tenant } from './actors.ts';
import { type LockedThing, MINUTE, namesIn } from './life.ts';
import { GATEWAY_IDLE_MS, GATEWAY_MAX_MS, type Settling } from './settings.ts';

const LIMITS = { idleMs: GATEWAY_IDLE_MS, maxMs: GATEWAY_MAX_MS };
const DEFAULTS = {
  ...NO_SETTINGS_DEFAULTS,
  floor: { required: false, ...LIMITS },
  classes: { trial: { systemAccess: 'write' }, gov: { excludedOrgs: ['vendor'] } },
} as const;
const ISSUERS = [
  { issuer: STAFF_IDP, orgs: ['vendor'] },
  { issuer: PARTNER_IDP, orgs: ['desk'] },
];
/** Nobody else writes to the file. */
const NEVER_POLLED_MS = 1_000_000_000;
const TABLES = [
  'grants changes tenant_settings access_requests sessions launch_links session_reports',
  'locks emergencies notices deliveries',
]
  .join(' ')
  .split(' ');

export type World = ReturnType<typeof openWorld>;

const onEvent = () => undefined;
const nobody = () => [];

export function openWorld() {
  const folder = temporaryFolder();
  const at = { now: 0 };
  const clock: Clock = { now: () => at.now as EpochMs, monotonic: () => at.now as MonotonicMs };
  const log = quietLog();
  const core = createStoreCore({ path: join(folder.path, 'life.db'), clock, pollMs: NEVER_POLLED_MS });
  const settingsOf = createSettingsSource(DEFAULTS);
  const writes = createGrantWrites(settingsOf, ISSUERS);
  const onStore = settingsOnStore(core, { writes, settingsOf, defaults: DEFAULTS });
  const bounds = { clock, maxEntries: 10, ttlMs: 30_000 };
  const cache = createGrantCache({ views: onStore.views, ...bounds, negativeTtlMs: 30_000 });
  const sessionStore: SessionStore = createSessionStore(core, { settingsOf, standingGrants });
  const sessionCache = createSessionCache({ store: sessionStore, ...bounds, flushMs: NEVER_POLLED_MS, log });
  const grants = grantStoreOn(core, writes, settingsOf);
  const requests = createRequestStore(core, { settingsOf, writes });
  const lockStore = createLockStore(core);
  const board = createLockBoard({ store: lockStore, clock, log, onLocked() {} });
  return {
    at,
    clock,
    core,
    board,
    cache,
    sessionCache,
    grantStore: grants,
    requestStore: requests,
    sessionStore,
    grants: createGrantAuthority({
      store: grants,
      cache,
      enforcer,
      clock,
      onEvent,
      grantsInUse: nobody,
      log,
    }),
    requests: createRequestAuthority({ store: requests, cache, onEvent }),
    sessions: createSessionAuthority({
      store: sessionStore,
      cache: sessionCache,
      enforcer,
      clock,
      limits: LIMITS,
      onEvent,
      log,
    }),
    settings: createSettingsAuthority({
      ...onStore,
      cache,
      enforcer,
      changes: core,
      tenantsInUse: nobody,
      onEvent,
      log,
    }),
    locks: createLockAuthority({ store: lockStore, board, enforcer, onEvent }),
    emergencies: createEmergencyAuthority({ store: createEmergencyStore(core, settingsOf), cache, onEvent }),
    /** An empty store, at this instant. */
    async begin(now: number): Promise<void> {
      at.now = now;
      await core.write(({ statements }) => {
        for (const table of TABLES) statements.sql(`DELETE FROM ${table}`).run();
      });
      cache.dropAll();
      sessionCache.dropAll();
      for (const session of sessionCache.sessionsInUse()) sessionCache.ended(session);
      board.reread();
      while (!board.available) await new Promise((resolve) => void setImmediate(resolve));
    },
    /** What was done to each thing, in order, as the history has it. */
    async history(): Promise<ReadonlyMap<string, readonly string[]>> {
      const all = 'SELECT id, operation FROM changes ORDER BY seq';
      const rows = await core.read((statements) => statements.sql(all).all());
      const done = new Map<string, string[]>();
      for (const { id, operation } of rows as { id: string; operation: string }[]) {
        const operations = done.get(id);
        if (operations === undefined) done.set(id, [operation]);
        else operations.push(operation);
      }
      return done;
    },
    /** Of grants and requests: which revision each is at. */
    async revisions(): Promise<ReadonlyMap<string, number>> {
      const all = 'SELECT id, revision FROM grants UNION ALL SELECT id, revision FROM access_requests';
      const rows = await core.read((statements) => statements.sql(all).all());
      return new Map((rows as { id: string; revision: number }[]).map(({ id, revision }) => [id, revision]));
    },
    async [Symbol.asyncDispose]() {
      await sessionCache[Symbol.asyncDispose]();
      board[Symbol.dispose]();
      await core.close();
      folder[Symbol.dispose]();
    },
  };
}

const KINDS = {
  admin: 'tenant_admin',
  user: 'tenant_user',
  service: 'service',
  staff: 'staff',
  lead: 'staff',
  security: 'security',
} as const;

export function actorOf(account: Account): Actor {
  const { side, id, issuer, email, human, permission, licence } = account;
  const holds = { permissions: permission ? ['manage'] : [], products: licence ? ['desk'] : [] };
  const kind = KINDS[side];
  if (side !== 'service') return { kind, id, issuer, email, name: null, onBehalfOf: null, holds };
  const onBehalfOf =
    human === null ? null : { id: `person ${human}`, email: email?.toUpperCase() ?? null, name: null };
  return { kind, id, issuer, email: null, name: null, onBehalfOf, holds };
}

export function principalOf({ id, issuer, email, groups, org }: Account): Principal {
  return { id, issuer, email, groups, org, name: null };
}

export function identityOf(account: Account): ControlIdentity {
  const { side, id, issuer, email, home } = account;
  if (isStaff(account)) {
    const roles = side === 'staff' ? [] : ([side] as ('lead' | 'security')[]);
    return { kind: 'staff', principal: principalOf(account), roles };
  }
  if (home === null) return { kind: 'service', name: id, may: ['grants', 'tenants'] };
  const admin = side === 'admin';
  const tenant = home as string as TenantId;
  return { kind: 'customer', issuer, id, email, name: null, tenant, admin, permissions: [], products: [] };
}

const ORGS = ['vendor', 'desk', 'vendor_support'];

export function audienceOf(audience: string): Audience {
  const names = namesIn(audience);
  if (names.length > 0) {
    const org = ORGS.find((one) => audience.startsWith(`${one} only `)) ?? null;
    const principals = names.map((name) => ({
      issuer: accountNamed(name).issuer,
      id: accountNamed(name).id,
    }));
    return { org, groups: null, principals };
  }
  const isSupport = audience === 'support' || audience === 'vendor_support';
  const org = audience === 'support' ? null : audience === 'desk' ? 'desk' : 'vendor';
  return { org, groups: isSupport ? ['support'] : null, principals: null };
}

export function targetOf(target: LockedThing): LockTarget {
  switch (target.kind) {
    case 'principal': {
      const { issuer, id, email } = accountNamed(target.account);
      return { kind: 'principal', issuer, id, email: target.withEmail ? email : null };
    }
    case 'tenant':
      return { kind: 'tenant', tenant: tenantId(target.tenant) };
    case 'case':
      return {
        kind: 'case',
        caseRef: target.caseRef,
        tenant: target.tenant === null ? null : tenantId(target.tenant),
      };
    case 'everything':
      return target;
  }
}

/** The ids of what stands without a grant; they are a tenant's for good. */
export function standingId(tenant: Tenant, name: string): GrantId {
  const switchGrant = { access: 'read' as const, audience: audienceOf('vendor'), roles: [], workspaces: [] };
  const settings = {
    ...settingsWith(),
    systemAccess: 'write' as const,
    standing: 'read' as const,
    switchGrant,
  };
  const [ofClass, ofTier] = standingGrants(tenantId(tenant), settings) as [Grant, Grant];
  return (name === 'class' ? ofClass : ofTier).id;
}

export function tenantId(tenant: Tenant): TenantId {
  return tenant as string as TenantId;
}

const RULES: Readonly<Record<string, GrantorRule>> = {
  admins: { kind: 'admins' },
  permission: { kind: 'permission', permission: 'manage' },
  users: { kind: 'users' },
  licensed_users: { kind: 'licensed_users', product: 'desk' },
  nobody: { kind: 'nobody' },
};

type Patch = Parameters<World['settings']['change']>[0]['patch'];

export function patchOf(word: Settling['word']): Patch {
  if (word.part === 'own') {
    const { says } = word;
    return {
      part: 'own',
      values: {
        suspended: says.suspended ? true : null,
        mayGrant: says.mayGrant === null ? null : (RULES[says.mayGrant] as GrantorRule),
        standing: says.noStanding ? 'none' : null,
        sessionsRequired: says.sessionsRequired ? true : null,
        approvals: says.approvals,
        breakGlass: says.noBreakGlass ? false : null,
        sessionIdleMs: says.idleMinutes === null ? null : says.idleMinutes * MINUTE,
        durations: says.maxDays === null ? null : { max: `${says.maxDays}d` },
      },
    };
  }
  const { says } = word;
  const { maxPerCaseDays: caseDays, idleMinutes, sessionHours } = says;
  return {
    part: 'vendor',
    values: {
      class: says.class,
      mayGrant: RULES[says.mayGrant] as GrantorRule,
      durations: {
        max: says.max,
        maxPerCase: caseDays === null ? null : `${caseDays}d`,
        indefinite: says.indefinite,
      },
      liftable: says.liftable ? ['export'] : [],
      vendorVerification: says.verifies ? 'required' : 'none',
      standing: says.standing ? 'read' : 'none',
      notice: says.notice === null ? null : { version: says.notice, text: 'Your data will be seen.' },
      approvals: says.approvals,
      leadFirst: says.leadFirst,
      requestLifetimeMs: says.requestHours * 60 * MINUTE,
      sessionsRequired: says.sessionsRequired,
      sessionIdleMs: idleMinutes === null ? null : idleMinutes * MINUTE,
      sessionMaxMs: sessionHours === null ? null : sessionHours * 60 * MINUTE,
      breakGlass: says.breakGlass,
      caseRefRequired: says.caseRequired,
      switchGrant: { access: says.switchWrites ? 'write' : 'read', audience: audienceOf('vendor') },
    },
  };
}
