// `postern policy test`: whether the policies of a directory decide as their tests say. Prints every failed request
// and everything that no test reaches; answers in JSON and JUnit XML too. Not hot.
import { writeFile } from 'node:fs/promises';
import type { ParseTarget } from '#policy/judge.ts';
import { createPartsCoverage } from '#policy/policy-test-parts.ts';
import type { PolicyProblem } from '#policy/problem.ts';
import { type RequestResult, runPolicyTests, type TestReport } from '#policy/run-policy-tests.ts';
import { COULD_NOT_BE_ASKED, DID_NOT_HOLD, HELD } from './exit-codes.ts';
import { coverageOf, printCoverage, type SetCoverage, unreachedOf } from './policy-coverage.ts';
import { junitXml } from './policy-junit.ts';
import { counted, type PolicyPrinter, printable, printPolicyProblems, problemText } from './policy-print.ts';
import { loadPolicySets, type PolicySetWithTests } from './policy-sets.ts';

export interface TestOptions {
  readonly directory: string;
  /** A piece of a document's or case's name, or of a request; null runs all. */
  readonly filter: string | null;
  readonly json: boolean;
  /** A file for JUnit XML; null: none. */
  readonly junit: string | null;
  readonly coverage: boolean;
  /** What no test reaches is an error, not a warning. */
  readonly strict: boolean;
}

export interface TestDeps {
  readonly printer: PolicyPrinter;
  readonly parseTarget: ParseTarget;
}

interface SetRun {
  readonly set: PolicySetWithTests;
  readonly report: TestReport;
  readonly coverage: SetCoverage;
  /** What no test reaches; empty where only some tests ran. */
  readonly unreached: readonly PolicyProblem[];
}

/** 0; 1 where a decision differs or, if strict, something is not reached; 2 without tests or with problems. */
export async function testPolicies(options: TestOptions, deps: TestDeps): Promise<number> {
  const { printer } = deps;
  if (options.strict && options.filter !== null) {
    printer.err('--strict needs every test, so it cannot stand beside --filter');
    return COULD_NOT_BE_ASKED;
  }
  const { sets, problems } = await loadPolicySets(options.directory);
  if (problems.length > 0) {
    if (options.json) printer.out(JSON.stringify({ ok: false, problems }, null, 2));
    else printPolicyProblems(problems, printer);
    return COULD_NOT_BE_ASKED;
  }
  const runs = await runSets(sets, options, deps);
  const totals = totalsOf(runs, options.strict);
  if (options.json) printer.out(jsonOf(runs, totals, options));
  else printRuns(runs, totals, options, printer);
  if (totals.requests === 0) {
    const why = options.filter === null ? 'there are no tests' : 'no test matches the filter';
    printer.err(`${options.directory}: ${why}`);
    return COULD_NOT_BE_ASKED;
  }
  if (options.junit !== null && !(await writeJunit(options.junit, runs, printer))) return COULD_NOT_BE_ASKED;
  return totals.ok ? HELD : DID_NOT_HOLD;
}

/** How many requests pass between two looks at the progress. */
const PROGRESS_STEP = 100;

async function runSets(
  sets: readonly PolicySetWithTests[],
  { filter }: TestOptions,
  { printer, parseTarget }: TestDeps,
): Promise<readonly SetRun[]> {
  const runs: SetRun[] = [];
  let done = 0;
  for (const set of sets) {
    const { policy, allowList, tests: documents } = set;
    const parts = createPartsCoverage(set.documents);
    const report = await runPolicyTests({
      policy,
      allowList,
      documents,
      parseTarget,
      filter,
      observe(judged) {
        parts.observe(judged);
        done += 1;
        if (done % PROGRESS_STEP === 0) printer.progress(`${counted(done, 'request')} judged, ${set.name}`);
      },
    });
    const coverage = coverageOf(set, report, parts.parts());
    // A part of the tests cannot show what none of them reaches.
    runs.push({ set, report, coverage, unreached: filter === null ? unreachedOf(set, coverage) : [] });
  }
  printer.progress(null);
  return runs;
}

