// Ships records to a syslog receiver over TCP or TLS. Runs in the worker.
// Guarantees: order within a connection; nothing is dropped; memory is bounded by a socket's buffer and the window.
// Syslog has no acknowledgement, so what was written lately is kept and written again after every reconnect: a receiver
// that restarts sees records twice rather than not at all. Assumes options that the configuration has checked.
import { hostname } from 'node:os';
import { DeliveryError } from './http-post.ts';
import { ResendWindow } from './resend-window.ts';
import type { Sink } from './sink.ts';
import type { SyslogOptions } from './sink-options.ts';
import { openSyslog, type SyslogConnection } from './syslog-connection.ts';
import { syslogFrame } from './syslog-message.ts';

/**
 * Longer than a kernel goes on trying before it reports that a peer is gone (Linux, tcp_retries2: some 16 minutes), and
 * more than those of both ends hold for an application that has stopped reading (tcp_wmem 4 MiB and tcp_rmem 6 MiB).
 */
const WINDOW = { maxBytes: 16 * 1024 * 1024, maxAgeMs: 20 * 60_000 };
/** Handed to the socket at once. */
const CHUNK_BYTES = 64 * 1024;
const MAX_REPAIR_MS = 30_000;

export interface SyslogSinkDeps {
  /** Milliseconds of a clock that does not go back. */
  readonly nowMs: () => number;
  /** Before a lost connection is made again while there is nothing new to write; doubles with each failure. */
  readonly repairMs: number;
}

const DEPS: SyslogSinkDeps = { nowMs: () => performance.now(), repairMs: 1000 };

export function createSyslogSink(options: SyslogOptions, deps = DEPS): Sink<readonly Buffer[]> {
  const link = new SyslogLink(options, deps);
  const frameOptions = { ...options, hostname: options.hostname ?? hostname() };
  return {
    encode: (records) => records.map((record) => syslogFrame(record, frameOptions)),
    async write(batch, from) {
      const connection = await link.connected();
      if (connection.isFull) await connection.drained();
      return link.hand(connection, batch, from);
    },
    async sync() {
      if (link.isUnused) return;
      await (await link.connected()).flushed();
    },
    reopen: () => link.leave(),
    close: () => link.close(),
  };
}

class SyslogLink {
  readonly #options: SyslogOptions;
  readonly #deps: SyslogSinkDeps;
  readonly #window = new ResendWindow(WINDOW);
  #connection: SyslogConnection | null = null;
  #opening: Promise<SyslogConnection> | null = null;
  #leaving: Promise<void> = Promise.resolve();
  /** Why the last connection was lost, until somebody was told. */
  #untold: string | null = null;
  #repair: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: SyslogOptions, deps: SyslogSinkDeps) {
    this.#options = options;
    this.#deps = deps;
  }

  get isUnused(): boolean {
    return this.#window.length === 0;
  }

  /** A loss that nobody has been told of is told first, once: it counts as an error, and the pump asks again. */
  async connected(): Promise<SyslogConnection> {
    const code = this.#untold;
    this.#untold = null;
    if (code !== null) throw new DeliveryError(code);
    return this.#ensured();
  }

  /** How many frames from `from` on were taken. Synchronous, so that the connection cannot be lost in between. */
  hand(connection: SyslogConnection, batch: readonly Buffer[], from: number): number {
    if (connection.fault !== null) throw new DeliveryError(connection.fault);
    const chunk = chunkOf(batch, from);
    const nowMs = this.#deps.nowMs();
    for (const frame of chunk) this.#window.add(frame, nowMs);
    connection.write(chunk);
    return chunk.length;
  }

  /** The connection is closed in order, and the next write makes another. */
  leave(): void {
    const old = this.#connection;
    this.#connection = null;
    if (old !== null) this.#leaving = old.end();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#repair);
    await this.#opening?.catch(() => undefined);
    this.leave();
    await this.#leaving;
  }

  async #ensured(): Promise<SyslogConnection> {
    if (this.#connection !== null) return this.#connection;
    this.#opening ??= this.#opened().finally(() => {
      this.#opening = null;
    });
    return this.#opening;
  }

  /** It is only the connection once everything of the window went over it: new frames never come before old ones. */
  async #opened(): Promise<SyslogConnection> {
    await this.#leaving;
    clearTimeout(this.#repair);
    const connection = await openSyslog(this.#options, (lost, code, told) => this.#onLost(lost, code, told));
    const frames = this.#window.frames();
    for (let from = 0; from < frames.length; ) {
      if (connection.isFull) await connection.drained();
      const chunk = chunkOf(frames, from);
      connection.write(chunk);
      from += chunk.length;
    }
    if (connection.fault !== null) throw new DeliveryError(connection.fault);
    this.#connection = connection;
    return connection;
  }

  #onLost(lost: SyslogConnection, code: string, told: boolean): void {
    if (this.#connection !== lost) return;
    this.#connection = null;
    if (!told) this.#untold = code;
    this.#repairIn(this.#deps.repairMs);
  }

  /** The last records before a pause may be what was lost: they do not wait for the next one to be sent again. */
  #repairIn(delayMs: number): void {
    if (this.#isClosed || this.isUnused) return;
    clearTimeout(this.#repair);
    this.#repair = setTimeout(() => {
      this.#ensured().catch(() => this.#repairIn(Math.min(MAX_REPAIR_MS, delayMs * 2)));
    }, delayMs).unref();
  }
}

/** At least one. */
function chunkOf(frames: readonly Buffer[], from: number): Buffer[] {
  const chunk: Buffer[] = [];
  let bytes = 0;
  for (let at = from; at < frames.length && bytes < CHUNK_BYTES; at++) {
    const frame = frames[at] as Buffer;
    chunk.push(frame);
    bytes += frame.length;
  }
  return chunk;
}
