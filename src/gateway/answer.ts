// Answers of the gate's own: problem details (RFC 9457), a small page for browsers, and the reserved prefix.
// Guarantees: no cause, address, version or stack; never cached; the connection closes where its framing is in
// doubt or a body is left unread, so that no byte of it can be taken for the next request.
import { STATUS_CODES } from 'node:http';
import { problemOf } from '#model/problem.ts';
import { type DenialCode, REASONS } from '#model/reason.ts';
import type { Exchange } from './exchange.ts';
import { baseOf } from './browser-entry.ts';
import { COOKIE_CLEARING } from './own-cookie.ts';
import { PAGE_TYPE, pageHeaders } from './pages/page-frame.ts';
import { refusalPage } from './pages/refusal-page.ts';
import { wantsPage } from './wants-page.ts';

interface Answer {
  readonly status: number;
  readonly body: string;
  /** Name, value, name, value … */
  readonly headers: readonly string[];
  readonly close: boolean;
}

/** After these the rest of the stream cannot be trusted to begin with a request. */
const CLOSING = new Set<DenialCode>([
  'bad_framing',
  'bad_header',
  'bad_request_target',
  'headers_too_large',
  'target_too_long',
  'request_timeout',
  'version_unsupported',
  'body_too_large',
  'expectation_failed',
  'method_not_allowed',
  'upgrade_refused',
  'websocket_version',
  'draining',
  'internal',
]);

/** How long a client has to take the last answer of a connection and to close its side. */
const LINGER_MS = 1000;

/** Writes what `x.reason` (or `x.localAnswer`) says, unless the client is gone or already has a head. */
export function writeAnswer(x: Exchange, methods: readonly string[]): void {
  const answer = x.localAnswer === null ? refusal(x, methods) : localAnswer(x);
  x.status = answer.status;
  if (x.res === null) writeToSocket(x, answer);
  else if (x.res.headersSent || x.res.destroyed) x.connection.rawSocket.destroy();
  else writeToResponse(x, answer);
}

function refusal(x: Exchange, methods: readonly string[]): Answer {
  const reason = x.reason === 'ok' ? 'internal' : x.reason;
  const { status } = REASONS[reason];
  const problem = problemOf(reason, x.requestId, x.rule, x.refusalDetail);
  const page = wantsPage(x);
  const inSession = x.cookieHash !== '' && reason !== 'session_ended';
  const body = page ? refusalPage(problem, { base: baseOf(x), inSession }) : JSON.stringify(problem);
  const headers = [
    'Content-Type',
    page ? PAGE_TYPE : 'application/problem+json',
    'Cache-Control',
    'no-store',
    'X-Request-Id',
    x.requestId,
  ];
  if (page) headers.push(...pageHeaders(false));
  // The browser need not carry it any longer.
  if (x.cookieHash !== '' && reason === 'session_ended') headers.push('Set-Cookie', COOKIE_CLEARING);
  pushStatusHeaders(headers, status, methods);
  return { status, body, headers, close: CLOSING.has(reason) || mustClose(x) };
}

/** RFC 9110 sections 11.6.1, 10.2.3, 10.2.1 and 15.5.22: what each of these statuses has to say besides. */
function pushStatusHeaders(headers: string[], status: number, methods: readonly string[]): void {
  if (status === 401) headers.push('WWW-Authenticate', 'Bearer');
  else if (status === 429 || status === 503) headers.push('Retry-After', '1');
  else if (status === 405) headers.push('Allow', methods.join(', '));
  else if (status === 426) headers.push('Sec-WebSocket-Version', '13', 'Upgrade', 'websocket');
}

function localAnswer(x: Exchange): Answer {
  const local = x.localAnswer as NonNullable<Exchange['localAnswer']>;
  const headers = [
    'Content-Type',
    local.contentType,
    'Cache-Control',
    local.cacheControl,
    'X-Request-Id',
    x.requestId,
    ...local.headers,
  ];
  return { status: local.status, body: local.body, headers, close: mustClose(x) };
}

/** A connection past the bound has its one answer with this. */
function mustClose(x: Exchange): boolean {
  return x.connection.isSurplus || bodyIsUnread(x);
}

function bodyIsUnread(x: Exchange): boolean {
  return x.head.contentLength !== 0 && x.req !== null && !x.req.complete;
}

function writeToResponse(x: Exchange, answer: Answer): void {
  const { res } = x;
  if (res === null) return;
  if (answer.close) res.shouldKeepAlive = false;
  const body = Buffer.from(answer.body);
  res.writeHead(answer.status, [...answer.headers, 'Content-Length', String(body.length)]);
  // A string joins the head in one write.
  res.end(x.method === 'HEAD' ? undefined : body.toString('latin1'), 'latin1');
  x.bytesOut = x.method === 'HEAD' ? 0 : body.length;
}

/** An upgrade has no response object: its answer is written by hand, and its connection ends with it. */
function writeToSocket(x: Exchange, answer: Answer): void {
  const socket = x.socket ?? x.connection.socket;
  if (!socket.writable) return;
  const length = Buffer.byteLength(answer.body);
  let head = `HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status] ?? ''}\r\n`;
  for (let i = 0; i < answer.headers.length; i += 2)
    head += `${answer.headers[i]}: ${answer.headers[i + 1]}\r\n`;
  // RFC 9110 section 9.3.2, also of a head that the parser gave up.
  const body = x.method === 'HEAD' ? '' : answer.body;
  socket.end(`${head}Content-Length: ${length}\r\nConnection: close\r\n\r\n${body}`);
  // Whoever never closes their side would keep the connection: Node has let go of it.
  setTimeout(() => socket.destroy(), LINGER_MS).unref();
  x.bytesOut = body === '' ? 0 : length;
}
