// A client that sends the bytes it is given and nothing else, where an HTTP library would tidy them.
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

export interface RawAnswer {
  readonly status: number;
  /** Names in lower case; the last one of a name wins. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Everything that came, as it came. */
  readonly text: string;
}

export interface RawConnection extends AsyncDisposable {
  readonly socket: Socket;
  /** Latin-1: each character is a byte. */
  write(bytes: string): void;
  /** Everything received so far. */
  received(): string;
  /** Resolves when `pattern` is in what was received; rejects when the connection closes first. */
  waitFor(pattern: string): Promise<string>;
  /** Resolves when the connection is over: `reset` when by RST. */
  readonly closed: Promise<'end' | 'reset'>;
}

export function rawConnect(port: number, options: { readonly tls?: boolean } = {}): Promise<RawConnection> {
  const ready = Promise.withResolvers<RawConnection>();
  const closed = Promise.withResolvers<'end' | 'reset'>();
  let received = '';
  let over = false;
  const waiting = new Set<() => void>();
  const host = '127.0.0.1';
  const socket =
    options.tls === true ? connectTls({ port, host, rejectUnauthorized: false }) : connect({ port, host });
  let ended: 'end' | 'reset' = 'end';
  socket.setEncoding('latin1');
  socket.on('data', (text: string) => {
    received += text;
    for (const check of waiting) check();
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'ECONNRESET' || error.code === 'EPIPE') ended = 'reset';
    ready.reject(error);
  });
  socket.on('close', () => {
    over = true;
    closed.resolve(ended);
    for (const check of waiting) check();
  });

  function waitFor(pattern: string): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const check = () => {
      if (received.includes(pattern)) resolve(received);
      else if (over) reject(new Error(`closed before ${JSON.stringify(pattern)} came; received ${received}`));
      else return;
      waiting.delete(check);
    };
    waiting.add(check);
    check();
    return promise;
  }

  const connection: RawConnection = {
    socket,
    write: (bytes) => void socket.write(bytes, 'latin1'),
    received: () => received,
    waitFor,
    closed: closed.promise,
    async [Symbol.asyncDispose]() {
      socket.destroy();
      await closed.promise;
    },
  };
  socket.once(options.tls === true ? 'secureConnect' : 'connect', () => ready.resolve(connection));
  return ready.promise;
}

/** Sends the bytes on a connection of their own and reads until it closes or one whole answer is there. */
export async function rawRequest(port: number, bytes: string): Promise<RawAnswer> {
  await using connection = await rawConnect(port);
  connection.write(bytes);
  const whole = Promise.withResolvers<void>();
  connection.socket.on('data', () => {
    if (isWhole(connection.received())) whole.resolve();
  });
  await Promise.race([whole.promise, connection.closed]);
  return parseAnswer(connection.received());
}

export function parseAnswer(text: string): RawAnswer {
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...lines] = text.slice(0, end < 0 ? undefined : end).split('\r\n');
  const headers: Record<string, string> = {};
  for (const line of lines) {
    const colon = line.indexOf(':');
    headers[line.slice(0, colon).toLowerCase()] = line.slice(colon + 1).trim();
  }
  return {
    status: Number(statusLine.split(' ')[1] ?? 0),
    headers,
    body: end < 0 ? '' : text.slice(end + 4),
    text,
  };
}

function isWhole(text: string): boolean {
  if (!text.includes('\r\n\r\n')) return false;
  const { status, headers, body } = parseAnswer(text);
  if (status < 200) return false;
  if (headers['transfer-encoding'] === 'chunked') return body.endsWith('0\r\n\r\n');
  return body.length >= Number(headers['content-length'] ?? 0);
}
