// Headers of a request: what the reader of the head takes from the raw lines against a reader that is slow and obviously
// right, and what the hygiene lets travel against what an application could take it for. An input is header lines, the
// first of which may be `allow: NAME` (a route lets that odd name pass); names that Node's parser would refuse are left out. A
// line that begins with white space is folded into the value before it, as by a parser that does not refuse it.
import * as fc from 'fast-check';
import { createHeadReader, RequestHead } from '#gateway/raw-headers.ts';
import { checkAndStripHeaders } from '#upstream/headers.ts';
import { createHeaderRules } from '#upstream/managed-headers.ts';
import { corpusSeeds } from '../corpus-seeds.ts';
import { broken, bytesOf, type FuzzTarget, synchronous } from '../fuzz-target.ts';

/** RFC 9110 section 5.6.2, and the bytes that Node's parser lets a value hold; line ends besides. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\r\n\x20-\x7e\x80-\xff]*$/;

const INJECTED = 'X-Gw-Identity';
const ASSERTION = 'X-Support-Assertion';
const rules = createHeaderRules([INJECTED, ASSERTION]);
const reader = createHeadReader({ headersBytes: 16_384, headerCount: 100 }, 'x-tenant');

/** By which applications route, trust, frame or decide: REQUEST-SAFETY-CASES.md, HS01, HS02 and section 2.5. */
const OURS = new Set(
  [
    'forwarded x-real-ip via x-request-id x-original-url x-rewrite-url x-original-uri x-override-url x-script-name script-name',
    'x-http-destinationurl request-uri url base-url x-proxy-url x-envoy-original-path x-matched-path x-invoke-path destination',
    'x-middleware-subrequest x-accel-redirect x-sendfile client-ip x-client-ip true-client-ip cf-connecting-ip x-originating-ip',
    'x-host x-http-host-override x-http-method-override x-http-method x-method-override x-gw-identity x-support-assertion',
    'x-original-path x-original-host x-original-method x-unencoded-url x-waws-unencoded-url forwarded-for x-forwarded',
    'fastly-client-ip x-azure-clientip x-envoy-external-address x-envoy-internal',
  ]
    .join(' ')
    .split(' '),
);
const OF_THE_HOP = new Set(
  'connection keep-alive proxy-connection proxy-authorization proxy-authenticate te trailer upgrade transfer-encoding expect http2-settings host content-length authorization'.split(
    ' ',
  ),
);
/** HB01: who nominates one of these wants it gone behind the check. */
const DECIDES = new Set(
  'host authorization proxy-authorization cookie content-length transfer-encoding content-encoding content-type'.split(
    ' ',
  ),
);
/** No application reads another header under these, so that they travel unless somebody nominates them. */
const HARMLESS = /^(?:accept|accept-[a-z]+|x-app-[a-z0-9]+|if-[a-z-]+|user-agent|referer|origin|range)$/;

function run(input: string): string {
  const lines = input.split('\n');
  const allowed = lines[0]?.startsWith('allow: ') === true ? [lines[0].slice(7).toLowerCase()] : [];
  const raw = rawHeaders(allowed.length > 0 ? lines.slice(1) : lines);
  const values = valuesByName(raw);
  return `${readHead(raw, values)}; ${strip(raw, values, allowed)}`;
}

function rawHeaders(lines: readonly string[]): string[] {
  const raw: string[] = [];
  for (const line of lines) {
    if (/^[\t ]/.test(line) && raw.length > 0 && VALUE.test(line)) {
      raw.push(`${raw.pop()}\n${line}`);
      continue;
    }
    const colon = line.indexOf(':');
    const name = line.slice(0, Math.max(0, colon));
    const value = line
      .slice(colon + 1)
      .replace(/\r$/, '')
      .replace(/^[\t ]+/, '')
      .replace(/[\t ]+$/, '');
    if (TOKEN.test(name) && VALUE.test(value)) raw.push(name, value);
  }
  return raw;
}

type Values = ReadonlyMap<string, readonly string[]>;

/** By name in lower case. */
function valuesByName(raw: readonly string[]): Values {
  const values = new Map<string, string[]>();
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    const list = values.get(name);
    if (list === undefined) values.set(name, [raw[i + 1] as string]);
    else list.push(raw[i + 1] as string);
  }
  return values;
}

