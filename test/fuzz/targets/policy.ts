// Policy files: all bytes are read to documents or to problems, in bounded time and without throwing; problems stand
// within the file and steer no terminal; what compiles is a policy whose two walks agree. An input is a file's bytes.
import * as fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { PASS, type Verdict } from '#model/verdict.ts';
import { compilePolicy } from '#policy/compile.ts';
import type { CompiledPolicy } from '#policy/compiled-policy.ts';
import { listPolicyFiles } from '#policy/load-directory.ts';
import { parsePolicyFile } from '#policy/policy-file.ts';
import type { PolicyProblem } from '#policy/problem.ts';
import { facts } from '../../support/policy-sets.ts';
import { broken, bytesOf, type FuzzTarget, synchronous } from '../fuzz-target.ts';
import { STEERS, YAML_TRICKS, yamlDocuments } from '../yaml-grammar.ts';

function run(input: string): string {
  const bytes = Buffer.from(input, 'latin1');
  const { documents, problems } = parsePolicyFile('p.yaml', bytes);
  checkProblems(problems, bytes);
  if (problems.length > 0) return `refused: ${wordsOf(problems)}`;
  const defaultEffect = documents.allowances.length > 0 ? 'deny' : 'allow';
  const compiled = compilePolicy(documents, { source: 'p.yaml', dangerouslyAllowEmpty: true, defaultEffect });
  checkProblems(compiled.problems, bytes);
  if ((compiled.policy === null) !== compiled.problems.length > 0)
    broken('is a policy or has problems', compiled.problems);
  if (compiled.policy === null) return `not compiled: ${wordsOf(compiled.problems)}`;
  return `compiled ${Object.entries(documents)
    .map(([kind, list]) => (list.length > 0 ? kind : ''))
    .join(' ')} ${ask(compiled.policy)}`;
}

function checkProblems(problems: readonly PolicyProblem[], bytes: Buffer): void {
  if (problems.length > 500) broken('tells a bounded number of problems', String(problems.length));
  const lines = bytes.toString('utf8').split('\n').length;
  for (const { line, column, message } of problems) {
    if (line < 1 || line > lines || column < 1)
      broken('problems stand within the file', { line, column, message });
    if (message === '' || message.length > 1000 || STEERS.test(message))
      broken('problems are one plain sentence', { message });
  }
}

function wordsOf([first]: readonly PolicyProblem[]): string {
  return (first?.message ?? '').replaceAll(/"(?:[^"\\]|\\.)*"|[^ -~]|\d+/g, '…').slice(0, 50);
}

const ASKED = ['/', '/exports/1.csv', '/api/v1/emails/send', '/a;x/b%20'];

function ask(policy: CompiledPolicy): string {
  if (!/^sha256:[0-9a-f]{64}$/.test(policy.digest)) broken('has a digest', policy.digest);
  let said = '';
  for (const path of ASKED) {
    const asked = facts(path, { method: path === '/' ? 'GET' : 'POST', query: 'format=csv' });
    const verdict = policy.evaluate(asked, { shadowRules: [], wantsBody: false });
    if (wordOf(policy.explain(asked).verdict) !== wordOf(verdict))
      broken('evaluate and explain decide alike', { path });
    policy.access(asked);
    policy.scope(asked, { workspace: null });
    policy.settingsFor(path);
    said += verdict === PASS ? '+' : '-';
  }
  policy.recordedQuery('format=csv&a[b]=%zz');
  policy.judgeResponse(facts('/a'), { status: 200, fields: ['content-type', 'text/csv'], contentLength: -1 });
  return said;
}

function wordOf(verdict: Verdict): string {
  return verdict === PASS ? 'pass' : JSON.stringify(verdict);
}

const ROOT = new URL('../../../', import.meta.url);
const WORDS =
  'apiVersion kind metadata name owner description spec rules id category mode liftable when match methods paths query hosts graphql jsonrpc json form message routes allow headers body scopes workspace guards maxBytes status contentType limits timeouts groups org principals fields operations pointer any all from tests request expect'.split(
    ' ',
  );
const VALUES = [
  'postern/v1',
  'RoutePolicy',
  'RouteSettings',
  'SafeRoutes',
  'RouteAllowance',
  'ScopeMap',
  'ResponseGuard',
  'PolicyTest',
  '/exports/**',
  '/a/{id}',
  '/a/*.csv',
  '/a%2Fb',
  '/é',
  '//',
  '/../',
  'GET',
  'export',
  'enforce',
  'shadow',
  '*',
  'encodedSlash',
  'mutation',
  '/data/0/x',
  '1MiB',
  '10s',
  'a[b]',
];

export const target: FuzzTarget = {
  name: 'policy',
  dictionary: [...WORDS.map((word) => `${word}: `), ...VALUES, ...YAML_TRICKS].map(bytesOf),
  fresh: fc.oneof(
    yamlDocuments(WORDS, VALUES),
    yamlDocuments(WORDS, VALUES).map(
      (spec) =>
        `apiVersion: postern/v1\nkind: RoutePolicy\nmetadata: { name: a }\nspec:\n${spec.replaceAll(/^/gm, '  ')}`,
    ),
  ),
  seeds: () => SEEDS,
  batch: 100,
  open: synchronous(run, 1000),
};

const folders = await Promise.all(
  ['policies', 'policies/packs'].map((name) => listPolicyFiles(new URL(name, ROOT).pathname)),
);
/** The shipped policies: every kind, every selector. */
const SEEDS = folders
  .flatMap(({ files }) => files.map((file) => readFileSync(file, 'latin1')))
  .flatMap((text) => text.split(/^---$/m).map((document) => document.slice(0, 3000)));
