// `postern policy check`: whether the policies of a directory and its packs are well formed, every problem at once,
// each with a caret under its place. Reads files and nothing else. Not hot.
import type { DefaultEffect } from '#policy/compile.ts';
import { COULD_NOT_BE_ASKED, HELD } from './exit-codes.ts';
import { counted, type PolicyPrinter, printPolicyProblems } from './policy-print.ts';
import { loadPolicySets, type PolicySetWithTests } from './policy-sets.ts';

export interface CheckOptions {
  readonly directory: string;
  readonly json: boolean;
  /** Which of both digests is printed. */
  readonly defaultEffect: DefaultEffect;
}

/** 0, or 2 for a policy with problems. */
export async function checkPolicies(options: CheckOptions, printer: PolicyPrinter): Promise<number> {
  const { sets, problems } = await loadPolicySets(options.directory);
  const summaries = sets.map((set) => summaryOf(set, options.defaultEffect));
  if (options.json) {
    printer.out(JSON.stringify({ ok: problems.length === 0, problems, sets: summaries }, null, 2));
  } else {
    printPolicyProblems(problems, printer);
    for (const summary of summaries) printer.out(summaryText(summary));
  }
  return problems.length === 0 ? HELD : COULD_NOT_BE_ASKED;
}

type Summary = ReturnType<typeof summaryOf>;

function summaryOf({ name, policy, allowList, documents, tests }: PolicySetWithTests, effect: DefaultEffect) {
  return {
    name,
    rules: policy.ruleCount,
    guards: documents.guards.length,
    allowances: documents.allowances.length,
    tests: tests
      .flatMap((test) => test.cases.map((one) => one.requests.length))
      .reduce((total, one) => total + one, 0),
    digest: effect === 'deny' ? allowList.digest : policy.digest,
  };
}

function summaryText({ name, rules, guards, allowances, digest }: Summary): string {
  const counts = [counted(rules, 'rule')];
  if (guards > 0) counts.push(counted(guards, 'guard'));
  if (allowances > 0) counts.push(counted(allowances, 'allowance'));
  return `${name}: ${counts.join(', ')}, ${digest}`;
}
