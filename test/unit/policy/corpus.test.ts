// The path and query cases of the bypass corpus (classes 1 to 8 and 26) and the shipped policies with their tests,
// all run by the code of `postern policy test` through the gateway's own parser of targets.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseTarget } from '#gateway/request-target.ts';
import { compilePolicy } from '#policy/compile.ts';
import { OUTCOME, type Trace, Walk } from '#policy/evaluate.ts';
import { parseFiles } from '#policy/load-directory.ts';
import { compileRules, type RuleEntry } from '#policy/rule-set.ts';
import { type JudgedTest, runPolicyTests } from '#policy/run-policy-tests.ts';

const CORPUS = 'test/policy';

async function run(
  files: readonly string[],
  tests: readonly string[],
  observe: (judged: JudgedTest) => void = () => undefined,
) {
  const parsed = await parseFiles(files);
  const parsedTests = await parseFiles(tests);
  expect([...parsed.problems, ...parsedTests.problems]).toEqual([]);
  const options = {
    source: files[0] ?? '',
    dangerouslyAllowEmpty: false,
    defaultEffect: 'allow',
  } as const;
  const { policy, problems } = compilePolicy(parsed.documents, options);
  expect(problems).toEqual([]);
  if (policy === null) throw new Error('no policy');
  const documents = [...parsed.documents.tests, ...parsedTests.documents.tests];
  const report = await runPolicyTests({ policy, documents, parseTarget, filter: null, observe });
  const unreached = parsed.documents.rules
    .map(({ draft }) => draft.id)
    .filter((id) => !report.reachedRules.has(id));
  return { report, unreached };
}

describe('the bypass corpus', () => {
  for (const file of readdirSync(CORPUS).filter((name) => name.endsWith('-corpus.yaml'))) {
    it(`holds in ${file}`, async () => {
      const { report, unreached } = await run([join(CORPUS, file)], []);
      expect(report.results.filter((result) => !result.held)).toEqual([]);
      expect(report.results.length).toBeGreaterThan(10);
      expect(unreached).toEqual([]);
    });
  }
});

describe('the shipped policies', () => {
  const shipped = ['billing', 'email', 'exports'];

  it('decide as their tests say, and no rule is without a test', async () => {
    const { report, unreached } = await run(
      shipped.map((name) => `policies/${name}.yaml`),
      shipped.map((name) => `policies/tests/${name}.yaml`),
    );
    expect(report.results.filter((result) => !result.held)).toEqual([]);
    expect(unreached).toEqual([]);
  });

  it.each(shipped)('have a denied request for every path in %s', async (name) => {
    const { documents } = await parseFiles([`policies/${name}.yaml`]);
    const set = compileRules(documents.rules.map(({ draft }) => draft));
    const walk = new Walk(set);
    const reached = new Set<RuleEntry>();
    const trace: Trace = {
      reading: () => undefined,
      entry: (entry, outcome) => void (outcome === OUTCOME.matched && reached.add(entry)),
    };
    await run([`policies/${name}.yaml`], [`policies/tests/${name}.yaml`], ({ case: one, neutral }) => {
      if (one.expect !== 'deny' || neutral.facts === null) return;
      walk.run(neutral.facts, { shadowRules: [], wantsBody: false }, trace);
    });
    expect(set.entries.filter((entry) => !reached.has(entry)).map(({ pathText }) => pathText)).toEqual([]);
  });

  it('fail their tests when a rule is taken away', async () => {
    const { report } = await run(
      ['policies/billing.yaml', 'policies/email.yaml'],
      ['policies/tests/exports.yaml'],
    );
    expect(report.failed).toBeGreaterThan(50);
  });
});
