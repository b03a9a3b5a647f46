// The gateway itself on a real socket before a recording upstream, with whatever holds for tenants, sessions and locks in the
// test's hands: for what no store is needed to decide.
import type { AddressInfo, Server } from 'node:net';
import type { AuthenticationResult } from '#authn/authenticator.ts';
import type { Journal, Recordable } from '#audit/journal.ts';
import { createGateway, type Gateway, type GatewayDeps } from '#gateway/gateway.ts';
import type { OverloadOptions } from '#gateway/overload.ts';
import { createDataServer } from '#gateway/server.ts';
import { DEFAULT_TENANT_SETTINGS } from '#grants/settings/default-settings.ts';
import type { CachedGrants } from '#grants/grant-lookup.ts';
import { type Clock, type EpochMs, systemClock } from '#model/clock.ts';
import type { ExchangeFacts } from '#model/exchange.ts';
import type { Grant } from '#model/grant.ts';
import type { GrantId, SessionId, TenantId } from '#model/ids.ts';
import { type Lock, lockFor } from '#model/lock.ts';
import type { Log } from '#model/log.ts';
import type { Credential, Principal } from '#model/principal.ts';
import { createSecretSeal, newSecret, type SecretKind, secretHash } from '#model/secret-hash.ts';
import type { SupportSession } from '#model/session.ts';
import type { TenantSettings } from '#model/tenant-settings.ts';
import { deny } from '#model/verdict.ts';
import type { CompiledPolicy } from '#policy/compiled-policy.ts';
import type { SessionEnd } from '#sessions/session-store.ts';
import type { TenancyOptions } from '#gateway/tenancy.ts';
import type { GatewayMetrics } from '#telemetry/gateway-metrics.ts';
import { createForwarder } from '#upstream/create-forwarder.ts';
import type { InjectTemplate } from '#upstream/inject.ts';
import { policyFrom } from './policy-sets.ts';
import { type RawAnswer, rawRequest } from './raw-client.ts';
import { recordingUpstream, type RecordingUpstream, type Respond } from './recording-upstream.ts';
import { credentialOf, grantOf } from './upstream-exchange.ts';

export { grantOf } from './upstream-exchange.ts';

export interface SessionGateOptions {
  readonly policy?: string;
  readonly respond?: Respond;
  readonly sessionsRequired?: boolean;
  readonly tenancy?: TenancyOptions;
  readonly hosts?: readonly string[];
  readonly inject?: readonly InjectTemplate[];
  readonly clock?: Clock;
  /** Over bounds that no test reaches. */
  readonly overload?: Partial<OverloadOptions>;
  readonly idleTimeoutMs?: number;
  readonly log?: Pick<Log, 'warn'>;
  readonly metrics?: Partial<GatewayMetrics>;
  /** Real ones in the place of what is held; `gateway` is there by the time anything is asked. */
  readonly rooms?: (gateway: () => Gateway) => Rooms;
  /** Besides `alice` and `bob`; a denial is what the token is refused with. */
  readonly tokens?: Readonly<Record<string, AuthenticationResult>>;
}

export type Rooms = Pick<GatewayDeps, 'grants' | 'sessions' | 'sessionDesk' | 'locks'>;

/** What holds; the test changes it, and tells the gateway where it says so itself. */
export class Held {
  readonly views = new Map<string, CachedGrants>();
  readonly sessions = new Map<SessionId, SupportSession>();
  readonly cookies = new Map<string, SessionId>();
  readonly launches = new Map<string, SessionId>();
  readonly uses = new Map<SessionId, EpochMs>();
  readonly ends: { readonly id: SessionId; readonly end: SessionEnd }[] = [];
  locks: Lock[] = [];
  locksAvailable = true;
  /** How often a session was looked for by a cookie. */
  cookieLooks = 0;
  /** Where set, what is asked for comes only when this resolves: a cache that has to ask the store. */
  slow: { readonly views: Promise<void> | null; readonly sessions: Promise<void> | null } = {
    views: null,
    sessions: null,
  };

  view(tenant: string, grants: readonly Grant[], settings: Partial<TenantSettings> = {}): CachedGrants {
    const view = {
      grants,
      settings: { ...DEFAULT_TENANT_SETTINGS, sessionsRequired: false, ...settings },
      standing: [] as readonly Grant[],
      loadedAt: 0,
    };
    this.views.set(tenant, view);
    return view;
  }

  session(changes: Partial<SupportSession> = {}): SupportSession {
    const id = `ses_${String(this.sessions.size + 1)}` as SessionId;
    const now = Date.now();
    const session: SupportSession = Object.freeze<SupportSession>({
      id,
      tenant: 'acme' as TenantId,
      principal: ALICE,
      grantId: 'grt_01' as GrantId,
      access: 'write',
      reason: { type: 'customer_initiated_support', detail: 'the import fails' },
      caseRef: null,
      startedAt: now as EpochMs,
      endsAt: (now + 3_600_000) as EpochMs,
      idleMs: 1_800_000,
      lastUsedAt: now as EpochMs,
      endedAt: null,
      endedBy: null,
      note: null,
      ...changes,
    });
    this.sessions.set(session.id, session);
    return session;
  }

