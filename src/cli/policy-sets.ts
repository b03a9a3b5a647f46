// What a policy directory holds for people who check and test it: its own set, and every pack as a set of its own,
// each with its tests. The gate itself loads through the reloader; here packs stand alone. Not hot.
import { basename, join } from 'node:path';
import { compilePolicy } from '#policy/compile.ts';
import type { CompiledPolicy } from '#policy/compiled-policy.ts';
import { type ListedFiles, listOptional, listPolicyFiles, parseFiles } from '#policy/load-directory.ts';
import type { TestDocument } from '#policy/policy-test.ts';
import { type PolicyProblem, problemOfFile, sortProblems } from '#policy/problem.ts';
import type { PlacedRule } from '#policy/route-policy.ts';

export interface PolicySetWithTests {
  /** The directory for its own set, the file for a pack. */
  readonly name: string;
  readonly policy: CompiledPolicy;
  readonly rules: readonly PlacedRule[];
  readonly tests: readonly TestDocument[];
}

export interface PolicySets {
  readonly sets: readonly PolicySetWithTests[];
  /** Sorted; when there are any, some sets are missing. */
  readonly problems: readonly PolicyProblem[];
}

/** `DIR/*.yaml` with `DIR/tests/*.yaml`, and each `DIR/packs/*.yaml` with its tests in `DIR/packs/tests/`. */
export async function loadPolicySets(directory: string): Promise<PolicySets> {
  const problems: PolicyProblem[] = [];
  const sets: PolicySetWithTests[] = [];
  const take = ({ files, problems: found }: ListedFiles): readonly string[] => {
    problems.push(...found);
    return files;
  };
  const own = take(await listPolicyFiles(directory));
  const ownTests = take(await listOptional(join(directory, 'tests')));
  const packs = take(await listOptional(join(directory, 'packs')));
  const packTests = take(await listOptional(join(directory, 'packs', 'tests')));
  for (const test of packTests) {
    if (packOf(test, packs) === null) problems.push(problemOfFile(test, 'no pack has the name of this test'));
  }
  const plans = [
    { name: directory, files: own, tests: ownTests },
    ...packs.map((file) => ({
      name: file,
      files: [file],
      tests: packTests.filter((test) => packOf(test, packs) === file),
    })),
  ];
  // A directory that cannot be read has one problem, not also an empty set.
  for (const plan of problems.length > 0 && own.length === 0 ? [] : plans) {
    const outcome = await loadSet(plan);
    problems.push(...outcome.problems);
    if (outcome.set !== null) sets.push(outcome.set);
  }
  return { sets, problems: sortProblems(problems) };
}

interface Plan {
  readonly name: string;
  readonly files: readonly string[];
  readonly tests: readonly string[];
}

async function loadSet(plan: Plan): Promise<{
  readonly set: PolicySetWithTests | null;
  readonly problems: readonly PolicyProblem[];
}> {
  const parsed = await parseFiles(plan.files);
  const problems = [...parsed.problems];
  const tests = [...parsed.documents.tests];
  for (const file of plan.tests) {
    const { documents, problems: found } = await parseFiles([file]);
    problems.push(...found);
    tests.push(...documents.tests);
    if (documents.rules.length + documents.settings.length > 0) {
      problems.push(problemOfFile(file, 'rules and settings in a directory of tests are never loaded'));
    }
  }
  if (problems.length > 0) return { set: null, problems };
  const { rules } = parsed.documents;
  const options = { source: plan.name, dangerouslyAllowEmpty: false };
  const { policy, problems: found } = compilePolicy(parsed.documents, options);
  return { set: policy === null ? null : { name: plan.name, policy, rules, tests }, problems: found };
}

/** `unleash.yaml` and `unleash-writes.yaml` test the pack `unleash`; the longest name that fits. */
function packOf(test: string, packs: readonly string[]): string | null {
  const name = basename(test, '.yaml');
  const fitting = packs.filter((pack) => {
    const packName = basename(pack, '.yaml');
    return name === packName || name.startsWith(`${packName}-`) || name.startsWith(`${packName}.`);
  });
  return fitting.toSorted((a, b) => b.length - a.length)[0] ?? null;
}
