// The ops listener: metrics and the three probes. Reads only, names no tenant, and holds no door open:
// short timeouts, GET and HEAD alone. Not hot.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Log } from './log.ts';

/** `reasons` are short fixed words (`audit_unavailable`, `draining`), never names of tenants or people. */
interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

export interface OpsServerDeps {
  /** Whether traffic should be sent here. */
  readonly readiness: () => Readiness;
  /** True once the data listener has been opened, and from then on. */
  readonly started: () => boolean;
  readonly metrics: { expose(): Promise<string>; readonly contentType: string };
  readonly log: Log;
}

type OpsAddress = { readonly host: string; readonly port: number } | { readonly path: string };

export interface OpsServer {
  /** Rejects with the error of node:net when the address cannot be had. Returns what was bound. */
  listen(address: OpsAddress): Promise<AddressInfo | string>;
  close(): Promise<void>;
}

const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';

export function createOpsServer(deps: OpsServerDeps): OpsServer {
  const server = createServer(
    { requestTimeout: 5000, headersTimeout: 5000, keepAliveTimeout: 5000, connectionsCheckingInterval: 1000 },
    (request, response) => {
      answer(deps, request, response).catch((error: unknown) => {
        deps.log.error({ err: error }, 'the ops listener failed to answer');
        if (response.headersSent) response.destroy();
        else send(response, request, { status: 500, type: TEXT, body: 'internal error\n' });
      });
    },
  );
  server.maxRequestsPerSocket = 1000;
  server.maxConnections = 256;
  server.on('clientError', (_error, socket) => socket.destroy());
  return { listen: (address) => listen(server, address), close: () => close(server) };
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

async function answer(
  deps: OpsServerDeps,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  request.resume();
  const { method, url = '' } = request;
  if (method !== 'GET' && method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    send(response, request, { status: 405, type: TEXT, body: 'method not allowed\n' });
    return;
  }
  send(response, request, await pageOf(deps, url.split('?', 1)[0] ?? ''));
}

async function pageOf(deps: OpsServerDeps, path: string): Promise<Answer> {
  switch (path) {
    case '/metrics':
      return { status: 200, type: deps.metrics.contentType, body: await deps.metrics.expose() };
    case '/livez':
      return { status: 200, type: JSON_TYPE, body: '{"live":true}\n' };
    case '/readyz': {
      const { ready, reasons } = deps.readiness();
      return {
        status: ready ? 200 : 503,
        type: JSON_TYPE,
        body: `${JSON.stringify({ ready, reasons })}\n`,
      };
    }
    case '/startupz': {
      const started = deps.started();
      return { status: started ? 200 : 503, type: JSON_TYPE, body: `${JSON.stringify({ started })}\n` };
    }
    default:
      return { status: 404, type: TEXT, body: 'not found\n' };
  }
}

function send(response: ServerResponse, request: IncomingMessage, { status, type, body }: Answer): void {
  response.writeHead(status, {
    'Content-Type': type,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(request.method === 'HEAD' ? undefined : body);
}

function listen(server: Server, address: OpsAddress): Promise<AddressInfo | string> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(address, () => {
      server.off('error', reject);
      resolve(server.address() ?? '');
    });
  });
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