interface Totals {
  readonly ok: boolean;
  readonly sets: number;
  readonly documents: number;
  readonly cases: number;
  readonly requests: number;
  readonly failed: number;
  readonly rules: number;
  readonly rulesReached: number;
  readonly unreached: number;
}

function totalsOf(runs: readonly SetRun[], strict: boolean): Totals {
  const sum = (of: (run: SetRun) => number): number => runs.reduce((total, run) => total + of(run), 0);
  const requests = sum(({ report }) => report.results.length);
  const failed = sum(({ report }) => report.failed);
  const unreached = sum((run) => run.unreached.length);
  return {
    ok: requests > 0 && failed === 0 && !(strict && unreached > 0),
    sets: runs.length,
    documents: sum(({ report }) => report.documents),
    cases: sum(({ report }) => report.cases),
    requests,
    failed,
    rules: sum(({ set }) => set.policy.ruleCount),
    rulesReached: sum(({ report }) => report.reachedRules.size),
    unreached,
  };
}

function printRuns(
  runs: readonly SetRun[],
  totals: Totals,
  { strict, coverage }: TestOptions,
  printer: PolicyPrinter,
): void {
  const label = strict ? printer.red('error: ') : printer.yellow('warning: ');
  for (const run of runs) {
    const { set, report } = run;
    for (const problem of run.unreached) printer.err(problemText(problem, label));
    for (const result of report.results) if (!result.held) printer.out(failureText(result, printer));
    if (coverage) printCoverage(set.name, run.coverage, printer);
    const { results, failed, cases } = report;
    const held = `${results.length - failed} of ${counted(results.length, 'request')} decided as expected`;
    const shown = failed === 0 ? printer.green(held) : printer.red(held);
    const rules = `${report.reachedRules.size} of ${counted(set.policy.ruleCount, 'rule')} reached`;
    printer.out(`${set.name}: ${shown}, ${counted(cases, 'case')}, ${rules}`);
  }
  if (runs.length > 1) printer.out(totalsText(totals));
}

function totalsText({ sets, documents, cases, requests, failed, rules, rulesReached }: Totals): string {
  const counts = [
    counted(sets, 'set'),
    counted(documents, 'document'),
    counted(cases, 'case'),
    counted(requests, 'request'),
    `${failed} failed`,
    `${rulesReached} of ${counted(rules, 'rule')} reached`,
  ];
  return `in all: ${counts.join(', ')}`;
}

function failureText(result: RequestResult, printer: PolicyPrinter): string {
  const { at, document, request, expected, actual } = result;
  const name = printable(`${document}: ${result.case}`);
  return `${at.file}:${at.line}:${at.column}: ${printer.red('failed: ')}${name}
    ${request}
    expected ${expected}, but it is ${actual}`;
}

function jsonOf(runs: readonly SetRun[], totals: Totals, options: TestOptions): string {
  const { ok, requests, failed, sets: setCount, unreached, ...counts } = totals;
  const sets = runs.map((run) => ({
    name: run.set.name,
    digest: run.set.policy.digest,
    rules: run.set.policy.ruleCount,
    unreached: run.unreached.map(({ file, line, column, message }) => ({ file, line, column, message })),
    ...(options.coverage ? { coverage: jsonOfCoverage(run.coverage) } : {}),
    results: run.report.results.map(({ at, ...result }) => ({ ...result, file: at.file, line: at.line })),
  }));
  const numbers = { requests, failed, unreached, counts: { sets: setCount, ...counts } };
  return JSON.stringify({ ok, ...numbers, sets }, null, 2);
}

function jsonOfCoverage({ rules, parts }: SetCoverage): unknown {
  return { rules, parts: parts.map(({ kind, name, reached }) => ({ kind, name, reached })) };
}

async function writeJunit(file: string, runs: readonly SetRun[], printer: PolicyPrinter): Promise<boolean> {
  const xml = junitXml(runs.map(({ set, report }) => ({ name: set.name, results: report.results })));
  try {
    await writeFile(file, xml);
    return true;
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
    printer.err(`${file}: cannot be written (${code})`);
    return false;
  }
}
