// A load at a fixed rate, evenly spread: a request is due every so often, whether or not earlier ones were answered,
// and its latency counts from when it was due, so that a stall counts for every request it held up (coordinated
// omission). autocannon sends a second's share in one burst, whose length says more of the burst than of the proxy.
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import type { Candidate } from './candidate.ts';
import { median } from './statistics.ts';

export interface Latencies {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
}

const CONNECTIONS = 64;
const LENGTH = /content-length: ([0-9]+)/i;

/** Of one answer, at least; read into anew each time, so that the load makes next to no garbage for itself. */
const READ_BYTES = 64 * 1024;

class Connection {
  readonly socket: Socket;
  /** When the request on its way was due; negative when there is none. */
  dueAt = -1;
  onText: (text: string) => void = () => undefined;
  #received = '';

  constructor(port: number) {
    const callback = (bytes: number, buffer: Uint8Array): boolean => {
      this.onText((buffer as Buffer).toString('latin1', 0, bytes));
      return true;
    };
    const onread = { buffer: Buffer.allocUnsafe(READ_BYTES), callback };
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true, onread });
  }

  /** True when a whole answer is there. Throws for anything but 200. */
  take(text: string): boolean {
    this.#received += text;
    const end = this.#received.indexOf('\r\n\r\n');
    if (end < 0) return false;
    if (!this.#received.startsWith('HTTP/1.1 200')) throw new Error(this.#received);
    const length = Number(LENGTH.exec(this.#received.slice(0, end))?.[1]);
    if (this.#received.length < end + 4 + length) return false;
    this.#received = '';
    return true;
  }
}

/** Latencies as the client saw them, over all but the first half second. */
export async function fixedRate(
  candidate: Candidate,
  perSecond: number,
  seconds: number,
): Promise<Latencies> {
  const idle = await Promise.all(Array.from({ length: CONNECTIONS }, () => open(candidate)));
  const all = [...idle];
  const waiting: number[] = [];
  const latencies: number[] = [];
  const bytes = requestBytes(candidate);
  const startedAt = performance.now();
  const count = Math.round(perSecond * seconds);
  const warmUp = Math.round(perSecond / 2);
  const answered = Promise.withResolvers<void>();
  let done = 0;

  function send(connection: Connection, dueAt: number): void {
    connection.dueAt = dueAt;
    connection.socket.write(bytes, 'latin1');
  }

  function receive(connection: Connection, text: string): void {
    if (!connection.take(text)) return;
    if (done++ >= warmUp) latencies.push(performance.now() - connection.dueAt);
    const next = waiting.shift();
    if (next === undefined) idle.push(connection);
    else send(connection, next);
    if (done === count) answered.resolve();
  }

  for (const connection of all) {
    connection.onText = (text) => receive(connection, text);
    connection.socket.on('error', answered.reject);
  }
  let sent = 0;
  const timer = setInterval(() => {
    const due = Math.min(count, Math.floor(((performance.now() - startedAt) * perSecond) / 1000));
    for (; sent < due; sent++) {
      const dueAt = startedAt + ((sent + 1) * 1000) / perSecond;
      const connection = idle.pop();
      if (connection === undefined) waiting.push(dueAt);
      else send(connection, dueAt);
    }
  }, 1);
  await answered.promise;
  clearInterval(timer);
  for (const { socket } of all) socket.destroy();
  return percentiles(latencies);
}

async function open(candidate: Candidate): Promise<Connection> {
  const connection = new Connection(candidate.port);
  await once(connection.socket, 'connect');
  return connection;
}

function requestBytes({ headers }: Candidate): string {
  const lines = Object.entries({ host: '127.0.0.1', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  );
  return `GET /api/v1/tickets?page=1 HTTP/1.1\r\n${lines.join('')}\r\n`;
}

function percentiles(latencies: number[]): Latencies {
  latencies.sort((a, b) => a - b);
  const at = (share: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return { p50Ms: median(latencies), p99Ms: at(0.99), p999Ms: at(0.999) };
}
