// The connections to the upstream: each lane is an undici Client that carries one exchange at a time.
// Guarantees: never more than the configured connections; what waits for one is ours to drop at once; the raw
// socket of the exchange in progress is known, so that it can be reset. Hot: a stack of idle lanes, no scan.
import type { Socket } from 'node:net';
import { Client, type Dispatcher } from 'undici';
import type { Connect, Connected } from './connector.ts';

/** An exchange that wants a lane. */
export interface Passenger {
  /** Its turn: it must dispatch on the lane and later release it, or return false and not use it. */
  board(lane: Lane): boolean;
}

export class Lane {
  readonly client: Client;
  /** The connection in use or last used; null before the first. */
  connected: Connected | null = null;

  constructor(origin: string, connect: Connect, maxHeaderBytes: number) {
    this.client = new Client(origin, {
      connect: (_options, callback) => {
        connect((error, connected) => {
          if (connected === null) {
            callback(error ?? new Error('no connection'), null);
            return;
          }
          this.connected = connected;
          callback(null, connected.socket);
        });
      },
      allowH2: false,
      pipelining: 1,
      strictContentLength: true,
      maxHeaderSize: maxHeaderBytes,
      // The watchdog's: its limits differ per route and per kind of response.
      headersTimeout: 0,
      bodyTimeout: 0,
    });
  }

  get socket(): Socket | null {
    return this.connected === null ? null : this.connected.socket;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.client.dispatch(options, handler);
  }
}

export interface Lanes {
  /** Boards at once where a lane is free, else in turn. False: too many are waiting already. */
  enter(passenger: Passenger): boolean;
  release(lane: Lane): void;
  /** Waits for running exchanges, then closes the connections. */
  close(): Promise<void>;
}

export interface LanesOptions {
  readonly origin: string;
  readonly connect: Connect;
  readonly connections: number;
  /** How many may wait for a lane; those past it are refused. */
  readonly maxWaiting: number;
  readonly maxHeaderBytes: number;
}

export function createLanes(options: LanesOptions): Lanes {
  const all: Lane[] = [];
  // Last released, first used: the others grow idle and close.
  const idle: Lane[] = [];
  const waiting = new WaitingLine();

  function freeLane(): Lane | null {
    const lane = idle.pop();
    if (lane !== undefined) return lane;
    if (all.length >= options.connections) return null;
    const made = new Lane(options.origin, options.connect, options.maxHeaderBytes);
    all.push(made);
    return made;
  }

  function board(lane: Lane): void {
    for (let next = waiting.shift(); next !== null; next = waiting.shift()) {
      if (next.board(lane)) return;
    }
    idle.push(lane);
  }

  return {
    enter(passenger) {
      const lane = freeLane();
      if (lane === null) {
        if (waiting.length >= options.maxWaiting) return false;
        waiting.push(passenger);
      } else if (!passenger.board(lane)) idle.push(lane);
      return true;
    },
    release(lane) {
      // Within undici's parser when a response just ended: it must return before the client is used again.
      if (waiting.length > 0) queueMicrotask(() => board(lane));
      else idle.push(lane);
    },
    async close() {
      await Promise.all(all.map((lane) => lane.client.close()));
    },
  };
}

/** First in, first out, without moving what stays. */
class WaitingLine {
  #items: Passenger[] = [];
  #head = 0;

  get length(): number {
    return this.#items.length - this.#head;
  }

  push(passenger: Passenger): void {
    this.#items.push(passenger);
  }

  shift(): Passenger | null {
    const first = this.#items[this.#head];
    if (first === undefined) return null;
    this.#head++;
    if (this.#head >= 1024 || this.#head === this.#items.length) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
    return first;
  }
}
