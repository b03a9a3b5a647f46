// How long the head of a request may take (P10): those who have one to send, in the order in which they began, so that the
// first is always the next to be late. Guarantees: each is told once; nobody whose head is whole is told. Node's own check
// goes over every connection each time, late or not. Hot: a link set and a link taken per message.
import type { ClientConnection } from './client-connection.ts';

/** Those who are late within so long end together: a few at a time, so that nobody waits behind hundreds of them. */
const GROUP_MS = 20;

export interface HeadDeadline {
  /** From now on, and anew where one had begun: a connection has its first head to send from its beginning. */
  begin(connection: ClientConnection): void;
  /** The head is whole, or nothing comes any more. */
  end(connection: ClientConnection): void;
}

/** `late` may end the connection. The timer keeps no process alive, and runs only while it may be needed. */
export function watchHeads(timeoutMs: number, late: (connection: ClientConnection) => void): HeadDeadline {
  let first: ClientConnection | null = null;
  let last: ClientConnection | null = null;
  let isArmed = false;

  function end(connection: ClientConnection): void {
    if (connection.headSince < 0) return;
    connection.headSince = -1;
    const { previousHead, nextHead } = connection;
    if (previousHead === null) first = nextHead;
    else previousHead.nextHead = nextHead;
    if (nextHead === null) last = previousHead;
    else nextHead.previousHead = previousHead;
    connection.previousHead = null;
    connection.nextHead = null;
  }

  function arm(afterMs: number): void {
    isArmed = true;
    setTimeout(look, Math.max(afterMs, GROUP_MS)).unref();
  }

  function look(): void {
    const now = performance.now();
    try {
      while (first !== null && now - first.headSince >= timeoutMs) {
        const connection = first;
        end(connection);
        late(connection);
      }
    } finally {
      // Until here it counts as armed: who begins meanwhile must not arm a second one.
      isArmed = false;
      if (first !== null) arm(first.headSince + timeoutMs - now);
    }
  }

  return {
    end,
    begin(connection) {
      end(connection);
      connection.headSince = performance.now();
      connection.previousHead = last;
      if (last === null) first = connection;
      else last.nextHead = connection;
      last = connection;
      if (!isArmed) arm(timeoutMs);
    },
  };
}
