// The request body on its way from the client to the upstream's connection, with back-pressure.
// Guarantees: constant memory; the client's request is never destroyed, which would close the client's connection
// before it could be answered. Assumes Node's parser has unframed the body.
import type { IncomingMessage } from 'node:http';
import type { OriginConnection } from './origin-connection.ts';

export interface UploadEvents {
  /** Bytes came from the client. False: too many, nothing more is passed on. */
  uploaded(bytes: number): boolean;
  /** The whole body was handed to the connection. */
  uploadEnded(): void;
}

/** Bodies up to this size that have arrived whole are sent in one write with their head. */
const SMALL_BODY_BYTES = 64 * 1024;

/** The whole body, where it has already arrived; else null. Consumes it. */
export function arrivedBody(req: IncomingMessage, contentLength: number): Buffer | null {
  if (contentLength <= 0 || contentLength > SMALL_BODY_BYTES || req.readableLength !== contentLength)
    return null;
  return req.read(contentLength) as Buffer | null;
}

/** Pumps from `start` until the body ends or `stop`; whoever learns that the client went away stops it. */
export class Upload {
  readonly #req: IncomingMessage;
  readonly #connection: OriginConnection;
  readonly #events: UploadEvents;
  readonly #onData = (chunk: Buffer): void => {
    if (!this.#events.uploaded(chunk.length) || !this.#connection.sendBody(chunk)) this.#req.pause();
  };
  readonly #onEnd = (): void => {
    this.stop();
    this.#connection.endBody();
    this.#events.uploadEnded();
  };

  constructor(req: IncomingMessage, connection: OriginConnection, events: UploadEvents) {
    this.#req = req;
    this.#connection = connection;
    this.#events = events;
  }

  start(): void {
    if (this.#req.readableEnded) this.#onEnd();
    else this.#req.on('data', this.#onData).on('end', this.#onEnd).resume();
  }

  resume(): void {
    this.#req.resume();
  }

  stop(): void {
    this.#req.off('data', this.#onData).off('end', this.#onEnd);
  }
}
