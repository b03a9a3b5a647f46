// One HTTP exchange with the upstream: a state machine of fixed shape that its connection, the watchdog and the
// gateway call. Guarantees: back-pressure both ways; a truncated body never ends cleanly; after `cut` or `clientGone`
// nothing more is read, sent or reported. Assumes the exchange passed every check and `prepare` built its headers. Hot.
import { STATUS_CODES } from 'node:http';
import { REASON_OF_CUT } from '#model/cut-denial.ts';
import type { CutReason, EndedBy } from '#model/ended-by.ts';
import type { DenialCode } from '#model/reason.ts';
import { resetConnection } from '#model/reset-connection.ts';
import { endsBetweenEvents, flushNow, lastEvent } from './cut.ts';
import type { HttpExchange, Transfer } from './forwarder.ts';
import type { Lane, Lanes, Passenger } from './lanes.ts';
import type { ExchangeHandler, OriginConnection } from './origin-connection.ts';
import type { CleanResponse, ResponseHead } from './response-headers.ts';
import { arrivedBody, Upload, type UploadEvents } from './upload.ts';
import { failureOf, upstreamError } from './upstream-error.ts';
import type { Watchdog, Watched } from './watchdog.ts';

const WAITING = 0;
const SENT = 1;
const STREAMING = 2;
const FLUSHING = 3;
const OVER = 4;

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

