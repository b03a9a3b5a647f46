// Header hygiene of responses: what the upstream answered, less what belongs to its hop or leads around the gate.
// Guarantees: what is returned can be framed by us; no header of it opens another way in, clears or replaces
// Postern's cookie. Assumes a strict HTTP parser refused what is no HTTP. Hot: one pass, no object per header.
import { NameCache } from '#model/name-cache.ts';
import { contentLengthOf } from './content-length.ts';
import { isOwnCookie } from './headers.ts';

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
  /** Name, value, name, value …, names in lower case, `content-length` included; never `transfer-encoding`. */
  readonly fields: string[] = [];
  /** -1: not said; the body is chunked or ends with the connection. */
  contentLength = -1;
  chunked = false;
  eventStream = false;
  typed = false;
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
const CONNECTION = 9;

const KINDS: ReadonlyMap<string, number> = new Map([
  ['connection', CONNECTION],
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

const EVENT_STREAM = /^\s*text\/event-stream\s*(;|$)/i;
const ABSOLUTE = /^\s*(https?:|[/\\]{2})/i;

/** What the client sees of us. The outbound exchange satisfies it. */
export interface ClientSide {
  readonly secure: boolean;
  /** The Host it asked for, with its port. */
  readonly host: string;
}

/** `fields`: name, value, name, value … as the upstream spelled them. */
export type CleanResponse = (fields: readonly string[], client: ClientSide) => ResponseHead | ResponseFault;

/** What a name is, for each spelling of it. */
interface NameClass {
  readonly name: string;
  readonly kind: number;
}

export function createResponseCleaner(origins: OriginMap): CleanResponse {
  const { upstreamOrigin } = origins;
  const assertionHeader = origins.assertionHeader?.toLowerCase() ?? null;
  const classes = new NameCache<NameClass>((spelled) => {
    const name = spelled.toLowerCase();
    const own = name === assertionHeader || name.startsWith('x-postern-');
    return { name, kind: KINDS.get(name) ?? (own ? STRIP : RELAY) };
  });

  function clean(fields: readonly string[], client: ClientSide): ResponseHead | ResponseFault {
    const head = new ResponseHead();
    for (let i = 0; i < fields.length; i += 2) {
      const spelled = fields[i] as string;
      const value = fields[i + 1] as string;
      const { name, kind } = classes.of(spelled);
      if (kind === RELAY) head.fields.push(name, value);
      else if (kind === CONNECTION) {
        // It nominates headers, as hardly ever: they are taken out first.
        if (!isPlainOption(value)) return clean(withoutNominated(fields), client);
      } else if (kind === CONTENT_LENGTH || kind === TRANSFER_ENCODING) {
        const fault = readFraming(head, kind, value);
        if (fault !== null) return fault;
      } else if (kind === LOCATION) head.fields.push(name, rewriteLocation(value, upstreamOrigin, client));
      else if (kind !== STRIP) pushSpecial(head, kind, name, value);
    }
    if (head.chunked && head.contentLength !== -1) return 'BAD_CONTENT_LENGTH';
    return head;
  }
  return clean;
}

/** RFC 9112 sections 6.1 and 6.3: one length or one `chunked`; anything else is two opinions of where it ends. */
function readFraming(head: ResponseHead, kind: number, value: string): ResponseFault | null {
  if (kind === TRANSFER_ENCODING) {
    if (head.chunked || value.toLowerCase() !== 'chunked') return 'BAD_TRANSFER_ENCODING';
    head.chunked = true;
    return null;
  }
  const length = head.contentLength === -1 ? contentLengthOf(value) : -1;
  if (length === -1) return 'BAD_CONTENT_LENGTH';
  head.contentLength = length;
  head.fields.push('content-length', value);
  return null;
}

function pushSpecial(head: ResponseHead, kind: number, name: string, value: string): void {
  switch (kind) {
    case SET_COOKIE:
      if (isOwnCookie(value)) return;
      break;
    case CLEAR_SITE_DATA: {
      const rest = withoutCookieClearing(value);
      if (rest !== '') head.fields.push(name, rest);
      return;
    }
    case CONTENT_TYPE:
      // Two types are none.
      head.eventStream = !head.typed && EVENT_STREAM.test(value);
      head.typed = true;
      break;
    case CONTENT_ENCODING:
      head.encoded = true;
      break;
  }
  head.fields.push(name, value);
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

/** The upstream's own address is of no use to the client, and a way around the gate where it is reachable. */
function rewriteLocation(value: string, upstreamOrigin: string, { secure, host }: ClientSide): string {
  if (!ABSOLUTE.test(value)) return value;
  const url = URL.parse(value, upstreamOrigin);
  if (url === null || url.origin !== upstreamOrigin) return value;
  return `${secure ? 'https' : 'http'}://${host}${url.pathname}${url.search}${url.hash}`;
}

function isPlainOption(value: string): boolean {
  return value === 'keep-alive' || value === 'close' || value === '';
}

/** Without the `Connection` lines and what they nominate; framing stays, nominated or not. */
function withoutNominated(fields: readonly string[]): readonly string[] {
  const nominated = new Set(['connection']);
  for (let i = 0; i < fields.length; i += 2) {
    if ((fields[i] as string).toLowerCase() !== 'connection') continue;
    for (const option of (fields[i + 1] as string).split(',')) nominated.add(option.trim().toLowerCase());
  }
  nominated.delete('content-length');
  nominated.delete('transfer-encoding');
  return fields.filter((_, i) => !nominated.has((fields[i & ~1] as string).toLowerCase()));
}
