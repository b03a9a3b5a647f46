// One pass over the raw header lines: what decides framing, routing and identity is read here and nowhere else.
// Guarantees: P9, P10 and the singleton laws hold for what it accepts. Assumes Node's parser checked tokens and
// line ends; it hides duplicates from `req.headers`, so only `rawHeaders` is believed. Hot: no object per header.
import { NameCache } from '#model/name-cache.ts';
import { type Denial, deny } from '#model/verdict.ts';

const OTHER = 0;
const HOST = 1;
const CONTENT_LENGTH = 2;
const TRANSFER_ENCODING = 3;
const AUTHORIZATION = 4;
const EXPECT = 5;
const UPGRADE = 6;
const USER_AGENT = 7;
const TRACEPARENT = 8;
const ORIGIN = 9;
const WEBSOCKET_KEY = 10;
const WEBSOCKET_VERSION = 11;
const ACCEPT = 12;
const CONTENT_TYPE = 13;
const CONTENT_ENCODING = 14;
const COOKIE = 15;
const TENANT = 16;

const KINDS: readonly (readonly [string, number])[] = [
  ['host', HOST],
  ['content-length', CONTENT_LENGTH],
  ['transfer-encoding', TRANSFER_ENCODING],
  ['authorization', AUTHORIZATION],
  ['expect', EXPECT],
  ['upgrade', UPGRADE],
  ['user-agent', USER_AGENT],
  ['traceparent', TRACEPARENT],
  ['origin', ORIGIN],
  ['sec-websocket-key', WEBSOCKET_KEY],
  ['sec-websocket-version', WEBSOCKET_VERSION],
  ['accept', ACCEPT],
  ['content-type', CONTENT_TYPE],
  ['content-encoding', CONTENT_ENCODING],
  ['cookie', COOKIE],
];

/** What one pass found. A fixed shape per exchange; the empty string means absent. */
export class RequestHead {
  hostHeader = '';
  /** -1 when the body is chunked, 0 when there is none. */
  contentLength = 0;
  authorization = '';
  expect = '';
  upgrade = '';
  userAgent = '';
  traceparent = '';
  origin = '';
  webSocketKey = '';
  webSocketVersion = '';
  accept = '';
  contentType = '';
  contentEncoding = '';
  /** All lines, as if they were one: a proxy may have split what a browser sends as one. */
  cookie = '';
  tenantHeader = '';
}

export interface HeadLimits {
  readonly headersBytes: number;
  readonly headerCount: number;
}

export interface HeadReader {
  /** Fills `head`; null when nothing is wrong. `rawHeaders` is Node's flat list of names and values. */
  read(rawHeaders: readonly string[], httpVersion: string, head: RequestHead): Denial | null;
}

/** `tenantHeader` is the configured name in lower case, or null where tenancy is not by header. */
export function createHeadReader(limits: HeadLimits, tenantHeader: string | null): HeadReader {
  const kinds = new Map(KINDS);
  if (tenantHeader !== null) kinds.set(tenantHeader, TENANT);
  const names = new NameCache((name) => kinds.get(name.toLowerCase()) ?? OTHER);

  return {
    read(rawHeaders, httpVersion, head) {
      if (rawHeaders.length > limits.headerCount * 2) return deny('headers_too_large');
      let bytes = 0;
      // One bit per kind: a second line of a kind that must stand alone is a second opinion (class 12).
      let seen = 0;
      let transferEncoding: string | null = null;
      let contentLength: string | null = null;
      for (let i = 0; i < rawHeaders.length; i += 2) {
        const name = rawHeaders[i] as string;
        const value = rawHeaders[i + 1] as string;
        bytes += name.length + value.length + 4;
        const kind = names.of(name);
        if (kind === OTHER) continue;
        const bit = 1 << kind;
        if ((seen & bit) !== 0 && kind !== ACCEPT && kind !== COOKIE) return duplicate(kind);
        seen |= bit;
        if (kind === TRANSFER_ENCODING) transferEncoding = value;
        else if (kind === CONTENT_LENGTH) contentLength = value;
        else store(head, kind, value);
      }
      if (bytes > limits.headersBytes) return deny('headers_too_large');
      return readFraming(head, httpVersion, transferEncoding, contentLength);
    },
  };
}

function duplicate(kind: number): Denial {
  if (kind === CONTENT_LENGTH || kind === TRANSFER_ENCODING)
    return deny('bad_framing', 'a framing header twice');
  if (kind === EXPECT) return deny('expectation_failed');
  return deny('bad_header', 'a header twice that must stand alone');
}

function store(head: RequestHead, kind: number, value: string): void {
  switch (kind) {
    case HOST:
      head.hostHeader = value;
      break;
    case AUTHORIZATION:
      head.authorization = value;
      break;
    case EXPECT:
      head.expect = value;
      break;
    case UPGRADE:
      head.upgrade = value.toLowerCase();
      break;
    case USER_AGENT:
      head.userAgent = value;
      break;
    case TRACEPARENT:
      head.traceparent = value;
      break;
    case ORIGIN:
      head.origin = value;
      break;
    case WEBSOCKET_KEY:
      head.webSocketKey = value;
      break;
    case WEBSOCKET_VERSION:
      head.webSocketVersion = value;
      break;
    case ACCEPT:
      head.accept = value;
      break;
    case CONTENT_TYPE:
      head.contentType = value;
      break;
    case CONTENT_ENCODING:
      head.contentEncoding = value;
      break;
    case COOKIE:
      head.cookie = head.cookie === '' ? value : `${head.cookie};${value}`;
      break;
    default:
      head.tenantHeader = value;
  }
}

/** P9 (RFC 9112 section 6): one framing, stated once, in its one spelling. */
function readFraming(
  head: RequestHead,
  httpVersion: string,
  transferEncoding: string | null,
  contentLength: string | null,
): Denial | null {
  if (transferEncoding !== null) {
    if (contentLength !== null) return deny('bad_framing', 'both Content-Length and Transfer-Encoding');
    if (httpVersion !== '1.1') return deny('bad_framing', 'Transfer-Encoding before HTTP/1.1');
    if (transferEncoding.toLowerCase() !== 'chunked')
      return deny('bad_framing', 'a transfer coding but chunked');
    head.contentLength = -1;
  } else if (contentLength !== null) {
    const length = decimal(contentLength);
    if (length < 0) return deny('bad_framing', 'Content-Length is not a plain number');
    head.contentLength = length;
  }
  return null;
}

/** `^(0|[1-9][0-9]*)$` within the safe integers, else -1. */
function decimal(text: string): number {
  if (text.length === 0 || text.length > 15) return -1;
  if (text.charCodeAt(0) === 0x30) return text.length === 1 ? 0 : -1;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x39) return -1;
  }
  return Number(text);
}
