// Connections to the upstream: TCP, TLS over TCP, or a Unix domain socket.
// Guarantees: the raw socket below TLS stays reachable, since it alone can be reset; the certificate is checked
// against the configured host, never against the client's Host header. Cold: once per connection.
import { connect as connectTcp, isIP, type OnReadOpts, type Socket, type TcpNetConnectOpts } from 'node:net';
import { connect as connectTls, type ConnectionOptions } from 'node:tls';
import { PosternError } from '#model/fault.ts';

/** Where the upstream is, as configured. */
export interface UpstreamAddress {
  /** As in `Location` and the request's URL; `http://localhost` for a Unix domain socket. */
  readonly origin: string;
  /** `host` or `host:port`, for the Host header. */
  readonly authority: string;
  readonly secure: boolean;
  readonly socketPath: string | null;
  /** Without brackets. */
  readonly hostname: string;
  readonly port: number;
}

export interface UpstreamTls {
  /** PEM of the authorities to trust instead of the system's; null: the system's. */
  readonly ca: string | null;
  readonly dangerouslySkipTlsVerify: boolean;
}

export interface Connected {
  /** What carries HTTP. */
  readonly socket: Socket;
  /** The same, or the TCP socket below TLS. */
  readonly raw: Socket;
}

export type OnConnected = (error: Error | null, connected: Connected | null) => void;

/** Takes the bytes of a connection. */
export interface ByteReader {
  /** The first `length` bytes are valid during the call only. False: pause the connection. */
  read(bytes: Buffer, length: number): boolean;
}

/** With a reader, that gets the bytes and nobody listens for `data`; else the socket is read like every other. */
export type Connect = (done: OnConnected, reader?: ByteReader) => void;

/** All plain connections are read into one buffer: it is never held longer than one call. */
const READ_BYTES = 64 * 1024;

/** `http://host:port`, `https://host:port` or `unix:/path`; throws a TypeError for anything else. */
export function parseUpstreamUrl(text: string): UpstreamAddress {
  if (text.startsWith('unix:')) {
    const socketPath = text.slice('unix:'.length).replace(/^\/\/(?=\/)/, '');
    if (!socketPath.startsWith('/')) throw new TypeError('a unix: upstream needs an absolute path');
    return {
      origin: 'http://localhost',
      authority: 'localhost',
      secure: false,
      socketPath,
      hostname: '',
      port: 0,
    };
  }
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new TypeError('the upstream must be an http:, https: or unix: URL');
  }
  if (
    url.pathname !== '/' ||
    url.search !== '' ||
    url.hash !== '' ||
    url.username !== '' ||
    url.password !== ''
  ) {
    throw new TypeError('the upstream must be an origin, without path, query or user');
  }
  const secure = url.protocol === 'https:';
  return {
    origin: url.origin,
    authority: url.host,
    secure,
    socketPath: null,
    hostname: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
  };
}

export function createConnect(address: UpstreamAddress, tls: UpstreamTls, timeoutMs: number): Connect {
  /** Saves a round trip and a signature on the next connection. */
  let session: Buffer | undefined;
  const shared = Buffer.allocUnsafeSlow(READ_BYTES);

  function secure(raw: Socket): Socket {
    const options: ConnectionOptions = {
      socket: raw,
      ALPNProtocols: ['http/1.1'],
      rejectUnauthorized: !tls.dangerouslySkipTlsVerify,
      host: address.hostname,
    };
    // RFC 6066 section 3: an address is no server name.
    if (isIP(address.hostname) === 0) options.servername = address.hostname;
    if (tls.ca !== null) options.ca = tls.ca;
    if (session !== undefined) options.session = session;
    const socket = connectTls(options);
    socket.on('session', (next) => {
      session = next;
    });
    return socket;
  }

  return (done, reader) => {
    const direct = reader !== undefined && !address.secure ? directly(reader, shared) : undefined;
    const raw = openRaw(address, direct);
    const timer = setTimeout(() => fail(timeoutError()), timeoutMs);
    let over = false;

    function fail(error: Error): void {
      raw.destroy();
      settle(error, null);
    }
    function settle(error: Error | null, connected: Connected | null): void {
      if (over) return;
      over = true;
      clearTimeout(timer);
      done(error, connected);
    }

    raw.on('error', fail);
    raw.once('connect', () => {
      if (!address.secure) {
        settle(null, { socket: raw, raw });
        return;
      }
      const socket = secure(raw);
      if (reader !== undefined) {
        socket.on('data', (chunk: Buffer) => {
          if (!reader.read(chunk, chunk.length)) socket.pause();
        });
      }
      socket.on('error', fail);
      socket.once('close', () => fail(closedError()));
      socket.once('secureConnect', () => settle(null, { socket, raw }));
    });
  };
}

function directly(reader: ByteReader, shared: Buffer): OnReadOpts {
  return { buffer: shared, callback: (length) => reader.read(shared, length) };
}

function addressOf({ socketPath, hostname, port }: UpstreamAddress): object {
  return socketPath === null ? { host: hostname, port, highWaterMark: 64 * 1024 } : { path: socketPath };
}

function openRaw(address: UpstreamAddress, onread: OnReadOpts | undefined): Socket {
  const options = { ...addressOf(address), ...(onread === undefined ? {} : { onread }) };
  const raw = connectTcp(options as TcpNetConnectOpts);
  if (address.socketPath === null) raw.setNoDelay(true).setKeepAlive(true, 60_000);
  return raw;
}

function timeoutError(): PosternError {
  return new PosternError('UPSTREAM_TIMEOUT', 'connecting to the upstream took too long');
}

function closedError(): Error {
  return Object.assign(new Error('the upstream closed the connection'), { code: 'ECONNRESET' });
}
