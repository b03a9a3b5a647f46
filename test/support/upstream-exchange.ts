// An exchange as the gateway would hand it to the forwarder, and a small server that makes them: enough of the
// gateway to hold the upstream room's contract against real sockets.
import { type IncomingMessage, type Server, type ServerResponse, createServer } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type EpochMs, type MonotonicMs, systemClock } from '#model/clock.ts';
import type { CutReason, EndedBy } from '#model/ended-by.ts';
import type { Grant } from '#model/grant.ts';
import type { GrantId, RequestId, TenantId } from '#model/ids.ts';
import type { Credential } from '#model/principal.ts';
import { type DenialCode, REASONS, type ReasonCode } from '#model/reason.ts';
import { PASS } from '#model/verdict.ts';
import { createForwarder, type ForwarderDeps } from '#upstream/create-forwarder.ts';
import type { Forwarder, HttpExchange, Transfer, UpgradeExchange } from '#upstream/forwarder.ts';

export function grantOf(changes: Partial<Grant> = {}): Grant {
  return {
    id: 'grt_01' as GrantId,
    tenant: 'acme' as TenantId,
    revision: 3,
    startsAt: 0 as EpochMs,
    expiresAt: null,
    access: 'write',
    audience: { org: 'vendor', groups: null, principals: null },
    roles: ['agent'],
    workspaces: [],
    actAs: null,
    lifts: [],
    caseRef: null,
    reason: null,
    grantedBy: {
      kind: 'tenant_admin',
      id: 'adm',
      issuer: 'https://app.test',
      email: null,
      name: null,
      onBehalfOf: null,
    },
    createdAt: 0 as EpochMs,
    revokedAt: null,
    revokedBy: null,
    ...changes,
  };
}

export function credentialOf(
  principal: Partial<Credential['principal']> = {},
  expiresAt?: number,
): Credential {
  return {
    principal: {
      id: 'alice',
      issuer: 'https://idp.test',
      email: 'alice@vendor.test',
      name: 'Alice',
      groups: ['support'],
      org: 'vendor',
      ...principal,
    },
    keyId: 'k1',
    expiresAt: (expiresAt ?? Date.now() + 3_600_000) as EpochMs,
  };
}

/** Each call the forwarder made, in order. */
interface Calls {
  handedOver: number;
  started: number[];
  failed: { reason: DenialCode; endedBy: EndedBy }[];
  ended: EndedBy[];
}

class FakeExchange implements HttpExchange, UpgradeExchange {
  readonly calls: Calls = { handedOver: 0, started: [], failed: [], ended: [] };
  readonly over: Promise<void>;
  readonly started: Promise<void>;
  transfer: Transfer | null = null;
  lost: CutReason | null = null;
  readonly requestId = '0190a000-0000-7000-8000-000000000001' as RequestId;
  readonly receivedAt = Date.now() as EpochMs;
  readonly startedAt = 0 as MonotonicMs;
  readonly method: string;
  readonly httpVersion: string;
  host: string;
  readonly target: HttpExchange['target'];
  readonly rawTarget: string;
  readonly routePath: string;
  kind: HttpExchange['kind'] = 'http';
  readonly peerIp = '127.0.0.1';
  readonly clientIp = '127.0.0.1';
  readonly userAgent = '';
  readonly traceId = '';
  readonly recordedQuery = '';
  readonly isUpgrade = false;
  readonly hasBody = false;
  readonly contentType = '';
  readonly workspace = null;
  credential = credentialOf();
  tenant = 'acme' as TenantId;
  grant = grantOf();
  readonly session = null;
  readonly grantCacheResult = 'none';
  readonly grantCacheAgeMs = 0;
  readonly reason: ReasonCode = 'ok';
  readonly denialNote = null;
  readonly rule = null;
  readonly shadowRules = [];
  readonly shadowGuards = [];
  readonly hasGuards = false;
  readonly policyDigest = '';
  status = 0;
  upstreamStatus = 0;
  upstreamError: string | null = null;
  bytesIn = 0;
  bytesOut = 0;
  readonly decisionMs = 0;
  readonly upstreamMs = 0;
  readonly durationMs = 0;
  readonly endedBy = null;
  upstreamPath: string;
  allowedHeaders: readonly string[] = [];
  heldBody: Buffer | null = null;
  contentLength: number;
  maxBodyBytes = Number.MAX_SAFE_INTEGER;
  headersTimeoutMs = 30_000;
  idleTimeoutMs = 60_000;
  upstreamHeaders: string[] = [];
  readonly req: IncomingMessage;
  readonly res: ServerResponse;
  readonly socket: Duplex;
  readonly head = Buffer.alloc(0);
  readonly rawSocket: Socket;
  readonly secure: boolean;
  #resolveOver: () => void = () => undefined;
  #resolveStarted: () => void = () => undefined;

