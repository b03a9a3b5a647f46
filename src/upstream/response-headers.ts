// Header hygiene of responses: what the upstream answered, less what belongs to its hop or leads around the gate.
// Guarantees: what is returned can be framed by us; no header of it opens another way in, clears or replaces
// Postern's cookie. Assumes a strict HTTP parser refused what is no HTTP. Hot: one pass, no object per header.
import { isOwnCookie } from './headers.ts';

/** Lower-case names; several lines of one name are an array. What undici hands over. */
export type ResponseHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** The origins a `Location` is judged by. */
export interface OriginMap {
  /** `http://127.0.0.1:3000`, serialised as in RFC 6454 section 6.2. */
  readonly upstreamOrigin: string;
  /** As configured; null when none is sent. */
  readonly assertionHeader: string | null;
}

/** Why a response cannot be relayed; recorded as the exchange's `upstreamError`. */
export type ResponseFault = 'BAD_TRANSFER_ENCODING' | 'BAD_CONTENT_LENGTH';

export class ResponseHead {
  /** Name, value, name, value …, `content-length` included where it was said; never `transfer-encoding`. */
  readonly fields: string[] = [];
  /** -1: not said; the body is chunked or ends with the connection. */
  contentLength = -1;
  chunked = false;
  eventStream = false;
  encoded = false;
}

const RELAY = 0;
const STRIP = 1;
const SET_COOKIE = 2;
const LOCATION = 3;
const CONTENT_LENGTH = 4;
const TRANSFER_ENCODING = 5;
const CLEAR_SITE_DATA = 6;
const CONTENT_TYPE = 7;
const CONTENT_ENCODING = 8;

const KINDS: ReadonlyMap<string, number> = new Map([
  ['connection', STRIP],
  ['keep-alive', STRIP],
  ['proxy-connection', STRIP],
  ['proxy-authenticate', STRIP],
  ['proxy-authentication-info', STRIP],
  ['te', STRIP],
  ['trailer', STRIP],
  ['upgrade', STRIP],
  // Leads clients around the gate.
  ['alt-svc', STRIP],
  ['service-worker-allowed', STRIP],
  ['set-cookie', SET_COOKIE],
  ['location', LOCATION],
  ['content-location', LOCATION],
  ['content-length', CONTENT_LENGTH],
  ['transfer-encoding', TRANSFER_ENCODING],
  ['clear-site-data', CLEAR_SITE_DATA],
  ['content-type', CONTENT_TYPE],
  ['content-encoding', CONTENT_ENCODING],
]);

const DIGITS = /^[0-9]{1,15}$/;
const EVENT_STREAM = /^\s*text\/event-stream\s*(;|$)/i;
const ABSOLUTE = /^\s*(https?:|[/\\]{2})/i;

/** What the client sees of us. The outbound exchange satisfies it. */
export interface ClientSide {
  readonly secure: boolean;
  /** The Host it asked for, with its port. */
  readonly host: string;
}

export type CleanResponse = (headers: ResponseHeaders, client: ClientSide) => ResponseHead | ResponseFault;

export function createResponseCleaner(origins: OriginMap): CleanResponse {
  const { upstreamOrigin } = origins;
  const assertionHeader = origins.assertionHeader?.toLowerCase() ?? null;

  return (headers, client) => {
    const head = new ResponseHead();
    const nominated = headers.connection === undefined ? null : nominations(headers.connection);
    for (const name in headers) {
      const value = headers[name];
      if (value === undefined) continue;
      const kind = KINDS.get(name) ?? RELAY;
      if (kind === CONTENT_LENGTH || kind === TRANSFER_ENCODING) {
        const fault = readFraming(head, kind, value);
        if (fault !== null) return fault;
      } else if (kind === STRIP || (nominated !== null && nominated.has(name))) {
        continue;
      } else if (kind !== RELAY) {
        pushSpecial(head, kind, name, kind === LOCATION ? rewritten(value, upstreamOrigin, client) : value);
      } else if (name !== assertionHeader && !name.startsWith('x-postern-')) {
        pushAll(head.fields, name, value);
      }
    }
    if (head.chunked && head.contentLength !== -1) return 'BAD_CONTENT_LENGTH';
    return head;
  };
}

/** RFC 9112 sections 6.1 and 6.3: one length or one `chunked`; anything else is two opinions of where it ends. */
function readFraming(head: ResponseHead, kind: number, value: string | string[]): ResponseFault | null {
  if (kind === TRANSFER_ENCODING) {
    if (typeof value !== 'string' || value.toLowerCase() !== 'chunked') return 'BAD_TRANSFER_ENCODING';
    head.chunked = true;
    return null;
  }
  if (typeof value !== 'string' || !DIGITS.test(value)) return 'BAD_CONTENT_LENGTH';
  head.contentLength = Number(value);
  head.fields.push('content-length', value);
  return null;
}

function pushSpecial(head: ResponseHead, kind: number, name: string, value: string | string[]): void {
  switch (kind) {
    case SET_COOKIE:
      if (typeof value === 'string') {
        if (!isOwnCookie(value)) head.fields.push(name, value);
      } else for (const line of value) if (!isOwnCookie(line)) head.fields.push(name, line);
      return;
    case CLEAR_SITE_DATA: {
      const rest = withoutCookieClearing(typeof value === 'string' ? value : value.join(', '));
      if (rest !== '') head.fields.push(name, rest);
      return;
    }
    case CONTENT_TYPE:
      head.eventStream = typeof value === 'string' && EVENT_STREAM.test(value);
      break;
    case CONTENT_ENCODING:
      head.encoded = true;
      break;
  }
  pushAll(head.fields, name, value);
}

function pushAll(fields: string[], name: string, value: string | string[]): void {
  if (typeof value === 'string') fields.push(name, value);
  else for (const line of value) fields.push(name, line);
}

/** The header clears for the whole origin, the reserved prefix and Postern's cookie included. */
function withoutCookieClearing(value: string): string {
  const kept: string[] = [];
  for (const part of value.split(',')) {
    const directive = part.trim();
    if (directive === '"*"') kept.push('"cache"', '"storage"');
    else if (directive !== '' && directive.toLowerCase() !== '"cookies"') kept.push(directive);
  }
  return kept.join(', ');
}

function rewritten(value: string | string[], upstreamOrigin: string, client: ClientSide): string | string[] {
  if (typeof value !== 'string') return value.map((line) => rewriteLocation(line, upstreamOrigin, client));
  return rewriteLocation(value, upstreamOrigin, client);
}

/** The upstream's own address is of no use to the client, and a way around the gate where it is reachable. */
function rewriteLocation(value: string, upstreamOrigin: string, { secure, host }: ClientSide): string {
  if (!ABSOLUTE.test(value)) return value;
  const url = URL.parse(value, upstreamOrigin);
  if (url === null || url.origin !== upstreamOrigin) return value;
  return `${secure ? 'https' : 'http'}://${host}${url.pathname}${url.search}${url.hash}`;
}

/** Null: it names no header, as nearly always. */
function nominations(value: string | string[]): ReadonlySet<string> | null {
  if (value === 'keep-alive' || value === 'close') return null;
  const text = typeof value === 'string' ? value : value.join(',');
  return new Set(text.split(',').map((token) => token.trim().toLowerCase()));
}
