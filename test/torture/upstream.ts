// The application behind the gateway, which notes every request before anything else and then answers by its path:
// at once, late, as an event stream, as a WebSocket. Lives as long as the run; gateways come and go before it.
import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { listen } from '../support/listen.ts';
import type { Random } from '../support/torture-random.ts';
import type { Ledger } from './ledger.ts';

const SLOW_MS = 40;
const EVENT_MS = 15;
const EVENTS = 20;
/** RFC 6455 section 1.3. */
const WEBSOCKET_GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** A text frame that says hi. */
const HI = Buffer.from([0x81, 0x02, 0x68, 0x69]);

export interface Upstream extends AsyncDisposable {
  readonly port: number;
}

export async function startUpstream(ledger: Ledger, random: Random): Promise<Upstream> {
  const note = (req: IncomingMessage): void => {
    const id = req.headers['x-request-id'];
    ledger.saw(Array.isArray(id) ? id[0] : id, req.url ?? '');
  };
  const server = createServer((req, res) => {
    note(req);
    answer(req, res, random);
  });
  server.keepAliveTimeout = 60_000;
  server.on('clientError', (_error, socket) => socket.destroy());
  server.on('upgrade', (req, socket) => {
    note(req);
    upgrade(req, socket);
  });
  const { port, close } = await listen(server);
  return { port, [Symbol.asyncDispose]: close };
}

function answer(req: IncomingMessage, res: ServerResponse, random: Random): void {
  const url = req.url ?? '';
  // A client that goes away in the middle of its body is what this is about.
  req.on('error', () => undefined);
  res.on('error', () => undefined);
  if (url.startsWith('/events')) {
    stream(res);
    return;
  }
  const body = `you asked for ${url}`;
  const send = (): void => {
    res.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': body.length }).end(body);
  };
  req.resume();
  if (url.startsWith('/slow')) setTimeout(send, random.whole(1, SLOW_MS));
  else if (req.method === 'POST') req.on('end', send);
  else send();
}

function stream(res: ServerResponse): void {
  res.writeHead(200, { 'Content-Type': 'text/event-stream' });
  let sent = 0;
  const timer = setInterval(() => {
    sent += 1;
    res.write(`data: ${sent}\n\n`);
    if (sent === EVENTS) res.end();
  }, EVENT_MS);
  res.on('close', () => clearInterval(timer));
}

function upgrade(req: IncomingMessage, socket: Duplex): void {
  socket.on('error', () => undefined);
  const key = req.headers['sec-websocket-key'] ?? '';
  const accept = createHash('sha1').update(`${key}${WEBSOCKET_GUID}`).digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
  );
  socket.write(HI);
}
