// The gateway, and everybody who changes what it lets through: grants, settings, sessions, locks, the kill switch. Every
// change is enforced before its call returns (law 5). The gateway asks rooms that need it as their enforcer: those calls
// come later than all construction, hence the late binding. Cold.
import { createBearerAuthenticator } from '#authn/bearer-authenticator.ts';
import { createGateway, type Gateway } from '#gateway/gateway.ts';
import { type KillSwitch, watchKillSwitch } from '#gateway/kill-switch.ts';
import { startExpiryTimer } from '#grants/expiry-timer.ts';
import { createGrantAuthority, type GrantAuthority } from '#grants/grant-authority.ts';
import type { GrantEnforcer, TenantEnforcer } from '#grants/grant-lookup.ts';
import { createRequestAuthority, type RequestAuthority } from '#grants/requests/request-authority.ts';
import { startRequestTimer } from '#grants/requests/request-timer.ts';
import { createSettingsAuthority, type SettingsAuthority } from '#grants/settings/settings-authority.ts';
import { createSessionAuthority, type SessionAuthority } from '#sessions/session-authority.ts';
import { startSessionTimer } from '#sessions/session-timer.ts';
import { gatewayOptions } from './compose-options.ts';
import type { Rooms } from './compose-rooms.ts';
import { openSecurity, type Security } from './compose-security.ts';

export interface Traffic {
  readonly gateway: Gateway;
  readonly authority: GrantAuthority;
  readonly settings: SettingsAuthority;
  readonly requests: RequestAuthority;
  readonly sessions: SessionAuthority;
  readonly security: Security;
  readonly killSwitch: KillSwitch;
}

export function openTraffic(rooms: Rooms, opened: AsyncDisposableStack): Traffic {
  const { access, clock, log, journal, config, metrics } = rooms;
  const { cache, sessionCache } = access;
  const onEvent: Rooms['journal']['event'] = (event) => journal.event(event);
  const security = openSecurity(
    { ...access, clock, log, journal, securityGroups: config.identity.roles.security },
    { locked: (lock) => gateway.locked(lock) },
    opened,
  );
  metrics.readLocks(() => security.board.heldByKind());
  const sessions = createSessionAuthority({
    store: access.sessions,
    cache: sessionCache,
    enforcer: {
      sessionEnded: (session) => gateway.sessionEnded(session),
      sessionNarrowed: (session) => gateway.sessionNarrowed(session),
    },
    limits: config.sessions,
    clock,
    onEvent,
    log,
  });
  opened.use(sessions);
  const gateway: Gateway = openGateway(rooms, { security, sessions }, opened);
  const enforcer = timed(gateway, rooms);
  const authority = createGrantAuthority({
    store: access.grants,
    cache,
    enforcer,
    clock,
    onEvent,
    log,
    grantsInUse: () => gateway.grantsInUse(),
  });
  opened.use(authority);
  const settings = createSettingsAuthority({
    ...access,
    enforcer,
    changes: access.core,
    tenantsInUse: () => gateway.tenantsInUse(),
    onEvent,
    log,
  });
  opened.use(settings);
  const requests = createRequestAuthority({ store: access.requests, cache, onEvent });
  startTimers(rooms, sessions, opened);
  const killSwitch = watchKillSwitch({
    file: config.killSwitch.file,
    onChange: (on) => setStopped(gateway, rooms, on),
    log,
  });
  opened.use(killSwitch);
  return { gateway, authority, settings, requests, sessions, security, killSwitch };
}

interface Asked {
  readonly security: Security;
  readonly sessions: SessionAuthority;
}

function openGateway(rooms: Rooms, { security, sessions }: Asked, opened: AsyncDisposableStack): Gateway {
  const { config, clock, log, journal, policies, keySets, access, forwarder, metrics } = rooms;
  const { cache, sessionCache, core } = access;
  const authenticator = createBearerAuthenticator({
    issuers: config.identity.support,
    keySets,
    clock,
    onPrincipal: (principal) => void sessions.principalSeen(principal),
  });
  opened.defer(() => authenticator.close());
  const gateway = createGateway({
    options: gatewayOptions(config),
    policies,
    journal,
    authenticator,
    grants: cache,
    sessions: sessionCache,
    sessionDesk: sessions,
    locks: security.board,
    clock,
    metrics: metrics.gateway,
    forwarder,
    log,
    async rereadStore() {
      cache.dropAll();
      sessionCache.dropAll();
      security.board.reread();
      await core.ping();
    },
  });
  opened.defer(() => gateway.close());
  authenticator.onKeyWithdrawn((issuer, keyId) => {
    gateway.keyWithdrawn(issuer, keyId);
    const details = { issuer, keyId };
    journal.event({ event: 'keys.withdrawn', tenant: null, grant: null, actor: null, details });
  });
  policies.onSwap((next) => gateway.policySwapped(next));
  return gateway;
}

/** They say what the clock has ended; nobody waits for them. */
function startTimers(rooms: Rooms, authority: SessionAuthority, opened: AsyncDisposableStack): void {
  const { clock, log, journal, access } = rooms;
  const onEvent: Rooms['journal']['event'] = (event) => journal.event(event);
  opened.use(startExpiryTimer({ store: access.grants, clock, log, onEvent }));
  opened.use(startRequestTimer({ store: access.requests, clock, log, onEvent }));
  opened.use(startSessionTimer({ authority, store: access.sessions, clock, log }));
}

/** Says how long a revoke took from its commit until it was true here. */
function timed(gateway: Gateway, { clock, metrics }: Rooms): GrantEnforcer & TenantEnforcer {
  return {
    grantRevoked(grant) {
      gateway.grantRevoked(grant);
      if (grant.revokedAt !== null) metrics.revocationPropagated(clock.now() - grant.revokedAt);
    },
    grantChanged: (grant) => gateway.grantChanged(grant),
    tenantChanged: (tenant, view) => gateway.tenantChanged(tenant, view),
  };
}

function setStopped(gateway: Gateway, { log, metrics }: Rooms, stopped: boolean): void {
  gateway.state.stopped = stopped;
  metrics.stopped(stopped);
  const cut = stopped ? gateway.cutAll('locked') : 0;
  log.warn({ stopped, cut }, 'the kill switch changed');
}
