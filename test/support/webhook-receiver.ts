// A receiver of webhooks, as somebody else would write one: checks each signature by hand, keeps what it took, and can
// refuse, redirect, drip, hang or reset in whatever order a test says.
import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer as createPlain, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTls } from 'node:https';
import { listen } from './listen.ts';
import type { TlsPair } from './upstream-wire.ts';

export type HookAnswer =
  | 'hang'
  | 'reset'
  /** The head, and then a byte now and then, for ever. */
  | 'drip'
  /** As much body as is taken. */
  | 'flood'
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> };

export interface HookDelivery {
  readonly id: string;
  readonly timestamp: number;
  readonly headers: IncomingMessage['headers'];
  readonly path: string;
  readonly method: string;
  readonly body: Record<string, unknown>;
  readonly isSigned: boolean;
}

export interface WebhookReceiver extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly deliveries: HookDelivery[];
  /** What the next requests get, one each; 204 when it is empty. */
  readonly answers: HookAnswer[];
  took(count: number): Promise<void>;
}

export interface WebhookReceiverOptions {
  readonly secret: string;
  readonly tls?: TlsPair;
}

export async function startWebhookReceiver(options: WebhookReceiverOptions): Promise<WebhookReceiver> {
  const { secret, tls } = options;
  const deliveries: HookDelivery[] = [];
  const answers: HookAnswer[] = [];
  const waiting = new Set<() => void>();
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    const parts: Buffer[] = [];
    request.on('error', () => undefined);
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      deliveries.push(deliveryOf(request, Buffer.concat(parts), secret));
      give(answers.shift() ?? { status: 204 }, response);
      for (const check of waiting) check();
    });
  };
  const { port, close } = await listen(tls === undefined ? createPlain(serve) : createTls(tls, serve));
  return {
    url: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}/hook?x=1`,
    port,
    deliveries,
    answers,
    took: (count) =>
      new Promise((resolve) => {
        const check = (): void => {
          if (deliveries.length < count) return;
          waiting.delete(check);
          resolve();
        };
        waiting.add(check);
        check();
      }),
    [Symbol.asyncDispose]: close,
  };
}

function give(answer: HookAnswer, response: ServerResponse): void {
  if (answer === 'hang') return;
  if (answer === 'reset') {
    response.socket?.resetAndDestroy();
    return;
  }
  if (answer === 'drip' || answer === 'flood') {
    response.writeHead(200);
    const piece = answer === 'drip' ? 'x' : 'x'.repeat(65_536);
    const timer = setInterval(() => response.write(piece), 5);
    response.on('close', () => clearInterval(timer));
    return;
  }
  response.writeHead(answer.status, { ...answer.headers });
  response.end('whatever');
}

function deliveryOf(request: IncomingMessage, body: Buffer, secret: string): HookDelivery {
  const { headers } = request;
  return {
    id: String(headers['webhook-id']),
    timestamp: Number(headers['webhook-timestamp']),
    headers,
    path: request.url ?? '',
    method: request.method ?? '',
    body: JSON.parse(body.toString('utf8')) as Record<string, unknown>,
    isSigned: isSigned(headers, body, secret),
  };
}

/** As docs/notifications.md shows it. */
function isSigned(headers: IncomingMessage['headers'], rawBody: Buffer, secret: string): boolean {
  const id = headers['webhook-id'];
  const timestamp = headers['webhook-timestamp'];
  if (Math.abs(Date.now() / 1000 - Number(timestamp)) > 300) return false;
  const key = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const expected = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(rawBody).digest();
  return String(headers['webhook-signature'])
    .split(' ')
    .some((one) => {
      const [version, text = ''] = one.split(',');
      const given = Buffer.from(text, 'base64');
      return version === 'v1' && given.length === expected.length && timingSafeEqual(given, expected);
    });
}
