// How a connection is reset, in one place: what Node and libuv make of a reset at the wrong moment is no error of anybody's.
// Guarantees: never throws, never leaves an error without a listener, never loses a descriptor. Warm.
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';

/**
 * Resets the TCP connection: whatever is still buffered is dropped and the peer sees an error, never a clean end.
 * `raw` is the TCP (or Unix) socket, `upper` what carries the protocol on it: the same, or TLS.
 */
export function resetConnection(raw: Socket, upper: Duplex): void {
  // The other side may answer a reset with an error that nobody else listens for any more.
  raw.on('error', ignore);
  upper.on('error', ignore);
  if (raw.destroyed) upper.destroy();
  else if (raw.connecting || upper.writableEnded || raw.writableEnded) {
    // libuv refuses a reset while a shutdown is under way, and Node would then lose the descriptor.
    raw.destroy();
  } else {
    try {
      raw.resetAndDestroy();
    } catch {
      // A Unix domain socket has no reset.
      raw.destroy();
    }
  }
  upper.destroy();
}

function ignore(): void {
  // Already over on our side.
}
