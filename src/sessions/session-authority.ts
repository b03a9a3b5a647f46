// What opens and ends sessions. Each call returns when it is true for traffic: the store has committed, the caches have
// forgotten the session, the enforcer has ended what runs under it. A store that fails is a fault and nothing else happens;
// a process that dies between commit and enforcement takes its traffic with it. What other processes commit is enforced here
// as it becomes known. Cold.
import type { Clock, EpochMs } from '#model/clock.ts';
import type { Access, Actor, StatedReason } from '#model/grant.ts';
import type { GrantId, SessionId, TenantId } from '#model/ids.ts';
import type { Log } from '#model/log.ts';
import type { Principal } from '#model/principal.ts';
import { secretHash } from '#model/secret-hash.ts';
import type { SupportSession } from '#model/session.ts';
import type { SessionCache } from './session-cache.ts';
import type { SessionEnforcer } from './session-enforcer.ts';
import { endedEvent, type SessionEvent, startedEvent } from './session-event.ts';
import { followSessions } from './session-follower.ts';
import { type SessionLimits, sessionMaker } from './session-rules.ts';
import type { SessionClaim, SessionEnd, SessionStore } from './session-store.ts';

/** What a principal asks for; validated in form, not in substance. */
export interface SessionWish {
  readonly tenant: TenantId;
  readonly principal: Principal;
  /** Of the token that they asked with. */
  readonly keyId?: string;
  /** Null: the one that would be chosen for a request. */
  readonly grantId: GrantId | null;
  readonly access: Access;
  readonly reason: StatedReason;
  readonly caseRef: string | null;
  /** Whether a browser will enter: makes a launch token. */
  readonly launch: boolean;
}

export interface OpenedSession {
  readonly session: SupportSession;
  /** The one this one ended; null for none. */
  readonly replaced: SupportSession | null;
  /** Said once, kept nowhere: 65 characters of base64url, one use, 60 s. Null when none was asked for. */
  readonly launch: { readonly token: string; readonly endsAt: EpochMs } | null;
}

export interface EnteredSession {
  readonly session: SupportSession;
  /** The cookie's value: 65 characters of base64url; only its hash is kept. */
  readonly cookie: string;
}

export interface SessionAuthority extends Disposable {
  /** Rejects with GrantRefusal or STORE_UNAVAILABLE; nothing was done then. */
  open(wish: SessionWish): Promise<OpenedSession>;
  /** Idempotent: repeated, it enforces again. Rejects with GrantRefusal `session_unknown`, STORE_UNAVAILABLE. */
  end(id: SessionId, end: SessionEnd): Promise<SupportSession>;
  /**
   * For `/-/postern/enter`: spends the link. `tenant` is the one that the request's host names. Null for a token that was
   * used, is too old, belongs to another tenant or session, or never was one: never which of these.
   */
  takeLaunch(token: string, tenant: TenantId): Promise<EnteredSession | null>;
  /**
   * Whose link it is, spending nothing: the gate's page before entering names the principal, so that nobody is made to
   * enter as somebody else (login CSRF). Null exactly where `takeLaunch` answers null.
   */
  launchOf(token: string, tenant: TenantId): Promise<SupportSession | null>;
  /**
   * A verified token of theirs was seen: their open sessions follow what it says (`narrow` of the store), and end where
   * their grant covers them no more. Nobody waits for it; never rejects: a store that is away hears of the next token.
   */
  principalSeen(principal: Principal): Promise<void>;
  /** For the timer: ends what is over by now, and enforces it. How many that were. */
  endOverdue(changed: SessionClaim['changed']): Promise<number>;
}

export interface SessionAuthorityDeps {
  readonly store: SessionStore;
  readonly cache: Pick<SessionCache, 'invalidate' | 'dropAll' | 'ended' | 'flush' | 'sessionsInUse' | 'seal'>;
  readonly enforcer: SessionEnforcer;
  readonly clock: Clock;
  readonly limits: SessionLimits;
  /** Called after enforcement, never waited for; must not throw. */
  readonly onEvent: (event: SessionEvent) => void;
  readonly log: Log;
}