  cookieFor(session: SupportSession): string {
    const secret = seal.make('cookie');
    this.cookies.set(secretHash(secret), session.id);
    return secret;
  }

  launchFor(session: SupportSession): string {
    const secret = seal.make('launch');
    this.launches.set(secretHash(secret), session.id);
    return secret;
  }
}

export const ALICE: Principal = credentialOf().principal;
/** Knows the names of its tokens alone: `alice`, `bob`. */
const TOKENS: Readonly<Record<string, Credential>> = {
  alice: credentialOf(),
  bob: credentialOf({ id: 'bob', email: 'bob@vendor.test', name: 'Bob' }),
};

export interface SessionGate extends AsyncDisposable {
  readonly gateway: Gateway;
  readonly held: Held;
  readonly upstream: RecordingUpstream;
  readonly port: number;
  /** What the journal was given, in order: refusals and intents. */
  readonly records: ExchangeFacts[];
  /** `line` is method and target; Host is acme's unless a header says another. */
  ask(line: string, headers?: readonly string[], body?: string): Promise<RawAnswer>;
  bytes(line: string, headers?: readonly string[], body?: string): string;
}

const POLICY = `
apiVersion: postern/v1
kind: RoutePolicy
metadata: { name: test }
spec:
  rules:
    - { id: export.all, category: export, match: [ { paths: ["/exports/**"] } ], message: "No <exports>." }
`;
const ROOMY: OverloadOptions = {
  connections: 1024,
  inFlight: 1024,
  heldBodyBytes: 1 << 26,
  eventLoopDelayMs: null,
};
const HOST_TENANCY: TenancyOptions = { from: 'host', prefix: '', suffix: '.app.test', port: null };

export async function startSessionGate(options: SessionGateOptions = {}): Promise<SessionGate> {
  const clock = options.clock ?? systemClock;
  const tokens: Readonly<Record<string, AuthenticationResult>> = { ...TOKENS, ...options.tokens };
  const held = new Held();
  const records: ExchangeFacts[] = [];
  const upstream = await recordingUpstream(options.respond);
  const gateway: Gateway = createGateway({
    options: {
      methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
      targetBytes: 8192,
      headersBytes: 16_384,
      headerCount: 100,
      bodyBytes: 1 << 20,
      headersTimeoutMs: 10_000,
      idleTimeoutMs: options.idleTimeoutMs ?? 10_000,
      tenancy: options.tenancy ?? HOST_TENANCY,
      hosts: options.hosts ?? [],
      origins: [],
      sessionsRequired: options.sessionsRequired ?? false,
      perPrincipal: { concurrent: null, perSecond: null },
      overload: { ...ROOMY, ...options.overload },
    },
    policies: {
      current: policyFrom(options.policy ?? POLICY) as CompiledPolicy | null,
      onSwap: () => ({ [Symbol.dispose]() {} }),
    },
    journal: journalInto(records),
    authenticator: {
      authenticate: (token): AuthenticationResult => tokens[token] ?? deny('credential_invalid'),
      isSupportCredential: (token) => token in tokens,
      refusalOfKey: () => null,
      onKeyWithdrawn: () => ({ [Symbol.dispose]() {} }),
    },
    ...(options.rooms?.(() => gateway) ?? roomsOf(held, (session) => gateway.sessionEnded(session))),
    clock,
    metrics: { ...METRICS, ...options.metrics },
    forwarder: createForwarder({
      url: `http://127.0.0.1:${upstream.port}`,
      preserveHost: true,
      connections: 8,
      connectTimeoutMs: 2000,
      assertion: null,
      inject: options.inject ?? [],
      secrets: {},
      tls: { ca: null, dangerouslySkipTlsVerify: false },
      clock,
      onHeaderDropped: () => undefined,
    }),
    log: { debug: quiet, info: quiet, warn: quiet, error: quiet, ...options.log } as never,
    rereadStore: () => Promise.resolve(),
  });
  const connections = options.overload?.connections ?? ROOMY.connections;
  const data = createDataServer(gateway, { headerTimeoutMs: 10_000, connections, tls: null });
  const port = await portOf(data.server);
  return {
    gateway,
    held,
    upstream,
    port,
    records,
    bytes: requestBytes,
    ask: (line, headers, body) => rawRequest(port, requestBytes(line, headers, body)),
    async [Symbol.asyncDispose]() {
      data.closeAllConnections();
      await data.close();
      gateway.close();
      await upstream[Symbol.asyncDispose]();
    },
  };
}

