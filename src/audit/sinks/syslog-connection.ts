// One connection to a syslog receiver, TCP or TLS, and all that can end it. Runs in the worker.
// Guarantees: a certificate is always verified; once the other end closed, failed or took nothing for too long, the
// connection is lost for good and is not written to again; every wait ends.
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { DeliveryError } from './http-post.ts';
import type { SyslogOptions } from './sink-options.ts';

const KEEP_ALIVE_MS = 15_000;

export interface SyslogConnection {
  /** Why it is lost, a short code; null while it lives. */
  readonly fault: string | null;
  /** More than a socket's buffer waits to be taken. */
  readonly isFull: boolean;
  /** All at once, in order. Only while it lives. */
  write(frames: readonly Buffer[]): void;
  /** Resolves when it is not full any more. Rejects with a DeliveryError when it is lost, or took nothing in `timeoutMs`. */
  drained(): Promise<void>;
  /** Resolves when everything written is the kernel's. Rejects as `drained`. */
  flushed(): Promise<void>;
  /** Sends what is written and closes; gives up after `timeoutMs`. Never rejects. */
  end(): Promise<void>;
}

/** `told`: somebody waits and is rejected with the same code. */
export type OnLost = (connection: SyslogConnection, code: string, told: boolean) => void;

/** Rejects with a DeliveryError when it cannot be made within `timeoutMs`. */
export function openSyslog(options: SyslogOptions, onLost: OnLost): Promise<SyslogConnection> {
  return new Promise((resolve, reject) => {
    let socket: Socket;
    try {
      socket = socketOf(options);
    } catch (error) {
      reject(new DeliveryError(codeOf(error)));
      return;
    }
    const fail = (code: string): void => {
      clearTimeout(timer);
      socket.destroy();
      reject(new DeliveryError(code));
    };
    const timer = setTimeout(() => fail('timeout'), options.timeoutMs);
    const onError = (error: unknown): void => fail(codeOf(error));
    const onClose = (): void => fail('peer_closed');
    socket.on('error', onError);
    socket.on('close', onClose);
    socket.once(options.protocol === 'tls' ? 'secureConnect' : 'connect', () => {
      clearTimeout(timer);
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      resolve(connectionOver(socket, options.timeoutMs, onLost));
      socket.off('error', onError);
      socket.off('close', onClose);
    });
  });
}

function socketOf(options: SyslogOptions): Socket {
  const { host, port, ca, cert, key } = options;
  if (options.protocol === 'tcp') return connectTcp({ host, port, noDelay: true });
  return connectTls({
    host,
    port,
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    // An address is no server name (RFC 6066 section 3); the certificate is then held against `host`.
    servername: isIP(host) === 0 ? host : '',
    ...(ca === null ? {} : { ca }),
    ...(cert === null || key === null ? {} : { cert, key }),
  });
}

function connectionOver(socket: Socket, timeoutMs: number, onLost: OnLost): SyslogConnection {
  const waiting = new Set<(code: string) => void>();
  let fault: string | null = null;
  const lose = (code: string): void => {
    if (fault !== null) return;
    fault = code;
    socket.destroy();
    const told = waiting.size > 0;
    for (const reject of waiting) reject(code);
    onLost(connection, code, told);
  };
  /** Until `begin` calls back, as long as the peer goes on taking something. */
  const waitFor = (begin: (done: () => void) => void): Promise<void> =>
    new Promise((resolve, reject) => {
      let left = socket.writableLength;
      const settle = (code: string | null): void => {
        clearInterval(timer);
        waiting.delete(settle);
        if (code === null) resolve();
        else reject(new DeliveryError(code));
      };
      const timer = setInterval(() => {
        if (socket.writableLength >= left) lose('timeout');
        left = socket.writableLength;
      }, timeoutMs);
      waiting.add(settle);
      if (fault === null) begin(() => settle(fault));
      else settle(fault);
    });
  socket.on('error', (error) => lose(codeOf(error)));
  socket.on('end', () => lose('peer_closed'));
  socket.on('close', () => lose('peer_closed'));
  // Nobody speaks here, but the end of the stream is only seen by whoever reads.
  socket.resume();
  const connection: SyslogConnection = {
    get fault() {
      return fault;
    },
    get isFull() {
      return socket.writableNeedDrain;
    },
    write(frames) {
      socket.cork();
      for (const frame of frames) socket.write(frame);
      socket.uncork();
    },
    drained: () => waitFor((done) => (socket.writableNeedDrain ? socket.once('drain', done) : done())),
    // A write that failed has a loss behind it, which ends the wait.
    flushed: () => waitFor((done) => void socket.write('', (error) => (error ? undefined : done()))),
    end() {
      fault ??= 'closed';
      for (const reject of waiting) reject(fault);
      return ending(socket, timeoutMs);
    },
  };
  return connection;
}

function ending(socket: Socket, timeoutMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) {
      resolve();
      return;
    }
    const timer = setTimeout(() => socket.destroy(), timeoutMs);
    socket.once('close', () => {
      clearTimeout(timer);
      resolve();
    });
    socket.end();
  });
}

/** Codes of Node and OpenSSL are words of closed lists; a message may repeat an address, so it is left behind. */
function codeOf(error: unknown): string {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code) ? code : 'unknown';
}
