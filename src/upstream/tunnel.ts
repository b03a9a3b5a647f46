// One WebSocket exchange: from the handshake under way over the open tunnel to its end on both sides.
// Guarantees: the upstream's answer is checked before http-proxy-3 sees it; each ending is reported once; after `cut`
// or `clientGone` nothing passes. Assumes the guard holds back everything until it is opened.
import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { REASON_OF_CUT } from '#model/cut-denial.ts';
import type { CutReason, EndedBy } from '#model/ended-by.ts';
import type { DenialCode } from '#model/reason.ts';
import { resetConnection } from '#model/reset-connection.ts';
import { CLOSE_CODE } from './cut.ts';
import type { Transfer, UpgradeExchange } from './forwarder.ts';
import type { Guard, GuardEvents } from './guard-stream.ts';
import type { CleanResponse } from './response-headers.ts';
import { handshakeFault, plainHead, switchingHead } from './upgrade-response.ts';
import { failureOf } from './upstream-error.ts';
import type { Watchdog, Watched } from './watchdog.ts';
import { closeFrame, FrameTracker } from './ws-frames.ts';

type State = 'dialling' | 'relaying' | 'open' | 'closing' | 'over';

export interface TunnelDeps {
  readonly clean: CleanResponse;
  readonly watchdog: Watchdog;
  /** The TCP socket below a connection to the upstream. */
  readonly rawOf: (socket: Duplex) => Socket | null;
}

export class Tunnel implements Transfer, GuardEvents, Watched {
  previous: Watched | null = null;
  next: Watched | null = null;
  progressAt = 0;
  readonly #x: UpgradeExchange;
  readonly #deps: TunnelDeps;
  readonly #toClient = new FrameTracker();
  readonly #toUpstream = new FrameTracker();
  #state: State = 'dialling';
  #guard: Guard | null = null;
  #request: ClientRequest | null = null;
  #upstream: Socket | null = null;
  #clientEndedFirst = false;

  constructor(x: UpgradeExchange, deps: TunnelDeps) {
    this.#x = x;
    this.#deps = deps;
  }

  begin(guard: Guard): void {
    this.#guard = guard;
    // Node took its own listener off with the upgrade; the close that follows tells the gateway.
    this.#x.socket.on('error', ignore);
    this.#deps.watchdog.add(this);
  }

