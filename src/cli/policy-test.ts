// `postern policy check` and `postern policy test`: whether the policies of a directory are well formed, and whether
// they decide as their tests say. Prints every problem and every failed case at once. Not hot.
import { type PolicyProblem, problemAt } from '#policy/problem.ts';
import {
  type ParseTarget,
  type RequestResult,
  runPolicyTests,
  type TestReport,
} from '#policy/run-policy-tests.ts';
import { COULD_NOT_BE_ASKED, DID_NOT_HOLD, HELD } from './exit-codes.ts';
import { type PolicyPrinter, printPolicyProblems, problemText } from './policy-print.ts';
import { loadPolicySets, type PolicySetWithTests } from './policy-sets.ts';

export interface CheckOptions {
  readonly directory: string;
  readonly json: boolean;
}

export async function checkPolicies(options: CheckOptions, printer: PolicyPrinter): Promise<number> {
  const { sets, problems } = await loadPolicySets(options.directory);
  const summaries = sets.map(({ name, policy, tests }) => ({
    name,
    rules: policy.ruleCount,
    tests: countRequests(tests),
    digest: policy.digest,
  }));
  if (options.json) {
    printer.out(JSON.stringify({ ok: problems.length === 0, problems, sets: summaries }, null, 2));
  } else {
    printPolicyProblems(problems, printer);
    for (const { name, rules, digest } of summaries) {
      printer.out(`${name}: ${counted(rules, 'rule')}, ${digest}`);
    }
  }
  return problems.length === 0 ? HELD : COULD_NOT_BE_ASKED;
}

export interface TestOptions extends CheckOptions {
  readonly filter: string | null;
}

export interface TestDeps {
  readonly printer: PolicyPrinter;
  readonly parseTarget: ParseTarget;
}

interface SetRun {
  readonly set: PolicySetWithTests;
  readonly report: TestReport;
  readonly warnings: readonly PolicyProblem[];
}

export async function testPolicies(options: TestOptions, deps: TestDeps): Promise<number> {
  const { sets, problems } = await loadPolicySets(options.directory);
  if (problems.length > 0) {
    if (options.json) deps.printer.out(JSON.stringify({ ok: false, problems }, null, 2));
    else printPolicyProblems(problems, deps.printer);
    return COULD_NOT_BE_ASKED;
  }
  const runs = sets.map((set): SetRun => {
    const { filter } = options;
    const run = { policy: set.policy, documents: set.tests, parseTarget: deps.parseTarget, filter };
    const report = runPolicyTests(run);
    // A part of the tests cannot show which rules none of them reaches.
    return { set, report, warnings: filter === null ? unreached(set, report) : [] };
  });
  const requests = sum(runs.map(({ report }) => report.results.length));
  const failed = sum(runs.map(({ report }) => report.failed));
  if (options.json) deps.printer.out(jsonOf(runs, requests, failed));
  else printRuns(runs, deps.printer);
  if (requests === 0) {
    const why = options.filter === null ? 'there are no tests' : 'no test matches the filter';
    deps.printer.err(`${options.directory}: ${why}`);
    return COULD_NOT_BE_ASKED;
  }
  return failed === 0 ? HELD : DID_NOT_HOLD;
}

function unreached(set: PolicySetWithTests, report: TestReport): readonly PolicyProblem[] {
  return set.rules
    .filter(({ draft }) => !report.reachedRules.has(draft.id))
    .map(({ draft, at }) => problemAt(at, `no test reaches the rule ${draft.id}`));
}

function printRuns(runs: readonly SetRun[], printer: PolicyPrinter): void {
  for (const { set, report, warnings } of runs) {
    for (const warning of warnings) printer.err(problemText(warning, printer.yellow('warning: ')));
    for (const result of report.results) if (!result.held) printer.out(failureText(result, printer));
    const { results, failed } = report;
    const held = `${results.length - failed} of ${counted(results.length, 'request')} decided as expected`;
    const shown = failed === 0 ? printer.green(held) : printer.red(held);
    printer.out(`${set.name}: ${shown}, ${counted(set.policy.ruleCount, 'rule')}`);
  }
}

function failureText(result: RequestResult, printer: PolicyPrinter): string {
  const { at, document, request, expected, actual } = result;
  const name = `${document}: ${result.case}`;
  return `${at.file}:${at.line}:${at.column}: ${printer.red('failed: ')}${name}
    ${request}
    expected ${expected}, but it is ${actual}`;
}

function jsonOf(runs: readonly SetRun[], requests: number, failed: number): string {
  const sets = runs.map(({ set, report, warnings }) => ({
    name: set.name,
    digest: set.policy.digest,
    rules: set.policy.ruleCount,
    unreachedRules: warnings.map(({ file, line, column, message }) => ({ file, line, column, message })),
    results: report.results.map(({ at, ...result }) => ({ ...result, file: at.file, line: at.line })),
  }));
  return JSON.stringify({ ok: failed === 0 && requests > 0, requests, failed, sets }, null, 2);
}

function countRequests(tests: PolicySetWithTests['tests']): number {
  return sum(tests.flatMap((test) => test.cases.map((one) => one.requests.length)));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

function counted(count: number, noun: string): string {
  return count === 1 ? `1 ${noun}` : `${count} ${noun}s`;
}
