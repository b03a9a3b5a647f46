// Live streams of four kinds through a gate, each paced at ten messages or 64 KiB a second: event streams, WebSockets,
// downloads, uploads. Raw sockets on both ends, so that every byte that comes is seen with its time.
import { createHash } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { processMs } from './written-bytes.ts';

export const STREAM_KINDS = ['events', 'socket', 'download', 'upload'] as const;
type StreamKind = (typeof STREAM_KINDS)[number];

/** Every stream sends once in this time; one tenth of them in each tick. */
const PERIOD_MS = 100;
const SLOTS = 10;
const BLOCK = Buffer.alloc(6554, 'x');
const ENDLESS = 1_000_000_000;

/** What one end of a stream has received. */
class End {
  readonly socket: Socket;
  bytes = 0;
  lastAt = 0;
  closedAt: number | null = null;
  head = '';
  #onHead: ((head: string) => void) | null;

  constructor(socket: Socket, onHead: (head: string) => void) {
    this.socket = socket;
    this.#onHead = onHead;
    socket.on('data', (part: Buffer) => this.#take(part));
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closedAt = processMs();
    });
  }

  /** The head does not count; what follows it in the same packet does. */
  #take(part: Buffer): void {
    if (this.#onHead === null) {
      this.bytes += part.length;
      this.lastAt = processMs();
      return;
    }
    this.head += part.toString('latin1');
    const end = this.head.indexOf('\r\n\r\n');
    if (end === -1) return;
    this.bytes = this.head.length - end - 4;
    if (this.bytes > 0) this.lastAt = processMs();
    const onHead = this.#onHead;
    this.#onHead = null;
    onHead(this.head);
  }

  send(data: string | Buffer): void {
    if (!this.socket.destroyed && this.socket.writableLength === 0) this.socket.write(data);
  }
}

function emptySlots(): (() => void)[][] {
  return Array.from({ length: SLOTS }, () => []);
}

/** Sends for everybody in turn, so that the load is level. */
class Pace {
  #slots: (() => void)[][] = emptySlots();
  readonly #timer: NodeJS.Timeout;
  #next = 0;
  #turn = 0;