  constructor(req: IncomingMessage, res: ServerResponse | null, raw: Socket, secure: boolean) {
    this.req = req;
    this.res = res as ServerResponse;
    this.socket = req.socket;
    this.rawSocket = raw;
    this.secure = secure;
    this.method = req.method ?? '';
    this.httpVersion = req.httpVersion;
    this.host = (req.headers.host ?? '').toLowerCase();
    this.rawTarget = req.url ?? '';
    this.routePath = this.rawTarget;
    this.upstreamPath = this.rawTarget;
    this.target = {
      path: this.rawTarget,
      query: '',
      hasQuery: false,
      encodedSlash: false,
      encodedPercent: false,
    };
    const length = req.headers['content-length'];
    this.contentLength = req.headers['transfer-encoding'] !== undefined ? -1 : Number(length ?? 0);
    this.over = new Promise((resolve) => {
      this.#resolveOver = resolve;
    });
    this.started = new Promise((resolve) => {
      this.#resolveStarted = resolve;
    });
  }

  authorityLost(): CutReason | null {
    return this.lost;
  }

  handedOver(): void {
    this.calls.handedOver++;
  }

  guardResponse(): number {
    return Number.POSITIVE_INFINITY;
  }

  responseStarted(status: number): void {
    this.calls.started.push(status);
    this.#resolveStarted();
  }

  failed(reason: DenialCode, endedBy: EndedBy): void {
    this.calls.failed.push({ reason, endedBy });
    this.answer(reason);
    this.#resolveOver();
  }

  ended(endedBy: EndedBy): void {
    this.calls.ended.push(endedBy);
    this.#resolveOver();
  }

  /** What the gateway would answer. */
  answer(reason: DenialCode): void {
    const { status } = REASONS[reason];
    const body = JSON.stringify({ reason });
    if (this.res === null) {
      this.socket.end(
        `HTTP/1.1 ${status} Refused\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
      );
    } else if (!this.res.destroyed) {
      this.res.shouldKeepAlive = this.req.complete;
      this.res.writeHead(status, [
        'Content-Type',
        'application/problem+json',
        'Content-Length',
        `${body.length}`,
      ]);
      this.res.end(body);
    }
  }

  /** As the gateway cuts: the transfer first, then an answer if there was no head. */
  cut(reason: CutReason): void {
    const started = this.calls.started.length > 0;
    this.transfer?.cut(reason);
    if (!started) this.answer('grant_revoked');
  }
}

export interface Gate extends AsyncDisposable {
  readonly port: number;
  readonly forwarder: Forwarder;
  readonly exchanges: FakeExchange[];
  readonly dropped: string[];
  /** The next exchange that reaches the forwarder, after those already taken. */
  next(): Promise<FakeExchange>;
}

export interface GateOptions extends Partial<ForwarderDeps> {
  /** Changes the exchange before it is prepared. */
  readonly configure?: (x: FakeExchange) => void;
  readonly listenTls?: { readonly cert: string; readonly key: string };
}

export async function startGate(url: string, options: GateOptions = {}): Promise<Gate> {
  const exchanges: FakeExchange[] = [];
  const dropped: string[] = [];
  const waiting: ((x: FakeExchange) => void)[] = [];
  let taken = 0;
  const { configure, listenTls, ...deps } = options;
  const forwarder = createForwarder({
    url,
    preserveHost: true,
    connections: 8,
    connectTimeoutMs: 2000,
    assertion: null,
    inject: [],
    secrets: {},
    tls: { ca: null, dangerouslySkipTlsVerify: false },
    clock: systemClock,
    onHeaderDropped: (name) => dropped.push(name),
    watchPeriodMs: 20,
    ...deps,
  });
  const rawSockets = new Map<number, Socket>();

  async function handle(req: IncomingMessage, res: ServerResponse | null): Promise<void> {
    const raw = rawSockets.get(req.socket.remotePort ?? 0) ?? req.socket;
    const x = new FakeExchange(req, res, raw, listenTls !== undefined);
    configure?.(x);
    req.socket.once('close', () => x.transfer?.clientGone());
    const verdict = await forwarder.prepare(x);
    if (verdict === PASS) x.transfer = res === null ? forwarder.upgrade(x) : forwarder.forward(x);
    else x.failed(verdict.reason, 'client');
    exchanges.push(x);
    waiting.shift()?.(x);
  }

  const server = (listenTls === undefined ? createServer() : createTlsServer(listenTls)) as Server;
  server.requestTimeout = 0;
  server.on('connection', (socket: Socket) => rawSockets.set(socket.remotePort ?? 0, socket));
  server.on('request', (req, res) => void handle(req, res));
  server.on('upgrade', (req: IncomingMessage) => void handle(req, null));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    forwarder,
    exchanges,
    dropped,
    next() {
      const known = exchanges[taken];
      taken++;
      if (known !== undefined) return Promise.resolve(known);
      return new Promise((resolve) => waiting.push(resolve));
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      for (const socket of rawSockets.values()) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await forwarder.close();
    },
  };
}