/** Host is acme's unless a header says another. */
function requestBytes(line: string, headers: readonly string[] = [], body = ''): string {
  const namesHost = headers.some((header) => header.toLowerCase().startsWith('host:'));
  const lines = [
    `${line} HTTP/1.1`,
    ...(namesHost ? [] : ['Host: acme.app.test']),
    ...headers,
    ...(body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
  ];
  return `${lines.join('\r\n')}\r\n\r\n${body}`;
}

const seal = createSecretSeal(newSecret());

/** Sealed as the gate's own are, and nobody's. */
export function unknownSecret(kind: SecretKind): string {
  return seal.make(kind);
}

/** In the form of ours, by somebody who does not know the key. */
export function forgedSecret(kind: SecretKind): string {
  return createSecretSeal(newSecret()).make(kind);
}

/** What is read is what held when it was asked for, however late it comes. */
function later<T>(wait: Promise<void> | null, read: () => T): T | Promise<T> {
  const value = read();
  return wait === null ? value : wait.then(() => value);
}

/** Sessions, their desk, locks and tenants, out of what the test holds. */
function roomsOf(held: Held, ended: (session: SupportSession) => void): Rooms {
  const ofLaunch = (token: string, tenant: TenantId) => {
    const session = held.sessions.get(held.launches.get(secretHash(token)) ?? ('' as SessionId));
    return session === undefined || session.tenant !== tenant || session.endedAt !== null ? null : session;
  };
  return {
    grants: {
      grantsOf: (tenant: TenantId) =>
        later(held.slow.views, () => held.views.get(tenant) ?? held.view(tenant, [])),
      dropAll: () => undefined,
    },
    sessions: {
      activeOf: (tenant: TenantId, principal: Pick<Principal, 'issuer' | 'id'>) =>
        later(
          held.slow.sessions,
          () =>
            [...held.sessions.values()].find(
              (one) => one.tenant === tenant && one.principal.id === principal.id && one.endedAt === null,
            ) ?? null,
        ),
      isOwnCookie: (cookie: string) => seal.holds('cookie', cookie),
      ofCookie: (hash: string) => {
        held.cookieLooks += 1;
        return later(
          held.slow.sessions,
          () => held.sessions.get(held.cookies.get(hash) ?? ('' as SessionId)) ?? null,
        );
      },
      lastUsedOf: (session: SupportSession) => held.uses.get(session.id) ?? session.lastUsedAt,
      used: (session: SupportSession, now: EpochMs) => void held.uses.set(session.id, now),
      sessionsInUse: () => [],
      dropAll: () => undefined,
    },
    sessionDesk: {
      launchOf: async (token: string, tenant: TenantId) => ofLaunch(token, tenant),
      takeLaunch: async (token: string, tenant: TenantId) => {
        const session = ofLaunch(token, tenant);
        if (session === null) return null;
        held.launches.delete(secretHash(token));
        return { session, cookie: held.cookieFor(session) };
      },
      end: async (id: SessionId, end: SessionEnd) => {
        const { ending, note } = end;
        const session = {
          ...(held.sessions.get(id) as SupportSession),
          endedAt: 1 as EpochMs,
          endedBy: ending,
          note,
        };
        held.sessions.set(id, session);
        held.ends.push({ id, end });
        ended(session);
        return session;
      },
    },
    locks: {
      get available() {
        return held.locksAvailable;
      },
      lockFor: (subject: Parameters<typeof lockFor>[1], now: EpochMs) => lockFor(held.locks, subject, now),
    },
  };
}

/** Takes everything, a turn later, as the real one does. */
function journalInto(records: ExchangeFacts[]): Journal {
  const take = (x: Recordable) => {
    records.push(x);
    setImmediate(() => x.recorded());
  };
  return {
    intend: take,
    refuse: take,
    complete: (_x, waits) => void (waits === undefined ? null : setImmediate(() => waits.recorded())),
    started: () => undefined,
    event: () => undefined,
    available: true,
    close: () => Promise.resolve(),
  };
}

function portOf(server: Server): Promise<number> {
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port));
  });
}

function quiet(): void {}

const METRICS = {
  exchangeStarted: quiet,
  exchangeEnded: quiet,
  ruleMatched: quiet,
  grantLookup: quiet,
  streamStarted: quiet,
  streamEnded: quiet,
  exchangeCut: quiet,
  headerDropped: quiet,
  shed: quiet,
  connectionOpened: quiet,
  connectionClosed: quiet,
};

export function reasonOf(answer: RawAnswer): string {
  return (JSON.parse(answer.body) as { reason: string }).reason;
}

/** With a cookie of this session. */
export function cookieLine(secret: string): string {
  return `Cookie: __Host-postern=${secret}`;
}

export const AS_ALICE = 'Authorization: Bearer alice';
export const AS_BOB = 'Authorization: Bearer bob';

/** One write grant of acme's for everybody of the vendor. */
export function openAcme(
  held: Held,
  settings: Partial<TenantSettings> = {},
  changes: Partial<Grant> = {},
): Grant {
  const grant = Object.freeze(grantOf(changes));
  held.view('acme', [grant], settings);
  return grant;
}
