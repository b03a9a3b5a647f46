// The data listener: node:http, with or without TLS, and every way in which it can hand us a request or a failure.
// Guarantees: each request Node sees reaches the gateway once, whether it became an event or an error; each
// connection is watched once, not once per request. Assumes the gateway judges; nothing is judged here.
import { constants } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { DenialCode } from '#model/reason.ts';
import type { ClientConnection } from './client-connection.ts';
import type { ClientMessage } from './exchange.ts';
import type { Gateway } from './gateway.ts';
import { type HeadDeadline, watchHeads } from './head-deadline.ts';
import { type ParserError, reasonOfParserError } from './parser-errors.ts';
import { createRawSockets } from './raw-sockets.ts';

/** PEM. */
interface TlsKeyPair {
  readonly cert: string;
  readonly key: string;
}

export interface DataServerOptions {
  /** P10: how long the head of a request may take. */
  readonly headerTimeoutMs: number;
  /** The same number as the gateway's: what is past it is refused, and past that dropped. */
  readonly connections: number;
  readonly tls: TlsKeyPair | null;
}

export interface DataServer {
  readonly server: Server | TlsServer;
  /** Connections made from now on use the new pair. Throws when the pair does not load; the old one then stays. */
  replaceTls(pair: TlsKeyPair): void;
  /** Stops accepting, closes what is idle, and resolves when the last connection is gone. */
  close(): Promise<void>;
  closeAllConnections(): void;
}

/** Room for target and headers together: P10 is enforced by our own count, since Node's includes the target. */
const PARSER_HEADER_BYTES = 32 * 1024;
const KEEP_ALIVE_MS = 75_000;
/** Past the bound, as many connections as this get a refusal rather than a reset: a sixteenth of it, at least 64. */
const sparesFor = (connections: number): number => Math.max(64, connections >> 4);
/** A client may ask for a new handshake within TLS 1.2 as often as it likes; each costs us far more than the client. */
const TLS_OPTIONS = { secureOptions: constants.SSL_OP_NO_RENEGOTIATION };
const connectionKey: unique symbol = Symbol('postern.connection');

/** Under this key Node's parser calls whom it finds there when a message begins: the only one who knows of half a head. */
const ON_MESSAGE_BEGIN = 0;

interface MessageParser {
  [ON_MESSAGE_BEGIN]: unknown;
  readonly socket: GateSocket | null;
}

interface GateSocket extends Socket {
  [connectionKey]?: ClientConnection;
  /** Not documented. A test of completeness fails should Node take it away. */
  readonly parser?: MessageParser | null;
}

export function createDataServer(gateway: Gateway, options: DataServerOptions): DataServer {
  const server = makeServer(options);
  // Past this limit Node hides headers from us that its parser still honours (FR12): we count them ourselves.
  server.maxHeadersCount = 0;
  // Those of unfinished TLS handshakes count, and they are nobody else's to count.
  server.maxConnections = options.connections + sparesFor(options.connections);
  server.on('drop', () => gateway.dropped());
  const heads = watchHeads(options.headerTimeoutMs, (connection) =>
    failed(connection, 'request_timeout', gateway),
  );
  watchConnections({ server, gateway, heads }, options.tls !== null);
  takeMessages({ server, gateway, heads });

  return {
    server,
    replaceTls(pair) {
      if ('setSecureContext' in server) server.setSecureContext({ ...pair, ...TLS_OPTIONS });
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeIdleConnections();
      }),
    closeAllConnections() {
      server.closeAllConnections();
    },
  };
}

interface Listening {
  readonly server: Server | TlsServer;
  readonly gateway: Gateway;
  readonly heads: HeadDeadline;
}

function watchConnections({ server, gateway, heads }: Listening, secure: boolean): void {
  const rawSockets = createRawSockets();

  /** Called by the parser, once per message. */
  function messageBegan(this: MessageParser): void {
    const connection = this.socket?.[connectionKey];
    if (connection === undefined) return;
    connection.begun += 1;
    heads.begin(connection);
  }

  function watch(socket: GateSocket): void {
    const connection = gateway.connect(socket, secure ? rawSockets.below(socket) : socket, secure);
    connection.bytesAccounted = socket.bytesRead;
    socket[connectionKey] = connection;
    if (typeof socket.parser === 'object' && socket.parser !== null)
      socket.parser[ON_MESSAGE_BEGIN] = messageBegan;
    heads.begin(connection);
    socket.once('close', () => {
      heads.end(connection);
      if (isUnfinished(connection)) gateway.refuseUnparsed(connection, UNPARSED, 'client_closed');
      gateway.disconnected(connection);
    });
  }

  if (secure) {
    server.on('connection', (socket: Socket) => rawSockets.add(socket));
    server.on('secureConnection', watch);
    server.on('tlsClientError', (_error: Error, socket: Socket) => socket.destroy());
  } else {
    server.on('connection', watch);
  }
}

/** Bytes that never became a request, on a connection that is gone: a request all the same. */
function isUnfinished(connection: ClientConnection): boolean {
  if (connection.noMoreRequests) return false;
  if (connection.begun > connection.taken) return true;
  // Bytes that began nothing, such as blank lines. Under TLS they are the record layer's, and say nothing of requests.
  if (connection.secure || connection.current !== null) return false;
  return connection.socket.bytesRead > connection.bytesAccounted;
}

