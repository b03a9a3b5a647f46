// The parts of a curl command put together as curl does it: method, URL, header lines, body. Not hot.
// Credentials become header lines and stay there: what is refused or noted never repeats a value.
import {
  type DescribedOrRefused,
  type DescribedRequest,
  isWebSocket,
  splitUrl,
  type SplitUrl,
} from './described-request.ts';

export interface CurlParts {
  readonly method: string | null;
  readonly urls: readonly string[];
  readonly headerLines: readonly string[];
  readonly data: readonly Buffer[];
  readonly forms: readonly (readonly [name: string, value: string])[];
  readonly user: string | null;
  readonly bearer: string | null;
  readonly userAgent: string | null;
  readonly referer: string | null;
  readonly range: string | null;
  readonly cookies: readonly string[];
  readonly isJson: boolean;
  readonly isHead: boolean;
  readonly isGet: boolean;
  readonly isCompressed: boolean;
  readonly pathAsIs: boolean;
}

const BOUNDARY = '------------------------postern';

export function composeRequest(parts: CurlParts): DescribedOrRefused {
  const [first, second] = parts.urls;
  if (first === undefined) return { refused: ['the curl command names no URL'] };
  if (second !== undefined) return { refused: ['the curl command names several URLs: explain takes one'] };
  const url = splitUrl(first.includes('://') ? first : `http://${first}`);
  if (typeof url === 'string') return { refused: [url] };
  if (parts.data.length > 0 && parts.forms.length > 0) {
    return { refused: ['the curl command has both data and a multipart form: curl refuses that too'] };
  }
  const method = methodOf(parts);
  if (!/^[A-Z][A-Z-]*$/.test(method)) return { refused: ['the method must be in upper case'] };
  const notes: string[] = [];
  const { headers, refused } = headersOf(parts, url);
  if (refused.length > 0) return { refused };
  const host = headers.get('host')?.[0] ?? url.host;
  headers.delete('host');
  const rawTarget = targetOf(parts, url, notes);
  const body = parts.isGet ? Buffer.alloc(0) : bodyOf(parts);
  return {
    method,
    rawTarget,
    host,
    headers,
    body,
    upgrade: url.isSocket || isWebSocket(headers),
    notes,
  } satisfies DescribedRequest;
}

function methodOf({ method, isHead, isGet, data, forms }: CurlParts): string {
  if (method !== null) return method;
  if (isHead) return 'HEAD';
  return !isGet && (data.length > 0 || forms.length > 0) ? 'POST' : 'GET';
}

function targetOf(parts: CurlParts, { rawTarget }: SplitUrl, notes: string[]): string {
  const question = rawTarget.indexOf('?');
  const path = question === -1 ? rawTarget : rawTarget.slice(0, question);
  let query = question === -1 ? '' : rawTarget.slice(question);
  const sent = parts.pathAsIs ? path : withoutDotSegments(path);
  if (sent !== path)
    notes.push('curl takes the dot segments out of the path before it sends it (--path-as-is)');
  if (parts.isGet && parts.data.length > 0) {
    query += `${query === '' ? '?' : '&'}${joinData(parts).toString('utf8')}`;
  }
  return `${sent}${query}`;
}

/** RFC 3986 section 5.2.4, for a path with a leading slash. */
function withoutDotSegments(path: string): string {
  if (!path.includes('/.')) return path;
  const kept: string[] = [];
  const segments = path.split('/').slice(1);
  segments.forEach((segment, i) => {
    const isLast = i === segments.length - 1;
    if (segment === '..') kept.pop();
    if (segment !== '.' && segment !== '..') kept.push(segment);
    else if (isLast) kept.push('');
  });
  return `/${kept.join('/')}`;
}

function joinData({ data, isJson }: CurlParts): Buffer {
  if (isJson) return Buffer.concat(data);
  return Buffer.concat(data.flatMap((one, i) => (i === 0 ? [one] : [Buffer.from('&'), one])));
}

function bodyOf(parts: CurlParts): Buffer {
  if (parts.forms.length === 0) return joinData(parts);
  const fields = parts.forms.map(([name, value]) => {
    return `--${BOUNDARY}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;
  });
  return Buffer.from(`${fields.join('')}--${BOUNDARY}--\r\n`);
}

/** curl's own lines, then the command's: one of the same name replaces curl's, `Name:` takes it away. */
function headersOf(
  parts: CurlParts,
  url: SplitUrl,
): { readonly headers: Map<string, readonly string[]>; readonly refused: readonly string[] } {
  const headers = new Map(ownLines(parts, url).map(([name, value]) => [name, [value] as readonly string[]]));
  const given = new Map<string, string[]>();
  const refused: string[] = [];
  for (const line of parts.headerLines) {
    const [, name, mark, value] = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)([:;])(.*)$/s.exec(line) ?? [];
    if (name === undefined || mark === undefined || value === undefined) {
      refused.push('a -H of the curl command is no header line');
    } else if (mark === ';' && value.trim() === '') given.set(name.toLowerCase(), ['']);
    else if (value.trim() === '') headers.delete(name.toLowerCase());
    else given.set(name.toLowerCase(), [...(given.get(name.toLowerCase()) ?? []), value.trim()]);
  }
  for (const [name, values] of given) headers.set(name, values);
  return { headers, refused };
}

function ownLines(parts: CurlParts, url: SplitUrl): readonly (readonly [string, string])[] {
  const user = parts.user ?? (url.userinfo === null ? null : decoded(url.userinfo));
  const basic = user === null ? null : `Basic ${Buffer.from(user).toString('base64')}`;
  const lines: readonly (readonly [string, string | null])[] = [
    ['accept', parts.isJson ? 'application/json' : '*/*'],
    ['authorization', parts.bearer === null ? basic : `Bearer ${parts.bearer}`],
    ['user-agent', parts.userAgent],
    ['referer', parts.referer],
    ['cookie', parts.cookies.length === 0 ? null : parts.cookies.join('; ')],
    ['range', parts.range === null ? null : `bytes=${parts.range}`],
    ['accept-encoding', parts.isCompressed ? 'deflate, gzip, br, zstd' : null],
    ['content-type', contentTypeOf(parts)],
  ];
  return lines.flatMap(([name, value]) => (value === null ? [] : [[name, value] as const]));
}

function contentTypeOf({ isJson, isGet, data, forms }: CurlParts): string | null {
  if (isGet) return null;
  if (forms.length > 0) return `multipart/form-data; boundary=${BOUNDARY}`;
  if (data.length === 0) return null;
  return isJson ? 'application/json' : 'application/x-www-form-urlencoded';
}

function decoded(userinfo: string): string {
  try {
    return decodeURIComponent(userinfo);
  } catch {
    return userinfo;
  }
}
