// Media types of answers, read as widely as clients do: every line and every part of a joined line counts, in
// any case, quoted or not, whatever follows the type. Patterns are an author's and checked. Hot for guarded routes.
import { compileGlob, type Glob, globMatches } from './glob.ts';
import { type Field, quoted, readText } from './yaml-fields.ts';
import { type FileReader, report } from './yaml-document.ts';

/** Frozen. Compared with `type/subtype` in lower case. */
export interface MediaTypeSet {
  readonly exact: ReadonlySet<string>;
  readonly globs: readonly Glob[];
}

/** RFC 6838 section 4.2, restricted names; `*` stands for any characters of a part. */
const PATTERN = {
  pattern: /^[A-Za-z0-9!#$&^_.+*-]{1,127}\/[A-Za-z0-9!#$&^_.+*-]{1,127}$/,
  form: 'a media type such as text/csv or application/vnd.oasis.opendocument.*, without parameters',
};

/** In lower case; null after a report. */
export function readMediaType(reader: FileReader, item: Field): string | null {
  const text = readText(reader, item, PATTERN);
  if (text === null) return null;
  if (/[^*/]/.test(text)) return text.toLowerCase();
  report(reader, item.offset, `${quoted(text)} is every media type: that is a deny rule, not a guard`);
  return null;
}

/** `patterns` in lower case. */
export function compileMediaTypes(patterns: readonly string[]): MediaTypeSet {
  return Object.freeze({
    exact: new Set(patterns.filter((pattern) => !pattern.includes('*'))),
    globs: Object.freeze(
      patterns.filter((pattern) => pattern.includes('*')).map((pattern) => compileGlob(pattern.split('*'))),
    ),
  });
}

export function mediaTypesHold(set: MediaTypeSet, type: string): boolean {
  if (set.exact.has(type)) return true;
  for (let i = 0; i < set.globs.length; i++) if (globMatches(set.globs[i] as Glob, type)) return true;
  return false;
}

const TAB = 0x09;
const SPACE = 0x20;
const QUOTE = 0x22;
const APOSTROPHE = 0x27;
const OPEN = 0x28;
const COMMA = 0x2c;
const SLASH = 0x2f;
const SEMICOLON = 0x3b;
const DELETE = 0x7f;
const NO_BREAK_SPACE = 0xa0;

/**
 * Adds every `type/subtype` that a reader of this line may see to `into`, in lower case, and returns the new count.
 * A type ends at white space, a semicolon, a comma or a comment; a comma within a quoted parameter is one too many,
 * which only ever finds more.
 */
export function readMediaTypes(value: string, into: string[], count: number): number {
  let found = count;
  let at = 0;
  while (at < value.length) {
    const start = skipBlank(value, at);
    const end = typeEnd(value, start);
    if (end > start) {
      const type = withoutBlanks(value.slice(start, end)).toLowerCase();
      if (type.includes('/')) into[found++] = type;
    }
    const comma = value.indexOf(',', end);
    if (comma === -1) break;
    at = comma + 1;
  }
  return found;
}

/** Blanks around the slash do not end the type: some readers take them off. */
function typeEnd(value: string, start: number): number {
  let end = start;
  while (end < value.length) {
    const code = value.charCodeAt(end);
    if (code === SEMICOLON || code === COMMA || code === OPEN) break;
    if (isBlank(code)) {
      const next = skipBlank(value, end);
      if (value.charCodeAt(next) !== SLASH && value.charCodeAt(end - 1) !== SLASH) break;
      end = next;
    } else end++;
  }
  return end;
}

function skipBlank(value: string, from: number): number {
  let at = from;
  while (at < value.length && isBlank(value.charCodeAt(at))) at++;
  return at;
}

/** White space, quotes, and every byte that is no visible character. */
function isBlank(code: number): boolean {
  if (code === QUOTE || code === APOSTROPHE || code === TAB) return true;
  return code <= SPACE || (code >= DELETE && code <= NO_BREAK_SPACE);
}

function withoutBlanks(text: string): string {
  for (let i = 0; i < text.length; i++) {
    if (!isBlank(text.charCodeAt(i))) continue;
    let kept = '';
    for (let k = 0; k < text.length; k++) if (!isBlank(text.charCodeAt(k))) kept += text[k];
    return kept;
  }
  return text;
}
