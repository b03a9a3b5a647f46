// Readings: one path as the trie walks it, with every alternative of each segment (P6). A wide reading holds
// each segment folded, without its parameters, without trailing dots and spaces, and where it may be the last
// one without a format suffix; a narrow one holds the bytes. Hot: one scratch object per policy, reused.
import { decodeStrict, foldText } from './fold.ts';

/**
 * Alternatives of one segment at most: whole and cut at `;`, each bare and trimmed; these two without their suffix, and what
 * was before the suffix unfolded, all three bare and trimmed. One more would be written over those of the next segment.
 */
export const MAX_ALTERNATIVES = 10;

const SLASH = 0x2f;
const PERCENT = 0x25;
const SEMICOLON = 0x3b;
const DOT = 0x2e;
const SPACE = 0x20;

/** The alternatives of segment `i` stand at `alternatives[i * MAX_ALTERNATIVES + k]`, k < `counts[i]`. */
export class Reading {
  readonly alternatives: string[] = [];
  readonly counts: number[] = [];
  /** Whether an application may see no segment here at all (`;x`, `%20`, `...`). */
  readonly skippable: boolean[] = [];
  /** Whether there is a segment for `*` to match; false for the empty one after a narrow trailing slash. */
  readonly present: boolean[] = [];
  length = 0;
  /** Without what a suffix is to those who do not fold, where that is another one; counts where suffixes count. */
  readonly bares: (string | null)[] = [];
  /** Format suffixes that were taken off, without their dot, of which the first `formatCount` are of this path. */
  readonly formats: string[] = [];
  formatCount = 0;
}

/** False when the path is not canonical, which the target parser rules out: then it must be refused. */
export function readWide(path: string, into: Reading): boolean {
  into.length = 0;
  const text = lowerAscii(path);
  let start = 1;
  while (start <= text.length) {
    let end = start;
    let encoded = false;
    let plain = true;
    for (; end < text.length; end++) {
      const code = text.charCodeAt(end);
      if (code === SLASH) break;
      if (code === PERCENT) encoded = true;
      else if (code === SEMICOLON || code > 0x7e) plain = false;
    }
    const segment = text.slice(start, end);
    if (encoded || !plain) {
      // The bytes of a lower-cased escape are the same; what they decode to is folded below.
      const decoded = decodeStrict(segment);
      if (decoded === null) return false;
      addFolded(into, decoded);
    } else if (segment !== '') addWide(into, segment);
    start = end + 1;
  }
  addSuffixes(into);
  return true;
}

/** Segments that were decoded elsewhere, not folded. */
export function readDecoded(segments: readonly string[], into: Reading): void {
  into.length = 0;
  for (const segment of segments) addFolded(into, segment);
  addSuffixes(into);
}

/** The exact bytes of the canonical path; a trailing slash is a last, empty segment. */
export function readNarrow(path: string, into: Reading): void {
  into.length = 0;
  let start = 1;
  while (start <= path.length) {
    const slash = path.indexOf('/', start);
    const end = slash === -1 ? path.length : slash;
    const i = into.length++;
    into.alternatives[i * MAX_ALTERNATIVES] = path.slice(start, end);
    into.counts[i] = 1;
    into.skippable[i] = false;
    into.present[i] = end > start;
    start = end + 1;
  }
}

function lowerAscii(path: string): string {
  for (let i = 0; i < path.length; i++) {
    const code = path.charCodeAt(i);
    if (code >= 0x41 && code <= 0x5a) return path.toLowerCase();
  }
  return path;
}

/** Folding can make dots: who looks for a format before it folds, or never does, cuts at the last dot that was there. */
function addFolded(into: Reading, decoded: string): void {
  const folded = foldText(decoded);
  addWide(into, folded);
  const dot = decoded.lastIndexOf('.');
  if (dot === -1 || dot === decoded.length - 1) return;
  const bare = foldText(decoded.slice(0, dot));
  if (bare.length !== folded.lastIndexOf('.')) into.bares[into.length - 1] = bare;
}

function addWide(into: Reading, folded: string): void {
  const i = into.length++;
  into.bares[i] = null;
  into.alternatives[i * MAX_ALTERNATIVES] = folded;
  into.counts[i] = 1;
  into.skippable[i] = folded === '';
  into.present[i] = true;
  addTrimmed(into, i, folded);
  const cut = folded.indexOf(';');
  if (cut === -1) return;
  const whole = folded.slice(0, cut);
  addAlternative(into, i, whole);
  addTrimmed(into, i, whole);
}

function addTrimmed(into: Reading, i: number, text: string): void {
  let end = text.length;
  while (end > 0 && isDotOrSpace(text.charCodeAt(end - 1))) end--;
  if (end !== text.length) addAlternative(into, i, text.slice(0, end));
}

function isDotOrSpace(code: number): boolean {
  return code === DOT || code === SPACE;
}

function addAlternative(into: Reading, i: number, text: string): void {
  if (text === '') {
    into.skippable[i] = true;
    return;
  }
  // Hardly ever there already, and then it costs the walk one look-up.
  const count = into.counts[i] as number;
  into.alternatives[i * MAX_ALTERNATIVES + count] = text;
  into.counts[i] = count + 1;
}

/** On the last segment, and on those after which everything may be invisible. */
function addSuffixes(into: Reading): void {
  into.formatCount = 0;
  for (let i = into.length - 1; i >= 0; i--) {
    const before = into.counts[i] as number;
    const maySkip = into.skippable[i] as boolean;
    for (let k = 0; k < before; k++) {
      const text = into.alternatives[i * MAX_ALTERNATIVES + k] as string;
      const end = suffixStart(text);
      if (end === -1) continue;
      into.formats[into.formatCount++] = text.slice(end + 1);
      const whole = text.slice(0, end);
      addAlternative(into, i, whole);
      addTrimmed(into, i, whole);
    }
    const bare = into.bares[i] as string | null;
    if (bare !== null) {
      addAlternative(into, i, bare);
      addTrimmed(into, i, bare);
    }
    if (!maySkip) return;
  }
}

/**
 * Where a format suffix starts; -1 when there is none. Rails takes `[^/.?]+` behind a dot for one, of any length. Those
 * that hold a `;` or end with a space are found without them: the segment is cut there, which is an alternative too.
 */
function suffixStart(text: string): number {
  const dot = text.lastIndexOf('.');
  if (dot === -1 || dot === text.length - 1 || text.charCodeAt(text.length - 1) === SPACE) return -1;
  return text.indexOf(';', dot) === -1 ? dot : -1;
}
