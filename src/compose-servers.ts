// The three listeners, and what is said on the ops one about the rest. Guarantees: the data listener opens last, so
// that nothing is accepted before everything behind it stands; a listener that cannot be had closes the others. Cold.
import { statSync } from 'node:fs';
import type { AddressInfo, Server } from 'node:net';
import type { ControlAuthenticator, ControlIdentity } from '#authn/control-authenticator.ts';
import { createControlAuthenticator } from '#authn/customer-authenticator.ts';
import type { Address, TlsMaterial } from '#config/config.ts';
import { reloadTls } from '#config/tls-material.ts';
import type { AuditAccess } from '#control/audit-routes.ts';
import { type ControlServer, createControlServer } from '#control/control-server.ts';
import { createRateLimit } from '#control/rate-limit.ts';
import type { Gateway } from '#gateway/gateway.ts';
import { nextRequestId } from '#gateway/request-id.ts';
import { createDataServer, type DataServer } from '#gateway/server.ts';
import type { PeopleSeen } from '#grants/people-seen.ts';
import { startSessionReporter } from '#sessions/session-reporter.ts';
import { createOpsServer } from '#telemetry/ops-server.ts';
import { keyPair, listenOptions, serviceAccounts } from './compose-options.ts';
import { openReading } from './compose-reading.ts';
import { entryUrlSource } from './compose-entry.ts';
import { policyExplainer } from './compose-explain.ts';
import type { Rooms } from './compose-rooms.ts';
import type { Traffic } from './compose-traffic.ts';

export interface Servers {
  readonly data: DataServer;
  readonly control: ControlServer;
  /** `host:port` as bound, or the path of a socket. */
  readonly addresses: { readonly data: string; readonly control: string; readonly ops: string };
}

export async function openServers(
  rooms: Rooms,
  traffic: Traffic,
  opened: AsyncDisposableStack,
): Promise<Servers> {
  const { config, log } = rooms;
  let started = false;
  const store = opened.use(watchStore(rooms));
  const ops = createOpsServer({
    metrics: rooms.metrics,
    log: rooms.log,
    started: () => started,
    readiness: () => readinessOf(rooms, traffic.gateway, store.isHealthy()),
  });
  opened.defer(() => ops.close());
  const opsAddress = addressText(await ops.listen(listenOptions(config.listen.ops.address)));
  const audit = openReading(rooms, opened);
  const { sessions } = rooms.access;
  opened.use(startSessionReporter({ store: sessions, reader: audit.reader, clock: rooms.clock, log }));
  const control = opened.use(await openControl(rooms, traffic, audit));
  const data = createDataServer(traffic.gateway, {
    headerTimeoutMs: config.limits.headerTimeoutMs,
    connections: config.limits.connections,
    tls: keyPair(config.listen.data.tls),
  });
  opened.defer(() => closeData(data));
  const dataAddress = await listenOn(data.server, config.listen.data.address);
  if (config.listen.data.tls !== null) opened.use(watchTls(config.listen.data.tls, data, rooms));
  started = true;
  const addresses = { data: dataAddress, control: controlText(control), ops: opsAddress };
  for (const [listener, address] of Object.entries(addresses)) log.info({ listener, address }, 'listening');
  return { data, control, addresses };
}

async function openControl(rooms: Rooms, traffic: Traffic, audit: AuditAccess): Promise<ControlServer> {
  const { config, clock, log, policies, access } = rooms;
  const { gateway, authority, settings, requests, sessions, security } = traffic;
  const { listen } = config;
  const control = await createControlServer({
    authenticator: authenticatorOf(rooms, traffic.sessions),
    authority,
    store: access.grants,
    views: access.views,
    settings,
    requests: { authority: requests, store: access.requests },
    sessions: {
      authority: sessions,
      store: access.sessions,
      lastUsedOf: (session) => access.sessionCache.lastUsedOf(session),
      entryUrlOf: entryUrlSource(config),
      record: audit.record,
    },
    locks: security.locks,
    emergencies: security.emergencies,
    idempotency: access.idempotency,
    rateLimit: createRateLimit(clock),
    policies,
    explain: policyExplainer(clock),
    clock,
    log,
    impactOf: (grant) => gateway.impactOf(grant),
    audit,
    nextRequestId,
    tls: keyPair(listen.control.tls),
  });
  await control.listen(listen.control.address);
  return control;
}

