// One HTTP exchange over a fresh connection to loopback, with exactly the headers it is given, Host included:
// names such as acme.helpdesk.localhost need no resolver. Bounded in time and in the size of the answer.
import { type IncomingMessage, request as httpRequest } from 'node:http';

const TIMEOUT_MS = 10_000;
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

export interface HttpCall {
  readonly port: number;
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON when an object, as it is when a string. */
  readonly body?: string | object;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly text: string;
}

/** Rejects when the peer cannot be reached, resets, or has not answered whole after 10 s. */
export async function call(options: HttpCall): Promise<HttpAnswer> {
  const response = await open(options, AbortSignal.timeout(TIMEOUT_MS));
  let text = '';
  response.setEncoding('utf8');
  for await (const chunk of response) {
    text += chunk;
    if (text.length > MAX_ANSWER_BYTES) throw new Error('the answer is too large');
  }
  return { status: response.statusCode ?? 0, headers: response.headers, text };
}

/** Resolves at the response's head; its body is the caller's to read. */
export function open(options: HttpCall, signal: AbortSignal): Promise<IncomingMessage> {
  const json = typeof options.body === 'object';
  const body = json ? JSON.stringify(options.body) : options.body;
  return new Promise((resolve, reject) => {
    const request = httpRequest({
      host: '127.0.0.1',
      port: options.port,
      path: options.path,
      method: options.method ?? 'GET',
      headers: {
        ...(json ? { 'content-type': 'application/json' } : {}),
        ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body as string)) }),
        ...options.headers,
      },
      agent: false,
      signal,
    });
    request.once('response', resolve);
    // Stays on: a reset after the head errors the request too, and the reader of the body learns of it by itself.
    request.on('error', reject);
    request.end(body);
  });
}

/** The answer's JSON object; an empty one where it holds none, so that a check on a member fails and says so. */
export function jsonOf(answer: HttpAnswer): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(answer.text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
