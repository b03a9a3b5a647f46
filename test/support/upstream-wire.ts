// Raw peers on 127.0.0.1: an upstream that records bytes and says what it is told, and a client without manners.
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';

/** How a peer saw the connection end. */
export type Ending = 'end' | 'reset' | 'closed';

/** One connection with everything that came over it. */
export class Wire {
  readonly socket: Socket;
  text = '';
  bytes = 0;
  keep = true;
  ending: Ending | null = null;
  readonly closed: Promise<Ending>;
  #waiting: { test: () => boolean; resolve: () => void }[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length;
      if (this.keep) this.text += chunk.toString('latin1');
      this.#check();
    });
    socket.on('end', () => {
      this.ending ??= 'end';
      this.#check();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.ending = error.code === 'ECONNRESET' || error.code === 'EPIPE' ? 'reset' : 'closed';
      this.#check();
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.ending ??= 'closed';
        this.#check();
        resolve(this.ending);
      });
    });
  }

  #check(): void {
    this.#waiting = this.#waiting.filter(({ test, resolve }) => {
      if (!test()) return true;
      resolve();
      return false;
    });
  }

  until(test: () => boolean): Promise<void> {
    if (test()) return Promise.resolve();
    return new Promise((resolve) => this.#waiting.push({ test, resolve }));
  }

  /** Resolves with everything so far once `part` has come. Rejects when the connection closes without it. */
  async seen(part: string): Promise<string> {
    await this.until(() => this.text.includes(part) || this.ending !== null);
    if (!this.text.includes(part)) throw new Error(`closed without ${JSON.stringify(part)}: ${this.text}`);
    return this.text;
  }

  send(text: string | Buffer): void {
    if (typeof text === 'string') this.socket.write(text, 'latin1');
    else this.socket.write(text);
  }

  clear(): void {
    this.text = '';
  }
}

export interface RawUpstream extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly wires: Wire[];
  next(): Promise<Wire>;
}

export interface TlsPair {
  readonly cert: string;
  readonly key: string;
}

/** `talk` is called for each connection; what it needs to wait for it awaits on the wire. */
export async function startRawUpstream(
  talk: (wire: Wire) => void | Promise<void> = () => undefined,
  tls?: TlsPair,
): Promise<RawUpstream> {
  const wires: Wire[] = [];
  const waiting: ((wire: Wire) => void)[] = [];
  let taken = 0;
  function onSocket(socket: Socket): void {
    const wire = new Wire(socket);
    wires.push(wire);
    waiting.shift()?.(wire);
    // A talk that is cut short is what these tests are about.
    Promise.resolve(talk(wire)).catch(() => undefined);
  }
  const server = tls === undefined ? createServer(onSocket) : createTlsServer(tls, onSocket);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${tls === undefined ? '127.0.0.1' : 'localhost'}:${port}`,
    port,
    wires,
    next() {
      const known = wires[taken];
      taken++;
      if (known !== undefined) return Promise.resolve(known);
      return new Promise((resolve) => waiting.push(resolve));
    },
    async [Symbol.asyncDispose]() {
      for (const { socket } of wires) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Answers every request head with the same bytes, or what `response` makes of it; bodies are ignored. */
export function startAnswering(response: string | ((head: string) => string)): Promise<RawUpstream> {
  return startRawUpstream((wire) => {
    let answered = 0;
    wire.socket.on('data', () => {
      const heads = wire.text.split('\r\n\r\n');
      for (; answered < heads.length - 1; answered++) {
        wire.send(typeof response === 'string' ? response : response(heads[answered] as string));
      }
    });
  });
}

export async function openClient(port: number, tls = false): Promise<Wire & Disposable> {
  const socket = tls
    ? connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, servername: 'localhost' })
    : connect({ host: '127.0.0.1', port });
  const wire = new Wire(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once(tls ? 'secureConnect' : 'connect', resolve);
    socket.once('error', reject);
  });
  return Object.assign(wire, { [Symbol.dispose]: () => socket.destroy() });
}

export function request(target: string, headers: readonly string[] = [], method = 'GET'): string {
  return `${method} ${target} HTTP/1.1\r\nHost: app.test\r\n${headers.map((line) => `${line}\r\n`).join('')}\r\n`;
}

/** One connection, one request, everything until the connection closes or `until` has come. */
export async function exchange(port: number, text: string, until: string): Promise<string> {
  using client = await openClient(port);
  client.send(text);
  await client.until(() => client.text.includes(until) || client.ending !== null);
  return client.text;
}