function authenticatorOf(
  { config, clock, keySets, access }: Rooms,
  sessions: Traffic['sessions'],
): ControlAuthenticator {
  const { identity } = config;
  const authenticator = createControlAuthenticator({
    support: identity.support,
    customers: identity.customers,
    services: serviceAccounts(config),
    roles: identity.roles,
    keySets,
    clock,
  });
  const { people } = access.notices;
  return {
    async authenticate(header) {
      const result = await authenticator.authenticate(header);
      if ('kind' in result) remember(people, sessions, result);
      return result;
    },
  };
}

/** Notices find people by the tokens they came with, and sessions follow them; nobody waits for it to be written down. */
function remember(people: PeopleSeen, sessions: Traffic['sessions'], identity: ControlIdentity): void {
  if (identity.kind === 'staff') {
    const { issuer, id, email, groups, org } = identity.principal;
    void people.staffSeen({ issuer, id, email, groups, org });
    void sessions.principalSeen(identity.principal);
  } else if (identity.kind === 'customer') {
    const { tenant, admin, issuer, id, email } = identity;
    if (admin) void people.adminSeen(tenant, { issuer, id, email });
    else void people.adminGone(tenant, { issuer, id });
  }
}

function controlText({ address }: ControlServer): string {
  if (address === null) return '';
  return address.kind === 'unix' ? address.path : `${address.host}:${address.port}`;
}

function listenOn(server: Server, address: Address): Promise<string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(listenOptions(address), () => {
      server.removeListener('error', reject);
      resolve(addressText(server.address()));
    });
  });
}

function addressText(address: AddressInfo | string | null): string {
  if (address === null || typeof address === 'string') return address ?? '';
  return address.family === 'IPv6'
    ? `[${address.address}]:${address.port}`
    : `${address.address}:${address.port}`;
}

async function closeData(data: DataServer): Promise<void> {
  data.closeAllConnections();
  await data.close();
}

const STORE_CHECK_MS = 1000;

/** Readiness must answer at once, so the store is asked beforehand. */
function watchStore({ access }: Pick<Rooms, 'access'>): Disposable & { isHealthy(): boolean } {
  let healthy = true;
  let asking = false;
  async function ask(): Promise<void> {
    if (asking) return;
    asking = true;
    try {
      await access.core.ping();
      healthy = true;
    } catch {
      healthy = false;
    } finally {
      asking = false;
    }
  }
  const timer = setInterval(() => void ask(), STORE_CHECK_MS);
  timer.unref();
  void ask();
  return {
    isHealthy: () => healthy,
    [Symbol.dispose]() {
      clearInterval(timer);
    },
  };
}

/** The reasons are reason codes: short, closed, and without a name of anybody. */
function readinessOf(
  { policies, journal, keySets }: Rooms,
  { state }: Gateway,
  storeIsHealthy: boolean,
): { ready: boolean; reasons: readonly string[] } {
  const reasons: string[] = [];
  if (state.draining) reasons.push('draining');
  if (state.stopped) reasons.push('stopped');
  if (policies.current === null) reasons.push('policy_unavailable');
  if (!journal.available) reasons.push('audit_unavailable');
  if (!storeIsHealthy) reasons.push('store_unavailable');
  if (keySets.missing().length > 0) reasons.push('keys_unavailable');
  return { ready: reasons.length === 0, reasons };
}

const TLS_CHECK_MS = 2000;

/** New certificates are taken up live; a pair that does not load leaves the old one in place. */
function watchTls(
  material: TlsMaterial,
  server: DataServer,
  { log, metrics }: Pick<Rooms, 'log' | 'metrics'>,
): Disposable {
  const files = [material.cert.file, material.key.file].filter((file) => file !== null);
  let seen = stampsOf(files);

  function look(): void {
    const now = stampsOf(files);
    if (now === seen) return;
    seen = now;
    const next = reloadTls(material);
    metrics.configReloaded(typeof next !== 'string');
    if (typeof next === 'string') {
      log.error({ problem: next }, 'the new TLS material cannot be used; the old one stays');
      return;
    }
    server.replaceTls({ cert: next.cert.reveal(), key: next.key.reveal() });
    log.info({}, 'TLS material reloaded');
  }

  const timer = setInterval(look, TLS_CHECK_MS);
  timer.unref();
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
    },
  };
}

function stampsOf(files: readonly string[]): string {
  return files.map((file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0).join(' ');
}
