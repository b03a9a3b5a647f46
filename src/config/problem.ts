// What is wrong in a configuration file: where, why, and the lines to show. Pure and cold.
// Assumes that whoever makes a problem keeps secret values out of its message; excerpts are masked here by range.

export interface Problem {
  /** As the person named the file. */
  readonly file: string;
  /** Both from 1; the column counts UTF-16 code units. */
  readonly line: number;
  readonly column: number;
  /** JSON Pointer (RFC 6901) of the value; empty for the whole file. */
  readonly pointer: string;
  /** One line without a final full stop. */
  readonly message: string;
  /** The line, sanitised, secrets masked, and a line of carets below it; null when the file has no such line. */
  readonly excerpt: string | null;
}

/** A half-open range of offsets in the text. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** By place, then by message; the same problem twice is said once. */
export function sortProblems<T extends Problem>(problems: readonly T[]): readonly T[] {
  const sorted = problems.toSorted(
    (a, b) =>
      a.line - b.line || a.column - b.column || (a.message < b.message ? -1 : Number(a.message > b.message)),
  );
  return sorted.filter((one, index) => {
    const before = sorted[index - 1];
    return (
      before === undefined ||
      before.line !== one.line ||
      before.column !== one.column ||
      before.message !== one.message
    );
  });
}

/** `file:line:column: message`, then the excerpt, for each; ready for a terminal, without a final line break. */
export function formatProblems(problems: readonly Problem[]): string {
  return problems
    .map((one) => {
      const head = `${one.file}:${one.line}:${one.column}: ${one.message}`;
      return one.excerpt === null ? head : `${head}\n${one.excerpt}`;
    })
    .join('\n');
}

const MAX_QUOTED = 60;

/** A value from outside for use in a message: quoted, made visible, capped, without user information. Never for secrets. */
export function quoted(value: unknown): string {
  const raw = typeof value === 'string' ? value : (JSON.stringify(value) ?? 'nothing');
  const text = visible(raw.replace(/\/\/[^/\s]*@/g, '//***@'));
  const short = text.length > MAX_QUOTED ? `${text.slice(0, MAX_QUOTED)}…` : text;
  return typeof value === 'string' ? `"${short}"` : short;
}

/** Each control, format, bidirectional or lone surrogate character becomes one visible replacement: no log injection. */
export function visible(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (found) => '\uFFFD'.repeat(found.length));
}

const MAX_WIDTH = 100;

export interface ExcerptPlace {
  readonly text: string;
  readonly lineStart: number;
  readonly line: number;
  readonly span: Span;
  /** Ranges that must not be shown. */
  readonly masks: readonly Span[];
}

/** The line around `span` with carets below what is meant; a long line is cut around it. */
export function excerptAt(place: ExcerptPlace): string {
  const { text, lineStart, span } = place;
  const newline = text.indexOf('\n', lineStart);
  const lineEnd = newline === -1 ? text.length : newline;
  // Cut first: a line may be as long as the file, and there may be as many masks as values.
  const start = Math.max(lineStart, span.start - MAX_WIDTH / 2);
  const end = Math.min(lineEnd, start + MAX_WIDTH);
  let shown = text.slice(start, end);
  for (const mask of place.masks) {
    const from = Math.max(mask.start - start, 0);
    const to = Math.min(mask.end, end) - start;
    if (from < to) shown = shown.slice(0, from) + '*'.repeat(to - from) + shown.slice(to);
  }
  shown = visible(shown.replace(/\r$/, '').replaceAll('\t', ' '));
  const width = Math.max(1, Math.min(span.end, end) - span.start);
  const carets = `${' '.repeat(span.start - start)}${'^'.repeat(width)}`;
  return `${String(place.line).padStart(5)} | ${shown.trimEnd()}\n      | ${carets}`;
}