function takeMessages({ server, gateway, heads }: Listening): void {
  function accept(socket: GateSocket, message: ClientMessage): void {
    const connection = socket[connectionKey];
    if (connection === undefined) {
      socket.destroy();
      return;
    }
    connection.taken += 1;
    heads.end(connection);
    // The rest of what was refused already, such as a late head: its connection ends with that answer.
    if (connection.noMoreRequests) return;
    if (!gateway.accept(connection, message)) socket.destroy();
  }

  function onRequest(req: IncomingMessage, res: ServerResponse): void {
    accept(req.socket, messageOf(req, { res, socket: null, upgradeHead: null }));
  }

  server.on('request', onRequest);
  // Node would answer these two by itself, and by a looser reading of the header than ours.
  server.on('checkContinue', onRequest);
  server.on('checkExpectation', onRequest);
  server.on('upgrade', (req: IncomingMessage, socket: Duplex, upgradeHead: Buffer) => {
    socket.on('error', ignoreReset);
    accept(req.socket, messageOf(req, { res: null, socket, upgradeHead }));
  });
  server.on('connect', (req: IncomingMessage, socket: GateSocket) => {
    socket.on('error', ignoreReset);
    const connection = socket[connectionKey];
    const message = messageOf(req, { res: null, socket, upgradeHead: null });
    if (connection === undefined) socket.destroy();
    else if (!connection.noMoreRequests) gateway.refuseUnparsed(connection, message, 'method_not_allowed');
  });
  server.on('clientError', (error: ParserError, socket: Duplex) =>
    onClientError(socket as GateSocket, error, gateway),
  );
}

/** Node takes its own listener off a socket it hands over; a reset would then end the process. Its close is told. */
function ignoreReset(): void {}

/** The parser gave up: on a body that an exchange is waiting for, or on a new request. */
function onClientError(socket: GateSocket, error: ParserError, gateway: Gateway): void {
  const connection = socket[connectionKey];
  if (connection === undefined) socket.destroy();
  else failed(connection, reasonOfParserError(error), gateway, error.rawPacket);
}

/** No request comes of what is there: refused and recorded where anything is. */
function failed(connection: ClientConnection, reason: DenialCode, gateway: Gateway, packet?: Buffer): void {
  const { socket } = connection;
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  // More of what was refused already: the answer is on its way and ends the connection.
  if (connection.noMoreRequests) return;
  if (gateway.bodyBroken(connection, reason)) return;
  const isIdle = connection.current === null && connection.begun === connection.taken;
  if (isIdle && socket.bytesRead <= connection.bytesAccounted) {
    socket.destroy();
    return;
  }
  // Only where no request came before it is it known where it begins.
  const first = firstLine(connection.current === null ? packet : undefined);
  gateway.refuseUnparsed(connection, { ...UNPARSED, socket, ...first }, reason);
}

function makeServer({ headerTimeoutMs, tls }: DataServerOptions): Server | TlsServer {
  const common = {
    maxHeaderSize: PARSER_HEADER_BYTES,
    // Heads have a deadline of ours (head-deadline.ts), bodies an idle limit: Node would end long uploads after 300 s.
    headersTimeout: 0,
    requestTimeout: 0,
    keepAliveTimeout: KEEP_ALIVE_MS,
    // A missing Host would be answered by Node without any event, and so without a record.
    requireHostHeader: false,
    // A request without a body then has no stream to end (npm run bench).
    optimizeEmptyRequests: true,
    shouldUpgradeCallback: (req: IncomingMessage) => req.headers.upgrade?.toLowerCase() === 'websocket',
  };
  return tls === null
    ? createServer(common)
    : createTlsServer({
        ...common,
        ...tls,
        ...TLS_OPTIONS,
        ALPNProtocols: ['http/1.1'],
        // Node gives a handshake two minutes.
        handshakeTimeout: headerTimeoutMs,
      });
}

const UNPARSED: ClientMessage = {
  req: null,
  res: null,
  socket: null,
  upgradeHead: null,
  method: '',
  httpVersion: '',
  rawTarget: '',
};

function messageOf(
  req: IncomingMessage,
  peer: Pick<ClientMessage, 'res' | 'socket' | 'upgradeHead'>,
): ClientMessage {
  return { ...peer, req, method: req.method ?? '', httpVersion: req.httpVersion, rawTarget: req.url ?? '' };
}

/** A method and the path behind it. The packet may as well hold the middle of a head: a cookie, a credential. */
const REQUEST_LINE = /^([A-Za-z-]{1,16})[ \t]+(\/[^?\s]*)/;

/** For the record only: what the request line seems to say, its query left out since it may hold anything. */
function firstLine(packet: Buffer | undefined): { readonly method: string; readonly rawTarget: string } {
  const start = packet === undefined ? '' : packet.subarray(0, 256).toString('latin1');
  // An answer to HEAD has no body, whatever was wrong with its target (RFC 9110 section 9.3.2).
  const asHead = start.startsWith('HEAD ') ? 'HEAD' : '';
  const [, method = asHead, rawTarget = ''] = REQUEST_LINE.exec(start) ?? [];
  return { method, rawTarget };
}
