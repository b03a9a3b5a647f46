// The real control server with every call there is, over one real store: for what is said of all of them. Who may call and
// what is refused has tests of its own; the callers here are those who may.
import type { ControlAuthenticator, ControlIdentity } from '#authn/control-authenticator.ts';
import { createControlServer } from '#control/control-server.ts';
import { createRateLimit, type RateLimitOptions } from '#control/rate-limit.ts';
import { createEmergencyAuthority } from '#grants/emergencies/emergency-authority.ts';
import { createGrantAuthority } from '#grants/grant-authority.ts';
import { createLockAuthority } from '#grants/locks/lock-authority.ts';
import { createLockBoard } from '#grants/locks/lock-board.ts';
import { createRequestAuthority } from '#grants/requests/request-authority.ts';
import { NO_SETTINGS_DEFAULTS } from '#grants/settings/effective-settings.ts';
import { createSettingsAuthority } from '#grants/settings/settings-authority.ts';
import { createEmergencyStore } from '#grants/sqlite/emergency-store.ts';
import { createGrantWrites } from '#grants/sqlite/grant-writes.ts';
import { createLockStore } from '#grants/sqlite/lock-store.ts';
import { createSessionStore } from '#grants/sqlite/session-store.ts';
import { createSettingsSource } from '#grants/sqlite/settings-source.ts';
import { standingGrants } from '#grants/standing-grants.ts';
import type { SettingsDefaults } from '#model/settings-layer.ts';
import type { SupportSession } from '#model/session.ts';
import { deny } from '#model/verdict.ts';
import { createSessionAuthority } from '#sessions/session-authority.ts';
import { createSessionCache } from '#sessions/session-cache.ts';
import type { SessionReport } from '#sessions/session-report.ts';
import type { SessionStore } from '#sessions/session-store.ts';
import { policyExplainer } from '../../src/compose-explain.ts';
import { testAudit } from './control-audit.ts';
import { acme, sam } from './grants-fixtures.ts';
import { policyFrom, rulesText } from './policy-sets.ts';
import { requestsUnderTest } from './request-fixtures.ts';
import { nothingToEnforce as enforcer, quietLog, sessionLimits } from './sessions-fixtures.ts';
import { settingsOnStore } from './settings-on-store.ts';

const staff = (id: string) => ({ ...sam, id, email: `${id}@vendor.example`, name: id });

/** By the token of a call. */
const CALLERS: Readonly<Record<string, ControlIdentity>> = {
  ada: {
    kind: 'customer',
    issuer: 'https://app.example',
    id: 'u-1',
    email: 'ada@acme.example',
    name: 'Ada',
    tenant: acme,
    admin: true,
    permissions: [],
    products: [],
  },
  sam: { kind: 'staff', principal: sam, roles: [] },
  lea: { kind: 'staff', principal: { ...staff('lea'), org: 'desk' }, roles: ['lead'] },
  quinn: { kind: 'staff', principal: staff('quinn'), roles: ['security'] },
  rita: { kind: 'staff', principal: staff('rita'), roles: ['security'] },
};

const authenticator: ControlAuthenticator = {
  async authenticate(header) {
    if (header === undefined) return deny('no_credential');
    return CALLERS[header.replace(/^Bearer /, '')] ?? deny('credential_invalid');
  },
};

/** Grants wait for a lead, staff are named to the switch, glass may be broken. */
const DEFAULTS: SettingsDefaults = {
  ...NO_SETTINGS_DEFAULTS,
  file: {
    breakGlass: true,
    vendorVerification: 'required',
    switchGrant: { audience: { org: 'vendor', groups: null, principals: null } },
  },
};

export interface WholeControl extends AsyncDisposable {
  readonly url: string;
  readonly audit: ReturnType<typeof testAudit>;
  readonly sessions: SessionStore;
  /** Every call that needs the store fails from now on. */
  breakStore(): Promise<void>;
}

const onEvent = (): void => {};
const cache = { invalidate() {}, dropAll() {} };

async function openRooms() {
  const { core, clock, grants, requests, idempotency, ...opened } = await requestsUnderTest({
    breakGlass: true,
    vendorVerification: 'required',
  });
  const log = quietLog();
  const settingsOf = createSettingsSource(DEFAULTS);
  const writes = createGrantWrites(settingsOf);
  const onStore = settingsOnStore(core, { writes, settingsOf, defaults: DEFAULTS });
  const store = createSessionStore<SessionReport>(core, { settingsOf, standingGrants });
  const sessionCache = createSessionCache({ store, clock, maxEntries: 10, ttlMs: 1000, flushMs: 5, log });
  const locks = createLockStore(core);
  const board = createLockBoard({ store: locks, clock, log, onLocked() {} });
  await board.firstRead;
  const emergencies = createEmergencyStore(core, settingsOf);
  const common = { cache, enforcer, clock, onEvent, log };
  const authority = createGrantAuthority({ ...common, store: grants, grantsInUse: () => [] });
  const settings = createSettingsAuthority({
    ...common,
    ...onStore,
    changes: core,
    tenantsInUse: () => [],
  });
  const limits = sessionLimits;
  const sessions = createSessionAuthority({ ...common, store, cache: sessionCache, limits });
  return {
    core,
    calls: {
      clock,
      log,
      authority,
      store: grants,
      views: onStore.views,
      settings,
      requests: { authority: createRequestAuthority({ ...common, store: requests }), store: requests },
      locks: { authority: createLockAuthority({ ...common, store: locks, board }), store: locks },
      emergencies: {
        authority: createEmergencyAuthority({ ...common, store: emergencies }),
        store: emergencies,
      },
      idempotency,
    },
    sessions: {
      authority: sessions,
      store,
      lastUsedOf: (session: SupportSession) => sessionCache.lastUsedOf(session),
    },
    async [Symbol.asyncDispose]() {
      for (const one of [authority, settings, sessions, board]) one[Symbol.dispose]();
      await sessionCache[Symbol.asyncDispose]();
      await opened[Symbol.asyncDispose]();
    },
  };
}

/** No more calls of one caller than `rate` says, by a clock that stands still. */
export async function startWholeControl(rate: RateLimitOptions = { burst: 10_000 }): Promise<WholeControl> {
  const rooms = await openRooms();
  const audit = testAudit();
  let calls = 0;
  const server = await createControlServer({
    ...rooms.calls,
    authenticator,
    sessions: {
      ...rooms.sessions,
      entryUrlOf: () => 'https://acme.app.example.com/-/postern/enter',
      record: audit.record,
    },
    rateLimit: createRateLimit(rooms.calls.clock, rate),
    policies: { current: policyFrom(rulesText([{ id: 'export.all', match: '{ paths: ["/exports/**"] }' }])) },
    explain: policyExplainer(rooms.calls.clock),
    impactOf: () => ({ requests: 3, streams: 2, principals: 1 }),
    audit,
    nextRequestId: () => `request-${++calls}`,
    tls: null,
  });
  await server.listen({ kind: 'tcp', host: '127.0.0.1', port: 0 });
  const { address } = server;
  if (address?.kind !== 'tcp') throw new TypeError('the server is not listening on a port');
  return {
    url: `http://127.0.0.1:${address.port}`,
    audit,
    sessions: rooms.sessions.store,
    breakStore: () => rooms.core.close(),
    async [Symbol.asyncDispose]() {
      await server.close();
      await rooms[Symbol.asyncDispose]();
    },
  };
}
