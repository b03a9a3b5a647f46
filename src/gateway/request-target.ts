// The one reading of a request target, profile STRICT/1: P1 to P5, P7 and the query's bytes.
// Guarantees: what it returns is stable under re-parsing and holds nothing that two servers read differently;
// what is ambiguous is refused. Assumes nothing. Hot: a plain ASCII path is scanned once and copied never.
import type { RequestTarget } from '#model/request-target.ts';
import { type Denial, deny } from '#model/verdict.ts';
import { checkSegments, isHex, readingIsSafe } from './path-segments.ts';

const REFUSED = 0;
const PLAIN = 1;
/** Legal on the wire, but two servers disagree about it: always sent encoded. */
const ENCODE = 2;
const PERCENT = 3;
const SLASH = 4;
const DOT = 5;
const QUESTION = 6;

const UNRESERVED = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~';
const KIND = kindTable();

function kindTable(): Uint8Array {
  const table = new Uint8Array(128);
  // RFC 3986 section 3.3: pchar, less what is handled by name below.
  for (const char of `${UNRESERVED}!$&'()*+,;=:@`) table[char.charCodeAt(0)] = PLAIN;
  for (const char of '|[]') table[char.charCodeAt(0)] = ENCODE;
  table['%'.charCodeAt(0)] = PERCENT;
  table['/'.charCodeAt(0)] = SLASH;
  table['.'.charCodeAt(0)] = DOT;
  table['?'.charCodeAt(0)] = QUESTION;
  return table;
}

const IS_UNRESERVED = new Uint8Array(256);
for (const char of UNRESERVED) IS_UNRESERVED[char.charCodeAt(0)] = 1;

const CODE_SLASH = 0x2f;
const HEX = '0123456789ABCDEF';

/** Frozen by convention; a class only so that every target has one shape. */
class Target implements RequestTarget {
  readonly path: string;
  readonly query: string;
  readonly hasQuery: boolean;
  readonly encodedSlash: boolean;
  readonly encodedPercent: boolean;

  constructor(canonical: Canonical, query: string, hasQuery: boolean) {
    this.path = canonical.path;
    this.query = query;
    this.hasQuery = hasQuery;
    this.encodedSlash = canonical.encodedSlash;
    this.encodedPercent = canonical.encodedPercent;
  }
}

interface Canonical {
  readonly path: string;
  readonly encodedSlash: boolean;
  readonly encodedPercent: boolean;
}

/** An origin-form target (RFC 9112 section 3.2.1) in canonical form, or `bad_request_target`. */
export function parseTarget(raw: string): RequestTarget | Denial {
  if (raw.charCodeAt(0) !== CODE_SLASH || raw.charCodeAt(1) === CODE_SLASH) {
    return deny('bad_request_target', 'not an origin-form path with one leading slash');
  }
  let plain = true;
  let end = 1;
  for (; end < raw.length; end++) {
    const kind = KIND[raw.charCodeAt(end)];
    if (kind === PLAIN) continue;
    if (kind === QUESTION) break;
    if (kind === REFUSED || kind === undefined)
      return deny('bad_request_target', 'a byte the path may not hold');
    // A dot or slash matters only right after a slash; everything else here needs rewriting.
    if (kind === DOT || kind === SLASH) plain &&= raw.charCodeAt(end - 1) !== CODE_SLASH;
    else plain = false;
  }
  const hasQuery = end < raw.length;
  const query = hasQuery ? raw.slice(end + 1) : '';
  if (!queryIsSafe(query)) return deny('bad_request_target', 'a byte the query may not hold');
  const path = hasQuery ? raw.slice(0, end) : raw;
  const canonical = plain ? { path, encodedSlash: false, encodedPercent: false } : canonicalise(path);
  if (canonical === null) return deny('bad_request_target', 'a segment that servers read differently');
  return new Target(canonical, query, hasQuery);
}

/**
 * A target as it stood in the request line: origin-form, or absolute-form whose authority is the request's own
 * Host (RFC 9112 section 3.2.2), which then counts as its origin-form. `host` is in lower case.
 */
export function parseRequestTarget(raw: string, host: string): RequestTarget | Denial {
  if (raw.charCodeAt(0) === CODE_SLASH) return parseTarget(raw);
  const lower = raw.slice(0, 8).toLowerCase();
  const scheme = lower.startsWith('http://') ? 'http' : lower === 'https://' ? 'https' : null;
  if (scheme === null) return deny('bad_request_target', 'neither origin-form nor absolute-form');
  const start = scheme.length + 3;
  const slash = raw.indexOf('/', start);
  const authority = (slash < 0 ? raw.slice(start) : raw.slice(start, slash)).toLowerCase();
  const port = scheme === 'http' ? ':80' : ':443';
  if (authority === '' || withoutPort(authority, port) !== withoutPort(host, port)) {
    return deny('bad_request_target', 'the authority is not the Host');
  }
  return parseTarget(slash < 0 ? '/' : raw.slice(slash));
}

function withoutPort(authority: string, port: string): string {
  return authority.endsWith(port) ? authority.slice(0, -port.length) : authority;
}

/** The bytes only: what names and values mean is the policy's to read. */
function queryIsSafe(query: string): boolean {
  for (let i = 0; i < query.length; i++) {
    const code = query.charCodeAt(i);
    if (code < 0x21 || code > 0x7e || code === 0x23) return false;
    if (code === 0x25 && query.charCodeAt(i + 1) === 0x30 && query.charCodeAt(i + 2) === 0x30) return false;
  }
  return true;
}

/** P4 and P5 for a path that needs them; null when it must be refused. Its bytes were already checked. */
function canonicalise(path: string): Canonical | null {
  let out = '';
  let encodedSlash = false;
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    const kind = KIND[code];
    if (kind === PERCENT) {
      const value = hexByte(path, i + 1);
      // Control characters end strings and lines in what runs behind the gate.
      if (value < 0x20 || value === 0x7f) return null;
      encodedSlash ||= value === 0x2f || value === 0x5c || value === 0x3f || value === 0x23;
      out += IS_UNRESERVED[value] === 1 ? String.fromCharCode(value) : percentEncoded(value);
      i += 2;
    } else if (kind === ENCODE) {
      out += percentEncoded(code);
    } else if (kind !== SLASH || out.charCodeAt(out.length - 1) !== CODE_SLASH) {
      out += path[i];
    }
  }
  const encodedPercent = holdsEncodedPercent(out);
  if (!checkSegments(out)) return null;
  if ((encodedSlash || encodedPercent) && !readingIsSafe(out)) return null;
  return { path: out, encodedSlash, encodedPercent };
}

/** The byte that two hex digits name, or -1. */
function hexByte(text: string, at: number): number {
  const high = text.charCodeAt(at);
  const low = text.charCodeAt(at + 1);
  return isHex(high) && isHex(low) ? Number.parseInt(text.slice(at, at + 2), 16) : -1;
}

function percentEncoded(byte: number): string {
  return `%${HEX[byte >> 4]}${HEX[byte & 15]}`;
}

/** Looked for in the canonical form: `%25%36%35` only becomes `%2565` there (double decoding). */
function holdsEncodedPercent(path: string): boolean {
  for (let at = path.indexOf('%25'); at >= 0; at = path.indexOf('%25', at + 3)) {
    if (isHex(path.charCodeAt(at + 3)) && isHex(path.charCodeAt(at + 4))) return true;
  }
  return false;
}
