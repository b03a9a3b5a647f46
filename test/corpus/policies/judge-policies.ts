// Judges rows of the kind `policies`: what somebody leaves in the policy directory of a gate that is running. What must be
// refused is, and the last good set stays; what may be loaded is read as the row says, and never as more or less.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fillIn, type CorpusRow } from '../../support/corpus-cases.ts';
import { HOSTILE_DIRECTORIES, HOSTILE_FILES } from '../../support/hostile-policies.ts';
import { policyText } from '../../support/lint-subject.ts';
import { decide } from '../../support/policy-sets.ts';
import { type RunningPolicies, runningPolicies } from '../../support/running-policies.ts';
import type { JudgedRow } from '../kinds.ts';

/** Exactly one of `text`, `rules` and `hostile` says what is put beside the good file. */
interface PolicyRow extends CorpusRow {
  /** A whole file; `<5000 x>` stands for so many. */
  readonly text?: string;
  /** Rules of an otherwise plain file, in flow style. */
  readonly rules?: readonly string[];
  /** The name of an input of test/support/hostile-policies.ts, which knows its problem. */
  readonly hostile?: string;
  readonly expect?: PolicyExpectation;
}

interface PolicyExpectation {
  /** A pattern of what the problems say. */
  readonly refused?: string;
  /** How many rules it adds. */
  readonly adds?: number;
  /** Paths, after a method if it is not GET, and with a query. */
  readonly denied?: readonly string[];
  readonly open?: readonly string[];
}

const MAX_PROBLEMS = 200;

export async function judgePolicies(rows: readonly CorpusRow[]): Promise<readonly JudgedRow[]> {
  const judged: JudgedRow[] = [];
  for (const row of rows as readonly PolicyRow[]) {
    await using policies = await runningPolicies();
    judged.push({ id: row.id, failures: await failuresOf(policies, row) });
  }
  return judged;
}

async function failuresOf({ path, reloader }: RunningPolicies, row: PolicyRow): Promise<readonly string[]> {
  const before = reloader.current;
  const problem = put(path, row);
  const outcome = await reloader.reload();
  const failures: string[] = [];
  const told = outcome.problems.map(({ message }) => message).join('\n');
  if (problem === null) {
    if (!outcome.ok) return [`refused: ${told}`];
    const wanted = 1 + (row.expect?.adds ?? 0);
    if (outcome.ruleCount !== wanted) failures.push(`${outcome.ruleCount} rules instead of ${wanted}`);
    failures.push(...readingFailures(reloader.current, row.expect ?? {}));
  } else {
    if (outcome.ok || outcome.changed) failures.push('it was loaded');
    if (!problem.test(told)) failures.push(`told ${JSON.stringify(told)}`);
    if (outcome.problems.length > MAX_PROBLEMS) failures.push(`${outcome.problems.length} problems`);
    if (reloader.current !== before) failures.push('the last good set did not stay');
  }
  if (Object.keys(Object.prototype).length > 0) failures.push('something is left on the prototype');
  return failures;
}

/** What its refusal must say; null when it must be loaded. */
function put(path: string, { id, text, rules, hostile, expect }: PolicyRow): RegExp | null {
  const directory = HOSTILE_DIRECTORIES.find(({ name }) => name === hostile);
  if (directory !== undefined) {
    directory.put(path);
    return directory.problem;
  }
  const file = HOSTILE_FILES.find(({ name }) => name === hostile);
  const content =
    file?.content() ?? (rules === undefined ? text && fillIn(text, '', '') : policyText(...rules));
  if (content === undefined || (file === undefined && expect === undefined))
    throw new Error(`${id} says too little`);
  writeFileSync(join(path, 'b.yaml'), content);
  if (file !== undefined) return file.problem;
  return expect?.refused === undefined ? null : new RegExp(expect.refused);
}

function readingFailures(
  policy: RunningPolicies['reloader']['current'],
  expect: PolicyExpectation,
): string[] {
  if (policy === null) return ['no set is in force'];
  const verdict = (asked: string) => {
    const [target = '', method = 'GET'] = fillIn(asked, '', '').split(' ').toReversed();
    const [path = '', query = ''] = target.split('?');
    return decide(policy, path, { method, query });
  };
  const failures: string[] = [];
  for (const asked of expect.denied ?? []) if (verdict(asked) === 'allow') failures.push(`${asked} is open`);
  for (const asked of expect.open ?? [])
    if (verdict(asked) !== 'allow') failures.push(`${asked} is ${verdict(asked)}`);
  return failures;
}
