// Every client connection, looked at once a second: those that rest are closed when there are too many of them, and so are
// those that do not take an answer of ours. Guarantees: a connection with a request in progress is never closed here (the
// transfer has limits of its own). Hot only where a connection comes and goes: four writes to a linked list.
import { resetConnection } from '#model/reset-connection.ts';
import type { ClientConnection } from './client-connection.ts';
import type { Overload, OverloadOptions } from './overload.ts';

const LOOK_EVERY_MS = 1000;

/** From this share of the configured connections on, one may rest for so long; the fuller, the shorter. */
const PRESSURES = [
  { share: 0.9, restMs: 1000 },
  { share: 0.75, restMs: 10_000 },
] as const;

/** What a connection past the bound has for its one refusal. */
const SURPLUS_MS = 2000;

export interface ConnectionWatch extends Disposable {
  add(connection: ClientConnection): void;
  remove(connection: ClientConnection): void;
  /** Called by its own timer. */
  look(nowMs: number): void;
}

export interface ConnectionWatchDeps {
  readonly overload: Overload;
  readonly options: Pick<OverloadOptions, 'connections'>;
  /** How long a client may leave an answer of ours untaken. */
  readonly idleTimeoutMs: number;
}

/** Its timer keeps no process alive. */
export function watchConnections({ overload, options, idleTimeoutMs }: ConnectionWatchDeps): ConnectionWatch {
  let first: ClientConnection | null = null;

  function limitFor(connection: ClientConnection, pressureMs: number): number {
    if (connection.isSurplus) return SURPLUS_MS;
    // Node ends half a head in its own time, with an answer.
    if (connection.begun !== connection.taken) return Number.POSITIVE_INFINITY;
    return connection.socket.writableLength > 0 ? Math.min(idleTimeoutMs, pressureMs) : pressureMs;
  }

  function look(nowMs: number): void {
    const pressureMs = restUnder(overload.connections / options.connections);
    let connection = first;
    while (connection !== null) {
      // Its end takes it off the list, though not at once.
      const { nextOpen } = connection;
      if (!isResting(connection, nowMs)) connection.restingSince = -1;
      else if (nowMs - connection.restingSince >= limitFor(connection, pressureMs)) {
        if (connection.isSurplus || connection.socket.writableLength > 0)
          resetConnection(connection.rawSocket, connection.socket);
        else connection.socket.destroy();
      }
      connection = nextOpen;
    }
  }

  const timer = setInterval(() => look(performance.now()), LOOK_EVERY_MS);
  timer.unref();
  return {
    look,
    add(connection) {
      overload.connections += 1;
      connection.isSurplus = overload.connections > options.connections;
      connection.nextOpen = first;
      if (first !== null) first.previousOpen = connection;
      first = connection;
    },
    remove(connection) {
      overload.connections -= 1;
      const { previousOpen, nextOpen } = connection;
      if (previousOpen !== null) previousOpen.nextOpen = nextOpen;
      else if (first === connection) first = nextOpen;
      if (nextOpen !== null) nextOpen.previousOpen = previousOpen;
      connection.previousOpen = null;
      connection.nextOpen = null;
    },
    [Symbol.dispose]() {
      clearInterval(timer);
    },
  };
}

/** Nothing in progress, and nothing new since it was looked at last; notes when that began. */
function isResting(connection: ClientConnection, nowMs: number): boolean {
  if (connection.current !== null) return false;
  if (connection.restingSince < 0 || connection.takenWhenResting !== connection.taken) {
    connection.restingSince = nowMs;
    connection.takenWhenResting = connection.taken;
  }
  return true;
}

function restUnder(share: number): number {
  for (const pressure of PRESSURES) if (share >= pressure.share) return pressure.restMs;
  return Number.POSITIVE_INFINITY;
}
