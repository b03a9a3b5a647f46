// WebSocket tunnels: http-proxy-3 makes the handshake with a request rebuilt from the judged one and pipes a guard.
// Guarantees: no byte passes before a checked 101; a cut says 4403 where a frame may stand and resets both sides.
// Assumes the gateway checked the client's half of the handshake. No idle limit once open.
import { Agent, type ClientRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { createProxyServer } from 'http-proxy-3';
import type { Connect } from './connector.ts';
import type { Transfer, UpgradeExchange } from './forwarder.ts';
import { createGuard } from './guard-stream.ts';
import type { CleanResponse } from './response-headers.ts';
import { Tunnel } from './tunnel.ts';
import type { Watchdog } from './watchdog.ts';

export interface WebSocketDeps {
  readonly connect: Connect;
  readonly clean: CleanResponse;
  readonly watchdog: Watchdog;
}

export interface WebSockets {
  upgrade(x: UpgradeExchange): Transfer;
}

export function createWebSockets({ connect, clean, watchdog }: WebSocketDeps): WebSockets {
  const rawSockets = new WeakMap<Duplex, Socket>();
  const tunnels = new WeakMap<Duplex, Tunnel>();

  // Our connector makes the connection, TLS included, so that its raw socket can be reset; http-proxy-3 sees HTTP.
  const agent = new Agent({ keepAlive: false });
  agent.createConnection = (_options, done) => {
    connect((error, connected) => {
      if (connected === null) {
        // Node reads no stream where there is an error.
        done?.(error ?? new Error('no connection'), undefined as unknown as Duplex);
        return;
      }
      rawSockets.set(connected.socket, connected.raw);
      done?.(null, connected.socket);
    });
    return undefined;
  };

  // The address is never used: the agent knows where to connect, and the path is set below.
  const proxy = createProxyServer({
    target: { protocol: 'http:', host: 'upstream', port: 80 },
    agent,
    ignorePath: true,
  });
  proxy.on('error', ignore);
  proxy.on('proxyReqWs', (request: ClientRequest, _req: unknown, guard: Duplex) => {
    tunnels.get(guard)?.dialled(request);
  });

  return {
    upgrade(x) {
      const tunnel = new Tunnel(x, { clean, watchdog, rawOf: (socket) => rawSockets.get(socket) ?? null });
      const guard = createGuard(x.socket, tunnel);
      tunnels.set(guard.stream, tunnel);
      tunnel.begin(guard);
      proxy.ws(rebuiltRequest(x), guard.stream as Socket, (error: Error) => tunnel.upstreamFailed(error));
      return tunnel;
    },
  };
}

/** http-proxy-3 re-parses the path and passes every header on, so it gets no path and only what was checked. */
function rebuiltRequest(x: UpgradeExchange): IncomingMessage {
  const headers: Record<string, string | string[]> = Object.create(null) as Record<string, string | string[]>;
  const names = x.upstreamHeaders;
  for (let i = 0; i < names.length; i += 2) {
    const name = (names[i] as string).toLowerCase();
    const value = names[i + 1] as string;
    const known = headers[name];
    if (known === undefined) headers[name] = value;
    else headers[name] = typeof known === 'string' ? [known, value] : [...known, value];
  }
  headers.connection = 'Upgrade';
  headers.upgrade = 'websocket';
  return {
    method: 'GET',
    url: '/',
    headers,
    httpVersion: '1.1',
    httpVersionMajor: 1,
    httpVersionMinor: 1,
  } as unknown as IncomingMessage;
}

function ignore(): void {
  // Each tunnel is told of its own errors by callback.
}
