// What sockets of this process are told to write, seen where node's streams hand it to the kernel: what Postern itself
// forwards, whatever a peer still has in its buffers.
import { Socket } from 'node:net';

export interface WrittenBytes extends Disposable {
  /** Forgets what was seen so far. */
  clear(): void;
  /** In all since `clear`. */
  readonly bytes: number;
  /** Of each socket that wrote: when it did so last, milliseconds of `processMs`. */
  lastWrites(): readonly number[];
}

/** Milliseconds of a clock that every process of this machine shares. */
export function processMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/** What a gate of this process writes: bytes of the exchange, or its own words about the end of it. */
export type Said = 'forwarded' | 'ours' | 'none';

/**
 * `start` is how the write begins. Our own are the 403 of an exchange that was cut before its answer began (it waits for
 * its record), the last event of an event stream and the close frame of a WebSocket with its code.
 */
export function saidBy(
  { dataPort, upstreamPort }: { readonly dataPort: number; readonly upstreamPort: number },
  { localPort, remotePort }: Socket,
  start: string,
): Said {
  if (localPort !== dataPort && remotePort !== upstreamPort) return 'none';
  const isOurs =
    start.startsWith('HTTP/1.1 403 ') || start.includes('postern.ended') || start.startsWith(CLOSE_FRAME);
  return isOurs ? 'ours' : 'forwarded';
}

type Write = Socket['_write'];
type Writev = NonNullable<Socket['_writev']>;

const START_CHARS = 64;
/** RFC 6455 section 5.5.1: final, opcode 8. */
const CLOSE_FRAME = '\x88';

/** `counts` is asked at each write, while the socket still knows its ports, with how it begins. One at a time. */
export function watchWrites(counts: (socket: Socket, start: string) => boolean): WrittenBytes {
  const { prototype } = Socket;
  const write = Reflect.get(prototype, '_write') as Write;
  const writev = Reflect.get(prototype, '_writev') as Writev;
  const last = new Map<Socket, number>();
  let bytes = 0;

  function see(socket: Socket, parts: readonly (Buffer | string)[]): void {
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    const start = parts.map((part) => part.slice(0, START_CHARS).toString('latin1')).join('');
    if (!counts(socket, start)) return;
    bytes += size;
    last.set(socket, processMs());
  }

  prototype._write = function _write(chunk: Buffer | string, encoding, done) {
    see(this, [chunk]);
    write.call(this, chunk, encoding, done);
  };
  prototype._writev = function _writev(chunks, done) {
    see(
      this,
      chunks.map(({ chunk }) => chunk as Buffer | string),
    );
    writev.call(this, chunks, done);
  };
  return {
    clear() {
      bytes = 0;
      last.clear();
    },
    get bytes() {
      return bytes;
    },
    lastWrites: () => [...last.values()],
    [Symbol.dispose]() {
      prototype._write = write;
      prototype._writev = writev;
    },
  };
}
