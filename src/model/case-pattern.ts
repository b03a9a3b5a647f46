// What a support case's reference may look like, and which two are the same. A pattern is configured by somebody, so it is
// only as much of a regular expression as cannot be made to run for long. Attack: `([0-9]+)+x` on a long text stops the
// process. Pure, and cold but for `caseKey`: compiled when it is set or read, run when a grant, a request or a session
// names a case.

export const MAX_CASE_PATTERN_CHARS = 128;
/** What a reference may hold at most: the pattern is run on nothing longer. */
export const MAX_CASE_REF_CHARS = 128;

const MAX_ALTERNATIVES = 8;
/** Each one multiplies the work by the length of the text: three are a few hundred thousand steps at the worst. */
const MAX_OPEN_REPEATS = 3;

/** A letter, an escaped character or a class. No groups, references, look-around, dot or class within a class. */
const ATOM = String.raw`(?:[A-Za-z0-9 _:#/@~=,;%&!-]|\\[dw.\\/+*?()[\]{}|^$-]|\[(?:[A-Za-z0-9 _.:#/@~=,;%&!]-[A-Za-z0-9]|[A-Za-z0-9 _.:#/@~=,;%&!]|\\[dw.\\/+*?()[\]{}|^$-])+-?\])`;
const REPEAT = String.raw`(?:[?+*]|\{[0-9]{1,3}(?:,[0-9]{0,3})?\})?`;
const PIECES = new RegExp(`^(?:${ATOM}${REPEAT})+$`);
const PIECE = new RegExp(`${ATOM}(${REPEAT})`, 'g');

/** What may be written, for whoever wrote something else. */
export const CASE_PATTERN_FORM =
  'letters, digits, classes such as [A-Z0-9], \\d, \\w, alternatives with |, and the repeats {n}, {n,m}, ?, + and *, of which at most three of no fixed length stand in an alternative';

/** Matches the whole of a text; null where the pattern is not of the safe kind. Never throws. */
export function caseRefMatcher(pattern: string): RegExp | null {
  if (pattern === '' || pattern.length > MAX_CASE_PATTERN_CHARS) return null;
  const alternatives = alternativesOf(pattern);
  if (alternatives.length > MAX_ALTERNATIVES || !alternatives.every(isSafe)) return null;
  try {
    return new RegExp(`^(?:${pattern})$`, 'u');
  } catch {
    // Such as a range that runs backwards, or a repeat of at least more than at most.
    return null;
  }
}

/** Never true of a longer text than a reference may be. */
export function isCaseRef(matcher: RegExp, text: string): boolean {
  return text.length <= MAX_CASE_REF_CHARS && matcher.test(text);
}

/** Split at bars that are neither escaped nor within a class: in a class they must be escaped. */
function alternativesOf(pattern: string): readonly string[] {
  return pattern.split(/(?<!\\)\|/);
}

function isSafe(alternative: string): boolean {
  if (!PIECES.test(alternative)) return false;
  let open = 0;
  for (const [, repeat = ''] of alternative.matchAll(PIECE)) {
    if (repeat !== '' && !/^\{[0-9]+\}$/.test(repeat)) open += 1;
  }
  return open <= MAX_OPEN_REPEATS;
}

/** One case, however it is written. Attack: another spelling of it, where whoever enters writes it, walks around the lock. */
export function caseKey(caseRef: string): string {
  return caseRef.trim().toLowerCase();
}
