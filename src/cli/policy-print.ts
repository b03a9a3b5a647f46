// How the policy commands print: problems with a caret under the column, colours only on a terminal.
// A policy's own text reaches the screen without control characters, escapes included. Not hot.
import type { PolicyProblem } from '#policy/problem.ts';
import type { TextStream } from './terminal.ts';

export interface PolicyPrinter {
  /** The answer; a line break is added. */
  out(text: string): void;
  /** Everything that is not the answer. */
  err(text: string): void;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  dim(text: string): string;
}

export interface PolicyPrinterDeps {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly isTerminal: boolean;
}

export function createPolicyPrinter({ stdout, stderr, isTerminal }: PolicyPrinterDeps): PolicyPrinter {
  const paint = (open: number, close: number) => (text: string) =>
    isTerminal ? `\u001B[${open}m${text}\u001B[${close}m` : text;
  return {
    out: (text) => void stdout.write(`${text}\n`),
    err: (text) => void stderr.write(`${text}\n`),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    dim: paint(2, 22),
  };
}

export function printPolicyProblems(problems: readonly PolicyProblem[], printer: PolicyPrinter): void {
  for (const problem of problems) printer.err(problemText(problem, printer.red('error: ')));
  if (problems.length > 0) printer.err(problems.length === 1 ? 'one problem' : `${problems.length} problems`);
}

/** `file:line:column: message`, and the line with a caret under the column where there is one. */
export function problemText(problem: PolicyProblem, label: string): string {
  const { file, line, column, message, excerpt } = problem;
  const head = `${file}:${line}:${column}: ${label}${message}`;
  if (excerpt === null) return head;
  const shown = window(excerpt, column - 1);
  const number = String(line);
  const margin = ' '.repeat(number.length);
  return `${head}\n  ${number} | ${shown.text}\n  ${margin} | ${' '.repeat(shown.caret)}^`;
}

const MAX_WIDTH = 120;

/** A long line is cut around the caret; what could move the caret or the cursor becomes a space. */
function window(line: string, caret: number): { readonly text: string; readonly caret: number } {
  const printable = line.replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, ' ');
  if (printable.length <= MAX_WIDTH) return { text: printable, caret };
  const start = Math.max(0, Math.min(caret - 40, printable.length - MAX_WIDTH));
  return { text: printable.slice(start, start + MAX_WIDTH), caret: caret - start };
}
