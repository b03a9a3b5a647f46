// What is wrong with a policy file, and exactly where. All problems of a load are told together, sorted.
// Cold. Messages quote the author's own text, never a value from a request or a secret.

export interface PolicyProblem {
  /** As it was named to the loader. */
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1, in UTF-16 units. */
  readonly column: number;
  readonly message: string;
  /** The line itself, for a caret under the column; null where there is none (a missing file). */
  readonly excerpt: string | null;
}

/** Where something was written, so that a later check can point at it. */
export type Position = Omit<PolicyProblem, 'message'>;

export function problemAt(position: Position, message: string): PolicyProblem {
  const { file, line, column, excerpt } = position;
  return { file, line, column, message: visible(message), excerpt };
}

export function problemOfFile(file: string, message: string): PolicyProblem {
  return { file, line: 1, column: 1, message: visible(message), excerpt: null };
}

/** The text of a file holds none of them, but the escapes of a quoted value can: a report must not steer a terminal. */
const STEERING = /[\p{Cc}\u2028-\u202e\u2066-\u2069\ufeff]/gu;

/** A name of the author's may be as long as the file; what is wrong with it stands behind it, so the middle is left out. */
const MESSAGE_CHARS = 500;
const HEAD_CHARS = 300;

function visible(message: string): string {
  if (message.length <= MESSAGE_CHARS) return plain(message);
  const tail = message.slice(HEAD_CHARS - MESSAGE_CHARS);
  // Half of a character beyond U+FFFF is none.
  return plain(`${message.slice(0, HEAD_CHARS)} … ${tail}`.toWellFormed());
}

function plain(text: string): string {
  return text.replace(STEERING, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** By file, line, column, message; exact repetitions once. */
export function sortProblems(problems: readonly PolicyProblem[]): readonly PolicyProblem[] {
  const sorted = problems.toSorted(
    (a, b) =>
      compare(a.file, b.file) || a.line - b.line || a.column - b.column || compare(a.message, b.message),
  );
  return sorted.filter((problem, i) => {
    const before = sorted[i - 1];
    return (
      before === undefined ||
      before.file !== problem.file ||
      before.line !== problem.line ||
      before.column !== problem.column ||
      before.message !== problem.message
    );
  });
}

/** By code unit: the same order on every machine, whatever its locale. */
export function compare(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** `; did you mean "paths"?`, or nothing when no known word is near. */
export function suggestion(word: string, known: readonly string[]): string {
  let best: string | null = null;
  let least = Math.max(1, Math.min(3, Math.floor(word.length / 2))) + 1;
  // Nothing longer is a typing error, and the distance costs the product of both lengths.
  if (word.length > 40) return '';
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance >= least) continue;
    least = distance;
    best = candidate;
  }
  return best === null ? '' : `; did you mean ${JSON.stringify(best)}?`;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = (previous[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, (previous[j] as number) + 1, (row[j - 1] as number) + 1));
    }
    previous = row;
  }
  return previous[b.length] as number;
}
