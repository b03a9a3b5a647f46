// Text of a YAML file → plain values and the place of each, or what is wrong with it as YAML. Cold, at start only.
// Refuses what a reader would not see or a parser cannot bear: aliases, anchors, tags, merge keys, duplicate keys,
// directives, several documents, deep nesting, a byte order mark. Bounded in time for any text up to 1 MiB.
import {
  isMap,
  isScalar,
  isSeq,
  Lexer,
  type Node,
  type Pair,
  Parser,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import { quoted, type Span } from './problem.ts';

export const MAX_SOURCE_BYTES = 1024 * 1024;
/** Far more than any valid file has; the parser's later passes are recursive, this bound is checked before them. */
const MAX_DEPTH = 32;
/** Keeps the parser's slowest inputs (many small errors) under a few seconds; valid files have a hundredth of it. */
const MAX_LEXEMES = 300_000;

/** Objects have no prototype: `__proto__` and `constructor` are keys like any other. */
export type YamlValue = null | boolean | number | string | YamlValue[] | { [key: string]: YamlValue };

export interface Place {
  /** Null for the root and for items of lists. */
  readonly key: Span | null;
  readonly value: Span;
  /** Neither a mapping nor a list. */
  readonly leaf: boolean;
}

interface YamlProblem {
  readonly span: Span;
  readonly pointer: string;
  readonly message: string;
}

export interface YamlSource {
  readonly text: string;
  /** Null when the text is not YAML at all. */
  readonly value: YamlValue;
  /** By JSON Pointer (RFC 6901); the root is the empty string. */
  readonly places: ReadonlyMap<string, Place>;
  readonly problems: readonly YamlProblem[];
  /** Values that were not taken at all: those of repeated keys and of merge keys. They have no place. */
  readonly skipped: readonly Span[];
  /** Pointers whose value could not be taken: what a schema says of them would mislead. */
  readonly unusable: ReadonlySet<string>;
  /** True when the text is not YAML at all, so that nothing but `problems` means anything. */
  readonly broken: boolean;
}

export function pointerTo(parent: string, key: string | number): string {
  return `${parent}/${String(key).replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

/** Never throws. `text` is decoded, and its size was checked by whoever read it. */
export function readYaml(text: string): YamlSource {
  const walk = startWalk();
  const excess = findExcess(text);
  if (excess !== null) {
    report(walk, { start: excess.offset, end: excess.offset + 1 }, '', excess.message);
    return { ...walk, text, value: null, broken: true };
  }
  if (text.startsWith('\uFEFF')) {
    report(
      walk,
      { start: 0, end: 1 },
      '',
      'the file starts with a byte order mark: save it as UTF-8 without one',
    );
  }
  // `uniqueKeys` compares each key with each other one, which a hostile file turns into minutes: see `takeMap`.
  const document = parseDocument(text, {
    uniqueKeys: false,
    stringKeys: true,
    merge: false,
    prettyErrors: false,
  });
  for (const error of document.errors) {
    report(walk, { start: error.pos[0], end: error.pos[1] }, '', syntaxMessage(error.code));
  }
  const { yaml, tags } = document.directives;
  if (yaml.explicit === true || Object.keys(tags).length > 1 || document.warnings.some(isDirectiveWarning)) {
    report(walk, { start: 0, end: 1 }, '', 'directives (%YAML, %TAG) are not allowed');
  }
  const broken = document.errors.length > 0;
  if (!broken && document.contents === null) report(walk, { start: 0, end: 1 }, '', 'the file is empty');
  const value = broken ? null : take(walk, document.contents as Node | null, '', null);
  return { ...walk, text, value, broken: broken || document.contents === null };
}

interface Excess {
  readonly offset: number;
  readonly message: string;
}

/** Where the text outgrows what the recursive passes are given; found by the one pass that does not recurse. */
function findExcess(text: string): Excess | null {
  const parser = new Parser();
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    const { offset } = parser;
    // The tokens are not wanted, but the generator works only while it is read.
    for (const _token of parser.next(lexeme));
    if (parser.stack.length > MAX_DEPTH)
      return { offset, message: 'nested too deeply: no key lies that deep' };
    lexemes += 1;
    if (lexemes > MAX_LEXEMES) return { offset, message: 'too many values for one configuration file' };
  }
  return null;
}

function isDirectiveWarning(warning: { readonly code: string }): boolean {
  return warning.code === 'BAD_DIRECTIVE';
}

/** In words of our own: the parser's quote the text, which may be a secret or steer a terminal. */
const SYNTAX: Readonly<Record<string, string>> = {
  BAD_DQ_ESCAPE: 'an escape that "…" does not know; write \\\\ for a backslash, or use \'…\'',
  BAD_INDENT: 'the indentation does not fit, or a bracket is not closed',
  BAD_SCALAR_START: 'a plain text cannot start like that; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second mapping on one line; put the text in quotes, or start a new line',
  BLOCK_IN_FLOW: 'an indented block cannot stand inside of brackets',
  MISSING_CHAR: 'a closing quote, bracket, colon or comma is missing',
  MULTILINE_IMPLICIT_KEY: 'a key must end on its line; a colon may be missing',
  MULTIPLE_DOCS: 'a second document starts here: one file holds one configuration',
  NON_STRING_KEY: 'a key must be a word, not a list or a mapping',
  TAB_AS_INDENT: 'a tab cannot indent; use spaces',
  UNEXPECTED_TOKEN: 'something stands here that does not belong here',
};

function syntaxMessage(code: string): string {
  return `not valid YAML: ${SYNTAX[code] ?? 'it cannot be read from here on'}`;
}

interface Walk {
  readonly places: Map<string, Place>;
  readonly problems: YamlProblem[];
  readonly skipped: Span[];
  readonly unusable: Set<string>;
}

function startWalk(): Walk {
  return { places: new Map(), problems: [], skipped: [], unusable: new Set() };
}

function report(walk: Walk, span: Span, pointer: string, message: string): void {
  walk.problems.push({ span, pointer, message });
}

function spanOf(node: Node | null): Span {
  const range = node?.range;
  return range ? { start: range[0], end: Math.max(range[1], range[0] + 1) } : { start: 0, end: 1 };
}

/** Recursion is bounded by `findExcess`. */
function take(walk: Walk, node: Node | null, pointer: string, key: Span | null): YamlValue {
  const span = spanOf(node);
  walk.places.set(pointer, { key, value: span, leaf: !isMap(node) && !isSeq(node) });
  if (node === null) return null;
  // Set only where the text names one.
  if ('tag' in node && node.tag !== undefined) report(walk, span, pointer, 'tags (!…) are not allowed');
  if ('anchor' in node && node.anchor !== undefined) {
    report(walk, span, pointer, 'anchors (&…) are not allowed: write the value where it is meant');
  }
  if (isMap(node)) return takeMap(walk, node, pointer);
  if (isSeq(node))
    return node.items.map((item, index) => take(walk, item as Node, pointerTo(pointer, index), null));
  if (isScalar(node)) return node.value as YamlValue;
  report(walk, span, pointer, 'aliases (*…) are not allowed: write the value where it is meant');
  walk.unusable.add(pointer);
  return null;
}

function takeMap(walk: Walk, node: YAMLMap, pointer: string): YamlValue {
  const object = Object.create(null) as { [key: string]: YamlValue };
  for (const pair of node.items as Pair<Node, Node | null>[]) {
    const span = spanOf(pair.key);
    const key = isScalar(pair.key) ? String(pair.key.value) : '';
    if ('anchor' in pair.key && pair.key.anchor !== undefined) {
      report(walk, span, pointer, 'anchors (&…) are not allowed: write the value where it is meant');
    }
    if (key === '<<') {
      report(walk, span, pointer, 'merge keys (<<) are not allowed: write the values where they are meant');
      walk.skipped.push(spanOf(pair.value));
    } else if (Object.hasOwn(object, key)) {
      report(walk, span, pointerTo(pointer, key), `the key ${quoted(key)} stands here twice`);
      walk.skipped.push(spanOf(pair.value));
    } else {
      object[key] = take(walk, pair.value, pointerTo(pointer, key), span);
    }
  }
  return object;
}
