// How much an operation looks like one that support should not have: the arithmetic over vocabulary.ts.
// Each hint is a probability; hints of one category add up as independent ones do, 1 - (1-p)(1-q)…, so that many weak
// hints come near a strong one and no number of them passes 100. Knows nothing of any product. Cold.
import type { ApiOperation } from '../openapi-operation.ts';
import { hintsOfFields, hintsOfFiles } from './hints-of-answers.ts';
import { hintsOfNames } from './hints-of-names.ts';
import { CATEGORIES } from './vocabulary.ts';

/** One reason for a suspicion. */
export interface Hint {
  readonly category: string;
  /** 0 to 100, after everything that weighs it down. */
  readonly points: number;
  /** The words as found: `reset password`. */
  readonly words: string;
  /** Where: `path`, `operationId`, `summary`, `answer field` and so on. */
  readonly place: string;
}

export interface Suspicion {
  readonly category: string;
  /** 0 to 100, whole. */
  readonly score: number;
  /** The strongest first; at least one. */
  readonly hints: readonly Hint[];
}

/** From here on an operation is suspicious rather than harmless. docs/policy-lint.md says how it was chosen. */
export const DEFAULT_MIN_SCORE = 40;

/** What hints of other categories add to the strongest one: they are about the same operation, not about the same harm. */
const OTHERS = 0.5;

/** Over all categories, 0 to 100, whole: the strongest in full, the others by half. What operations are ranked by. */
export function scoreOf(suspicions: readonly Suspicion[]): number {
  const scores = suspicions.map(({ score }, i) => (i === 0 ? score : score * OTHERS));
  return Math.round(combined(scores));
}

/** One per category with any hint, the highest score first. Empty: nothing is suspected. */
export function suspicionsOf(operation: ApiOperation): readonly Suspicion[] {
  const hints = [...hintsOfNames(operation), ...hintsOfFields(operation), ...hintsOfFiles(operation)];
  const suspicions = CATEGORIES.flatMap(({ category }): Suspicion[] => {
    const ours = hints.filter((hint) => hint.category === category && hint.points > 0);
    if (ours.length === 0) return [];
    const sorted = ours.toSorted((a, b) => b.points - a.points);
    const score = Math.round(combined(sorted.map(({ points }) => points)));
    return [{ category, score, hints: sorted }];
  });
  return suspicions.toSorted((a, b) => b.score - a.score);
}

/** 1 - (1-p)(1-q)…, in points of 100. */
function combined(points: readonly number[]): number {
  return 100 * (1 - points.reduce((doubt, one) => doubt * (1 - one / 100), 1));
}
