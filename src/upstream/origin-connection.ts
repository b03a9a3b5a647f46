// One connection to the upstream, HTTP/1.1, one exchange at a time: no pipelining, no retry.
// Guarantees: a request is one write unless its body streams; after a fault, an early answer or a byte too many the
// connection is gone; a byte, an end or an error while idle destroys it and surfaces nowhere. Hot.
import type { Socket } from 'node:net';
import type { ByteReader, Connected } from './connector.ts';
import { resetConnection } from '#model/reset-connection.ts';
import { requestHead } from './request-head.ts';
import { ResponseParser, type ResponseSink } from './response-parser.ts';
import { upstreamError } from './upstream-error.ts';
import type { Watchdog, Watched } from './watchdog.ts';

/** What the connection tells the exchange it carries. After `end` or `failed` it says nothing more. */
export interface ExchangeHandler extends ResponseSink {
  /** The bytes at hand hold no body: it is not worth waiting for with a head held back. */
  headAlone(): void;
  /** False: read no more until `resume`. As in ResponseSink else: `bytes` is reused. */
  data(bytes: Buffer, from: number, to: number): boolean;
  /** The connection takes more of the request's body. */
  drained(): void;
  /** `answered`: bytes of a response had arrived. */
  failed(error: Error, answered: boolean): void;
}

/** What stands in the request's head and decides its framing. */
export interface OutgoingRequest {
  readonly method: string;
  readonly upstreamPath: string;
  readonly upstreamHeaders: readonly string[];
}

/** Where nothing else is said: below the 5 s after which Node's servers close (RFC 9112 section 9.3). */
const IDLE_MS = 4000;
const KEEP_ALIVE_MARGIN_MS = 1000;

export class OriginConnection implements ByteReader, ResponseSink, Watched {
  previous: Watched | null = null;
  next: Watched | null = null;
  progressAt = 0;
  readonly #watchdog: Watchdog;
  readonly #parser: ResponseParser;
  #connected: Connected | null = null;
  #handler: ExchangeHandler | null = null;
  #idleMs = IDLE_MS;
  #idle = false;
  #answered = false;
  #paused = false;
  #headOnly = false;
  /** Of the request's body: still to be sent, -1 in chunks; nothing more once `#requestSent`. */
  #unsent = 0;
  #requestSent = true;

  constructor(watchdog: Watchdog) {
    this.#watchdog = watchdog;
    this.#parser = new ResponseParser(this);
  }