export class HttpTransfer implements Transfer, Passenger, Watched, UploadEvents, ExchangeHandler {
  previous: Watched | null = null;
  next: Watched | null = null;
  progressAt = 0;
  readonly #x: HttpExchange;
  readonly #deps: HttpTransferDeps;
  #state = WAITING;
  #lane: Lane | null = null;
  /** While it carries this exchange; the lane stays ours for as long. */
  #connection: OriginConnection | null = null;
  #upload: Upload | null = null;
  #answered = false;
  /** The upstream's head while it is held back. */
  #head: ResponseHead | null = null;
  #status = 0;
  /** Bytes of its body that may pass, where a guard of size is about the route. */
  #maxBytes = Number.POSITIVE_INFINITY;
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
    this.#lane = lane;
    lane.ride(this);
    return true;
  }

  connected(connection: OriginConnection): boolean {
    if (this.#state !== OVER) {
      // It may have waited for its turn and for a connection; nothing has been written yet.
      const lost = this.#x.authorityLost();
      if (lost === null) this.#send(connection);
      else this.#fail(REASON_OF_CUT[lost], lost);
    }
    if (this.#connection !== null) return true;
    // Refused before it was written, or its body was.
    this.#releaseLane();
    return false;
  }

  connectFailed(error: Error): void {
    this.failed(error, false);
  }

  #send(connection: OriginConnection): void {
    const x = this.#x;
    this.progressAt = this.#deps.watchdog.tick;
    const held = x.heldBody;
    const arrived = held ?? arrivedBody(x.req, x.contentLength);
    if (arrived !== null) x.bytesIn = arrived.length;
    if (held === null && x.bytesIn > x.maxBodyBytes) {
      this.#fail('body_too_large', 'limit');
      return;
    }
    try {
      if (arrived !== null || x.contentLength === 0) connection.send(x, arrived, this);
      else connection.open(x, x.contentLength, this);
    } catch (error) {
      this.#failUpstream(error);
      return;
    }
    this.#connection = connection;
    this.#state = SENT;
    x.handedOver();
    if (arrived !== null || x.contentLength === 0) return;
    this.#upload = new Upload(x.req, connection, this);
    this.#upload.start();
  }

  uploaded(bytes: number): boolean {
    const x = this.#x;
    x.bytesIn += bytes;
    this.progressAt = this.#deps.watchdog.tick;
    if (x.bytesIn <= x.maxBodyBytes) return true;
    this.#fail('body_too_large', 'limit');
    return false;
  }

  uploadEnded(): void {
    this.#upload = null;
    this.progressAt = this.#deps.watchdog.tick;
  }

  drained(): void {
    this.progressAt = this.#deps.watchdog.tick;
    this.#upload?.resume();
  }

  head(status: number, fields: readonly string[]): void {
    this.#answered = true;
    this.progressAt = this.#deps.watchdog.tick;
    const head = this.#deps.clean(fields, this.#x);
    if (typeof head === 'string') this.#failUpstream(upstreamError(head));
    else if (this.#x.hasGuards && this.#isWithheld(status, fields, head)) this.#withhold();
    else this.#acceptHead(status, head);
  }

  /** Guards look at what came, not at what is left of it. */
  #isWithheld(status: number, fields: readonly string[], head: ResponseHead): boolean {
    const x = this.#x;
    x.upstreamStatus = status;
    this.#maxBytes = x.guardResponse(status, fields, head.contentLength);
    return this.#maxBytes < 0;
  }

  /** Before the first byte: refused by the gate. After it: cut, and never ended cleanly. */
  #withhold(): void {
    this.#fail('response_guarded', 'guard');
  }

  #acceptHead(status: number, head: ResponseHead): void {
    const x = this.#x;
    x.upstreamStatus = status;
    this.#status = status;
    this.#head = head;
    if (!head.eventStream || x.method === 'HEAD' || status === 204 || status === 304) return;
    x.kind = 'event_stream';
    this.#events = !head.encoded;
    this.flushHead();
  }

  headAlone(): void {
    if (this.#head !== null) this.#deps.heads.add(this);
  }

  /** RFC 9110 section 15.2. A client of HTTP/1.0 does not know them. */
  interim(status: number, fields: readonly string[]): void {
    this.#answered = true;
    this.progressAt = this.#deps.watchdog.tick;
    const head = this.#deps.clean(fields, this.#x);
    if (typeof head === 'string') this.#failUpstream(upstreamError(head));
    else if (this.#x.httpVersion !== '1.0') {
      let text = `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n`;
      for (let i = 0; i < head.fields.length; i += 2) text += `${head.fields[i]}: ${head.fields[i + 1]}\r\n`;
      this.#x.res.socket?.write(`${text}\r\n`, 'latin1');
    }
  }

  /** Sends the head that is still held, alone. */
  flushHead(): void {
    // Not `flushHeaders`: it writes the head in UTF-8, so that each byte of obs-text would become two (RS14).
    if (this.#head !== null && this.#state !== OVER && this.#writeHead()) this.#x.res.write('', 'latin1');
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

  /** Head and body leave in one write. Its length was declared, so a guard of size has seen it. */
  whole(text: string): void {
    if (this.#head !== null && !this.#writeHead()) return;
    this.#x.bytesOut += text.length;
    this.#x.res.end(text, 'latin1');
  }

  data(bytes: Buffer, from: number, to: number): boolean {
    const x = this.#x;
    this.progressAt = this.#deps.watchdog.tick;
    const length = to - from;
    if (x.bytesOut + length > this.#maxBytes) {
      this.#withhold();
      return true;
    }
    if (this.#head !== null && !this.#writeHead()) return true;
    x.bytesOut += length;
    if (this.#events)
      this.#tail = (this.#tail + bytes.toString('latin1', Math.max(from, to - 4), to)).slice(-4);
    // The connection reads the next bytes into the same buffer.
    if (x.res.write(Buffer.from(bytes.subarray(from, to)))) return true;
    this.#watchDrain();
    return false;
  }

  #watchDrain(): void {
    if (this.#watchesDrain) return;
    this.#watchesDrain = true;
    this.#x.res.on('drain', () => {
      this.progressAt = this.#deps.watchdog.tick;
      this.#connection?.resume();
    });
  }

  end(): void {
    this.#upload?.stop();
    this.#upload = null;
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

  failed(error: Error, answered: boolean): void {
    this.#answered ||= answered;
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
    if (this.#state >= STREAMING || (this.#state === SENT && this.#upload !== null)) {
      if (idleMs < idleTimeoutMs || this.#mayBeQuiet) return;
      // Nothing left to pass on: it is the client that stalls.
      const ofClient = this.#upload !== null && this.#connection?.congested === false;
      this.#fail(ofClient ? 'request_timeout' : 'upstream_timeout', 'timeout');
    } else if (idleMs >= headersTimeoutMs) this.#fail('upstream_timeout', 'timeout');
  }

  /** An event stream may say nothing for ever; a client that does not take what it says may not. */
  get #mayBeQuiet(): boolean {
    const { kind, res } = this.#x;
    return this.#state === STREAMING && kind === 'event_stream' && !res.writableNeedDrain;
  }

  /** Nothing more is read, sent or reported. The upstream's connection is reset if it still carries this exchange. */
  #stop(): void {
    this.#state = OVER;
    this.#deps.watchdog.remove(this);
    this.#upload?.stop();
    this.#upload = null;
    // Without a connection its lane is still making one, and asks before it writes.
    if (this.#connection === null) return;
    this.#connection.reset();
    this.#releaseLane();
  }

  #releaseLane(): void {
    const lane = this.#lane;
    if (lane === null) return;
    this.#lane = null;
    this.#connection = null;
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
