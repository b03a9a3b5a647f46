// What the tests of a policy set reach: rule by rule, and the guards, allowances and safe routes. Prints the table of
// `postern policy test --coverage` and finds what no test reaches. Not hot.
import type { PartCoverage } from '#policy/policy-test-parts.ts';
import { type PolicyProblem, problemAt, problemOfFile } from '#policy/problem.ts';
import type { RuleCoverage, TestReport } from '#policy/run-policy-tests.ts';
import type { PolicyPrinter } from './policy-print.ts';
import type { PolicySetWithTests } from './policy-sets.ts';

export interface SetCoverage {
  /** In file and document order; rules that no test reaches included. */
  readonly rules: readonly (RuleCoverage & { readonly id: string })[];
  readonly parts: readonly PartCoverage[];
}

const NONE: RuleCoverage = Object.freeze({ reached: 0, denied: 0, spared: 0, passedOver: 0 });

export function coverageOf(
  { documents }: PolicySetWithTests,
  report: TestReport,
  parts: readonly PartCoverage[],
): SetCoverage {
  const rules = documents.rules.map(({ draft: { id } }) => ({ id, ...(report.coverage.get(id) ?? NONE) }));
  return { rules, parts };
}

/** In file and document order of rules, then guards, allowances, safe routes. */
export function unreachedOf(
  { name, documents }: PolicySetWithTests,
  coverage: SetCoverage,
): readonly PolicyProblem[] {
  const places = new Map(documents.rules.map(({ draft, at }) => [draft.id, at]));
  const rules = coverage.rules.flatMap(({ id, reached }) => {
    const at = places.get(id);
    return reached > 0 || at === undefined ? [] : [problemAt(at, `no test reaches the rule ${id}`)];
  });
  const parts = coverage.parts.flatMap((part) => {
    const message = `no test reaches the ${part.kind} ${part.name}`;
    if (part.reached > 0) return [];
    return [part.at === null ? problemOfFile(name, message) : problemAt(part.at, message)];
  });
  return [...rules, ...parts];
}

const COLUMNS = ['reached', 'denied', 'spared', 'passed over'] as const;

export function printCoverage(name: string, { rules, parts }: SetCoverage, printer: PolicyPrinter): void {
  printer.out(`${name}: coverage, in requests`);
  printer.out(`  ${COLUMNS.join('  ')}  rule`);
  for (const { id, reached, denied, spared, passedOver } of rules) {
    const counts = [reached, denied, spared, passedOver].map((count, i) => {
      return String(count).padStart(COLUMNS[i]?.length ?? 0);
    });
    const line = `  ${counts.join('  ')}  ${id}`;
    printer.out(reached === 0 ? printer.yellow(`${line}: no test reaches it`) : line);
  }
  for (const { kind, name: part, reached } of parts) {
    const line = `  ${String(reached).padStart(COLUMNS[0].length)}  ${kind} ${part}`;
    printer.out(reached === 0 ? printer.yellow(`${line}: no test reaches it`) : line);
  }
  printer.out(printer.dim('  spared: lifted by the grant, or narrowed away by `when`'));
  printer.out(printer.dim('  passed over: an earlier rule was reported, or the rule is in shadow mode'));
}
