// A form body held so that a rule can see the method it claims (P6), then forwarded byte for byte.
// Guarantees: bounded memory; what cannot be read as a URL-encoded form is refused, not guessed.
import type { IncomingMessage } from 'node:http';
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

/** Resolves when the whole body is there; a denial when it is too large, compressed or not a plain form. */
export async function holdForm(x: Exchange): Promise<HeldForm | Denial> {
  if (mediaType(x.head.contentType) !== FORM_TYPE)
    return deny('body_uninspectable', 'a form that is not URL-encoded');
  if (x.head.contentEncoding !== '') return deny('body_uninspectable', 'a compressed form');
  if (x.head.contentLength > MAX_FORM_BYTES) return deny('body_too_large');
  if (x.req === null) return deny('bad_framing');
  const body = await readAll(x.req);
  if (body === null) return deny('body_too_large');
  return { body, methods: claimedMethods(body.toString('latin1')) };
}

async function readAll(req: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of req) {
    bytes += (chunk as Buffer).length;
    if (bytes > MAX_FORM_BYTES) return null;
    chunks.push(chunk as Buffer);
  }
  return Buffer.concat(chunks);
}

function mediaType(contentType: string): string {
  const end = contentType.indexOf(';');
  return (end < 0 ? contentType : contentType.slice(0, end)).trim().toLowerCase();
}
