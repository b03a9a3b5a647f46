// The gateway: exchanges in, through the pipeline, into the flow; and the handles by which the rest of the process
// ends them: a revoke, a changed grant, a withdrawn key, a new policy, the shutdown.
// Guarantees: when one of these returns, every exchange it concerns is over (law 5).
import type { Socket } from 'node:net';
import type { DenialCode } from '#model/reason.ts';
import type { GatewayMetrics } from '#telemetry/gateway-metrics.ts';
import { createClockGuard } from './clock-guard.ts';
import { ClientConnection } from './client-connection.ts';
import { type ConnectionWatch, watchConnections } from './connection-watch.ts';
import type { ClientMessage, Exchange } from './exchange.ts';
import { Flow, type FlowDeps } from './flow.ts';
import { createEnforcement, type Enforcement } from './enforcement.ts';
import { createIntake } from './intake.ts';
import { createLiveExchanges, type LiveExchanges } from './live-exchanges.ts';
import { watchLoopDelay } from './loop-delay.ts';
import { watchLongExchanges } from './long-exchanges.ts';
import { Overload, type OverloadOptions } from './overload.ts';
import { createPipeline, createStages } from './pipeline.ts';
import type { PipelineDeps } from './pipeline-deps.ts';
import { createPrincipalLimits, type PrincipalLimitOptions } from './principal-limits.ts';
import { createHeadReader } from './raw-headers.ts';
import { watchSessionUse } from './session-use.ts';
import type { Stage } from './stage.ts';
import type { GateState } from './stages/gate-state.ts';
import { createTenancy, type TenancyOptions } from './tenancy.ts';
import { watchYoungGeneration } from './young-generation.ts';

export interface GatewayOptions {
  readonly methods: readonly string[];
  readonly targetBytes: number;
  readonly headersBytes: number;
  readonly headerCount: number;
  readonly bodyBytes: number;
  readonly headersTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly tenancy: TenancyOptions;
  readonly hosts: readonly string[];
  readonly origins: readonly string[];
  readonly sessionsRequired: boolean;
  readonly perPrincipal: PrincipalLimitOptions;
  readonly overload: OverloadOptions;
}

type Collaborator = 'policies' | 'journal' | 'authenticator' | 'grants' | 'clock' | 'metrics' | 'forwarder';
type Later = 'sessions' | 'sessionDesk' | 'locks';

export interface GatewayDeps
  extends Pick<PipelineDeps, Collaborator>,
    Partial<Pick<PipelineDeps, Later>>,
    Pick<FlowDeps, 'log'> {
  readonly options: GatewayOptions;
  /** Drops what is cached of the store and reads it again: after the clock has jumped. */
  readonly rereadStore: () => Promise<void>;
}

export interface Gateway extends Enforcement {
  readonly state: GateState;
  connect(socket: Socket, rawSocket: Socket, secure: boolean): ClientConnection;
  /** Takes a message of this connection; false when too many are waiting and the connection must close. */
  accept(connection: ClientConnection, message: ClientMessage): boolean;
  /** Accepted by nobody: past the bound of connections, and past what a refusal is spent on. */
  dropped(): void;
  /** The connection closed: what it was doing has ended. */
  disconnected(connection: ClientConnection): void;
  /**
   * The parser failed while an exchange was waiting for its body: it is ended, and answered where it still can be.
   * False when none was.
   */
  bodyBroken(connection: ClientConnection, reason: DenialCode): boolean;
  /** What the parser refused, or never finished: recorded and answered in its turn, nothing judged. */
  refuseUnparsed(connection: ClientConnection, message: ClientMessage, reason: DenialCode): void;
  close(): void;
}

const WITHOUT_SESSIONS = { sessions: null, sessionDesk: null, locks: null };

export function createGateway({ options, rereadStore, ...given }: GatewayDeps): Gateway {
  const deps = { ...WITHOUT_SESSIONS, ...given };
  const { clock, metrics } = deps;
  const state: GateState = { draining: false, stopped: false };
  const principalLimits = createPrincipalLimits(options.perPrincipal);
  const live: LiveExchanges = createLiveExchanges({ clock, cut: (x, reason) => flow.cut(x, reason) });
  const overload = new Overload({ ...deps, options: options.overload, now: () => performance.now() });
  const flow = new Flow({ ...deps, live, principalLimits, overload, methods: options.methods });
  const stages = stagesOf(options, {
    ...deps,
    ...options,
    state,
    live,
    principalLimits,
    overload,
    clockGuard: createClockGuard(clock, rereadStore),
  });
  const pipeline = createPipeline(stages, flow);
  const watches = watchOver({ ...deps, live });
  const connections = watches.use(watchConnections({ ...options, options: options.overload, overload }));
  watches.use(watchLoopDelay(options.overload.eventLoopDelayMs, overload));
  watches.use(watchYoungGeneration(overload));

  const { begin, abandon, ...intake } = createIntake({ clock, metrics, flow, pipeline, overload });

  return {
    state,
    ...createEnforcement({ live, flow, clock }),
    // Again, for spreading reads a getter once.
    get inFlight() {
      return live.size;
    },
    dropped: () => overload.shed('connections'),
    ...intake,
    ...connectionEvents({ connections, metrics, flow, begin, abandon }),
    close() {
      watches.dispose();
      live.close();
    },
  };
}

type ReadFromOptions = 'reader' | 'tenancy';

function stagesOf(options: GatewayOptions, deps: Omit<PipelineDeps, ReadFromOptions>): readonly Stage[] {
  const tenantHeader = options.tenancy.from === 'header' ? options.tenancy.name : null;
  return createStages({
    ...deps,
    reader: createHeadReader(options, tenantHeader),
    tenancy: createTenancy(options.tenancy, options.hosts),
  });
}

/** What is looked at now and then while exchanges run. */
function watchOver(deps: Pick<PipelineDeps, 'live' | 'journal' | 'clock' | 'sessions'>): DisposableStack {
  const { sessions } = deps;
  const watches = new DisposableStack();
  watches.use(watchLongExchanges(deps));
  if (sessions !== null) watches.use(watchSessionUse({ ...deps, sessions }));
  return watches;
}

interface ConnectionDeps {
  readonly connections: ConnectionWatch;
  readonly metrics: GatewayMetrics;
  readonly flow: Flow;
  readonly begin: (x: Exchange) => void;
  readonly abandon: (connection: ClientConnection) => void;
}

type ConnectionEvents = Pick<Gateway, 'connect' | 'disconnected' | 'bodyBroken'>;

/** A connection that comes and goes, and what befalls the exchange it is busy with. */
function connectionEvents({ connections, metrics, flow, begin, abandon }: ConnectionDeps): ConnectionEvents {
  return {
    connect(socket, rawSocket, secure) {
      const connection = new ClientConnection(socket, rawSocket, secure, begin);
      metrics.connectionOpened();
      connections.add(connection);
      return connection;
    },
    disconnected(connection) {
      connections.remove(connection);
      metrics.connectionClosed();
      // Before the current one ends, which would begin the next.
      abandon(connection);
      if (connection.current !== null) flow.clientGone(connection.current);
    },
    bodyBroken({ current }, reason) {
      if (current === null || current.req === null || current.req.complete) return false;
      // A body that ends in its middle is a matter of framing: whoever sent it may still be listening.
      flow.bodyBroken(current, reason === 'client_closed' ? 'bad_framing' : reason);
      return true;
    },
  };
}
