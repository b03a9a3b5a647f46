// How an exchange is ended from outside: last words where a protocol has a place for them, and resets.
// Guarantees: synchronous; a reset closes the file descriptor in every state of the socket. Cold.
import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { CutReason } from '#model/ended-by.ts';

/** RFC 6455 section 7.4.2 leaves 4000 to 4999 to applications; 4403 reads as the status 403. */
export const CLOSE_CODE = 4403;

/** The last event of an event stream that the gate cut (HTML Standard, section 9.2). */
export function lastEvent(reason: CutReason): string {
  return `event: postern.ended\ndata: {"reason":"${reason}"}\n\n`;
}

/** Whether an event of ours can follow `tail`, the last characters sent: within an event it would corrupt it. */
export function endsBetweenEvents(tail: string): boolean {
  return tail === '' || tail.endsWith('\n\n') || tail.endsWith('\r\r') || tail.endsWith('\r\n\r\n');
}

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

/** Hands corked writes to the kernel: Node's HTTP corks until the next tick, and a reset does not wait. */
export function flushNow(res: ServerResponse): void {
  while (res.writableCorked > 0) res.uncork();
  while ((res.socket?.writableCorked ?? 0) > 0) res.socket?.uncork();
}
