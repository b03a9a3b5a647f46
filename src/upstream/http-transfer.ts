// One HTTP exchange with the upstream: a state machine of fixed shape that undici, the watchdog and the gateway call.
// Guarantees: back-pressure both ways; a truncated body never ends cleanly; after `cut` or `clientGone` nothing more
// is read, sent or reported. Assumes the exchange passed every check and `prepare` built its headers. Hot.
import { STATUS_CODES } from 'node:http';
import type { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';
import { REASON_OF_CUT } from '#model/cut-denial.ts';
import type { CutReason, EndedBy } from '#model/ended-by.ts';
import type { DenialCode } from '#model/reason.ts';
import { endsBetweenEvents, flushNow, lastEvent, resetConnection } from './cut.ts';
import type { HttpExchange, Transfer } from './forwarder.ts';
import type { Lane, Lanes, Passenger } from './lanes.ts';
import type { CleanResponse, ResponseHead, ResponseHeaders } from './response-headers.ts';
import { arrivedBody, openUpload, type UploadEvents } from './upload.ts';
import { failureOf } from './upstream-error.ts';
import type { Watchdog, Watched } from './watchdog.ts';

const WAITING = 0;
const SENT = 1;
const STREAMING = 2;
const FLUSHING = 3;
const OVER = 4;

/** A body up to this size that came with its head leaves with it, in one write (bench: one-write responses). */
const ONE_WRITE_BYTES = 16 * 1024;
/** FR16: an upstream may send interim responses without end. */
const MAX_INTERIM = 16;
/** Never looked up: connections are made by ours, and undici would reconnect whenever the client's Host changes. */
const SERVER_NAME = 'upstream';

export interface HttpTransferDeps {
  readonly lanes: Lanes;
  readonly watchdog: Watchdog;
  readonly clean: CleanResponse;
  readonly heads: HeldHeads;
}

/** Heads held back for the body that mostly comes with them; what did not come within the loop turn is not waited for. */
export class HeldHeads {
  #held: HttpTransfer[] = [];
  readonly #flush = (): void => {
    const held = this.#held;
    this.#held = [];
    for (const transfer of held) transfer.flushHead();
  };

  add(transfer: HttpTransfer): void {
    if (this.#held.length === 0) setImmediate(this.#flush);
    this.#held.push(transfer);
  }
}

export class HttpTransfer implements Transfer, Passenger, Watched, UploadEvents, Dispatcher.DispatchHandler {
  previous: Watched | null = null;
  next: Watched | null = null;
  progressAt = 0;
  readonly #x: HttpExchange;
  readonly #deps: HttpTransferDeps;
  #state = WAITING;
  #lane: Lane | null = null;
  #controller: Dispatcher.DispatchController | null = null;
  #upload: Readable | null = null;
  #uploading = false;
  #answered = false;
  #interim = 0;
  /** The upstream's head while it is held back. */
  #head: ResponseHead | null = null;
  #status = 0;
  /** Of a body of known length; else negative. */
  #remaining = -1;
  #untilClose = false;
  #events = false;
  /** The last characters of an event stream. */
  #tail = '';
  #watchesDrain = false;

  constructor(x: HttpExchange, deps: HttpTransferDeps) {
    this.#x = x;
    this.#deps = deps;
  }

  begin(): void {
    this.#deps.watchdog.add(this);
    if (!this.#deps.lanes.enter(this)) this.#fail('overloaded', 'limit');
  }

  board(lane: Lane): boolean {
    if (this.#state === OVER) return false;
    const x = this.#x;
    const body = this.#body();
    // A body that is too large has ended it.
    if ((this.#state as number) === OVER) return false;
    this.#lane = lane;
    lane.dispatch(
      {
        path: x.upstreamPath,
        method: x.method,
        headers: x.upstreamHeaders,
        body,
        servername: SERVER_NAME,
      } as Dispatcher.DispatchOptions,
      this,
    );
    return true;
  }

  #body(): Buffer | Readable | null {
    const x = this.#x;
    if (x.heldBody !== null) {
      x.bytesIn = x.heldBody.length;
      return x.heldBody;
    }
    if (x.contentLength === 0) return null;
    const arrived = arrivedBody(x.req, x.contentLength);
    if (arrived !== null) {
      this.uploaded(arrived.length);
      return arrived;
    }
    this.#upload = openUpload(x.req, this);
    this.#uploading = true;
    return this.#upload;
  }

  uploaded(bytes: number): boolean {
    const x = this.#x;
    x.bytesIn += bytes;
    this.progressAt = this.#deps.watchdog.tick;
    if (x.bytesIn <= x.maxBodyBytes) return true;
    this.#fail('body_too_large', 'limit');
    return false;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    this.progressAt = this.#deps.watchdog.tick;
    if (this.#state === OVER) {
      controller.abort(ABORTED);
      return;
    }
    // It may have waited for its turn and for a connection; nothing has been written yet.
    const lost = this.#x.authorityLost();
    if (lost !== null) {
      this.#fail(REASON_OF_CUT[lost], lost);
      return;
    }
    this.#state = SENT;
    this.#x.handedOver();
  }

  onBodySent(): void {
    this.progressAt = this.#deps.watchdog.tick;
  }

  onRequestSent(): void {
    this.#uploading = false;
    this.progressAt = this.#deps.watchdog.tick;
  }

  onResponseStarted(): void {
    this.#answered = true;
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: ResponseHeaders,
  ): void {
    if (this.#state === OVER) return;
    this.progressAt = this.#deps.watchdog.tick;
    const head = this.#deps.clean(headers, this.#x);
    if (typeof head === 'string') this.#failUpstream(upstreamError(head));
    else if (status < 200) this.#relayInterim(status, head);
    else this.#acceptHead(status, head);
  }

  #acceptHead(status: number, head: ResponseHead): void {
    const x = this.#x;
    x.upstreamStatus = status;
    this.#status = status;
    this.#head = head;
    if (x.method === 'HEAD' || status === 204 || status === 304) return;
    this.#remaining = head.contentLength;
    this.#untilClose = head.contentLength === -1 && !head.chunked;
    if (head.eventStream) {
      x.kind = 'event_stream';
      this.#events = !head.encoded;
      this.flushHead();
    } else this.#deps.heads.add(this);
  }

  /** RFC 9110 section 15.2. A client of HTTP/1.0 does not know them. */
  #relayInterim(status: number, head: ResponseHead): void {
    this.#interim++;
    if (status === 101) this.#failUpstream(upstreamError('BAD_UPGRADE'));
    else if (this.#interim > MAX_INTERIM) this.#failUpstream(upstreamError('BAD_INTERIM'));
    else if (this.#x.httpVersion !== '1.0') {
      let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
      for (let i = 0; i < head.fields.length; i += 2) text += `${head.fields[i]}: ${head.fields[i + 1]}\r\n`;
      this.#x.res.socket?.write(`${text}\r\n`, 'latin1');
    }
  }

  /** Sends the head that is still held, alone. */
  flushHead(): void {
    if (this.#head !== null && this.#state !== OVER && this.#writeHead()) this.#x.res.flushHeaders();
  }

  /** False: it could not be written, and the exchange has failed. */
  #writeHead(): boolean {
    const { res, req } = this.#x;
    const head = this.#head as ResponseHead;
    this.#head = null;
    try {
      // FR11: the rest of a body nobody reads must not be taken for a request.
      if (!req.complete) res.shouldKeepAlive = false;
      res.writeHead(this.#status, head.fields);
    } catch {
      // A value the parser let through and Node does not send. Node would keep the reason phrase.
      res.statusMessage = '';
      this.#failUpstream(upstreamError('BAD_HEADER'));
      return false;
    }
    this.#state = STREAMING;
    this.#x.responseStarted(this.#status);
    return true;
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#state === OVER) return;
    const x = this.#x;
    const { res } = x;
    const { length } = chunk;
    this.progressAt = this.#deps.watchdog.tick;
    if (this.#head !== null) {
      if (!this.#writeHead()) return;
      if (length === this.#remaining && length <= ONE_WRITE_BYTES) {
        x.bytesOut += length;
        res.end(chunk.toString('latin1'), 'latin1');
        return;
      }
    }
    x.bytesOut += length;
    if (this.#events)
      this.#tail = length >= 4 ? chunk.toString('latin1', length - 4) : (this.#tail + chunk).slice(-4);
    if (!res.write(chunk)) this.#waitForClient(controller);
  }

  #waitForClient(controller: Dispatcher.DispatchController): void {
    controller.pause();
    if (this.#watchesDrain) return;
    this.#watchesDrain = true;
    this.#x.res.on('drain', () => {
      this.progressAt = this.#deps.watchdog.tick;
      if (this.#lane !== null) controller.resume();
    });
  }

  onResponseEnd(): void {
    const lane = this.#lane;
    if (this.#state === OVER) {
      this.#releaseLane();
      return;
    }
    // undici takes a reset of a body that ends with the connection for its end.
    if (this.#untilClose && lane !== null && lane.socket?.errored) {
      this.#failUpstream(upstreamError('ECONNRESET'));
      return;
    }
    this.#releaseLane();
    if (this.#head !== null && !this.#writeHead()) return;
    const { res } = this.#x;
    if (!res.writableEnded) res.end();
    if (res.writableLength === 0) this.#finish('upstream');
    else {
      this.#state = FLUSHING;
      res.once('finish', () => {
        if (this.#state === FLUSHING) this.#finish('upstream');
      });
    }
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#releaseLane();
    if (this.#state !== OVER) this.#failUpstream(error);
  }

  /** The upstream broke off or broke the protocol. */
  #failUpstream(error: unknown): void {
    const failure = failureOf(error, this.#answered);
    this.#x.upstreamError = failure.code;
    this.#fail(failure.reason, failure.endedBy);
  }

  /** Answered by the gateway while there is no head; with one, the client's connection is reset. */
  #fail(reason: DenialCode, endedBy: EndedBy): void {
    const headSent = this.#x.res.headersSent;
    this.#stop();
    if (headSent) {
      this.#finish(endedBy);
      this.#resetClient();
    } else this.#x.failed(reason, endedBy);
  }

  #finish(endedBy: EndedBy): void {
    this.#state = OVER;
    this.#deps.watchdog.remove(this);
    this.#x.ended(endedBy);
  }

  cut(reason: CutReason): void {
    if (this.#state === OVER) return;
    const headSent = this.#x.res.headersSent;
    this.#stop();
    if (!headSent) return;
    this.#sayLastWord(reason);
    this.#resetClient();
    this.#x.ended(reason);
  }

  clientGone(): void {
    if (this.#state !== OVER) this.#stop();
  }

  stalled(idleMs: number): void {
    const { headersTimeoutMs, idleTimeoutMs } = this.#x;
    if (this.#state >= STREAMING || (this.#state === SENT && this.#uploading)) {
      if (idleMs < idleTimeoutMs || (this.#state === STREAMING && this.#x.kind === 'event_stream')) return;
      // Nothing left to pass on: it is the client that stalls.
      const ofClient = this.#uploading && this.#upload?.readableLength === 0;
      this.#fail(ofClient ? 'request_timeout' : 'upstream_timeout', 'timeout');
    } else if (idleMs >= headersTimeoutMs) this.#fail('upstream_timeout', 'timeout');
  }

  /** Nothing more is read, sent or reported. The upstream's connection is reset if it still carries this exchange. */
  #stop(): void {
    this.#state = OVER;
    this.#deps.watchdog.remove(this);
    const lane = this.#lane;
    const controller = this.#controller;
    if (lane !== null && controller !== null) {
      const { connected } = lane;
      if (connected !== null) resetConnection(connected.raw, connected.socket);
      controller.abort(ABORTED);
    }
    this.#upload?.destroy();
    // Without a controller it still waits inside undici, which asks `onRequestStart` before it writes.
  }

  #releaseLane(): void {
    const lane = this.#lane;
    if (lane === null) return;
    this.#lane = null;
    this.#deps.lanes.release(lane);
  }

  #sayLastWord(reason: CutReason): void {
    const { res } = this.#x;
    const { socket } = res;
    if (!this.#events || socket === null || res.writableEnded || !endsBetweenEvents(this.#tail)) return;
    flushNow(res);
    // Behind bytes the client does not take, it would not arrive before the reset.
    if (res.writableLength > 0) return;
    const text = lastEvent(reason);
    this.#x.bytesOut += text.length;
    res.write(text);
    flushNow(res);
  }

  #resetClient(): void {
    const { rawSocket, res } = this.#x;
    resetConnection(rawSocket, res.socket ?? rawSocket);
  }
}

const ABORTED = new Error('the exchange is over');

/** What the parser accepts and we do not; `code` begins with `BAD_`. */
function upstreamError(code: string): Error {
  return Object.assign(new Error('the upstream sent a malformed response'), { code });
}