  /** http-proxy-3 has made the request and sent nothing yet. Its own listeners come after ours. */
  dialled(request: ClientRequest): void {
    this.#request = request;
    // As judged and canonical: http-proxy-3 would parse and print it again.
    request.path = this.#x.upstreamPath;
    request.on('socket', (socket) => this.#connected(socket));
    request.on('upgrade', (response, socket) => this.#switched(response, socket as Socket));
    request.on('response', (response) => this.#answeredPlainly(response));
    if (this.#state === 'over') request.destroy();
  }

  #connected(socket: Socket): void {
    this.#upstream = socket;
    if (this.#state === 'over') {
      this.#dropUpstream();
      return;
    }
    this.progressAt = this.#deps.watchdog.tick;
    // The last moment before anything is written.
    const lost = this.#x.authorityLost();
    if (lost === null) this.#x.handedOver();
    else this.#fail(REASON_OF_CUT[lost], lost);
  }

  #switched(response: IncomingMessage, socket: Socket): void {
    if (this.#state !== 'dialling') return;
    const x = this.#x;
    x.upstreamStatus = response.statusCode ?? 0;
    const { rawHeaders } = response;
    const fault = handshakeFault(rawHeaders, x.req.headers['sec-websocket-key'] ?? '');
    const head = this.#deps.clean(rawHeaders, x);
    if (fault !== null || typeof head === 'string') {
      this.#failUpstream(Object.assign(new Error('bad handshake'), { code: fault ?? head }));
      return;
    }
    this.#state = 'open';
    this.progressAt = this.#deps.watchdog.tick;
    x.kind = 'websocket';
    x.responseStarted(101);
    x.socket.write(switchingHead(head), 'latin1');
    this.#guard?.open();
    socket.once('end', () => this.#ending());
    socket.once('close', () => this.#upstreamClosed(socket));
    x.socket.once('end', () => {
      this.#clientEndedFirst = !socket.readableEnded;
      this.#ending();
    });
  }

  /** UP06: not a 101, so no tunnel: the client gets the answer as it is, and the connection ends. */
  #answeredPlainly(response: IncomingMessage): void {
    if (this.#state !== 'dialling') return;
    const x = this.#x;
    const status = response.statusCode ?? 0;
    x.upstreamStatus = status;
    const head = this.#deps.clean(response.rawHeaders, x);
    if (typeof head === 'string') {
      this.#failUpstream(Object.assign(new Error('bad response'), { code: head }));
      return;
    }
    // An export that was asked for with an `Upgrade` is an export.
    const maxBytes = x.hasGuards
      ? x.guardResponse(status, response.rawHeaders, head.contentLength)
      : Number.POSITIVE_INFINITY;
    if (maxBytes < 0) {
      this.#fail('response_guarded', 'guard');
      return;
    }
    this.#state = 'relaying';
    // http-proxy-3 would relay it too, every header included and without back-pressure.
    this.#guard?.stream.destroy();
    x.kind = 'http';
    x.responseStarted(status);
    x.socket.write(plainHead(status, head), 'latin1');
    this.#relayBody(response, maxBytes);
  }

  #relayBody(response: IncomingMessage, maxBytes: number): void {
    const { socket } = this.#x;
    response.on('data', (chunk: Buffer) => {
      if (this.#state !== 'relaying') return;
      this.progressAt = this.#deps.watchdog.tick;
      if (this.#x.bytesOut + chunk.length > maxBytes) {
        this.#fail('response_guarded', 'guard');
        return;
      }
      this.#x.bytesOut += chunk.length;
      if (socket.write(chunk)) return;
      response.pause();
      socket.once('drain', () => response.resume());
    });
    response.on('end', () => {
      if (this.#state === 'relaying') this.#endClient('upstream');
    });
    response.on('close', () => {
      if (this.#state !== 'relaying') return;
      this.#x.upstreamError = 'BODY_TRUNCATED';
      this.#fail('upstream_bad_response', 'fault');
    });
    // What remains of an exchange that is over is an error nobody waits for.
    response.on('error', ignore);
  }

  earlyBytes(): void {
    // UP05: an upstream that refuses the upgrade would read them as the next request.
    if (this.#state === 'dialling') this.#fail('bad_framing', 'client');
  }

  clientSent(chunk: Buffer): void {
    this.#x.bytesIn += chunk.length;
    this.progressAt = this.#deps.watchdog.tick;
    this.#toUpstream.feed(chunk);
  }

  upstreamSent(chunk: Buffer): void {
    this.#x.bytesOut += chunk.length;
    this.progressAt = this.#deps.watchdog.tick;
    this.#toClient.feed(chunk);
  }

  /** One side said goodbye; the other gets a while to follow. http-proxy-3's pipes pass the end on. */
  #ending(): void {
    if (this.#state !== 'open') return;
    this.#state = 'closing';
    this.progressAt = this.#deps.watchdog.tick;
  }

  #upstreamClosed(socket: Socket): void {
    if (this.#state !== 'open' && this.#state !== 'closing') return;
    if (socket.readableEnded && socket.errored === null) {
      this.#endClient(this.#clientEndedFirst ? 'client' : 'upstream');
      return;
    }
    this.#failUpstream(socket.errored ?? Object.assign(new Error('reset'), { code: 'ECONNRESET' }));
  }

  /** Everything for the client has been handed over: flush, and do not wait for its goodbye for ever. */
  #endClient(endedBy: EndedBy): void {
    const { socket } = this.#x;
    this.#state = 'closing';
    this.progressAt = this.#deps.watchdog.tick;
    const flushed = (): void => {
      if (this.#state !== 'closing') return;
      this.#stop();
      socket.destroy();
      this.#x.ended(endedBy);
    };
    if (socket.writableFinished) flushed();
    else socket.once('finish', flushed).end();
  }

  upstreamFailed(error: Error): void {
    if (this.#state !== 'over') this.#failUpstream(error);
  }

  #failUpstream(error: unknown): void {
    const failure = failureOf(error, this.#x.upstreamStatus !== 0);
    this.#x.upstreamError = failure.code;
    this.#fail(failure.reason, failure.endedBy);
  }

  #fail(reason: DenialCode, endedBy: EndedBy): void {
    const answered = this.#state !== 'dialling';
    this.#stop();
    if (!answered) this.#x.failed(reason, endedBy);
    else {
      this.#x.ended(endedBy);
      this.#resetClient();
    }
  }

  cut(reason: CutReason): void {
    if (this.#state === 'over') return;
    const before = this.#state;
    if (before === 'open') this.#sayLastWords(reason);
    this.#stop();
    if (before === 'dialling') return;
    this.#resetClient();
    this.#x.ended(reason);
  }

  clientGone(): void {
    if (this.#state !== 'over') this.#stop();
  }

  stalled(idleMs: number): void {
    const { headersTimeoutMs, idleTimeoutMs } = this.#x;
    if (idleMs < (this.#state === 'dialling' ? headersTimeoutMs : idleTimeoutMs)) return;
    // An open tunnel may be silent for ever; a side that does not take what waits for it may not.
    if (this.#state === 'open' && !this.#isCongested) return;
    this.#fail('upstream_timeout', 'timeout');
  }

  get #isCongested(): boolean {
    return this.#x.socket.writableNeedDrain || this.#upstream?.writableNeedDrain === true;
  }

  /** Only between two frames, and only where nothing is queued before it, does a close frame arrive as one. */
  #sayLastWords(reason: CutReason): void {
    const client = this.#x.socket;
    const upstream = this.#upstream;
    if (this.#toClient.betweenFrames && client.writableLength === 0) {
      const frame = closeFrame(CLOSE_CODE, reason, false);
      this.#x.bytesOut += frame.length;
      client.write(frame);
    }
    const queued = this.#guard?.stream.readableLength ?? 0;
    if (upstream !== null && this.#toUpstream.betweenFrames && queued + upstream.writableLength === 0) {
      upstream.write(closeFrame(CLOSE_CODE, reason, true));
    }
  }

  #stop(): void {
    this.#state = 'over';
    this.#deps.watchdog.remove(this);
    this.#guard?.detach();
    this.#dropUpstream();
    this.#guard?.stream.destroy();
  }

  #dropUpstream(): void {
    const upstream = this.#upstream;
    if (upstream !== null) resetConnection(this.#deps.rawOf(upstream) ?? upstream, upstream);
    this.#request?.destroy();
  }

  #resetClient(): void {
    resetConnection(this.#x.rawSocket, this.#x.socket);
  }
}

function ignore(): void {
  // The exchange is over.
}
