// One client connection: a single exchange at a time, the pipelined ones waiting in order, a bounded few.
// Guarantees: a pipelined request is judged only when the one before it has ended, so that a revoke or a new policy
// in between holds for it; past the bound the connection closes. Hot.
import type { Socket } from 'node:net';
import type { Exchange } from './exchange.ts';

const MAX_WAITING = 16;
const NONE: readonly Exchange[] = Object.freeze([]);

export class ClientConnection {
  /** What the HTTP parser reads from: under TLS the decrypted stream. */
  readonly socket: Socket;
  /** The TCP connection itself: under TLS only this one can be reset. */
  readonly rawSocket: Socket;
  readonly secure: boolean;
  /** Read once: the kernel is asked at each call otherwise, and forgets the peer of a closed socket. */
  readonly peerIp: string;
  current: Exchange | null = null;
  /** Bytes accounted for by finished exchanges: more than these at the end are a request without a record. */
  bytesAccounted = 0;
  /** Messages that the parser saw the beginning of, and those that reached the gateway: one more is half a head. */
  begun = 0;
  taken = 0;
  /** The parser gave up, or the connection became a tunnel: what still comes is no request, and needs no record. */
  noMoreRequests = false;
  /** Past the bound of connections: it gets one answer, which is a refusal. */
  isSurplus = false;
  /** Its place among the open ones, and since when it rests; written by connection-watch.ts alone. */
  previousOpen: ClientConnection | null = null;
  nextOpen: ClientConnection | null = null;
  restingSince = -1;
  takenWhenResting = 0;
  /** Its place among those who have a head to send, and since when; negative for none. Written by head-deadline.ts alone. */
  previousHead: ClientConnection | null = null;
  nextHead: ClientConnection | null = null;
  headSince = -1;
  readonly #begin: (x: Exchange) => void;
  #waiting: Exchange[] | null = null;

  constructor(socket: Socket, rawSocket: Socket, secure: boolean, begin: (x: Exchange) => void) {
    this.socket = socket;
    this.rawSocket = rawSocket;
    this.secure = secure;
    this.peerIp = socket.remoteAddress ?? '';
    this.#begin = begin;
  }

  /** Begins the exchange now or in its turn. False: too many are waiting and the connection must close. */
  admit(x: Exchange): boolean {
    if (this.current === null) {
      this.current = x;
      this.#begin(x);
      return true;
    }
    this.#waiting ??= [];
    if (this.#waiting.length >= MAX_WAITING) return false;
    this.#waiting.push(x);
    return true;
  }

  /** Those that wait, in order; none waits from then on. */
  takeWaiting(): readonly Exchange[] {
    const waiting = this.#waiting ?? NONE;
    this.#waiting = null;
    return waiting;
  }

  /** The current exchange has ended: the next one is begun, unless the connection is gone. */
  release(x: Exchange): void {
    if (this.current !== x) return;
    this.current = null;
    this.bytesAccounted = this.socket.bytesRead;
    const next = this.#waiting?.shift();
    if (next === undefined) return;
    this.current = next;
    this.#begin(next);
  }
}
