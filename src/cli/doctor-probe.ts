// One GET as somebody would send it who knows of no gate, and one connection that is closed again at once. Guarantees: no
// redirect is followed, size and time are bounded, nothing of the answer but its status and kind is kept. Cold.
import { request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { codeOf } from './doctor-finding.ts';

export interface Probe {
  /** `http(s)://host:port`. */
  readonly origin: string;
  readonly path: string;
  /** Sent as `Host`; null: the origin's own. */
  readonly host: string | null;
  readonly headers: Readonly<Record<string, string>>;
  readonly checksCertificate: boolean;
  readonly timeoutMs: number;
}

/** Whose refusal it is, by the problem details that Postern and its middleware answer with. */
export type AnsweredBy = 'middleware' | 'postern' | 'somebody';

export type ProbeResult =
  | { readonly kind: 'answered'; readonly status: number; readonly by: AnsweredBy }
  | { readonly kind: 'unreachable'; readonly code: string };

const MAX_BODY_BYTES = 4096;
const PROBLEM = 'urn:postern:problem:';

/** Never rejects. */
export function probe({
  origin,
  path,
  host,
  headers,
  checksCertificate,
  timeoutMs,
}: Probe): Promise<ProbeResult> {
  const { promise, resolve } = Promise.withResolvers<ProbeResult>();
  const url = new URL(origin);
  const send = url.protocol === 'https:' ? requestHttps : requestHttp;
  const signal = AbortSignal.timeout(timeoutMs);
  const outgoing = send(url, {
    path,
    agent: false,
    signal,
    // An outsider would not mind a wrong certificate either, and there is nothing to steal in the request.
    rejectUnauthorized: checksCertificate,
    headers: {
      accept: 'application/problem+json, application/json;q=0.9, */*;q=0.5',
      'user-agent': 'postern-doctor',
      ...headers,
      ...(host === null ? {} : { host }),
    },
  });
  let status = 0;
  let text = '';
  const answered = () => resolve({ kind: 'answered', status, by: answererOf(text) });
  outgoing.on('error', (error) => {
    if (status !== 0) answered();
    else
      resolve({ kind: 'unreachable', code: signal.aborted ? `no answer in ${timeoutMs} ms` : codeOf(error) });
  });
  outgoing.on('response', (response) => {
    status = response.statusCode ?? 0;
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => {
      text += chunk;
      if (text.length > MAX_BODY_BYTES) response.destroy();
    });
    response.on('error', answered);
    response.on('close', answered);
  });
  outgoing.end();
  return promise;
}

function answererOf(text: string): AnsweredBy {
  try {
    const { type } = JSON.parse(text) as { readonly type?: unknown };
    if (typeof type !== 'string' || !type.startsWith(PROBLEM)) return 'somebody';
    return type.startsWith(`${PROBLEM}assertion_`) ? 'middleware' : 'postern';
  } catch {
    return 'somebody';
  }
}

export interface Peer {
  /** Without brackets. */
  readonly host: string;
  readonly port: number;
  readonly tls: { readonly ca: string | null } | null;
}

/** Null when the peer took the connection, and over TLS showed a good certificate; else the code. Sends nothing of ours. */
export function dial({ host, port, tls }: Peer, timeoutMs: number): Promise<string | null> {
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const socket: Socket =
    tls === null
      ? connectTcp({ host, port })
      : connectTls({
          host,
          port,
          ...(isIP(host) === 0 ? { servername: host } : {}),
          ...(tls.ca === null ? {} : { ca: tls.ca }),
        });
  const end = (result: string | null): void => {
    resolve(result);
    socket.destroy();
  };
  socket.setTimeout(timeoutMs, () => end(`no answer in ${timeoutMs} ms`));
  socket.once('error', (error) => end(codeOf(error)));
  socket.once(tls === null ? 'connect' : 'secureConnect', () => end(null));
  return promise;
}