const NONE: readonly string[] = [];

const ALONE = [
  'host',
  'content-length',
  'transfer-encoding',
  'authorization',
  'expect',
  'upgrade',
  'user-agent',
  'traceparent',
  'origin',
  'sec-websocket-key',
  'sec-websocket-version',
  'content-type',
  'content-encoding',
  'x-tenant',
];

function readHead(raw: readonly string[], values: Values): string {
  const head = new RequestHead();
  const denial = reader.read(raw, '1.1', head);
  const bytes = raw.reduce((sum, text) => sum + text.length + 2, 0);
  const isTooLarge = raw.length > 200 || bytes > 16_384;
  const isTwice = ALONE.some((name) => (values.get(name) ?? NONE).length > 1);
  const [length = null] = values.get('content-length') ?? NONE;
  const [coding = null] = values.get('transfer-encoding') ?? NONE;
  const isBadLength = length !== null && !/^(?:0|[1-9][0-9]{0,14})$/.test(length);
  const isBadFraming = isBadLength || (coding !== null && (length !== null || !/^chunked$/i.test(coding)));
  const shouldRefuse = isTooLarge || isTwice || isBadFraming;
  if ((denial !== null) !== shouldRefuse)
    broken('refuses a head exactly where it is ambiguous', { raw, denial, shouldRefuse });
  if (denial !== null) return denial.reason;
  const body = coding === null ? Number(length ?? 0) : -1;
  if (head.contentLength !== body) broken('frames as it is said', { raw, read: head.contentLength, body });
  if (head.hostHeader !== ((values.get('host') ?? NONE)[0] ?? ''))
    broken('reads the one Host', { raw, read: head.hostHeader });
  if (head.authorization !== ((values.get('authorization') ?? NONE)[0] ?? ''))
    broken('reads the one credential', { raw });
  if (head.cookie !== (values.get('cookie') ?? NONE).filter(isNotFirstEmpty).join(';'))
    broken('reads every cookie', { raw, read: head.cookie });
  return `${body < 0 ? 'chunked' : body > 0 ? 'sized' : 'none'}`;
}

/** Empty lines ahead of the first cookie add nothing. */
function isNotFirstEmpty(value: string, i: number, values: readonly string[]): boolean {
  return value !== '' || values.slice(0, i).some((before) => before !== '');
}

function strip(raw: readonly string[], values: Values, allowed: readonly string[]): string {
  const out: string[] = [];
  const dropped: string[] = [];
  const denial = checkAndStripHeaders({ raw, allowed }, rules, out, (name) => dropped.push(name));
  if (denial !== null) return checkRefusal(raw, denial.note ?? '');
  const nominated = new Set(
    (values.get('connection') ?? NONE).flatMap((value) =>
      value.split(',').map((part) => part.trim().toLowerCase()),
    ),
  );
  if ([...nominated].some((name) => DECIDES.has(name) || isOurs(folded(name))))
    broken('nobody has a header removed that decides', { raw });
  for (let i = 0; i < out.length; i += 2)
    checkTravels(out[i] as string, out[i + 1] as string, { raw, allowed, nominated });
  checkLost(raw, out, nominated);
  const again: string[] = [];
  const second = checkAndStripHeaders({ raw: out, allowed }, rules, again, () => undefined);
  if (second !== null || again.join('\n') !== out.join('\n'))
    broken('what travels would travel again', { raw, out, again });
  return `${dropped.length > 0 ? 'dropped' : ''} ${nominated.size > 0 ? 'nominated' : ''} ${out.length < raw.length ? 'less' : 'all'}`;
}

interface Travelling {
  readonly raw: readonly string[];
  readonly allowed: readonly string[];
  readonly nominated: ReadonlySet<string>;
}

/** Names as CGI, WSGI and PHP make them collide: whatever is no letter or digit is one and the same. */
function folded(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '-');
}

function isOurs(fold: string): boolean {
  return OURS.has(fold) || /^x-(?:support|postern|forwarded)-/.test(fold);
}

