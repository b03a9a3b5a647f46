// Whether everything that one pattern, match or rule stops is stopped by another too. Answers yes only where that is
// certain, so that a warning built on it is no false alarm; a no may be a yes that was too hard to see. Cold.
import { foldText } from '../fold.ts';
import { type Glob, globMatches, sameGlob } from '../glob.ts';
import type { Segment } from '../pattern.ts';
import { foldName } from '../query.ts';
import type { MatchDraft, QueryDraft, RuleDraft } from '../rule-set.ts';

export function pathCovers(wide: readonly Segment[], narrow: readonly Segment[]): boolean {
  const known = new Map<number, boolean>();
  const from = (i: number, j: number): boolean => {
    const key = i * (narrow.length + 1) + j;
    let answer = known.get(key);
    if (answer === undefined) {
      answer = step(i, j);
      known.set(key, answer);
    }
    return answer;
  };
  const step = (i: number, j: number): boolean => {
    const a = wide[i];
    const b = narrow[j];
    if (a === undefined) return b === undefined;
    if (a.kind === 'deep') return from(i + 1, j) || (b !== undefined && from(i, j + 1));
    return b !== undefined && segmentCovers(a, b) && from(i + 1, j + 1);
  };
  return from(0, 0);
}

function segmentCovers(a: Segment, b: Segment): boolean {
  if (b.kind === 'deep' || a.kind === 'deep') return false;
  if (a.kind === 'any') return true;
  if (b.kind === 'any') return false;
  if (a.kind === 'literal') return b.kind === 'literal' && a.text === b.text;
  return b.kind === 'literal' ? globMatches(a.glob, b.text) : globCovers(a.glob, b.glob);
}

/** Beyond sameness only `pre*post`: what stands between its ends is free. */
function globCovers(a: Glob, b: Glob): boolean {
  if (sameGlob(a, b)) return true;
  return a.middle.length === 0 && b.prefix.startsWith(a.prefix) && b.suffix.endsWith(a.suffix);
}

/** Methods and conditions; not the paths. */
export function conditionsCover(wide: MatchDraft, narrow: MatchDraft): boolean {
  return (
    methodsCover(wide.methods, narrow.methods) &&
    wide.query.every((condition) => narrow.query.some((other) => queryCovers(condition, other))) &&
    (wide.body === null || same(wide.body, narrow.body))
  );
}

export function methodsCover(wide: readonly string[] | null, narrow: readonly string[] | null): boolean {
  if (wide === null) return true;
  if (narrow === null) return false;
  return narrow.every((method) => wide.includes(method) || (method === 'HEAD' && wide.includes('GET')));
}

function queryCovers(wide: QueryDraft, narrow: QueryDraft): boolean {
  if (foldName(wide.key) !== foldName(narrow.key)) return false;
  if (wide.values === null) return true;
  const values = new Set(wide.values.map(foldText));
  return narrow.values !== null && narrow.values.every((value) => values.has(foldText(value)));
}

/** Hosts, principals and what a grant may lift; not the matches. */
export function scopeCovers(wide: RuleDraft, narrow: RuleDraft): boolean {
  const { hosts } = wide;
  const hostsCovered =
    hosts === null || narrow.hosts?.names.every((name) => hosts.names.includes(name)) === true;
  const whenCovered = wide.when === null || same(wide.when, narrow.when);
  // What a grant lifts from the wider rule must be lifted from the narrower one as well.
  const liftCovered = !wide.liftable || (narrow.liftable && wide.category === narrow.category);
  return hostsCovered && whenCovered && liftCovered;
}

/** Drafts are plain data, built in one order. */
function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
