// What the lint has to say about a set, and where. Findings are no errors: the set is valid and would be loaded.
// Messages quote the author's own text. Cold.
import { compare, type PolicyProblem, type Position, problemAt } from '../problem.ts';

export const CHECKS = [
  'shadowed-rule',
  'unreachable-path',
  'unknown-method',
  'version-sibling',
  'missing-category',
  'confusing-id',
  'deep-start',
  'shadow-mode-only',
] as const;
export type Check = (typeof CHECKS)[number];

export interface Finding extends PolicyProblem {
  readonly check: Check;
  /** `warning`: the set hardly means what it says. `note`: worth a look. */
  readonly severity: 'warning' | 'note';
}

export function findingAt(
  position: Position,
  { check, severity, message }: Pick<Finding, 'check' | 'severity' | 'message'>,
): Finding {
  return { ...problemAt(position, message), check, severity };
}

/** By file, line, column, check, message. */
export function sortFindings(findings: readonly Finding[]): readonly Finding[] {
  return findings.toSorted(
    (a, b) =>
      compare(a.file, b.file) ||
      a.line - b.line ||
      a.column - b.column ||
      compare(a.check, b.check) ||
      compare(a.message, b.message),
  );
}
