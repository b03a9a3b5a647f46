// What a policy directory holds for people who check and test it: its own set, and every pack as a set of its own,
// each with its tests, and each compiled with either default. The gate itself loads through the reloader; here packs stand alone. Not hot.
import { basename, join } from 'node:path';
import { compilePolicy } from '#policy/compile.ts';
import type { CompiledPolicy } from '#policy/compiled-policy.ts';
import { type ListedFiles, listOptional, listPolicyFiles, parseFiles } from '#policy/load-directory.ts';
import { emptyDocuments, type PolicyDocuments } from '#policy/policy-file.ts';
import type { TestDocument } from '#policy/policy-test.ts';
import { type PolicyProblem, problemOfFile, sortProblems } from '#policy/problem.ts';

export interface PolicySetWithTests {
  /** The directory for its own set, the file for a pack. */
  readonly name: string;
  readonly policy: CompiledPolicy;
  /** The same documents with `defaultEffect: deny`. */
  readonly allowList: CompiledPolicy;
  /** Of the set itself; its tests stand apart, those of the directories of tests included. */
  readonly documents: PolicyDocuments;
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
    { name: directory, files: own, tests: ownTests, isPack: false },
    ...packs.map((file) => ({
      name: file,
      files: [file],
      isPack: true,
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
  readonly isPack: boolean;
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
    if (!isEmpty({ ...documents, tests: [] })) {
      problems.push(problemOfFile(file, 'rules and settings in a directory of tests are never loaded'));
    }
  }
  if (problems.length > 0) return { set: null, problems };
  return compileSet(plan, parsed.documents, tests);
}

function compileSet(
  { name, isPack }: Plan,
  documents: PolicyDocuments,
  tests: readonly TestDocument[],
): { readonly set: PolicySetWithTests | null; readonly problems: readonly PolicyProblem[] } {
  // A pack is loaded besides other rules, and an allow-list needs none: neither has to hold a deny rule of its own.
  const dangerouslyAllowEmpty = isPack
    ? !isEmpty({ ...documents, tests: [] })
    : documents.allowances.length > 0;
  const options = { source: name, dangerouslyAllowEmpty };
  const asList = compilePolicy(documents, { ...options, defaultEffect: 'deny' });
  const { policy, problems } = compilePolicy(documents, { ...options, defaultEffect: 'allow' });
  if (policy === null || asList.policy === null) return { set: null, problems };
  return { set: { name, policy, allowList: asList.policy, documents, tests }, problems };
}

function isEmpty(documents: PolicyDocuments): boolean {
  const kinds = Object.keys(emptyDocuments()) as (keyof PolicyDocuments)[];
  return kinds.every((kind) => documents[kind].length === 0);
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
