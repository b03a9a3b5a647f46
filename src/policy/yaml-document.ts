// Text → YAML documents with the offset of every node, strictly: no anchors, aliases, tags, merges, directives or
// duplicate keys; several documents per file. Nothing is turned into plain objects, so no key can be hostile. Cold.
import {
  type Document,
  isScalar,
  LineCounter,
  parseAllDocuments,
  type ParsedNode,
  visit,
  type YAMLError,
} from 'yaml';
import { type PolicyProblem, type Position, problemAt } from './problem.ts';
import { type GuardFinding, inspectYaml } from './yaml-guard.ts';

/** One file while it is read: where offsets lie, and what was found wrong so far. */
export interface FileReader {
  readonly file: string;
  readonly problems: PolicyProblem[];
  positionAt(offset: number): Position;
}

export function createFileReader(file: string, text: string): FileReader {
  const lines = new LineCounter();
  for (let at = -1; (at = text.indexOf('\n', at + 1)) !== -1; ) lines.addNewLine(at + 1);
  lines.lineStarts.unshift(0);
  return {
    file,
    problems: [],
    positionAt(offset) {
      const { line, col } = lines.linePos(offset);
      const start = lines.lineStarts[line - 1] ?? 0;
      const end = text.indexOf('\n', start);
      const excerpt = text.slice(start, end === -1 ? text.length : end).replace(/\r$/, '');
      return { file, line, column: col, excerpt };
    },
  };
}

export function report(reader: FileReader, offset: number, message: string): void {
  reader.problems.push(problemAt(reader.positionAt(offset), message));
}

/** The root nodes that can be read further; everything else is in `reader.problems`. */
export function readDocuments(reader: FileReader, text: string): readonly ParsedNode[] {
  const { hostile, forbidden } = inspectYaml(text);
  if (hostile !== null) {
    report(reader, hostile.offset, hostile.message);
    return [];
  }
  for (const { offset, message } of forbidden) report(reader, offset, message);
  const documents = parseStrictly(text);
  if (documents === null) {
    report(reader, 0, 'nested too deeply');
    return [];
  }
  if (documents.length === 0) report(reader, 0, 'the file holds no document');
  const roots: ParsedNode[] = [];
  for (const document of documents) {
    const root = readRoot(reader, document, forbidden);
    if (root !== null) roots.push(root);
  }
  return roots;
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
  return reportMerges(reader, document) ? null : root;
}

/** The shape every parse has in common: YAML 1.2 core, nothing merged, keys that are strings and unique. */
function parseStrictly(text: string): readonly Document.Parsed[] | null {
  try {
    const documents = parseAllDocuments(text, {
      version: '1.2',
      schema: 'core',
      merge: false,
      strict: true,
      stringKeys: true,
      uniqueKeys: true,
      prettyErrors: false,
      logLevel: 'silent',
    });
    return 'empty' in documents ? [] : documents;
  } catch (error) {
    // The guard bounds nesting; should a shape slip past it, the parser's stack is where it ends.
    if (error instanceof RangeError) return null;
    throw error;
  }
}

/** Off in the parser's options, so that it would be an unknown key; said plainly instead. */
function reportMerges(reader: FileReader, document: Document.Parsed): boolean {
  let found = false;
  visit(document, {
    Pair(_key, pair) {
      if (!isScalar(pair.key) || pair.key.value !== '<<') return;
      found = true;
      const message = 'a merge key (`<<`) is not allowed: write the keys out';
      report(reader, pair.key.range?.[0] ?? 0, message);
    },
  });
  return found;
}

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
  DUPLICATE_KEY: 'this key stands twice in the same mapping',
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
