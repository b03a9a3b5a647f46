// Text → YAML documents with the offset of every node, strictly: no anchors, aliases, tags, merges, directives or
// duplicate keys; several documents per file. Nothing is turned into plain objects, so no key can be hostile. Cold.
import {
  Composer,
  type Document,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type ParsedNode,
  Parser,
  type YAMLError,
} from 'yaml';
import { type PolicyProblem, type Position, problemAt } from './problem.ts';
import { POLICY_BOUNDS, type YamlBounds } from './yaml-bounds.ts';
import { type GuardFinding, inspectYaml } from './yaml-guard.ts';

/** One file while it is read: where offsets lie, and what was found wrong so far. */
export interface FileReader {
  readonly file: string;
  readonly problems: PolicyProblem[];
  positionAt(offset: number): Position;
}

export function createFileReader(file: string, text: string): FileReader {
  const lineAt = createLineIndex(text);
  return {
    file,
    problems: [],
    positionAt(offset) {
      const { line, start } = lineAt(offset);
      const end = text.indexOf('\n', start);
      const excerpt = text.slice(start, end === -1 ? text.length : end).replace(/\r$/, '');
      return { file, line, column: offset - start + 1, excerpt };
    },
  };
}

/** Counts lines no further than it is asked: a refusal at the top of a file must not pay for a million of them. */
function createLineIndex(
  text: string,
): (offset: number) => { readonly line: number; readonly start: number } {
  const starts = [0];
  let next = text.indexOf('\n') + 1;
  return (offset) => {
    for (; next > 0 && next <= offset; next = text.indexOf('\n', next) + 1) starts.push(next);
    let low = 0;
    for (let high = starts.length; high - low > 1; ) {
      const middle = (low + high) >> 1;
      if ((starts[middle] as number) <= offset) low = middle;
      else high = middle;
    }
    return { line: low + 1, start: starts[low] as number };
  };
}

/** Of one file: nobody mends more at a time, and a hostile file would have as many as it has bytes. */
const MAX_PROBLEMS = 200;

/** From the 200th problem of a file on nothing more is told. */
export function report(reader: FileReader, offset: number, message: string): void {
  const { problems } = reader;
  if (isFull(reader)) return;
  const more = problems.length === MAX_PROBLEMS - 1 ? ' (what follows is not told: too many problems)' : '';
  problems.push(problemAt(reader.positionAt(offset), `${message}${more}`));
}

/** What only words a problem may be left out then. */
export function isFull({ problems }: FileReader): boolean {
  return problems.length >= MAX_PROBLEMS;
}

/** The root nodes that can be read further; everything else is in `reader.problems`. */
export function readDocuments(
  reader: FileReader,
  text: string,
  bounds: YamlBounds = POLICY_BOUNDS,
): readonly ParsedNode[] {
  const { hostile, forbidden } = inspectYaml(text, bounds);
  for (const { offset, message } of forbidden) report(reader, offset, message);
  if (hostile !== null) report(reader, hostile.offset, hostile.message);
  // To look for more in a long text costs more than its author gains.
  if (hostile !== null || (forbidden.length > 0 && text.length > bounds.parsedWithFlaws)) return [];
  const roots: ParsedNode[] = [];
  let documents = 0;
  try {
    for (const document of parseStrictly(text)) {
      documents++;
      const root = readRoot(reader, document, forbidden);
      if (root !== null) roots.push(root);
      if (isFull(reader)) return [];
    }
  } catch (error) {
    // The guard bounds nesting; should a shape slip past it, the parser's stack is where it ends.
    if (!(error instanceof RangeError)) throw error;
    report(reader, 0, 'nested too deeply');
    return [];
  }
  if (documents === 0) report(reader, 0, 'the file holds no document');
  return roots;
}

/** Of a file that holds one thing: more than one document is a problem, for the others would be passed over. */
export function readOneDocument(reader: FileReader, text: string): ParsedNode | undefined {
  const [root, second] = readDocuments(reader, text);
  if (second !== undefined) report(reader, second.range[0], 'the file holds more than one document');
  return root;
}

function readRoot(
  reader: FileReader,
  document: Document.Parsed,
  forbidden: readonly GuardFinding[],
): ParsedNode | null {
  const [start, , end] = document.range;
  const isForbidden = forbidden.some(({ offset }) => offset >= start && offset < end);

  for (const error of [...document.errors, ...document.warnings]) {
    // What is wrong with an anchor, alias or tag was said where it stands.
    if (!isForbidden || !ABOUT_FORBIDDEN.has(error.code)) report(reader, error.pos[0], sentenceOf(error));
  }
  const root = document.contents;
  if (document.errors.length > 0 || isForbidden) return null;
  if (root === null || (isScalar(root) && root.value === null)) {
    report(reader, start, 'the document is empty');
    return null;
  }
  return areKeysSound(reader, root) ? root : null;
}

/** One document after the other, so that what is wrong with the first is known before the last is paid for. */
function parseStrictly(text: string): Iterable<Document.Parsed> {
  const composer = new Composer<ParsedNode, true>({
    version: '1.2',
    schema: 'core',
    merge: false,
    strict: true,
    stringKeys: true,
    // The parser compares each key with each; `areKeysSound` looks once at each.
    uniqueKeys: false,
    prettyErrors: false,
    logLevel: 'silent',
  });
  return composer.compose(new Parser().parse(text));
}

/** No key twice, and none that merges: off in the parser's options, where it would be an unknown key. */
function areKeysSound(reader: FileReader, node: Node | null): boolean {
  let isSound = true;
  if (isSeq(node)) {
    for (const item of node.items as readonly (Node | null)[]) {
      if (!areKeysSound(reader, item)) isSound = false;
    }
  }
  if (!isMap(node)) return isSound;
  const seen = new Set<unknown>();
  for (const { key, value } of node.items as readonly Pair<Node, Node | null>[]) {
    const name = isScalar(key) ? key.value : key;
    if (name === '<<') {
      report(reader, key.range?.[0] ?? 0, 'a merge key (`<<`) is not allowed: write the keys out');
      isSound = false;
    } else if (seen.has(name)) {
      report(reader, key.range?.[0] ?? 0, DUPLICATE_KEY);
      isSound = false;
    }
    seen.add(name);
    if (!areKeysSound(reader, value)) isSound = false;
  }
  return isSound;
}

const DUPLICATE_KEY = 'this key stands twice in the same mapping';

const ABOUT_FORBIDDEN: ReadonlySet<YAMLError['code']> = new Set([
  'ALIAS_PROPS',
  'BAD_ALIAS',
  'MULTIPLE_ANCHORS',
  'MULTIPLE_TAGS',
  'TAG_RESOLVE_FAILED',
] as const);

const SENTENCES: Partial<Record<YAMLError['code'], string>> = {
  BAD_INDENT: 'the indentation does not fit what stands above',
  BAD_SCALAR_START: 'a plain value cannot start with this character: put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a mapping cannot start here: is a quote, a bracket or a line break missing?',
  MISSING_CHAR: 'a character is missing: a closing quote or bracket, a comma, or the space after a colon',
  MULTILINE_IMPLICIT_KEY: 'a key must stand on one line; is a colon missing?',
  NON_STRING_KEY: 'a key must be a string',
  RESOURCE_EXHAUSTION: 'nested too deeply',
  TAB_AS_INDENT: 'a tab cannot indent',
  UNEXPECTED_TOKEN: 'this is not expected here',
};

function sentenceOf(error: YAMLError): string {
  return SENTENCES[error.code] ?? `not valid YAML (${error.code})`;
}
