// Counts requests where they come in: the bytes that the gate read from each of its sockets, against the places in
// those bytes at which requests begin. A request counts from its first byte on, whatever becomes of it.
import { channel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { Input, Step } from './torture-inputs.ts';
import type { Random } from './torture-random.ts';

/** What the gate read from each connection, by the client's port; from the moment this is made. */
export interface ServerSockets extends Disposable {
  /** Resolves when the gate has accepted the connection. */
  accepted(clientPort: number): Promise<void>;
  isKnown(clientPort: number): boolean;
  /** Resolves when the gate's side of the connection is closed, with the bytes it has read. */
  read(clientPort: number): Promise<number>;
  /** Connections whose client was gone before they were accepted: those of which bytes were read all the same. */
  strangers(): number;
}

interface Entry {
  readonly accepted: PromiseWithResolvers<void>;
  readonly read: PromiseWithResolvers<number>;
}

export function watchServerSockets(port: number): ServerSockets {
  const sockets = channel('net.server.socket');
  const entries = new Map<number, Entry>();
  let strangers = 0;
  const entryOf = (clientPort: number): Entry => {
    const known = entries.get(clientPort);
    if (known !== undefined) return known;
    const entry = { accepted: Promise.withResolvers<void>(), read: Promise.withResolvers<number>() };
    entries.set(clientPort, entry);
    return entry;
  };
  const onSocket = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    const { localPort, remotePort } = socket;
    if (localPort !== port) return;
    if (remotePort === undefined) {
      socket.once('close', () => void (strangers += socket.bytesRead > 0 ? 1 : 0));
      return;
    }
    const entry = entryOf(remotePort);
    entry.accepted.resolve();
    socket.once('close', () => entry.read.resolve(socket.bytesRead));
  };
  sockets.subscribe(onSocket);
  return {
    accepted: (clientPort) => entryOf(clientPort).accepted.promise,
    isKnown: (clientPort) => entries.has(clientPort),
    async read(clientPort) {
      const bytes = await entryOf(clientPort).read.promise;
      entries.delete(clientPort);
      return bytes;
    },
    strangers: () => strangers,
    [Symbol.dispose]: () => void sockets.unsubscribe(onSocket),
  };
}

export interface Site {
  readonly port: number;
  readonly sockets: ServerSockets;
  readonly random: Random;
}

/**
 * Says it on a connection of its own; resolves with the number of requests of which the gate read at least a byte. A
 * hasty one may end up among the strangers: then nobody knows which connection it was, and it resolves with 0.
 */
export async function requestsOf(input: Input, site: Site): Promise<number> {
  const talk = new Talk(site);
  const clientPort = await talk.open();
  if (input.hasty !== true) await site.sockets.accepted(clientPort);
  for (const step of input.steps) await talk.take(step);
  if (input.hasty === true && !(await isKnown(clientPort, site))) return 0;
  const read = await site.sockets.read(clientPort);
  return talk.starts.filter((start) => start < read).length;
}

/** Connections are accepted in their order: when one that came later was, this one was, or is a stranger. */
async function isKnown(clientPort: number, { port, sockets }: Site): Promise<boolean> {
  const marker = connect({ port, host: '127.0.0.1' });
  await once(marker, 'connect');
  const markerPort = marker.localPort ?? 0;
  await sockets.accepted(markerPort);
  marker.destroy();
  await sockets.read(markerPort);
  return sockets.isKnown(clientPort);
}

class Talk {
  /** Where in the bytes that were said requests begin. */
  readonly starts: number[] = [];
  readonly #socket: Socket;
  readonly #random: Random;
  readonly #closed: Promise<void>;
  #said = 0;
  #text = '';
  #over = false;
  #look: () => void = () => undefined;

  constructor({ port, random }: Site) {
    this.#random = random;
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('error', () => undefined);
    this.#socket.on('data', (text: string) => {
      this.#text += text;
      this.#look();
    });
    this.#closed = new Promise((resolve) => {
      this.#socket.on('close', () => {
        this.#over = true;
        this.#look();
        resolve();
      });
    });
  }

  /** Resolves with the client's port. */
  open(): Promise<number> {
    return new Promise((resolve) => {
      this.#socket.once('connect', () => resolve(this.#socket.localPort ?? 0));
    });
  }

  async take(step: Step): Promise<void> {
    if (step === 'fin') this.#socket.end();
    else if (step === 'reset') this.#socket.resetAndDestroy();
    else if (step === 'closed') await this.#closed;
    else if ('ask' in step) await this.#ask([step.ask]);
    else if ('together' in step) await this.#ask(step.together);
    else if ('say' in step) await this.#say(step.say);
    else if ('seen' in step) await this.#until(() => this.#text.includes(step.seen));
    else await this.#until(() => this.#answers(step.status) >= (step.times ?? 1));
  }

  #ask(requests: readonly string[]): Promise<void> {
    let at = this.#said;
    for (const request of requests) {
      this.starts.push(at);
      at += request.length;
    }
    return this.#say(requests.join(''));
  }

  /** In one piece or in several, as networks do. */
  async #say(bytes: string): Promise<void> {
    this.#said += bytes.length;
    const pieces = this.#random.next() < 0.6 ? 1 : this.#random.whole(2, 4);
    for (let from = 0, left = pieces; from < bytes.length && !this.#over; left--) {
      const length = left === 1 ? bytes.length - from : this.#random.whole(1, bytes.length - from);
      const piece = bytes.slice(from, from + length);
      from += length;
      await new Promise<void>((resolve) => {
        this.#socket.write(piece, 'latin1', () => setImmediate(resolve));
      });
    }
  }

  #answers(status: number): number {
    return this.#text.split(`HTTP/1.1 ${status} `).length - 1;
  }

  #until(test: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      this.#look = () => {
        if (!test() && !this.#over) return;
        this.#look = () => undefined;
        resolve();
      };
      this.#look();
    });
  }
}
