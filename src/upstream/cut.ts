// How an exchange is ended from outside: last words, where a protocol has a place for them.
// Guarantees: synchronous. Cold.
import type { ServerResponse } from 'node:http';
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

/** Hands corked writes to the kernel: Node's HTTP corks until the next tick, and a reset does not wait. */
export function flushNow(res: ServerResponse): void {
  while (res.writableCorked > 0) res.uncork();
  while ((res.socket?.writableCorked ?? 0) > 0) res.socket?.uncork();
}
