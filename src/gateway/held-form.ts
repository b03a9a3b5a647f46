// A form body held so that a rule can see the method it claims (P6), then forwarded byte for byte.
// Guarantees: bounded memory; what cannot be read as a URL-encoded form is refused, not guessed.
import type { IncomingMessage } from 'node:http';
import type { DenialCode } from '#model/reason.ts';
import { type Denial, deny } from '#model/verdict.ts';
import type { Exchange } from './exchange.ts';
import { claimedMethods } from './method-override.ts';

const MAX_FORM_BYTES = 256 * 1024;
const FORM_TYPE = 'application/x-www-form-urlencoded';

export interface HeldForm {
  readonly body: Buffer;
  readonly methods: readonly string[];
}

/** Whether a body of this type can carry `_method` at all: JSON and the like cannot. */
export function mayClaimMethod(x: Exchange): boolean {
  if (x.method !== 'POST' || x.head.contentLength === 0) return false;
  const type = mediaType(x.head.contentType);
  return type === FORM_TYPE || type === 'multipart/form-data' || type === '';
}

/** Resolves when the whole body is there; a denial when it is too large, too slow, compressed or not a plain form. */
export async function holdForm(x: Exchange): Promise<HeldForm | Denial> {
  if (mediaType(x.head.contentType) !== FORM_TYPE)
    return deny('body_uninspectable', 'a form that is not URL-encoded');
  if (x.head.contentEncoding !== '') return deny('body_uninspectable', 'a compressed form');
  if (x.head.contentLength > MAX_FORM_BYTES) return deny('body_too_large');
  if (x.req === null) return deny('bad_framing');
  // Whoever waits for it would wait for ever: no later check can pass without the body.
  if (x.expectsContinue) x.res?.writeContinue();
  const body = await readAll(x.req, x.idleTimeoutMs);
  return 'reason' in body ? body : { body, methods: claimedMethods(body.toString('latin1')) };
}

/** By events: an iterator that is left early destroys the request, and its connection before it can be answered. */
function readAll(req: IncomingMessage, idleTimeoutMs: number): Promise<Buffer | Denial> {
  const { promise, resolve } = Promise.withResolvers<Buffer | Denial>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  const timer = setTimeout(() => refuse('request_timeout'), idleTimeoutMs);
  function refuse(reason: DenialCode): void {
    req.off('data', onData).pause();
    clearTimeout(timer);
    resolve(deny(reason));
  }
  function onData(chunk: Buffer): void {
    bytes += chunk.length;
    chunks.push(chunk);
    timer.refresh();
    if (bytes > MAX_FORM_BYTES) refuse('body_too_large');
  }
  req.on('data', onData);
  req.once('end', () => {
    clearTimeout(timer);
    resolve(Buffer.concat(chunks));
  });
  // Without an end before it: the connection's close has ended the exchange.
  req.once('close', () => refuse('client_closed'));
  return promise;
}

function mediaType(contentType: string): string {
  const end = contentType.indexOf(';');
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}
