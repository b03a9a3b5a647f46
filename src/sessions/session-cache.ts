// Sessions in memory: the open ones of a tenant, whom a cookie belongs to, and when each was last used here. Hot: a hit is
// three map lookups and two comparisons, without a promise. Entries are bounded and short-lived; what was loaded before a
// change is not answered after it. Uses are gathered and written together every few seconds: that allocates, a use does not.
import { LRUCache } from 'lru-cache';
import type { Clock } from '#model/clock.ts';
import { PosternError, storeFault } from '#model/fault.ts';
import type { TenantId } from '#model/ids.ts';
import type { Log } from '#model/log.ts';
import type { Principal } from '#model/principal.ts';
import type { SupportSession } from '#model/session.ts';
import type { SecretSeal } from '#model/secret-hash.ts';
import type { SessionLookup } from './session-lookup.ts';
import { createSessionSeal } from './session-seal.ts';
import type { SessionStore } from './session-store.ts';
import { createSessionUses } from './session-uses.ts';

export interface SessionCacheDeps {
  readonly store: Pick<SessionStore, 'openOf' | 'byCookie' | 'touch' | 'sealKey'>;
  readonly clock: Clock;
  /** Tenants; browsers are bounded by the same number. */
  readonly maxEntries: number;
  readonly ttlMs: number;
  /** How long uses are gathered; 3,000 by default. */
  readonly flushMs?: number;
  readonly log: Log;
}

export interface SessionCache extends SessionLookup, AsyncDisposable {
  /** After a commit: no load begun before this call is answered any more. */
  invalidate(tenant: TenantId): void;
  /** It has ended: it is in use no more. */
  ended(session: SupportSession): void;
  /** What new launch tokens and cookies are sealed with. Rejects with STORE_UNAVAILABLE until its key was read. */
  seal(): SecretSeal | Promise<SecretSeal>;
  /** Writes down the uses so far; a store that is away keeps them waiting. Never rejects. */
  flush(): Promise<void>;
  readonly size: number;
}

/** Another process may have had the latest use: one that seems idle is read again, at most this often. */
const REREAD_MS = 1000;
const MAX_RELOADS = 8;

type ByIssuer = ReadonlyMap<string, ReadonlyMap<string, SupportSession>>;

class TenantEntry {
  readonly sessions: ByIssuer;
  readonly loadedAt: number;

  constructor(sessions: readonly SupportSession[], loadedAt: number) {
    this.sessions = byPrincipal(sessions);
    this.loadedAt = loadedAt;
  }

  find(principal: Pick<Principal, 'issuer' | 'id'>): SupportSession | null {
    return this.sessions.get(principal.issuer)?.get(principal.id) ?? null;
  }
}

/** Whose a cookie is never changes; whether the session still is open is asked of its tenant's entry. */
class CookieEntry {
  /** Null: nobody's any more, and so for good. */
  readonly session: SupportSession | null;
  readonly loadedAt: number;

  constructor(session: SupportSession | null, loadedAt: number) {
    this.session = session;
    this.loadedAt = loadedAt;
  }
}

interface Flight {
  result: Promise<TenantEntry> | null;
}

export function createSessionCache(deps: SessionCacheDeps): SessionCache {
  const { clock, flushMs = 3000 } = deps;
  const uses = createSessionUses({ ...deps, flushMs });
  const tenants = createTenantEntries(deps);
  const seal = createSessionSeal({ sealKey: () => reading(deps.store.sealKey()) });

  /** Not believed where it seems idle and was not read just now. */
  function isInDoubt(session: SupportSession, entry: TenantEntry): boolean {
    const idleMs = clock.now() - uses.lastUsedOf(session);
    return idleMs >= session.idleMs && clock.monotonic() - entry.loadedAt >= REREAD_MS;
  }

  function activeOf(
    tenant: TenantId,
    principal: Pick<Principal, 'issuer' | 'id'>,
  ): SupportSession | null | Promise<SupportSession | null> {
    const entry = tenants.get(tenant);
    if (entry === null) return tenants.load(tenant).then((loaded) => loaded.find(principal));
    const session = entry.find(principal);
    if (session === null || !isInDoubt(session, entry)) return session;
    tenants.invalidate(tenant);
    return tenants.load(tenant).then((loaded) => loaded.find(principal));
  }

  const cookies = createCookieEntries(deps, { activeOf, invalidate: (tenant) => tenants.invalidate(tenant) });
  return {
    activeOf,
    ofCookie: (hash) => cookies.ofCookie(hash),
    isOwnCookie(cookie, hash) {
      if (cookies.has(hash)) return true;
      const known = seal.get();
      return known instanceof Promise
        ? known.then((read) => read.holds('cookie', cookie))
        : known.holds('cookie', cookie);
    },
    seal: () => seal.get(),
    lastUsedOf: (session) => uses.lastUsedOf(session),
    used: (session, now) => uses.used(session, now),
    sessionsInUse: () => uses.sessions(),
    dropAll() {
      tenants.dropAll();
      cookies.dropAll();
      seal.forget();
    },
    invalidate: (tenant) => tenants.invalidate(tenant),
    ended: (session) => uses.forget(session.id),
    flush: () => uses.flush(),
    get size() {
      return tenants.size;
    },
    [Symbol.asyncDispose]: () => uses.close(),
  };
}

