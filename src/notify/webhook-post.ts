// One POST to one address over a connection of its own. Guarantees: no redirect is followed, no proxy of the environment
// is used, the name is not resolved again when addresses were checked, everything ends with the signal, an answer's body
// is bounded and thrown away. Assumes that whoever calls has checked the address. Cold.
import {
  type ClientRequest,
  type IncomingMessage,
  Agent as PlainAgent,
  request as askPlain,
} from 'node:http';
import { Agent as TlsAgent, request as askTls } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { HostAddress } from './resolve-host.ts';

export interface WebhookPost {
  readonly url: URL;
  readonly body: Buffer;
  readonly headers: Readonly<Record<string, string>>;
  /** Where alone it may connect; null: wherever the machine's own resolver says. */
  readonly addresses: readonly HostAddress[] | null;
  /** Certificates of authorities in PEM; null: the usual ones. */
  readonly ca: string | null;
  readonly signal: AbortSignal;
}

export interface PostAnswer {
  readonly status: number;
  /** What `Retry-After` asked for (RFC 9110 section 10.2.3), in seconds only; null where it says nothing of the kind. */
  readonly retryAfterMs: number | null;
}

/** The rest of an answer gets this much patience, so that the receiver sees its answer taken. */
const MAX_ANSWER_BYTES = 16 * 1024;
const ANSWER_MS = 1000;

/** The answer, whatever its status, as soon as its head is here. Rejects when there was none. */
export function postWebhook(post: WebhookPost): Promise<PostAnswer> {
  return new Promise((resolve, reject) => {
    const request = begin(post);
    request.on('error', reject);
    // Node says nothing more of a connection that the other side turned into something else (101).
    request.on('close', () => reject(Object.assign(new Error('no answer'), { code: 'ECONNRESET' })));
    request.on('response', (response) => {
      resolve({
        status: response.statusCode ?? 0,
        retryAfterMs: retryAfterOf(response.headers['retry-after']),
      });
      discard(request, response);
    });
    request.end(post.body);
  });
}

function begin({ url, body, headers, addresses, ca, signal }: WebhookPost): ClientRequest {
  const isTls = url.protocol === 'https:';
  const agent = isTls
    ? new TlsAgent({ keepAlive: false, rejectUnauthorized: true, ...(ca === null ? {} : { ca }) })
    : new PlainAgent({ keepAlive: false });
  return (isTls ? askTls : askPlain)(url, {
    method: 'POST',
    agent,
    signal,
    headers: { ...headers, 'content-length': body.length },
    ...(addresses === null ? {} : { lookup: pinnedTo(addresses) }),
  });
}

/** Node asks for all addresses, or for one; it gets the checked ones, whatever the name is by now. */
function pinnedTo(addresses: readonly HostAddress[]): LookupFunction {
  return (_host, options, callback) => {
    const [first] = addresses;
    if (options.all === true) callback(null, [...addresses]);
    else if (first !== undefined) callback(null, first.address, first.family);
    else callback(Object.assign(new Error('no address'), { code: 'ENOTFOUND' }), '');
  };
}

function discard(request: ClientRequest, response: IncomingMessage): void {
  const timer = setTimeout(() => request.destroy(), ANSWER_MS);
  timer.unref();
  let bytes = 0;
  response.on('data', (part: Buffer) => {
    bytes += part.length;
    if (bytes > MAX_ANSWER_BYTES) request.destroy();
  });
  response.on('error', () => undefined);
  response.on('close', () => clearTimeout(timer));
}

function retryAfterOf(value: string | undefined): number | null {
  return value !== undefined && /^\d{1,6}$/.test(value) ? Number(value) * 1000 : null;
}
