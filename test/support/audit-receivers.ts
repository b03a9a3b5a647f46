// A receiver of signed batches, as somebody else would write one: checks each signature by hand, unpacks, keeps what it
// took and knows what it saw twice. It can be down, refuse, hang, reset and redirect, in whatever order a test says.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer as createPlain, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTls } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { gunzipSync } from 'node:zlib';
import { linesOf } from './audit-journal.ts';
import type { TlsPair } from './upstream-wire.ts';

/** `hang`: never answers. `reset`: closes before a byte. `resetMidAnswer`: takes the batch, then dies while it says so. */
export type Answer =
  | 'hang'
  | 'reset'
  | 'resetMidAnswer'
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>>; readonly body?: string };

export interface Delivery {
  readonly id: string;
  readonly timestamp: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** As it came over the wire. */
  readonly body: Buffer;
  readonly records: readonly Record<string, unknown>[];
  readonly isSigned: boolean;
}

export interface Receiver extends AsyncDisposable {
  readonly url: string;
  /** Every request that came in whole, taken or not. */
  readonly deliveries: Delivery[];
  /** Those that were answered 2xx, and those that were taken although the answer did not get through. */
  readonly taken: Delivery[];
  /** What the next requests get, one each; 204 when it is empty. */
  readonly answers: Answer[];
  /** Bodies larger than this, unpacked, get 413. */
  maxBytes: number;
  /** Refuses connections, at the same port; `start` again. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export interface ReceiverOptions {
  readonly secret: string;
  readonly tls?: TlsPair;
}

const TOLERANCE_S = 300;

export async function startReceiver({ secret, tls }: ReceiverOptions): Promise<Receiver> {
  const deliveries: Delivery[] = [];
  const taken: Delivery[] = [];
  const answers: Answer[] = [];
  let server: Server | null = null;
  let port = 0;
  const sockets = new Set<Socket>();
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const delivery = deliveryOf(request, Buffer.concat(parts), secret);
      deliveries.push(delivery);
      const answer = answers.shift() ?? { status: tooLarge(delivery, receiver.maxBytes) ? 413 : 204 };
      if (answer === 'resetMidAnswer' || (typeof answer === 'object' && answer.status < 300)) {
        taken.push(delivery);
      }
      give(answer, response);
    });
    request.on('error', () => undefined);
  };
  const receiver: Receiver = {
    url: '',
    deliveries,
    taken,
    answers,
    maxBytes: Number.MAX_SAFE_INTEGER,
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => (server === null ? resolve(null) : server.close(resolve)));
      server = null;
    },
    async start() {
      const started = tls === undefined ? createPlain(serve) : createTls(tls, serve);
      started.on('connection', (socket: Socket) => {
        sockets.add(socket);
        socket.once('close', () => sockets.delete(socket));
      });
      await new Promise<void>((resolve) => started.listen(port, '127.0.0.1', resolve));
      ({ port } = started.address() as AddressInfo);
      server = started;
    },
    [Symbol.asyncDispose]: () => receiver.stop(),
  };
  await receiver.start();
  return Object.assign(receiver, { url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/hook` });
}

function tooLarge({ headers, body }: Delivery, maxBytes: number): boolean {
  return unpacked(headers, body).length > maxBytes;
}

function give(answer: Answer, response: ServerResponse): void {
  if (answer === 'hang') return;
  if (answer === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  if (answer === 'resetMidAnswer') {
    response.writeHead(200, { 'content-length': '100' });
    response.write('{');
    setImmediate(() => response.socket?.resetAndDestroy());
    return;
  }
  response.writeHead(answer.status, { ...answer.headers });
  response.end(answer.body);
}

function deliveryOf(request: IncomingMessage, body: Buffer, secret: string): Delivery {
  const { headers } = request;
  return {
    id: String(headers['webhook-id']),
    timestamp: Number(headers['webhook-timestamp']),
    path: request.url ?? '',
    headers,
    body,
    records: linesOf(unpacked(headers, body).toString('utf8')),
    isSigned: isSigned(headers, body, secret),
  };
}

function unpacked(headers: IncomingMessage['headers'], body: Buffer): Buffer {
  return headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body;
}

/** Standard Webhooks, by hand: over the bytes of the wire, before they are unpacked. */
function isSigned(headers: IncomingMessage['headers'], body: Buffer, secret: string): boolean {
  const id = String(headers['webhook-id']);
  const timestamp = String(headers['webhook-timestamp']);
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > TOLERANCE_S) return false;
  const key = secret.startsWith('whsec_')
    ? Buffer.from(secret.slice('whsec_'.length), 'base64')
    : Buffer.from(secret);
  const signed = Buffer.concat([Buffer.from(`${id}.${timestamp}.`), body]);
  const expected = createHmac('sha256', key).update(signed).digest();
  return String(headers['webhook-signature'])
    .split(' ')
    .some((one) => {
      const [version, text = ''] = one.split(',');
      const given = Buffer.from(text, 'base64');
      return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
    });
}