type ActiveOf = SessionLookup['activeOf'];

interface CookieEntries {
  ofCookie(hash: string): SupportSession | null | Promise<SupportSession | null>;
  /** Whether the store was asked for it lately. */
  has(hash: string): boolean;
  dropAll(): void;
}

function createCookieEntries(
  { store, clock, maxEntries, ttlMs }: SessionCacheDeps,
  tenants: { readonly activeOf: ActiveOf; readonly invalidate: (tenant: TenantId) => void },
): CookieEntries {
  const { activeOf } = tenants;
  const cookies = new LRUCache<string, CookieEntry>({ max: maxEntries });

  function ofCookie(hash: string): SupportSession | null | Promise<SupportSession | null> {
    const known = cookies.get(hash);
    if (known === undefined || clock.monotonic() - known.loadedAt >= ttlMs) return cookieLoaded(hash);
    const { session } = known;
    if (session === null || session.endedAt !== null) return session;
    const open = activeOf(session.tenant, session.principal);
    if (open instanceof Promise) return open.then((found) => sameOr(found, session, hash));
    return open !== null && open.id === session.id ? open : cookieLoaded(hash);
  }

  async function cookieLoaded(hash: string): Promise<SupportSession | null> {
    const loadedAt = clock.monotonic();
    const session = await reading(store.byCookie(hash));
    cookies.set(hash, new CookieEntry(session, loadedAt));
    if (session === null || session.endedAt !== null) return session;
    return sameOr(await activeOf(session.tenant, session.principal), session, hash);
  }

  /** It was ended between the two looks: whoever holds its cookie is told so. */
  async function sameOr(
    found: SupportSession | null,
    session: SupportSession,
    hash: string,
  ): Promise<SupportSession | null> {
    if (found !== null && found.id === session.id) return found;
    const now = await reading(store.byCookie(hash));
    cookies.set(hash, new CookieEntry(now, clock.monotonic()));
    if (now === null) return null;
    // Open, and yet not the principal's one: the entry is from before it was opened.
    if (now.endedAt === null) tenants.invalidate(now.tenant);
    return now;
  }

  return { ofCookie, has: (hash) => cookies.has(hash), dropAll: () => cookies.clear() };
}

interface TenantEntries {
  /** Null when it must be loaded. */
  get(tenant: TenantId): TenantEntry | null;
  load(tenant: TenantId): Promise<TenantEntry>;
  invalidate(tenant: TenantId): void;
  dropAll(): void;
  readonly size: number;
}

function createTenantEntries({ store, clock, maxEntries, ttlMs }: SessionCacheDeps): TenantEntries {
  const entries = new LRUCache<TenantId, TenantEntry>({ max: maxEntries });
  /** The load that may fill the entry: an invalidation takes it out, so that it fills nothing any more. */
  const flights = new Map<TenantId, Flight>();

  function load(tenant: TenantId, reloads: number): Promise<TenantEntry> {
    const running = flights.get(tenant)?.result;
    if (running !== undefined && running !== null) return running;
    const flight: Flight = { result: null };
    flights.set(tenant, flight);
    flight.result = read(tenant, flight, reloads);
    return flight.result;
  }

  async function read(tenant: TenantId, flight: Flight, reloads: number): Promise<TenantEntry> {
    const loadedAt = clock.monotonic();
    let sessions: readonly SupportSession[];
    try {
      sessions = await reading(store.openOf(tenant));
    } catch (error) {
      if (flights.get(tenant) === flight) flights.delete(tenant);
      throw error;
    }
    if (flights.get(tenant) !== flight) {
      if (reloads < MAX_RELOADS) return entries.get(tenant) ?? load(tenant, reloads + 1);
      throw new PosternError('STORE_UNAVAILABLE', 'sessions changed faster than they could be read');
    }
    flights.delete(tenant);
    const entry = new TenantEntry(sessions, loadedAt);
    entries.set(tenant, entry);
    return entry;
  }

  return {
    get(tenant) {
      const entry = entries.get(tenant);
      return entry !== undefined && clock.monotonic() - entry.loadedAt < ttlMs ? entry : null;
    },
    load: (tenant) => load(tenant, 0),
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

function byPrincipal(sessions: readonly SupportSession[]): ByIssuer {
  const issuers = new Map<string, Map<string, SupportSession>>();
  for (const session of sessions) {
    const { issuer, id } = session.principal;
    const ids = issuers.get(issuer) ?? new Map<string, SupportSession>();
    ids.set(id, session);
    issuers.set(issuer, ids);
  }
  return issuers;
}

async function reading<T>(result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    throw storeFault(error, 'the sessions of a tenant could not be read');
  }
}