const LAUNCH_LIFETIME_MS = 60_000;
const CLAIMED_AT_ONCE = 100;
/** Longer than uses are gathered, in whatever process. */
const IDLE_GRACE_MS = 10_000;

/** Follows the store's change feed until disposed of. */
export function createSessionAuthority(deps: SessionAuthorityDeps): SessionAuthority {
  const { store, cache, onEvent } = deps;
  const follower = followSessions(deps);

  async function claimed(changed: SessionClaim['changed']): Promise<number> {
    const ended = await store.claimEnded({ limit: CLAIMED_AT_ONCE, idleGraceMs: IDLE_GRACE_MS, changed });
    for (const session of ended) enforce(deps, session);
    for (const session of ended) onEvent(endedEvent(session, null));
    return ended.length;
  }

  return {
    open: (wish) => open(deps, wish),
    async end(id, end) {
      await cache.flush();
      const { session, isNews } = await store.end(id, end);
      enforce(deps, session);
      if (isNews) onEvent(endedEvent(session, end.by));
      return session;
    },
    async takeLaunch(token, tenant) {
      // Anybody may try, without a credential: what was made up costs the store nothing, and what does not hold any more
      // costs a look, never its one write lock.
      const seal = await cache.seal();
      if (!seal.holds('launch', token)) return null;
      const hash = secretHash(token);
      if ((await store.launchOf(hash, tenant)) === null) return null;
      const cookie = seal.make('cookie');
      const session = await store.takeLaunch(hash, tenant, secretHash(cookie));
      return session === null ? null : { session, cookie };
    },
    async launchOf(token, tenant) {
      const seal = await cache.seal();
      return seal.holds('launch', token) ? store.launchOf(secretHash(token), tenant) : null;
    },
    async principalSeen(principal) {
      try {
        // Where its grant covers them no more, a session is over.
        for (const { grantId } of await narrow(deps, principal))
          await claimed({ kind: 'grant', id: grantId });
      } catch {
        deps.log.warn({}, 'whether sessions are narrower by a newer token could not be asked of the store');
      }
    },
    async endOverdue(changed) {
      await cache.flush();
      let count = 0;
      for (;;) {
        const ended = await claimed(changed);
        count += ended;
        if (ended < CLAIMED_AT_ONCE) return count;
      }
    },
    [Symbol.dispose]() {
      follower[Symbol.dispose]();
    },
  };
}

async function open(deps: SessionAuthorityDeps, wish: SessionWish): Promise<OpenedSession> {
  const { store, cache, limits, onEvent } = deps;
  const { tenant, principal } = wish;
  const token = wish.launch ? (await cache.seal()).make('launch') : null;
  const launch = token === null ? null : { hash: secretHash(token), lifetimeMs: LAUNCH_LIFETIME_MS };
  // Whether the earlier one had idled out is judged by what it was used for here too.
  await cache.flush();
  const { session, replaced } = await store.open({ tenant, principal, launch }, sessionMaker(wish, limits));
  cache.invalidate(tenant);
  if (replaced !== null) {
    enforce(deps, replaced);
    onEvent(endedEvent(replaced, staffActor(principal)));
  }
  onEvent(startedEvent(session, replaced));
  const endsAt = (session.startedAt + LAUNCH_LIFETIME_MS) as EpochMs;
  return { session, replaced, launch: token === null ? null : { token, endsAt } };
}

async function narrow(
  { store, cache, enforcer }: SessionAuthorityDeps,
  principal: Principal,
): Promise<readonly SupportSession[]> {
  const narrowed = await store.narrow(principal);
  for (const session of narrowed) {
    cache.invalidate(session.tenant);
    enforcer.sessionNarrowed(session);
  }
  return narrowed;
}

function enforce({ cache, enforcer }: SessionAuthorityDeps, ended: SupportSession): void {
  cache.invalidate(ended.tenant);
  cache.ended(ended);
  enforcer.sessionEnded(ended);
}

function staffActor({ id, issuer, email, name }: Principal): Actor {
  return { kind: 'staff', id, issuer, email, name, onBehalfOf: null };
}
