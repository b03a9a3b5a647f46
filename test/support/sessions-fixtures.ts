// What the tests of the sessions room share: a store with grants and sessions in one file, wishes, and a room around it.
import { join } from 'node:path';
import { standingGrants } from '#grants/standing-grants.ts';
import { grantStoreOn, type SqliteGrantStore } from '#grants/sqlite/grant-store.ts';
import { createGrantWrites } from '#grants/sqlite/grant-writes.ts';
import { createSessionStore } from '#grants/sqlite/session-store.ts';
import { createStoreCore, type StoreCore } from '#grants/sqlite/store-core.ts';
import type { Clock } from '#model/clock.ts';
import type { SessionId } from '#model/ids.ts';
import type { Log, LogFields } from '#model/log.ts';
import type { SupportSession } from '#model/session.ts';
import type { TenantSettings } from '#model/tenant-settings.ts';
import {
  createSessionAuthority,
  type SessionAuthority,
  type SessionWish,
} from '#sessions/session-authority.ts';
import { createSessionCache, type SessionCache } from '#sessions/session-cache.ts';
import type { SessionEvent } from '#sessions/session-event.ts';
import type { SessionReport } from '#sessions/session-report.ts';
import { type SessionLimits, sessionMaker } from '#sessions/session-rules.ts';
import type { SessionStore } from '#sessions/session-store.ts';
import {
  acme,
  admin,
  clockAtStart,
  draft,
  HOUR,
  sam,
  settingsWith,
  START,
  temporaryFolder,
} from './grants-fixtures.ts';
import type { ManualClock } from './manual-clock.ts';

export const MINUTE = 60_000;
export const sessionLimits: SessionLimits = { idleMs: 30 * MINUTE, maxMs: 8 * HOUR };

export function wish(over: Partial<SessionWish> = {}): SessionWish {
  return {
    tenant: acme,
    principal: sam,
    grantId: null,
    access: 'read',
    reason: { type: 'customer_initiated_support', detail: 'The invoice page is empty.' },
    caseRef: 'CASE-1',
    launch: false,
    ...over,
  };
}

export const maker = (over: Partial<SessionWish> = {}, limits = sessionLimits) =>
  sessionMaker(wish(over), limits);

export function supportSession(over: Partial<SupportSession> = {}): SupportSession {
  return {
    id: 'ses_01JHNM9N00000000000000000A' as SessionId,
    tenant: acme,
    principal: sam,
    grantId: 'grt_01JHNM9N00000000000000000A' as SupportSession['grantId'],
    access: 'read',
    reason: { type: 'customer_initiated_support', detail: 'The invoice page is empty.' },
    caseRef: 'CASE-1',
    startedAt: START,
    endsAt: (START + 8 * HOUR) as SupportSession['endsAt'],
    idleMs: 30 * MINUTE,
    lastUsedAt: START,
    endedAt: null,
    endedBy: null,
    note: null,
    ...over,
  };
}

/** One process's stores on a file. */
export interface OpenStores {
  readonly core: StoreCore;
  readonly grants: SqliteGrantStore;
  readonly sessions: SessionStore;
}

export function storesOn(
  path: string,
  clock: Clock,
  settings: () => TenantSettings = settingsWith,
): OpenStores {
  const core = createStoreCore({ path, clock, pollMs: 5, busyDeadlineMs: 500 });
  return {
    core,
    grants: grantStoreOn(core, createGrantWrites(settings), settings),
    // The store's own file may not name the contract that it satisfies: this line is where the two are compared.
    sessions: createSessionStore<SessionReport>(core, { settingsOf: settings, standingGrants }),
  };
}

/** Where nothing is in flight. */
export const nothingToEnforce = {
  grantRevoked() {},
  grantChanged() {},
  tenantChanged() {},
  sessionEnded() {},
  sessionNarrowed() {},
  locked() {},
};

export function quietLog(logged: LogFields[] = []): Log {
  const keep = (fields: LogFields): void => void logged.push(fields);
  return { debug() {}, info() {}, warn: keep, error: keep };
}

export interface RoomUnderTest extends AsyncDisposable, OpenStores {
  readonly clock: ManualClock;
  readonly cache: SessionCache;
  readonly authority: SessionAuthority;
  readonly events: SessionEvent[];
  /** What the enforcer was told, in order. */
  readonly enforced: SupportSession[];
  /** Open ones that browsers may not use by as much any more. */
  readonly narrowed: SupportSession[];
  readonly logged: LogFields[];
  settings: TenantSettings;
}

export function openRoom(over: { readonly path?: string; readonly clock?: ManualClock } = {}): RoomUnderTest {
  const folder = temporaryFolder();
  const { clock = clockAtStart(), path = join(folder.path, 's.db') } = over;
  const events: SessionEvent[] = [];
  const enforced: SupportSession[] = [];
  const narrowed: SupportSession[] = [];
  const logged: LogFields[] = [];
  const log = quietLog(logged);
  const stores = storesOn(path, clock, () => room.settings);
  const cache = createSessionCache({
    store: stores.sessions,
    clock,
    maxEntries: 10,
    ttlMs: 30_000,
    flushMs: 5,
    log,
  });
  const authority = createSessionAuthority({
    store: stores.sessions,
    cache,
    enforcer: {
      sessionEnded: (session) => void enforced.push(session),
      sessionNarrowed: (session) => void narrowed.push(session),
    },
    clock,
    limits: sessionLimits,
    onEvent: (event) => void events.push(event),
    log,
  });
  const room: RoomUnderTest = {
    ...stores,
    clock,
    cache,
    authority,
    events,
    enforced,
    narrowed,
    logged,
    settings: settingsWith(),
    async [Symbol.asyncDispose]() {
      authority[Symbol.dispose]();
      await cache[Symbol.asyncDispose]();
      await stores.core.close();
      folder[Symbol.dispose]();
    },
  };
  return room;
}

/** A grant for everybody of the vendor, for reading, on CASE-1. */
export async function givenGrant(stores: Pick<OpenStores, 'grants'>, over: Parameters<typeof draft>[0] = {}) {
  return stores.grants.create(draft(over), admin);
}
