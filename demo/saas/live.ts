// What happens in a tenant, as it happens: a server-sent event stream and a WebSocket, fed by one emitter.
// Neither ends by itself: a monitor screen stays as long as its viewer may look, which is for Postern to say.
import { EventEmitter } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Actor } from './identity.ts';

const HEARTBEAT_MS = 15_000;
const MAX_MESSAGE_BYTES = 16 * 1024;

type LiveEvent = { readonly type: string } & Readonly<Record<string, unknown>>;

export interface LiveFeed {
  publish(tenant: string, event: LiveEvent): void;
  streamTo(response: ServerResponse, tenant: string, actor: Actor): void;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, actor: Actor): void;
  close(): void;
}

export function createLiveFeed(): LiveFeed {
  const emitter = new EventEmitter().setMaxListeners(0);
  const sockets = new WebSocketServer({ noServer: true, maxPayload: MAX_MESSAGE_BYTES });

  function serve(socket: WebSocket, actor: Actor, requestId: string | null): void {
    const send = (message: object) => socket.send(JSON.stringify(message));
    emitter.on(actor.tenant, send);
    socket.on('close', () => emitter.off(actor.tenant, send));
    // A reset by the gateway is an ordinary end here: `close` follows.
    socket.on('error', () => undefined);
    socket.on('message', (data) => send({ type: 'echo', text: String(data), for: actor.email }));
    send({ type: 'welcome', actor, requestId });
  }

  return {
    publish: (tenant, event) => void emitter.emit(tenant, event),
    streamTo(response, tenant, actor) {
      response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
      const send = (event: LiveEvent) =>
        response.write(`event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
      send({ type: 'welcome', actor });
      emitter.on(tenant, send);
      const heartbeat = setInterval(() => response.write(': still here\n\n'), HEARTBEAT_MS).unref();
      response.on('close', () => {
        clearInterval(heartbeat);
        emitter.off(tenant, send);
      });
    },
    upgrade(request, socket, head, actor) {
      const requestId = request.headers['x-request-id']?.toString() ?? null;
      sockets.handleUpgrade(request, socket, head, (webSocket) => serve(webSocket, actor, requestId));
    },
    close() {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
    },
  };
}
