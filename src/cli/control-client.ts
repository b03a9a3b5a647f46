// One call of the control API: a request over TCP, TLS or a Unix socket, and what was answered. The token goes to the
// address that was named and nowhere else: no redirect is followed, and none is sent in clear to another machine unless
// that was said. Repeats nothing. Loads nothing of the gateway. Not hot.
import { readFileSync } from 'node:fs';
import { type IncomingMessage, type RequestOptions, request as httpRequest } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { CouldNotAsk, Refused } from './control-errors.ts';

export const DEFAULT_CONTROL_URL = 'http://127.0.0.1:8081';

const TIMEOUT_MS = 60_000;
const MAX_BODY_BYTES = 16_777_216;
const MAX_TOKEN_BYTES = 65_536;

export interface ControlTarget {
  /** `http://…`, `https://…` or `unix:/path`. */
  readonly url: string;
  readonly token: string;
  readonly dangerouslyPlainHttp: boolean;
}

export interface ControlCall {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** With its query; every value encoded. */
  readonly path: string;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
}

export type JsonObject = Readonly<Record<string, unknown>>;

export interface ControlClient {
  /** Rejects with Refused or CouldNotAsk. */
  call(call: ControlCall): Promise<JsonObject>;
}

/** Throws CouldNotAsk for an address that cannot be asked, or should not be. */
export function createControlClient(target: ControlTarget): ControlClient {
  const base = baseOf(target);
  return {
    async call({ method, path, body, headers }) {
      const text = body === undefined ? null : JSON.stringify(body);
      const response = await send(
        {
          ...base.options,
          method,
          path: base.prefix + path,
          headers: {
            accept: 'application/json, application/problem+json',
            authorization: `Bearer ${target.token}`,
            ...(text === null ? {} : { 'content-type': 'application/json' }),
            ...headers,
          },
        },
        { text, isTls: base.isTls },
      );
      return answerOf(response);
    },
  };
}

/** The token of a file, or else of POSTERN_TOKEN; never of an argument, which other people of the machine can read. */
export function readToken(
  file: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
): string {
  const text = file === undefined ? env['POSTERN_TOKEN'] : tokenFile(file);
  const token = text?.trim() ?? '';
  if (token === '') throw new CouldNotAsk('name a token with --token-file or in POSTERN_TOKEN');
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new CouldNotAsk('the token is not one line of visible ASCII characters');
  return token;
}

function tokenFile(file: string): string {
  try {
    const bytes = readFileSync(file);
    if (bytes.length <= MAX_TOKEN_BYTES) return bytes.toString('utf8');
  } catch {
    throw new CouldNotAsk('the token file cannot be read');
  }
  throw new CouldNotAsk('the token file is too large for a token');
}

interface Base {
  readonly options: RequestOptions;
  readonly prefix: string;
  readonly isTls: boolean;
}

function baseOf({ url, dangerouslyPlainHttp }: ControlTarget): Base {
  if (url.startsWith('unix:/')) {
    return {
      options: { socketPath: url.slice('unix:'.length), host: 'localhost' },
      prefix: '',
      isTls: false,
    };
  }
  const parsed = URL.parse(url);
  const isTls = parsed?.protocol === 'https:';
  if (
    parsed === null ||
    (!isTls && parsed.protocol !== 'http:') ||
    parsed.username !== '' ||
    parsed.search !== ''
  ) {
    throw new CouldNotAsk('--url must be an http:// or https:// address, or unix:/path');
  }
  const hostname = parsed.hostname.replace(/^\[|\]$/g, '');
  if (!isTls && !dangerouslyPlainHttp && !isLoopback(hostname)) {
    throw new CouldNotAsk(
      'the token would travel in clear to another machine: use https://, or say --dangerously-plain-http',
    );
  }
  const options = { hostname, port: parsed.port === '' ? (isTls ? 443 : 80) : Number(parsed.port) };
  return { options, prefix: parsed.pathname.replace(/\/$/, ''), isTls };
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(hostname);
}

interface Reply {
  readonly status: number;
  readonly text: string;
}

function send(
  options: RequestOptions,
  { text, isTls }: { readonly text: string | null; readonly isTls: boolean },
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const signal = AbortSignal.timeout(TIMEOUT_MS);
    const outgoing = (isTls ? httpsRequest : httpRequest)(
      { ...options, agent: false, signal },
      (response) => {
        readBody(response).then((body) => resolve({ status: response.statusCode ?? 0, text: body }), reject);
      },
    );
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      const why = signal.aborted ? `nothing within ${TIMEOUT_MS / 1000} s` : (error.code ?? 'unknown error');
      reject(new CouldNotAsk(`no answer from the control API (${why})`));
    });
    outgoing.end(text ?? undefined);
  });
}

async function readBody(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > MAX_BODY_BYTES) throw new CouldNotAsk('the answer is larger than 16 MiB');
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof CouldNotAsk) throw error;
    throw new CouldNotAsk('the answer broke off');
  }
  return Buffer.concat(chunks).toString('utf8');
}

function answerOf({ status, text }: Reply): JsonObject {
  const body = parsed(text);
  if (status >= 200 && status <= 299) {
    if (body !== null) return body;
    throw new CouldNotAsk('the answer is not one of the control API');
  }
  const type = body?.['type'];
  if (body === null || typeof type !== 'string') {
    throw new CouldNotAsk(`the answer is not one of the control API (status ${status})`);
  }
  throw new Refused(status, type, sentenceOf(body));
}

function parsed(text: string): JsonObject | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : null;
  } catch {
    return null;
  }
}

/** What is allowed, and where the request was not so. */
function sentenceOf({ title, detail, errors }: JsonObject): string {
  const said =
    typeof detail === 'string' ? detail : typeof title === 'string' ? title : 'The call was refused.';
  const places = Array.isArray(errors) ? errors.map(placeOf).filter((place) => place !== '') : [];
  return places.length === 0 ? said : places.join('; ');
}

function placeOf(error: unknown): string {
  const { pointer, message } = error as { readonly pointer?: unknown; readonly message?: unknown };
  return typeof message === 'string' ? `${typeof pointer === 'string' ? pointer : ''} ${message}`.trim() : '';
}
