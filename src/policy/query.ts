// The query as deny rules read it: the widest reading of REQUEST-SAFETY.md, "Query". Split on `&` and `;`,
// decoded once, folded; only names that some rule of the set reads are kept. Parsed at most once per reading
// of a request, and only when a rule on the path asks. What a rule must read and cannot is told, not guessed.
import { decodeStrict, foldText } from './fold.ts';
import type { Reading } from './reading.ts';

/** The one name that is read besides those of rules: the method an application may take instead of the real one. */
export const METHOD_OVERRIDE = '_method';

/** What a format suffix is called where it becomes a parameter (Rails' `(.:format)`, Django REST's `format_suffix_patterns`). */
const FORMAT = 'format';

const NO_VALUES: ReadonlySet<string> = new Set();

export class QueryView {
  /** A name that a query rule has to read holds `%00`, a malformed `%` or bytes that are not UTF-8. */
  unreadableName = false;
  /** The same for a name that may stand for `_method`. */
  unreadableOverride = false;
  private readonly names: ReadonlySet<string>;
  private readonly values = new Map<string, Set<string>>();
  private readonly unreadableValues = new Set<string>();
  private readonly readsFormat: boolean;
  private text = '';
  private path: Reading | null = null;
  private parsed = true;

  /** `names` as `foldName` makes them; `_method` is read besides. */
  constructor(names: Iterable<string>) {
    this.names = new Set([...names, METHOD_OVERRIDE]);
    this.readsFormat = this.names.has(FORMAT);
  }

  /** The raw query without its `?`, and the path whose format suffixes count as `format`. Nothing is parsed yet. */
  reset(text: string, path: Reading | null = null): void {
    this.text = text;
    this.path = path;
    this.parsed = false;
  }

  /** Whether there is anything to parse at all. */
  isEmpty(): boolean {
    return this.text === '' && (!this.readsFormat || this.path === null || this.path.formatCount === 0);
  }

  /** Folded values of a folded name; empty when the name is absent. */
  valuesOf(name: string): ReadonlySet<string> {
    this.parse();
    return this.values.get(name) ?? NO_VALUES;
  }

  isUnreadable(name: string): boolean {
    this.parse();
    return this.unreadableValues.has(name);
  }

  private parse(): void {
    if (this.parsed) return;
    this.parsed = true;
    this.unreadableName = false;
    this.unreadableOverride = false;
    this.values.clear();
    this.unreadableValues.clear();
    const { text, path } = this;
    if (path !== null) for (let i = 0; i < path.formatCount; i++) this.add(FORMAT, path.formats[i] as string);
    let start = 0;
    for (let i = 0; i <= text.length; i++) {
      const code = i === text.length ? 0x26 : text.charCodeAt(i);
      if (code !== 0x26 && code !== 0x3b) continue;
      if (i > start) this.readPair(text.slice(start, i));
      start = i + 1;
    }
  }

  private readPair(pair: string): void {
    const equals = pair.indexOf('=');
    const rawName = equals === -1 ? pair : pair.slice(0, equals);
    const rawValue = equals === -1 ? '' : pair.slice(equals + 1);
    const decoded = decodePart(rawName);
    if (decoded === null) {
      this.unreadableName = true;
      if (mayBeOverride(rawName)) this.unreadableOverride = true;
      return;
    }
    const name = withoutIndexes(foldText(decoded));
    this.keep(name, rawValue);
    const last = lastPart(name);
    if (last !== null) this.keep(last, rawValue);
    const underscored = withUnderscores(name);
    if (underscored !== null) this.keep(underscored, rawValue);
  }

  private keep(name: string, rawValue: string): void {
    if (!this.names.has(name)) return;
    const decoded = decodePart(rawValue);
    if (decoded === null) this.unreadableValues.add(name);
    else this.add(name, foldText(decoded));
  }

  private add(name: string, folded: string): void {
    const values = this.values.get(name);
    if (values === undefined) this.values.set(name, new Set([folded]));
    else values.add(folded);
  }
}

/** Every name that a raw one is read as: whole, by its last part in brackets, as PHP has it. Null where it cannot be read. */
export function foldedNamesOf(rawName: string): readonly string[] | null {
  const decoded = decodePart(rawName);
  if (decoded === null) return null;
  const name = withoutIndexes(foldText(decoded));
  return [name, lastPart(name), withUnderscores(name)].filter((one) => one !== null);
}

/** A rule's key in the form that a request's name is brought to. */
export function foldName(key: string): string {
  return withoutIndexes(foldText(key));
}

/** `+` is a space, then decoded once; null for `%00`, a malformed `%` and bytes that are not UTF-8. */
export function decodePart(text: string): string | null {
  const spaced = text.includes('+') ? text.replaceAll('+', ' ') : text;
  const decoded = decodeStrict(spaced);
  return decoded === null || decoded.includes('\0') ? null : decoded;
}

/** Leading white space, then `[]` and `[n]` at the end, taken off as often as they occur. */
function withoutIndexes(name: string): string {
  let start = 0;
  while (isWhiteSpace(name.charCodeAt(start))) start++;
  let end = name.length;
  while (end > start && name.charCodeAt(end - 1) === 0x5d) {
    let open = end - 2;
    while (open >= start && isDigit(name.charCodeAt(open))) open--;
    if (open < start || name.charCodeAt(open) !== 0x5b) break;
    end = open;
  }
  return start === 0 && end === name.length ? name : name.slice(start, end);
}

/** PHP takes spaces off a name, other languages whatever their `trim` knows; NFKC has made a space of most of it. */
function isWhiteSpace(code: number): boolean {
  return (
    code === 0x20 || (code >= 0x09 && code <= 0x0d) || code === 0x1680 || code === 0x2028 || code === 0x2029
  );
}

function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** `format` of `a[format]` and of `a[b][format]`; null for a name without brackets. */
function lastPart(name: string): string | null {
  if (!name.endsWith(']')) return null;
  const open = name.lastIndexOf('[');
  return open === -1 ? null : name.slice(open + 1, -1);
}

/**
 * PHP makes `_` of a dot, a space and an unclosed bracket in a name: `.method` is `_method` to it. Null for a name
 * without any.
 */
function withUnderscores(name: string): string | null {
  const open = name.indexOf('[');
  const stem = open !== -1 && name.includes(']', open) ? name.slice(0, open) : name;
  if (!stem.includes('.') && !stem.includes(' ') && !stem.includes('[')) return null;
  return stem.replaceAll('.', '_').replaceAll(' ', '_').replaceAll('[', '_');
}

/** A name that cannot be decoded is still told apart from an innocent one: what is left of it names the override. */
function mayBeOverride(rawName: string): boolean {
  const octets = rawName.replaceAll(/%[0-9A-Fa-f]{2}/g, (escape) => {
    const byte = Number.parseInt(escape.slice(1), 16);
    return byte > 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '';
  });
  // What stands for the underscore has several spellings.
  return foldText(octets).includes('method');
}
