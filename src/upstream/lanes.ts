// The lanes to the upstream: each carries one exchange at a time over a connection that it keeps between them.
// Guarantees: never more than the configured connections; what waits for one is ours to drop at once; a lane rests
// for the rest of the loop turn, so that bytes behind a response are seen before the next request. Hot: no scan.
import type { Connect } from './connector.ts';
import { OriginConnection } from './origin-connection.ts';
import type { Watchdog } from './watchdog.ts';

/** An exchange that wants a lane. */
export interface Passenger {
  /** Its turn: it must `ride` the lane and later release it, or return false and not use it. */
  board(lane: Lane): boolean;
  /** The connection is there. False: it was not used, and is destroyed. */
  connected(connection: OriginConnection): boolean;
  /** No connection could be made. */
  connectFailed(error: Error): void;
}

export class Lane {
  readonly #connect: Connect;
  readonly #watchdog: Watchdog;
  #connection: OriginConnection | null = null;

  constructor(connect: Connect, watchdog: Watchdog) {
    this.#connect = connect;
    this.#watchdog = watchdog;
  }

  /** At once over the connection that is left from the last time, else over a new one. */
  ride(passenger: Passenger): void {
    const connection = this.#connection;
    if (connection?.usable) {
      if (!passenger.connected(connection)) connection.destroy();
    } else this.#dial(passenger);
  }

  #dial(passenger: Passenger): void {
    const connection = new OriginConnection(this.#watchdog);
    this.#connection = null;
    this.#connect((error, connected) => {
      if (connected === null) {
        passenger.connectFailed(error ?? new Error('no connection'));
        return;
      }
      connection.attach(connected);
      this.#connection = connection;
      if (!passenger.connected(connection)) connection.destroy();
    }, connection);
  }

  close(): void {
    this.#connection?.destroy();
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
  readonly connect: Connect;
  /** Told which connections rest, so that they close before the upstream closes them. */
  readonly watchdog: Watchdog;
  readonly connections: number;
  /** How many may wait for a lane; those past it are refused. */
  readonly maxWaiting: number;
}

export function createLanes(options: LanesOptions): Lanes {
  const all: Lane[] = [];
  // Last released, first used: the others grow idle and close.
  const idle: Lane[] = [];
  let resting: Lane[] = [];
  let woken: Lane[] = [];
  const waiting = new WaitingLine();
  let allIdle: (() => void) | null = null;

  function freeLane(): Lane | null {
    const lane = idle.pop();
    if (lane !== undefined) return lane;
    if (all.length >= options.connections) return null;
    const made = new Lane(options.connect, options.watchdog);
    all.push(made);
    return made;
  }

  function board(lane: Lane): void {
    for (let next = waiting.shift(); next !== null; next = waiting.shift()) {
      if (next.board(lane)) return;
    }
    idle.push(lane);
  }

  function wake(): void {
    // Those released meanwhile rest for a turn of their own.
    const lanes = resting;
    resting = woken;
    woken = lanes;
    for (const lane of lanes) board(lane);
    lanes.length = 0;
    if (allIdle !== null && idle.length === all.length) allIdle();
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
      if (resting.length === 0) setImmediate(wake);
      resting.push(lane);
    },
    async close() {
      if (idle.length < all.length) {
        await new Promise<void>((resolve) => {
          allIdle = resolve;
        });
      }
      for (const lane of all) lane.close();
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
