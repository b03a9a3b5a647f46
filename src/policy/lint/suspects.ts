// The operations that a set leaves open and that look like what support should not have, each with its reasons and a
// rule that would close it. Guarantees: the highest score first, ties in the document's order. Cold.
import type { OperationDecision } from './operation-decisions.ts';
import { suggestRule, type SuggestedRule } from './suggestion.ts';
import { scoreOf, type Suspicion, suspicionsOf } from './suspicion.ts';

export interface Suspect {
  /** `allow` or `conditional`. */
  readonly decision: OperationDecision;
  /** 1 to 100. */
  readonly score: number;
  /** The strongest first; at least one. Of a conditional one without the category that a rule stops already. */
  readonly suspicions: readonly Suspicion[];
  /** Null where no pattern can name the path. */
  readonly rule: SuggestedRule | null;
}

/** `taken` are the ids of the set; the suggested ones are added. */
export function findSuspects(
  decisions: readonly OperationDecision[],
  taken: Set<string>,
): readonly Suspect[] {
  const ranked = decisions
    .filter(({ decision }) => decision !== 'deny')
    .map((decision) => {
      const suspicions = suspicionsOf(decision.operation).filter(
        ({ category }) => category !== decision.category,
      );
      return { decision, suspicions, score: scoreOf(suspicions) };
    })
    .filter(({ score }) => score > 0)
    .toSorted((a, b) => b.score - a.score);
  return ranked.map(({ decision, suspicions, score }) => {
    const category = suspicions[0]?.category ?? 'sensitive';
    return { decision, suspicions, score, rule: suggestRule(decision.operation, category, taken) };
  });
}
