// The two kinds of live connection that support may hold open: a server-sent event stream and a WebSocket. Both keep
// what they received, so that a wait for something that has already come returns at once.
import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { open } from '../http.ts';
import { until } from '../waiting.ts';

const EVENT_WITHIN_MS = 5000;

interface StreamEvent {
  readonly type: string;
  readonly data: string;
}

interface LiveClient extends Disposable {
  /** As the upstream saw it. */
  readonly requestId: string;
  readonly received: readonly StreamEvent[];
  /** The first event of this type, come or to come. */
  event(type: string): Promise<StreamEvent>;
}

export interface EventStream extends LiveClient {
  /** Resolves when the stream is over: whole, reset or cut. */
  readonly over: Promise<void>;
}

export interface LiveSocket extends LiveClient {
  /** The close code and reason that the other side sent. */
  readonly closed: Promise<{ readonly code: number; readonly reason: string }>;
}

export interface LiveOptions {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Throws unless the answer is 200. */
export async function openEventStream(options: LiveOptions): Promise<EventStream> {
  const stop = new AbortController();
  const response = await open(options, stop.signal);
  if (response.statusCode !== 200) throw new Error(`the event stream was answered ${response.statusCode}`);
  const received: StreamEvent[] = [];
  return {
    requestId: String(response.headers['x-request-id']),
    received,
    over: readEvents(response, received),
    event: (type) => eventOf(received, type),
    [Symbol.dispose]: () => stop.abort(),
  };
}

/** By `data`, not by iteration: a destroyed stream's iterator discards what it has not handed out yet. */
function readEvents(response: IncomingMessage, received: StreamEvent[]): Promise<void> {
  let pending = '';
  response.setEncoding('utf8').on('data', (chunk: string) => {
    const blocks = (pending + chunk).split('\n\n');
    pending = blocks.pop() ?? '';
    for (const block of blocks) received.push(parseEvent(block));
  });
  return new Promise((resolve) => {
    response.on('error', () => undefined);
    response.once('close', resolve);
  });
}

function parseEvent(block: string): StreamEvent {
  const fields = block.split('\n');
  const read = (name: string) =>
    fields
      .filter((field) => field.startsWith(`${name}:`))
      .map((field) => field.slice(name.length + 1).trim())
      .join('\n');
  return { type: read('event'), data: read('data') };
}

/** Throws when the handshake is refused. */
export async function openWebSocket(options: LiveOptions): Promise<LiveSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${options.port}${options.path}`, {
    headers: options.headers,
    handshakeTimeout: EVENT_WITHIN_MS,
  });
  const received: StreamEvent[] = [];
  socket.on('message', (message) => {
    const data = String(message);
    received.push({ type: String((JSON.parse(data) as { type: unknown }).type), data });
  });
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    socket.once('close', (code, reason) => resolve({ code, reason: String(reason) }));
  });
  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve);
    socket.once('error', reject);
  });
  // The reset that may follow a close frame is no failure: `closed` tells what was said.
  socket.on('error', () => undefined);
  const welcome = JSON.parse((await eventOf(received, 'welcome')).data) as { requestId?: unknown };
  return {
    requestId: String(welcome.requestId),
    received,
    closed,
    event: (type) => eventOf(received, type),
    [Symbol.dispose]: () => socket.terminate(),
  };
}

function eventOf(received: readonly StreamEvent[], type: string): Promise<StreamEvent> {
  return until(`the event ${type}`, EVENT_WITHIN_MS, () => received.find((event) => event.type === type));
}