  /** Once, when the connection is made. */
  attach(connected: Connected): void {
    this.#connected = connected;
    const { socket } = connected;
    socket.on('end', () => this.#ended());
    socket.on('error', (error) => this.#broken(error));
    socket.on('close', () => this.#broken(upstreamError('SOCKET_CLOSED')));
    socket.on('drain', () => this.#handler?.drained());
    if (socket.isPaused()) socket.resume();
  }

  get #socket(): Socket {
    return (this.#connected as Connected).socket;
  }

  /** Whether it can carry another exchange, as far as this side knows. */
  get usable(): boolean {
    const { socket } = this.#connected as Connected;
    return this.#handler === null && !socket.destroyed && socket.readable && socket.writable;
  }

  /** The request with the whole of its body, null for none. Throws a fault before it changes anything. */
  send(request: OutgoingRequest, body: Buffer | null, handler: ExchangeHandler): void {
    const length = body === null ? 0 : body.length;
    const head = requestHead(request, length);
    this.#begin(request, handler);
    this.#socket.write(body === null ? head : head + body.toString('latin1', 0, length), 'latin1');
  }

  /** The request without its body, which follows with `sendBody`; `length` -1 in chunks. */
  open(request: OutgoingRequest, length: number, handler: ExchangeHandler): void {
    const head = requestHead(request, length);
    this.#begin(request, handler);
    this.#unsent = length;
    this.#requestSent = false;
    this.#socket.write(head, 'latin1');
  }

  #begin(request: OutgoingRequest, handler: ExchangeHandler): void {
    if (this.#idle) this.#watchdog.remove(this);
    this.#idle = false;
    this.#handler = handler;
    this.#answered = false;
    this.#headOnly = false;
    this.#unsent = 0;
    this.#requestSent = true;
    this.#parser.begin(request.method === 'HEAD');
  }

  /** False: wait for `drained`. A body longer than was said is never sent. */
  sendBody(chunk: Buffer): boolean {
    const socket = this.#socket;
    if (chunk.length === 0) return true;
    if (this.#unsent === -1) {
      socket.cork();
      socket.write(`${chunk.length.toString(16)}\r\n`, 'latin1');
      socket.write(chunk);
      const more = socket.write('\r\n', 'latin1');
      socket.uncork();
      return more;
    }
    if (chunk.length > this.#unsent) {
      this.#fail('REQUEST_LENGTH');
      return false;
    }
    this.#unsent -= chunk.length;
    return socket.write(chunk);
  }

  endBody(): void {
    if (this.#unsent > 0) {
      this.#fail('REQUEST_LENGTH');
      return;
    }
    this.#requestSent = true;
    if (this.#unsent === -1) this.#socket.write('0\r\n\r\n', 'latin1');
  }

  /** Whether the upstream takes less than it was given. */
  get congested(): boolean {
    return this.#socket.writableNeedDrain;
  }

  resume(): void {
    if (this.#paused && this.#handler !== null) {
      this.#paused = false;
      this.#socket.resume();
    }
  }

  /** Ends everything, with a reset; the handler is told nothing more. */
  reset(): void {
    this.#release();
    const { raw, socket } = this.#connected as Connected;
    resetConnection(raw, socket);
  }

  destroy(): void {
    this.#release();
    this.#socket.destroy();
  }

  #release(): void {
    this.#handler = null;
    this.#parser.abandon();
    if (this.#idle) this.#watchdog.remove(this);
    this.#idle = false;
  }

  read(bytes: Buffer, length: number): boolean {
    if (this.#handler === null) {
      // Class 21: nobody asked.
      if (this.#connected !== null) this.destroy();
      return true;
    }
    this.#answered = true;
    const fault = this.#parser.feed(bytes, length);
    if (fault !== null) this.#fail(fault);
    else if (this.#headOnly) {
      this.#headOnly = false;
      (this.#handler as ExchangeHandler | null)?.headAlone();
    }
    return !this.#paused;
  }

  interim(status: number, fields: readonly string[]): void {
    this.#handler?.interim(status, fields);
  }

  head(status: number, fields: readonly string[]): void {
    this.#headOnly = true;
    this.#handler?.head(status, fields);
  }

  whole(text: string): void {
    this.#headOnly = false;
    this.#handler?.whole(text);
  }

  data(bytes: Buffer, from: number, to: number): void {
    this.#headOnly = false;
    if (this.#handler !== null && !this.#handler.data(bytes, from, to)) this.#paused = true;
  }

  /** The response is complete. */
  end(): void {
    const handler = this.#handler as ExchangeHandler;
    this.#handler = null;
    this.#headOnly = false;
    this.#paused = false;
    if (this.#mayRest()) {
      this.#idle = true;
      this.#watchdog.add(this);
    } else this.destroy();
    handler.end();
  }

  #mayRest(): boolean {
    const { reusable, keepAliveMs } = this.#parser;
    this.#idleMs = keepAliveMs < 0 ? IDLE_MS : keepAliveMs - KEEP_ALIVE_MARGIN_MS;
    if (!reusable || !this.#requestSent || this.#idleMs <= 0) return false;
    const socket = this.#socket;
    return socket.writableLength === 0 && socket.readable && socket.writable;
  }

  stalled(idleMs: number): void {
    if (this.#idle && idleMs >= this.#idleMs) this.destroy();
  }

  #ended(): void {
    if (this.#handler === null) this.destroy();
    else {
      const fault = this.#parser.finish();
      if (fault !== null) this.#fail(fault);
    }
  }

  #fail(code: string): void {
    const error = upstreamError(code);
    const handler = this.#handler;
    const answered = this.#answered;
    this.destroy();
    handler?.failed(error, answered);
  }

  #broken(error: Error): void {
    const handler = this.#handler;
    this.#release();
    handler?.failed(error, this.#answered);
  }
}
