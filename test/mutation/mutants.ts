// All mutants of one file, in order of the text, each with the code to run. A mutant is named by what a reader can
// find again: the function, the line's text, what stood there and what stands there now.
import { loopGuards, type Insertion } from './loop-guards.ts';
import { changesOf } from './operators.ts';
import { childrenOf, nameOf, parseSource, type SyntaxNode } from './source-tree.ts';

export interface Mutant {
  /** Relative to the project. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The enclosing function or method; `(file)` outside of any. */
  readonly within: string;
  /** The line, trimmed. */
  readonly lineText: string;
  /** `original → mutant`, white space as single spaces; `#2` and so on where the same stands twice on a line. */
  readonly change: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

export interface MutantFile {
  readonly mutants: readonly Mutant[];
  /** The whole file with loop guards, and with the mutant where there is one. */
  codeOf(mutant: Mutant | null): string;
}

const NAMING: ReadonlySet<string> = new Set(['FunctionDeclaration', 'MethodDefinition']);

/** Throws for a file that does not parse. Mutants that do not parse are left out. */
export function mutantsOf(file: string, source: string): MutantFile {
  const program = parseSource(file, source);
  if (program === null) throw new Error(`${file} does not parse`);
  const guards = loopGuards(program);
  const mutants: Mutant[] = [];
  const seen = new Map<string, number>();
  const visit = (node: SyntaxNode, within: string): void => {
    const name = NAMING.has(node.type) ? (nameOf(node) ?? within) : within;
    for (const { start, end, text, shown } of changesOf(node, source)) {
      if (parseSource(file, source.slice(0, start) + text + source.slice(end)) === null) continue;
      const { line, lineText } = lineAt(source, start);
      const change = `${source.slice(start, end)} → ${shown}`.replaceAll(/\s+/g, ' ');
      const key = JSON.stringify([name, lineText, change]);
      const times = (seen.get(key) ?? 0) + 1;
      seen.set(key, times);
      const numbered = times === 1 ? change : `${change} #${times}`;
      mutants.push({ file, line, within: name, lineText, change: numbered, start, end, text });
    }
    for (const child of childrenOf(node)) visit(child, name);
  };
  visit(program, '(file)');
  return { mutants, codeOf: (mutant) => guarded(source, guards, mutant) };
}

function lineAt(source: string, at: number): { line: number; lineText: string } {
  const before = source.slice(0, at).split('\n');
  const line = before.length;
  return { line, lineText: (source.split('\n')[line - 1] as string).trim() };
}

function guarded(source: string, guards: readonly Insertion[], mutant: Mutant | null): string {
  if (mutant === null) return inserted(source, 0, source.length, guards);
  const { start, end, text } = mutant;
  // A loop within what is replaced goes without a guard: it would stand within a function given as an argument.
  const before = guards.filter(({ at }) => at <= start);
  const after = guards.filter(({ at }) => at >= end);
  return `${inserted(source, 0, start, before)}${text}${inserted(source, end, source.length, after)}`;
}

function inserted(source: string, from: number, to: number, insertions: readonly Insertion[]): string {
  let text = '';
  let at = from;
  for (const insertion of insertions) {
    text += source.slice(at, insertion.at) + insertion.text;
    at = insertion.at;
  }
  return text + source.slice(at, to);
}
