// The factory of the upstream room: options checked once, then a Forwarder.
// Guarantees: a wrong option is a TypeError at construction, templates with all their problems at once. Cold.
import type { Clock } from '#model/clock.ts';
import { type AssertionOptions, createAssertionSource, keySetOf } from './assertion.ts';
import { createConnect, parseUpstreamUrl, type UpstreamTls } from './connector.ts';
import type { Forwarder } from './forwarder.ts';
import { HeldHeads, HttpTransfer } from './http-transfer.ts';
import { compileInjections, type Injection, type InjectTemplate, type Secrets } from './inject.ts';
import { createLanes } from './lanes.ts';
import { createHeaderRules } from './managed-headers.ts';
import { createPrepare } from './prepare.ts';
import { createResponseCleaner } from './response-headers.ts';
import { createWatchdog } from './watchdog.ts';
import { createWebSockets } from './websocket.ts';

export interface ForwarderDeps {
  /** `http://host:port`, `https://host:port` or `unix:/path`; an origin without a path. */
  readonly url: string;
  /** Whether the upstream gets the client's Host, or its own authority. */
  readonly preserveHost: boolean;
  /** At most this many connections for HTTP exchanges; WebSockets have one each besides. */
  readonly connections: number;
  readonly connectTimeoutMs: number;
  /** Null: no assertion is sent, and the key set is empty. */
  readonly assertion: AssertionOptions | null;
  readonly inject: readonly InjectTemplate[];
  /** In the clear. */
  readonly secrets: Secrets;
  readonly tls: UpstreamTls;
  readonly clock: Clock;
  /** Told the name of each client header dropped for its `_` or `.` (P8). Called while a request is judged. */
  readonly onHeaderDropped: (name: string) => void;
  /** How often limits are looked at; each holds at the latest this much after its end. Default 250. */
  readonly watchPeriodMs?: number;
}

const WATCH_PERIOD_MS = 250;
/** How many may wait per connection before more are refused as overload. */
const WAITING_PER_CONNECTION = 64;

export function createForwarder(deps: ForwarderDeps): Forwarder {
  const { assertion, clock } = deps;
  if (!Number.isSafeInteger(deps.connections) || deps.connections < 1) {
    throw new TypeError('the number of upstream connections must be at least 1');
  }
  const address = parseUpstreamUrl(deps.url);
  const injections = compiled(deps);
  const connect = createConnect(address, deps.tls, deps.connectTimeoutMs);
  const watchdog = createWatchdog(deps.watchPeriodMs ?? WATCH_PERIOD_MS);
  const assertionHeader = assertion === null ? null : assertion.header;
  const clean = createResponseCleaner({ upstreamOrigin: address.origin, assertionHeader });
  const lanes = createLanes({
    connect,
    watchdog,
    connections: deps.connections,
    maxWaiting: deps.connections * WAITING_PER_CONNECTION,
  });
  const prepare = createPrepare({
    rules: createHeaderRules(managedNames(injections, assertionHeader)),
    injections,
    assertion:
      assertion === null
        ? null
        : { header: assertion.header, source: createAssertionSource(assertion, clock) },
    upstreamHost: address.authority,
    preserveHost: deps.preserveHost,
    onHeaderDropped: deps.onHeaderDropped,
  });
  const httpDeps = { lanes, watchdog, clean, heads: new HeldHeads() };
  const webSockets = createWebSockets({ connect, clean, watchdog });

  return {
    prepare,
    forward(x) {
      const transfer = new HttpTransfer(x, httpDeps);
      transfer.begin();
      return transfer;
    },
    upgrade: webSockets.upgrade,
    jwks: keySetOf(assertion === null ? [] : [assertion.key]),
    async close() {
      watchdog.close();
      await lanes.close();
    },
  };
}

function compiled(deps: ForwarderDeps): readonly Injection[] {
  const result = compileInjections(deps.inject, deps.secrets);
  if (result.ok) return result.injections;
  const lines = result.problems.map((one) => `${one.header}, character ${one.position}: ${one.message}`);
  throw new TypeError(`upstream.inject is wrong:\n${lines.join('\n')}`);
}

function managedNames(injections: readonly Injection[], assertionHeader: string | null): readonly string[] {
  const names = injections.map((injection) => injection.name);
  return assertionHeader === null ? names : [...names, assertionHeader];
}
