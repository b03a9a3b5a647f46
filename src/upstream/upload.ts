// The request body on its way from the client to undici, with back-pressure.
// Guarantees: constant memory; what undici destroys is this stream, never the client's request, whose destruction
// would close the client's connection before it could be answered. Assumes Node's parser has unframed the body.
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

export interface UploadEvents {
  /** Bytes came from the client. False: too many, nothing more is passed on. */
  uploaded(bytes: number): boolean;
}

/** Bodies up to this size that have arrived whole are sent in one write with their head. */
const SMALL_BODY_BYTES = 64 * 1024;

/** The whole body, where it has already arrived; else null. Consumes it. */
export function arrivedBody(req: IncomingMessage, contentLength: number): Buffer | null {
  if (contentLength <= 0 || contentLength > SMALL_BODY_BYTES || req.readableLength !== contentLength)
    return null;
  return req.read(contentLength) as Buffer | null;
}

/** Ends when the body ends. Whoever learns that the client went away in its middle destroys it. */
export function openUpload(req: IncomingMessage, events: UploadEvents): Readable {
  const body = new Readable({
    highWaterMark: 64 * 1024,
    read() {
      req.resume();
    },
    destroy(error, done) {
      req.off('data', onData).off('end', onEnd);
      done(error);
    },
  });
  function onData(chunk: Buffer): void {
    if (!events.uploaded(chunk.length)) req.pause();
    else if (!body.push(chunk)) req.pause();
  }
  function onEnd(): void {
    body.push(null);
  }
  // undici takes its own listener off before it destroys the stream.
  body.on('error', ignore);
  if (req.readableEnded) body.push(null);
  else req.on('data', onData).on('end', onEnd);
  return body;
}

function ignore(): void {
  // The exchange learns of it from undici.
}