function checkTravels(name: string, value: string, { raw, allowed, nominated }: Travelling): void {
  const lower = name.toLowerCase();
  const fold = folded(name);
  if (isOurs(fold)) broken('no name of ours travels', { raw, name });
  if (OF_THE_HOP.has(lower)) broken('no header of the hop travels', { raw, name });
  if (/[_.]/.test(name) && !allowed.includes(lower)) broken('no odd name travels', { raw, name });
  if (nominated.has(lower)) broken('no nominated header travels', { raw, name });
  if (!/^[\t\x20-\x7e]*$/.test(value)) broken('values are visible ASCII', { raw, name, value });
  if (lower === 'cookie' && readsOwnCookie(value)) broken('our cookie does not travel', { raw, value });
}

/** By the readings of several servers: quotes, commas, spaces and a missing name are nothing to one or another. */
function readsOwnCookie(header: string): boolean {
  return header.split(';').some((pair) => /^[\s=]*__host-postern\s*(?:=|$)/i.test(pair));
}

function checkLost(raw: readonly string[], out: readonly string[], nominated: ReadonlySet<string>): void {
  for (let i = 0; i < raw.length; i += 2) {
    const name = raw[i] as string;
    if (!HARMLESS.test(name) || nominated.has(name)) continue;
    const isThere = out.some((text, at) => at % 2 === 0 && text === name && out[at + 1] === raw[i + 1]);
    if (!isThere) broken('a harmless header travels', { raw, name });
  }
}

/** Only for a spelling of a managed name, a value that is no text, or a nomination. */
function checkRefusal(raw: readonly string[], note: string): string {
  const isOdd = raw.some((text, i) => {
    if (i % 2 === 1) return !/^[\t\x20-\x7e]*$/.test(text);
    const fold = folded(text);
    const mayBeOurs = isOurs(fold) || /^(?:x-remote|x-cluster)/.test(fold);
    return text.toLowerCase() === 'connection' || (mayBeOurs && text.toLowerCase() !== fold);
  });
  if (!isOdd) broken('refuses only what is spelled like ours', { raw, note });
  return note;
}

const NAMES = [
  ...OURS,
  ...OF_THE_HOP,
  'Cookie',
  'Accept',
  'X-App-1',
  'x_app_name',
  'X-Tenant',
  'Content-Type',
  'X-Forwarded-Uri',
  'X_Postern_Id',
  'Sec-WebSocket-Key',
  '__proto__',
  'constructor',
];
const VALUES = [
  'chunked',
  '0',
  '5',
  '+5',
  '5, 5',
  'close',
  'keep-alive',
  'Upgrade, TE',
  'x-app-1',
  'authorization',
  'content-type',
  'X-Support-Assertion',
  '__Host-postern=abc; a=b',
  'a=b; __host-postern =x',
  '=__Host-postern; c',
  '100-continue',
  'websocket',
  'a.b.c',
  '',
  '\xe9',
  'identity',
];

const name = fc.oneof(
  fc.constantFrom(...NAMES),
  fc.constantFrom(...NAMES).map((text) => text.replaceAll('-', '_').toUpperCase()),
  fc.string({ minLength: 1, maxLength: 8 }),
);
const value = fc.oneof(
  fc.constantFrom(...VALUES),
  fc.array(fc.constantFrom(...VALUES), { maxLength: 4 }).map((parts) => parts.join('; ')),
  fc.string({ maxLength: 12 }),
);

export const target: FuzzTarget = {
  name: 'headers',
  dictionary: [
    ...NAMES.map((text) => `${text}: `),
    ...VALUES,
    '\n',
    ',',
    ';',
    '_',
    '.',
    'allow: x_app_name\n',
    '\nConnection: ',
    '\n ',
  ].map((text) => text),
  fresh: fc
    .tuple(fc.constantFrom('', '', 'allow: x_app_name\n'), fc.array(fc.tuple(name, value), { maxLength: 8 }))
    .map(([allow, pairs]) => allow + bytesOf(pairs.map((pair) => pair.join(': ')).join('\n'))),
  seeds: () => [
    `X-App-1: ${'a'.repeat(16_400)}`,
    ...corpusSeeds(({ bytes }) => bytes.slice(bytes.indexOf('\n') + 1), 'a.b.c'),
  ],
  batch: 2000,
  open: synchronous(run, 100),
};
