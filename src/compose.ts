// The one place that constructs: every room from its options, every wire between them (with compose-*.ts beside it).
// Guarantees: nothing listens before a policy is loaded and the journal is open; `drain` ends everything that was
// begun here, in the reverse order; a failure on the way up closes what was already open. Cold.
import { createBearerAuthenticator } from '#authn/bearer-authenticator.ts';
import type { Config } from '#config/config.ts';
import { createGateway, type Gateway } from '#gateway/gateway.ts';
import { watchKillSwitch } from '#gateway/kill-switch.ts';
import { startExpiryTimer } from '#grants/expiry-timer.ts';
import { createGrantAuthority } from '#grants/grant-authority.ts';
import type { GrantEnforcer } from '#grants/grant-lookup.ts';
import { type Clock, systemClock } from '#model/clock.ts';
import type { Log } from '#telemetry/log.ts';
import type { JournalTrial } from './compose-audit.ts';
import { gatewayOptions } from './compose-options.ts';
import { openRooms, type Rooms } from './compose-rooms.ts';
import { openServers, type Servers, type Traffic } from './compose-servers.ts';

export interface PosternStart {
  readonly config: Config;
  /** One sentence each: unsafe choices that are allowed. */
  readonly warnings: readonly string[];
  readonly version: string;
  /** Of tests; the system's otherwise. */
  readonly clock?: Clock;
  /** Of tests: faults planted under the journal, and what no configuration says. */
  readonly journal?: JournalTrial;
}

export interface Postern {
  readonly addresses: Servers['addresses'];
  readonly log: Log;
  readonly gateway: Gateway;
  /** Reads the policies again and opens the sinks' files anew (SIGHUP). */
  reload(): Promise<void>;
  /** Fails ready, finishes what runs, cuts what has not ended within `deadlineMs`, flushes the journal. */
  drain(deadlineMs: number): Promise<void>;
}

/** Throws PolicyRejected, or the fault of the room or listener that could not be opened. */
export async function startPostern(start: PosternStart): Promise<Postern> {
  const { config, version, clock = systemClock, journal = {} } = start;
  await using opened = new AsyncDisposableStack();
  const rooms = await openRooms({ config, version, clock, trial: journal }, opened);
  const traffic = openTraffic(rooms, opened);
  const servers = await openServers(rooms, traffic, opened);
  for (const warning of start.warnings) rooms.log.warn({}, warning);
  announce(rooms, 'gateway.started');
  rooms.log.info({ version, node: process.version }, 'started');
  return running(rooms, traffic.gateway, { servers, opened: opened.move() });
}

/** The gateway and whoever changes its grants: each change is enforced before its call returns. */
function openTraffic(rooms: Rooms, opened: AsyncDisposableStack): Traffic {
  const { config, clock, log, journal, policies, keySets, store, cache, forwarder, metrics } = rooms;
  const issuers = config.identity.support;
  const authenticator = createBearerAuthenticator({ issuers, keySets, clock });
  opened.defer(() => authenticator.close());
  const gateway = createGateway({
    options: gatewayOptions(config),
    policies,
    journal,
    authenticator,
    grants: cache,
    clock,
    metrics: metrics.gateway,
    forwarder,
    log,
    async rereadStore() {
      cache.dropAll();
      await store.ping();
    },
  });
  opened.defer(() => gateway.close());
  authenticator.onKeyWithdrawn((issuer, keyId) => {
    gateway.keyWithdrawn(issuer, keyId);
    const details = { issuer, keyId };
    journal.event({ event: 'keys.withdrawn', tenant: null, grant: null, actor: null, details });
  });
  policies.onSwap((next) => gateway.policySwapped(next));
  const authority = createGrantAuthority({
    store,
    cache,
    clock,
    log,
    enforcer: timed(gateway, rooms),
    grantsInUse: () => gateway.grantsInUse(),
    onEvent: (event) => journal.event(event),
  });
  opened.use(authority);
  opened.use(startExpiryTimer({ store, clock, log, onEvent: (event) => journal.event(event) }));
  opened.use(
    watchKillSwitch({ file: config.killSwitch.file, onChange: (on) => setStopped(gateway, log, on) }),
  );
  return { gateway, authority };
}

/** Says how long a revoke took from its commit until it was true here. */
function timed(gateway: Gateway, { clock, metrics }: Rooms): GrantEnforcer {
  return {
    grantRevoked(grant) {
      gateway.grantRevoked(grant);
      if (grant.revokedAt !== null) metrics.revocationPropagated(clock.now() - grant.revokedAt);
    },
    grantChanged: (grant) => gateway.grantChanged(grant),
  };
}

function setStopped(gateway: Gateway, log: Log, stopped: boolean): void {
  gateway.state.stopped = stopped;
  const cut = stopped ? gateway.cutAll('locked') : 0;
  log.warn({ stopped, cut }, 'the kill switch changed');
}

function announce({ journal, version }: Rooms, event: 'gateway.started' | 'gateway.stopped'): void {
  journal.event({ event, tenant: null, grant: null, actor: null, details: { version } });
}

interface Running {
  readonly servers: Servers;
  readonly opened: AsyncDisposableStack;
}

function running(rooms: Rooms, gateway: Gateway, { servers, opened }: Running): Postern {
  const { log, policies, journal } = rooms;
  let draining: Promise<void> | null = null;

  async function drain(deadlineMs: number): Promise<void> {
    log.info({ inFlight: gateway.inFlight }, 'draining');
    gateway.state.draining = true;
    const closed = servers.data.close();
    await Promise.race([closed, idle(gateway, deadlineMs)]);
    const cut = gateway.cutAll('drain');
    // Those without an answer yet get one, once it is recorded.
    if (cut > 0) await idle(gateway, LAST_ANSWERS_MS);
    announce(rooms, 'gateway.stopped');
    await opened.disposeAsync();
    log.info({ cut }, 'stopped');
  }

  return {
    addresses: servers.addresses,
    log,
    gateway,
    async reload() {
      journal.reopenSinks();
      await policies.reload();
    },
    drain(deadlineMs) {
      draining ??= drain(deadlineMs);
      return draining;
    },
  };
}

const IDLE_CHECK_MS = 20;
const LAST_ANSWERS_MS = 1000;

/** Resolves when nothing is in flight, at the latest after `deadlineMs`. */
function idle(gateway: Gateway, deadlineMs: number): Promise<void> {
  const until = performance.now() + deadlineMs;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (gateway.inFlight > 0 && performance.now() < until) return;
      clearInterval(timer);
      resolve();
    }, IDLE_CHECK_MS);
  });
}
