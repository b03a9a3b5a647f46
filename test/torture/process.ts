// The gateway's process as the torture sees it: one that is loaded, started by a word, killed or stopped. Guarantees:
// every process that was spawned here is dead when its owner disposes of it.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Plant } from './plants.ts';

export interface ChildOrders {
  /** The configuration file. */
  readonly config: string;
  readonly segmentBytes: number;
  readonly plant: Plant | null;
}

export type ChildWord =
  | { readonly word: 'loaded' }
  | { readonly word: 'ready'; readonly data: string; readonly control: string; readonly ops: string }
  | { readonly word: 'failed'; readonly why: string };

export interface Ports {
  readonly data: number;
  readonly control: number;
  readonly ops: number;
}

export interface GatewayProcess extends Disposable {
  /** Resolves with the ports once the gateway listens; null when the process ended first. */
  readonly ready: Promise<Ports | null>;
  /** Resolves with the exit code and signal. */
  readonly exited: Promise<readonly [number | null, NodeJS.Signals | null]>;
  /** Sends the orders as soon as everything is loaded. */
  start(orders: ChildOrders): Promise<void>;
  signal(signal: NodeJS.Signals): void;
  /** What it said on standard error, and why it failed: the last part of it. */
  said(): string;
}

const CHILD = new URL('./gateway-child.ts', import.meta.url).pathname;
const KEPT_CHARS = 8000;

export function spawnGateway(): GatewayProcess {
  const child: ChildProcess = spawn(process.execPath, ['--conditions=source', CHILD], {
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit') as Promise<[number | null, NodeJS.Signals | null]>;
  const loaded = Promise.withResolvers<void>();
  const ready = Promise.withResolvers<Ports | null>();
  let said = '';
  const keep = (text: string): void => {
    said = (said + text).slice(-KEPT_CHARS);
  };
  onLines(child, (line) => {
    const word = JSON.parse(line) as ChildWord;
    if (word.word === 'loaded') loaded.resolve();
    else if (word.word === 'ready') ready.resolve(portsOf(word));
    else keep(word.why);
  });
  child.stderr?.setEncoding('utf8').on('data', keep);
  // A process that was killed does not read its orders any more.
  child.stdin?.on('error', () => undefined);
  child.once('exit', () => {
    loaded.resolve();
    ready.resolve(null);
  });
  return {
    ready: ready.promise,
    exited,
    async start(orders) {
      await loaded.promise;
      child.stdin?.write(`${JSON.stringify(orders)}\n`);
    },
    signal: (signal) => void child.kill(signal),
    said: () => said,
    [Symbol.dispose]: () => void child.kill('SIGKILL'),
  };
}

function onLines(child: ChildProcess, take: (line: string) => void): void {
  let pending = '';
  child.stdout?.setEncoding('utf8').on('data', (text: string) => {
    const lines = (pending + text).split('\n');
    pending = lines.pop() ?? '';
    for (const line of lines) take(line);
  });
}

function portsOf(word: Extract<ChildWord, { word: 'ready' }>): Ports {
  return { data: portOf(word.data), control: portOf(word.control), ops: portOf(word.ops) };
}

function portOf(address: string): number {
  return Number(address.split(':').at(-1));
}
