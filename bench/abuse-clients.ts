// The attackers of `npm run bench:abuse`, in a process of their own: slow heads and bodies, large heads, idle connections,
// readers that take nothing, connections that come and go. Each attack goes on, whatever the gate closes, until it is stopped.
import { connect, type Socket } from 'node:net';
import { setPriority } from 'node:os';
import { resetConnection } from '#model/reset-connection.ts';

export interface Attack {
  readonly kind: 'slow' | 'idle' | 'heads' | 'readers' | 'churn' | 'none';
  /** Connections at a time; of `churn` a second. */
  readonly count: number;
  readonly port: number;
  /** Of somebody with a grant. */
  readonly headers: Readonly<Record<string, string>>;
}

export interface Attacked {
  /** A second after the last one was opened. */
  readonly open: number;
  /** What became of the attack before this one. */
  readonly before: {
    /** By the gate. */
    readonly closed: number;
    /** Bytes that the slow ones sent each second, from when all were there. */
    readonly drippedPerSecond: number;
  };
}

/** Evenly: the bytes of a longer tick would come to the gate in one burst, and hold up the load that shares our core. */
const TICK_MS = 2;
/** One byte a second each: slow enough to be cheap, fast enough to be no silence. */
const DRIPS_PER_SECOND = 1;
const OPENED_PER_SECOND = 4000;
/** The slow ones are opened over the ten seconds that a head may take, so that the gate closes some of them all the time. */
const SLOW_SECONDS = 10;
/** Of a connection that comes and goes. */
const CHURN_LIFE_MS = 10;
/** Those who may ask, and do so slowly, are as many as one principal may have at a time. */
const SLOW_BODIES = 32;

/** Just below what the parser takes of a head, and no end of it. */
const LARGE_FIELDS = Array.from({ length: 31 }, (_, i) => `X-${i}: ${'a'.repeat(1000)}\r\n`).join('');

/** What is due since it was last asked; the fraction stays for the next time. */
class Pace {
  #at = performance.now();
  #owed = 0;

  take(perSecond: number): number {
    const now = performance.now();
    this.#owed += (perSecond * (now - this.#at)) / 1000;
    this.#at = now;
    const due = Math.floor(this.#owed);
    this.#owed -= due;
    return due;
  }
}

const sockets = new Set<Socket>();
let attack: Attack = { kind: 'none', count: 0, port: 0, headers: {} };
let ticking: NodeJS.Timeout | null = null;
let closed = 0;
let opened = 0;
let dripped = 0;
let completeAt = performance.now();
let queue: Socket[] = [];
let opening = new Pace();
let dripping = new Pace();

process.on('message', (next: Attack) => void begin(next));
process.on('disconnect', () => process.exit(0));
// The load and the upstream share this core: their time is what is measured, not ours.
setPriority(10);
process.send?.('ready');

async function begin(next: Attack): Promise<void> {
  if (ticking !== null) clearInterval(ticking);
  const drippedPerSecond = (dripped * 1000) / (performance.now() - completeAt);
  const before = { closed, drippedPerSecond };
  attack = { ...next, kind: 'none' };
  // Not `once` of events, which a reset's error would reject.
  const leaving = [...sockets].map((socket) => new Promise((left) => socket.once('close', left)));
  for (const socket of sockets) resetConnection(socket, socket);
  await Promise.all(leaving);
  [closed, opened, queue, attack] = [0, 0, [], next];
  [opening, dripping] = [new Pace(), new Pace()];
  if (attack.kind === 'churn') ticking = setInterval(churn, TICK_MS);
  else if (attack.kind !== 'none') ticking = setInterval(hold, TICK_MS);
  while (attack.kind !== 'churn' && opened < attack.count) await sleep(TICK_MS);
  await sleep(1000);
  const said: Attacked = { open: sockets.size, before };
  [dripped, completeAt] = [0, performance.now()];
  process.send?.(said);
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** As many as are asked for, and of the slow ones some bytes of each in its turn. */
function hold(): void {
  const most = opening.take(attack.kind === 'slow' ? attack.count / SLOW_SECONDS : OPENED_PER_SECOND);
  for (let i = 0; i < most && sockets.size < attack.count; i++) open();
  if (attack.kind !== 'slow') return;
  const due = dripping.take(attack.count * DRIPS_PER_SECOND);
  for (let sent = 0; sent < due; ) {
    const socket = queue.shift();
    if (socket === undefined) return;
    if (socket.destroyed) continue;
    socket.write('a');
    queue.push(socket);
    dripped += 1;
    sent += 1;
  }
}

function churn(): void {
  for (let due = opening.take(attack.count); due > 0; due--) {
    const socket = open();
    socket.once('connect', () => {
      socket.write('GET /churn HTTP/1.1\r\nHost: acme.app.test\r\n');
      setTimeout(() => resetConnection(socket, socket), CHURN_LIFE_MS);
    });
  }
}

/** Loopback has more than one address there, and each its own ports. */
function localAddress(): { localAddress?: string } {
  return process.platform === 'linux' ? { localAddress: `127.0.0.${2 + (opened % 16)}` } : {};
}

function open(): Socket {
  const socket = connect({ port: attack.port, host: '127.0.0.1', ...localAddress() });
  sockets.add(socket);
  socket.on('error', () => undefined);
  socket.once('close', () => {
    closed += 1;
    sockets.delete(socket);
  });
  const number = opened++;
  socket.once('connect', () => {
    if (attack.kind === 'readers') socket.pause();
    else socket.resume();
    const text = firstBytes(number);
    if (text !== '') socket.write(text, 'latin1');
    if (attack.kind === 'slow') queue.push(socket);
  });
  return socket;
}

function firstBytes(number: number): string {
  switch (attack.kind) {
    case 'slow':
      return number % Math.ceil(attack.count / SLOW_BODIES) === 0
        ? head('POST /upload', ['content-length: 1000000'])
        : 'GET /slow HTTP/1.1\r\nHost: acme.app.test\r\nX-A: ';
    case 'idle':
      return 'GET /-/postern/jwks.json HTTP/1.1\r\nHost: acme.app.test\r\n\r\n';
    case 'heads':
      return `GET /heads HTTP/1.1\r\nHost: acme.app.test\r\n${LARGE_FIELDS}`;
    case 'readers':
      return head(`GET /download?bytes=${1 << 30}`, []);
    case 'churn':
    case 'none':
      return '';
  }
}

function head(line: string, more: readonly string[]): string {
  const lines = Object.entries(attack.headers).map(([name, value]) => `${name}: ${value}`);
  return `${[`${line} HTTP/1.1`, ...lines, ...more].join('\r\n')}\r\n\r\n`;
}