  constructor() {
    this.#timer = setInterval(() => {
      for (const send of this.#slots[this.#turn % SLOTS] ?? []) send();
      this.#turn += 1;
    }, PERIOD_MS / SLOTS);
  }

  add(send: () => void): void {
    this.#slots[this.#next++ % SLOTS]?.push(send);
  }

  /** Resolves when everybody has had so many turns from now on. */
  async turns(count: number): Promise<void> {
    const until = this.#turn + (count + 1) * SLOTS;
    while (this.#turn < until) await new Promise((resolve) => setTimeout(resolve, PERIOD_MS / SLOTS));
  }

  clear(): void {
    this.#slots = emptySlots();
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

type Client = End & { readonly kind: StreamKind; readonly n: number };

export interface StreamMix extends AsyncDisposable {
  /** What the gate forwards to. */
  readonly upstreamPort: number;
  /** Opens so many, a quarter of each kind, and waits until bytes of each have come through. */
  open(
    gate: { readonly dataPort: number; readonly host: string; readonly token: string },
    count: number,
  ): Promise<void>;
  readonly clients: readonly End[];
  /** Both ends of every stream. */
  readonly ends: readonly End[];
  /** Ends every stream and forgets it. */
  clear(): void;
  /** Resolves when every stream that is still open has sent so many times more. */
  turns(count: number): Promise<void>;
  /** Resolves when the client's end of every stream is closed. */
  closed(): Promise<void>;
}

export async function startStreamMix(): Promise<StreamMix> {
  const pace = new Pace();
  const clients: Client[] = [];
  const upstreamEnds = new Map<string, End>();
  let opened = 0;
  const server = createServer((socket) => {
    const end = new End(socket, (head) => {
      upstreamEnds.set(/\?n=([0-9]+)/.exec(head)?.[1] ?? '', end);
      answer(end, head, pace);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  const isLive = (client: Client): boolean => {
    const upstream = upstreamEnds.get(String(client.n));
    if (client.closedAt !== null) throw new Error(`a stream was refused: ${client.head}`);
    if (upstream === undefined) return false;
    const comes = client.kind !== 'upload';
    const goes = client.kind === 'upload' || client.kind === 'socket';
    return (!comes || client.bytes > 0) && (!goes || upstream.bytes > 0);
  };

  function clear(): void {
    pace.clear();
    for (const { socket } of [...clients, ...upstreamEnds.values()]) socket.destroy();
    clients.length = 0;
    upstreamEnds.clear();
  }

  return {
    clients,
    clear,
    upstreamPort: (server.address() as AddressInfo).port,
    get ends() {
      return [...clients, ...upstreamEnds.values()];
    },
    async open(gate, count) {
      const first = opened;
      for (; opened < first + count; opened++) {
        const kind = STREAM_KINDS[opened % STREAM_KINDS.length] as StreamKind;
        clients.push(Object.assign(dial(gate, { kind, n: opened, pace }), { kind, n: opened }));
      }
      while (!clients.every(isLive)) await new Promise((resolve) => setTimeout(resolve, 20));
    },
    turns: (count) => pace.turns(count),
    async closed() {
      await Promise.all(
        clients.map(({ socket }) =>
          socket.closed ? undefined : new Promise((resolve) => socket.once('close', resolve)),
        ),
      );
    },
    async [Symbol.asyncDispose]() {
      pace.stop();
      clear();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface StreamOptions {
  readonly kind: StreamKind;
  readonly n: number;
  readonly pace: Pace;
}

function dial(
  { dataPort, host, token }: { readonly dataPort: number; readonly host: string; readonly token: string },
  { kind, n, pace }: StreamOptions,
): End {
  const end = new End(connect(dataPort, '127.0.0.1'), () => {
    if (kind === 'socket') pace.add(() => end.send(frame('hello from the client', true)));
  });
  const lines = [`Host: ${host}`, `Authorization: Bearer ${token}`, `Origin: http://${host}`];
  if (kind === 'socket') {
    lines.push('Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13');
    lines.push(`Sec-WebSocket-Key: ${Buffer.alloc(16, n % 251).toString('base64')}`);
  }
  if (kind === 'upload') lines.push(`Content-Length: ${ENDLESS}`);
  const method = kind === 'upload' ? 'POST' : 'GET';
  end.socket.write(`${method} /${kind}?n=${n} HTTP/1.1\r\n${lines.join('\r\n')}\r\n\r\n`);
  if (kind === 'upload') pace.add(() => end.send(BLOCK));
  return end;
}

function answer(end: End, head: string, pace: Pace): void {
  const kind = /^[A-Z]+ \/([a-z]+)/.exec(head)?.[1];
  switch (kind) {
    case 'events':
      end.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n');
      pace.add(() => end.send('f\r\ndata: message\n\n\r\n'));
      return;
    case 'download':
      end.send(`HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${ENDLESS}\r\n\r\n`);
      pace.add(() => end.send(BLOCK));
      return;
    case 'socket': {
      const key = /sec-websocket-key: (.*)\r\n/i.exec(head)?.[1] ?? '';
      const accept = createHash('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
      const lines = ['Connection: Upgrade', 'Upgrade: websocket', `Sec-WebSocket-Accept: ${accept}`];
      end.send(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('\r\n')}\r\n\r\n`);
      pace.add(() => end.send(frame('hello from the server', false)));
    }
  }
}

/** A short text frame; the mask of zeros changes nothing (RFC 6455 section 5.2). */
function frame(text: string, masked: boolean): Buffer {
  const head = masked ? [0x81, 0x80 | text.length, 0, 0, 0, 0] : [0x81, text.length];
  return Buffer.concat([Buffer.from(head), Buffer.from(text)]);
}
