// Eleven ways in which applications and what stands before them read the path of a request target: the leak oracle asks
// each where a forwarded request lands. Written apart from src on purpose, so that one mistake is not made twice.
// Pure. Where a product has several settings, the one that resolves more is taken.

/** How one product makes a path of a request target. */
export interface Reading {
  readonly name: string;
  /** `target` is origin-form, one character per byte. Null where the product refuses the request. */
  read(target: string): string | null;
}

/** Default_Ignorable_Code_Point of Unicode: characters that nobody sees. */
const IGNORABLE = /\p{Default_Ignorable_Code_Point}/gu;

export const READINGS: readonly Reading[] = [
  { name: 'whatwg', read: readWhatwg },
  { name: 'node-legacy', read: readNodeLegacy },
  { name: 'go', read: readGo },
  { name: 'python', read: readPython },
  { name: 'servlet', read: readServlet },
  { name: 'iis', read: readIis },
  { name: 'nginx', read: readNginx },
  { name: 'decode-once', read: (target) => unescaped(pathOf(target)) },
  { name: 'decode-twice', read: (target) => unescaped(latin1(unescaped(pathOf(target)))) },
  { name: 'rails', read: readRails },
  { name: 'nfkc', read: readNfkc },
];

/** The URL Standard's parser, then decoded, as routers do with what it leaves encoded. */
function readWhatwg(target: string): string | null {
  const url = URL.parse(`http://application.test${target}`);
  return url === null ? null : unescaped(url.pathname);
}

/** `url.parse` of Node: a backslash before the query is a slash, a fragment ends the path, nothing is resolved. */
function readNodeLegacy(target: string): string | null {
  const text = target.trim();
  const query = text.indexOf('?');
  const before = query < 0 ? text : text.slice(0, query);
  return unescaped(cutAt(before.replaceAll('\\', '/'), '#'));
}

/** net/http: `ParseRequestURI` refuses a bad escape and knows no fragment; `path.Clean` as ServeMux calls it. */
function readGo(target: string): string | null {
  const path = pathOf(target);
  if (hasBadEscape(path)) return null;
  const segments = resolved(unescaped(path).split('/'));
  return `/${segments.join('/')}`;
}

/** `urllib.parse.unquote`, which leaves a bad escape alone, then `posixpath.normpath`, which keeps two leading slashes. */
function readPython(target: string): string | null {
  const path = unescaped(pathOf(target));
  const lead = /^\/\/(?!\/)/.test(path) ? '//' : '/';
  return lead + resolved(path.split('/')).join('/');
}

/** Parameters off each segment while it is still encoded, then decoded, then resolved: the order of Tomcat. */
function readServlet(target: string): string | null {
  const path = pathOf(target);
  if (hasBadEscape(path)) return null;
  const bare = path
    .split('/')
    .map((segment) => cutAt(segment, ';'))
    .join('/');
  return withSlash(resolved(unescaped(bare).split('/')), bare);
}

/** A file path of Windows: backslashes, no case, and segments without the dots and spaces at their ends. */
function readIis(target: string): string | null {
  const path = unescaped(pathOf(target)).replaceAll('\\', '/');
  const segments = resolved(path.split('/')).map((segment) => segment.replace(/[. ]+$/, ''));
  return `/${segments.filter((segment) => segment !== '').join('/')}`.toLowerCase();
}

/** `$uri` with `merge_slashes on`: a raw `#` ends it, NUL and a way above the root are refused. */
function readNginx(target: string): string | null {
  const path = cutAt(pathOf(target), '#');
  if (hasBadEscape(path)) return null;
  const decoded = unescaped(path);
  if (decoded.includes('\0') || climbsOut(decoded.split('/'))) return null;
  return withSlash(resolved(decoded.split('/')), decoded);
}

/** Journey: slashes merged, the last one off, `(.:format)` off the last segment (whatever holds no dot or slash). */
function readRails(target: string): string | null {
  return railsPath(target).replace(RAILS_FORMAT, '');
}

/** What Rails' `(.:format)` makes a parameter of; null where the path has none. */
export function railsFormat(target: string): string | null {
  return RAILS_FORMAT.exec(railsPath(target))?.[0].slice(1) ?? null;
}

const RAILS_FORMAT = /(?<=[^/])\.[^./?]+$/;

function railsPath(target: string): string {
  return unescaped(pathOf(target)).replaceAll(/\/+/g, '/').replace(/\/$/, '');
}

/** Compatibility forms folded, with case and what nobody sees, then resolved: what a searching or a saving layer does. */
function readNfkc(target: string): string | null {
  const text = unescaped(pathOf(target)).normalize('NFKC').replaceAll(IGNORABLE, '').toLowerCase();
  return withSlash(resolved(text.normalize('NFKC').split('/')), text);
}

/** What stands before the query. */
export function pathOf(target: string): string {
  return cutAt(target, '?');
}

/** Each well-formed escape decoded once, then read as UTF-8; what is neither stays or becomes U+FFFD. */
export function unescaped(text: string): string {
  if (!text.includes('%') && isAscii(text)) return text;
  const bytes = text.replaceAll(/%([0-9a-f]{2})/gi, (_whole, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
  return Buffer.from(bytes, 'latin1').toString('utf8');
}

/** The UTF-8 bytes of `text`, one character each. */
function latin1(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7e) return false;
  return true;
}

function hasBadEscape(text: string): boolean {
  return /%(?![0-9a-f]{2})/i.test(text);
}

function cutAt(text: string, mark: string): string {
  const at = text.indexOf(mark);
  return at < 0 ? text : text.slice(0, at);
}

/** Dot segments taken away and empty ones left out; nothing climbs above the root. */
function resolved(segments: readonly string[]): string[] {
  const kept: string[] = [];
  for (const segment of segments) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  return kept;
}

function climbsOut(segments: readonly string[]): boolean {
  let depth = 0;
  for (const segment of segments) {
    if (segment === '..') depth -= 1;
    else if (segment !== '' && segment !== '.') depth += 1;
    if (depth < 0) return true;
  }
  return false;
}

/** With the trailing slash of `path`, which these products keep. */
function withSlash(segments: readonly string[], path: string): string {
  const joined = `/${segments.join('/')}`;
  return joined !== '/' && path.endsWith('/') ? `${joined}/` : joined;
}
