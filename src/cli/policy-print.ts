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
  /** One line that the next one overwrites, null to take it away; nothing unless a person watches standard error. */
  progress(text: string | null): void;
  /** A fresh screen; nothing unless a person watches standard output. */
  clear(): void;
}

export interface PolicyPrinterDeps {
  readonly stdout: TextStream;
  readonly stderr: TextStream;
  readonly isTerminal: boolean;
}

export function createPolicyPrinter({ stdout, stderr, isTerminal }: PolicyPrinterDeps): PolicyPrinter {
  const paint = (open: number, close: number) => (text: string) =>
    isTerminal ? `\u001B[${open}m${text}\u001B[${close}m` : text;
  let hasProgress = false;
  return {
    out: (text) => void stdout.write(`${text}\n`),
    err: (text) => void stderr.write(`${text}\n`),
    red: paint(31, 39),
    green: paint(32, 39),
    yellow: paint(33, 39),
    dim: paint(2, 22),
    progress(text) {
      if (stderr.isTTY !== true || (text === null && !hasProgress)) return;
      hasProgress = text !== null;
      stderr.write(`\r\u001B[2K${text ?? ''}`);
    },
    clear() {
      if (stdout.isTTY === true) stdout.write('\u001B[2J\u001B[3J\u001B[H');
    },
  };
}

export function printPolicyProblems(problems: readonly PolicyProblem[], printer: PolicyPrinter): void {
  for (const problem of problems) printer.err(problemText(problem, printer.red('error: ')));
  if (problems.length > 0) printer.err(problems.length === 1 ? 'one problem' : `${problems.length} problems`);
}

/** `file:line:column: message`, and the line with a caret under the column where there is one. */
export function problemText(problem: PolicyProblem, label: string): string {
  const { file, line, column, message, excerpt } = problem;
  const head = `${printable(file)}:${line}:${column}: ${label}${printable(message)}`;
  if (excerpt === null) return head;
  const shown = window(excerpt, column - 1);
  const number = String(line);
  const margin = ' '.repeat(number.length);
  return `${head}\n  ${number} | ${shown.text}\n  ${margin} | ${' '.repeat(shown.caret)}^`;
}

const MAX_WIDTH = 120;
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu;

/** A long line is cut around the caret; what could move the caret or the cursor becomes a space. */
function window(line: string, caret: number): { readonly text: string; readonly caret: number } {
  const shown = printable(line);
  if (shown.length <= MAX_WIDTH) return { text: shown, caret };
  const start = Math.max(0, Math.min(caret - 40, shown.length - MAX_WIDTH));
  return { text: shown.slice(start, start + MAX_WIDTH), caret: caret - start };
}

/** Author's or client's text on one line of a terminal: nothing in it moves the cursor. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, ' ');
}

export function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}
