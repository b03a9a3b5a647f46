// Path patterns of rules and settings: text → segments that the trie can hold. Cold; the text is a policy
// author's. Wide patterns (deny) are decoded and folded like requests, but nothing is stripped from them;
// narrow ones (settings) become the exact bytes of the canonical form. What no request can match is an error.
import { decodeStrict, foldText, gainsStructure, hasControl, isDotSegment } from './fold.ts';
import { compileGlob, type Glob } from './glob.ts';

export type Segment =
  | { readonly kind: 'literal'; readonly text: string }
  | { readonly kind: 'any'; readonly name: string | null }
  | { readonly kind: 'glob'; readonly glob: Glob }
  | { readonly kind: 'deep' };

export interface PathPattern {
  /** As the author wrote it. */
  readonly text: string;
  readonly segments: readonly Segment[];
}

/** Wide: what denies. Narrow: what allows or exempts. */
export type Width = 'wide' | 'narrow';

const MAX_LENGTH = 2048;
const MAX_SEGMENTS = 64;
const DEEP: Segment = Object.freeze({ kind: 'deep' });

/** A string says what is wrong with the pattern, as a clause. */
export function compilePattern(text: string, width: Width): PathPattern | string {
  const flaw = flawOfText(text);
  if (flaw !== null) return flaw;
  const parts = text.slice(1).split('/');
  const trailingSlash = parts.at(-1) === '';
  if (trailingSlash && (width === 'wide' || parts.length > 1)) parts.pop();
  if (parts.length > MAX_SEGMENTS) return `has more than ${MAX_SEGMENTS} segments`;
  const segments: Segment[] = [];
  const names = new Set<string>();
  for (const part of parts) {
    const segment = compileSegment(part, width);
    if (typeof segment === 'string') return segment;
    if (segment.kind === 'any' && segment.name !== null) {
      if (names.has(segment.name)) return `names {${segment.name}} twice`;
      names.add(segment.name);
    }
    if (segment.kind !== 'deep' || segments.at(-1) !== DEEP) segments.push(segment);
  }
  if (trailingSlash && width === 'narrow' && parts[0] !== '') segments.push({ kind: 'literal', text: '' });
  return Object.freeze({ text, segments: Object.freeze(segments) });
}

function flawOfText(text: string): string | null {
  if (!text.startsWith('/')) return 'must start with `/`';
  if (text.length > MAX_LENGTH) return `is longer than ${MAX_LENGTH} characters`;
  if (!text.isWellFormed()) return 'is not well-formed Unicode';
  if (text.includes('?')) return 'holds a `?`: query parameters are named under `query`';
  if (text.includes('//')) return 'can never be canonical: it holds an empty segment';
  const refused = /[\p{Cc}\p{Z}\\"<>^#`]/u.exec(text);
  if (refused !== null) {
    return `can never be canonical: ${JSON.stringify(refused[0])} must be percent-encoded`;
  }
  return null;
}

function compileSegment(part: string, width: Width): Segment | string {
  if (part === '**') return DEEP;
  if (part.includes('**')) return 'uses `**` within a segment: it stands for whole segments';
  if (part === '*') return { kind: 'any', name: null };
  if (/[{}]/.test(part)) {
    const name = /^\{([A-Za-z][A-Za-z0-9_]*)\}$/.exec(part)?.[1];
    if (name === undefined) return 'uses braces other than as a whole segment such as {id}';
    return { kind: 'any', name };
  }
  return part.includes('*') ? globSegment(part, width) : literalSegment(part, width);
}

function literalSegment(part: string, width: Width): Segment | string {
  const decoded = decodeStrict(part);
  if (decoded === null) return 'holds a malformed `%` or bytes that are not UTF-8';
  if (decoded !== '' && isDotSegment(decoded)) return 'can never be canonical: it holds a dot segment';
  const flaw = flawOfDecoded(decoded);
  if (flaw !== null) return flaw;
  if (width === 'narrow') return { kind: 'literal', text: canonicalBytes(part) };
  const text = foldText(decoded);
  if (part !== '' && text === '') return 'can never match: a segment holds invisible characters only';
  return { kind: 'literal', text };
}

function globSegment(part: string, width: Width): Segment | string {
  const pieces: string[] = [];
  for (const piece of part.split('*')) {
    const decoded = decodeStrict(piece);
    if (decoded === null) return 'holds a malformed `%` or bytes that are not UTF-8';
    const flaw = flawOfDecoded(decoded);
    if (flaw !== null) return flaw;
    pieces.push(width === 'narrow' ? canonicalBytes(piece) : foldText(decoded));
  }
  return { kind: 'glob', glob: compileGlob(pieces) };
}

function flawOfDecoded(decoded: string): string | null {
  if (hasControl(decoded)) return 'can never be canonical: it holds a control character';
  if (gainsStructure(decoded)) return 'can never be canonical: its NFKC form holds a separator';
  return null;
}

const UNRESERVED = /[A-Za-z0-9._~-]/;
/** RFC 3986 section 3.3, pchar without percent-encoding. */
const PCHAR = /[A-Za-z0-9._~!$&'()+,;=:@-]/;

/** P4: unreserved characters decoded, all else that is no pchar encoded, hex in upper case. */
function canonicalBytes(part: string): string {
  return part.replace(/%[0-9A-Fa-f]{2}|[^%]/gu, (unit) => {
    if (unit.startsWith('%') && unit.length === 3) {
      const char = String.fromCharCode(Number.parseInt(unit.slice(1), 16));
      return UNRESERVED.test(char) ? char : unit.toUpperCase();
    }
    return PCHAR.test(unit) ? unit : encodeURIComponent(unit);
  });
}
