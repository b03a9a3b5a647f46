// The control listener: the application on a TCP address or a Unix socket, over TLS where material is given. Its own
// listener, so that nothing here can be reached through the data listener. Limits on what a slow or endless client
// may hold. Cold.
import { createServer as createHttpServer, type Server } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { type ControlAppDeps, createControlApp } from './control-app.ts';
import { reasonProblem } from './control-problem.ts';
import { freeUnixSocket } from './unix-socket.ts';

/** Port 0 is any free one; an IPv6 host stands without brackets. */
export type ControlAddress =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string };

export interface ControlServerDeps extends Omit<ControlAppDeps, 'createServer'> {
  /** PEM. Null listens without TLS. */
  readonly tls: { readonly cert: string; readonly key: string } | null;
}

export interface ControlServer extends AsyncDisposable {
  /** Rejects with Node's error when the address cannot be had; a stale Unix socket is replaced. */
  listen(address: ControlAddress): Promise<void>;
  /** As bound, the port with it; null before `listen` and after `close`. */
  readonly address: ControlAddress | null;
  /** Takes no new connection, lets running calls end, closes idle connections. */
  close(): Promise<void>;
}

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const KEEP_ALIVE_MS = 5000;
const MAX_HEADER_BYTES = 16_384;

export async function createControlServer(deps: ControlServerDeps): Promise<ControlServer> {
  const { tls, ...appDeps } = deps;
  const app = await createControlApp({
    ...appDeps,
    createServer(handler) {
      const options = {
        headersTimeout: HEADERS_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        maxHeaderSize: MAX_HEADER_BYTES,
      };
      const server: Server =
        tls === null
          ? createHttpServer(options, handler)
          : createHttpsServer({ ...options, ...tls, minVersion: 'TLSv1.2' }, handler);
      server.removeAllListeners('clientError');
      server.on('clientError', (_error, socket: Socket) => refuseMalformed(socket, deps));
      return server;
    },
  });
  let bound: ControlAddress | null = null;
  const server: ControlServer = {
    async listen(address) {
      if (address.kind === 'unix') {
        await freeUnixSocket(address.path);
        await app.listen({ path: address.path });
        bound = address;
        return;
      }
      await app.listen({ host: address.host, port: address.port });
      const { address: host, port } = app.server.address() as AddressInfo;
      bound = { kind: 'tcp', host, port };
    },
    get address() {
      return bound;
    },
    async close() {
      bound = null;
      await app.close();
    },
    [Symbol.asyncDispose]: () => server.close(),
  };
  return server;
}

/** Bytes that are not HTTP get one answer in our shape; what the parser saw is nobody's business. */
function refuseMalformed(socket: Socket, { nextRequestId, clock }: ControlServerDeps): void {
  if (!socket.writable || socket.destroyed) {
    socket.destroy();
    return;
  }
  const body = JSON.stringify(reasonProblem('bad_framing', nextRequestId(clock.now())));
  socket.end(
    `HTTP/1.1 400 Bad Request\r\ncontent-type: application/problem+json\r\ncache-control: no-store\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
}
