// Posts one body to one address over a connection that is kept, for the sinks that speak HTTP. Runs in the worker.
// Guarantees: no redirect is followed, an answer's body is thrown away unless it was asked for, everything ends within
// the timeout, and an error says a short code: never an address, a header or anything that the other side sent.
import {
  type ClientRequest,
  type IncomingMessage,
  Agent as PlainAgent,
  request as askPlain,
} from 'node:http';
import { request as askTls, Agent as TlsAgent } from 'node:https';

/** An answer's body beyond this is not waited for: the connection is closed instead of kept. */
const MAX_ANSWER_BYTES = 64 * 1024;

export interface HttpPostOptions {
  readonly url: string;
  /** With each request; those of `send` win. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** PEM; null: the usual authorities. */
  readonly ca: string | null;
  /** The body of an answer is wanted, to its first 64 KiB. */
  readonly keepAnswer?: true;
}

export interface PostAnswer {
  readonly status: number;
  /** What `Retry-After` asked for (RFC 9110 section 10.2.3); null where it says nothing that can be read. */
  readonly retryAfterMs: number | null;
  /** With `keepAnswer` only; cut off where the answer was longer than is kept. */
  readonly body?: Buffer;
}

/** A delivery that failed. `code` is short and safe to log: `timeout`, `http_503`, `ECONNREFUSED`. */
export class DeliveryError extends Error {
  readonly code: string;
  readonly retryAfterMs: number | null;

  constructor(code: string, retryAfterMs: number | null = null) {
    super(`the delivery failed: ${code}`);
    this.name = 'DeliveryError';
    this.code = code;
    this.retryAfterMs = retryAfterMs;
  }
}

export interface HttpPost {
  /** The answer, whatever its status. Rejects with a DeliveryError when there was none. Names in lower case. */
  send(body: Buffer, headers: Readonly<Record<string, string>>): Promise<PostAnswer>;
  close(): void;
}

/** What a sink rejects with for an answer that is not 2xx. */
export function refusedBy({ status, retryAfterMs }: PostAnswer): DeliveryError {
  return new DeliveryError(`http_${status}`, retryAfterMs);
}

export function createHttpPost(options: HttpPostOptions): HttpPost {
  const url = new URL(options.url);
  const isTls = url.protocol === 'https:';
  const ask = isTls ? askTls : askPlain;
  const kept = { keepAlive: true, maxSockets: 1 };
  const agent = isTls
    ? new TlsAgent({ ...kept, rejectUnauthorized: true, ...(options.ca === null ? {} : { ca: options.ca }) })
    : new PlainAgent(kept);
  return {
    async send(body, headers) {
      const signal = AbortSignal.timeout(options.timeoutMs);
      const all = { ...options.headers, ...headers, 'content-length': body.length };
      const begin = (): ClientRequest => ask(url, { method: 'POST', agent, signal, headers: all });
      try {
        return await exchange(begin, body, options.keepAnswer === true);
      } catch (error) {
        throw deliveryErrorOf(error, signal.aborted);
      }
    },
    close: () => agent.destroy(),
  };
}

/** A kept connection that the other side had closed meanwhile says nothing of the receiver: asked once more. */
async function exchange(begin: () => ClientRequest, body: Buffer, keepAnswer: boolean): Promise<PostAnswer> {
  const first = begin();
  try {
    return await answerTo(first, body, keepAnswer);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (!first.reusedSocket || (code !== 'ECONNRESET' && code !== 'EPIPE')) throw error;
    return answerTo(begin(), body, keepAnswer);
  }
}

function answerTo(request: ClientRequest, body: Buffer, keepAnswer: boolean): Promise<PostAnswer> {
  return new Promise((resolve, reject) => {
    const parts: Buffer[] | null = keepAnswer ? [] : null;
    request.on('error', reject);
    request.on('response', (response) => readAnswer(response, { resolve, reject, parts }));
    // Node says nothing more of a connection that the other side turned into something else (101).
    request.on('close', () => reject(new DeliveryError('ECONNRESET')));
    request.end(body);
  });
}

interface Reading {
  readonly resolve: (answer: PostAnswer) => void;
  readonly reject: (error: unknown) => void;
  /** Where the body goes; null: nowhere. */
  readonly parts: Buffer[] | null;
}

/** The status counts once the answer is whole: a receiver that died while answering may not have kept anything. */
function readAnswer(response: IncomingMessage, { resolve, reject, parts }: Reading): void {
  const status = response.statusCode ?? 0;
  const retryAfterMs = retryAfterOf(response.headers['retry-after'], Date.now());
  const finish = (): void =>
    resolve(parts === null ? { status, retryAfterMs } : { status, retryAfterMs, body: Buffer.concat(parts) });
  let bytes = 0;
  response.on('data', (part: Buffer) => {
    bytes += part.length;
    if (bytes <= MAX_ANSWER_BYTES) {
      parts?.push(part);
      return;
    }
    finish();
    response.destroy();
  });
  response.on('end', finish);
  response.on('error', reject);
}

/** Seconds, or a date; null for anything else. Never negative. */
export function retryAfterOf(value: string | undefined, nowEpochMs: number): number | null {
  if (value === undefined) return null;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const at = /^[A-Z][a-z]{2}, /.test(value) ? Date.parse(value) : Number.NaN;
  return Number.isNaN(at) ? null : Math.max(0, at - nowEpochMs);
}

/** Codes of Node and OpenSSL are words of closed lists; a message may repeat an address, so it is left behind. */
function deliveryErrorOf(error: unknown, timedOut: boolean): DeliveryError {
  if (timedOut) return new DeliveryError('timeout');
  const { code } = error as NodeJS.ErrnoException;
  return new DeliveryError(
    typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,63}$/.test(code) ? code : 'unknown',
  );
}
