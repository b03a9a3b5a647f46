// `postern policy diff`: two policy directories beside each other, on the requests of both their tests and on the
// operations of an OpenAPI document. Exit codes: 0 the same, 1 something differs, 2 it could not be asked. Not hot.
import { basename } from 'node:path';
import type { EpochMs } from '#model/clock.ts';
import { compilePolicy, type CompileOutcome, type DefaultEffect } from '#policy/compile.ts';
import {
  type ComparedRequest,
  type DecisionChange,
  diffDecisions,
  diffRules,
  requestsOfTests,
  type RuleChanges,
} from '#policy/diff.ts';
import { NO_HEADERS, type ParseTarget, UNKNOWN_SUBJECT } from '#policy/judge.ts';
import { readPolicyDirectory } from '#policy/load-directory.ts';
import type { ApiDocument } from '#policy/openapi-operation.ts';
import { targetsOf } from '#policy/openapi-requests.ts';
import type { PolicyDocuments } from '#policy/policy-file.ts';
import type { TestDocument } from '#policy/policy-test.ts';
import { type PolicyProblem, sortProblems } from '#policy/problem.ts';
import { COULD_NOT_BE_ASKED, DID_NOT_HOLD, HELD } from './exit-codes.ts';
import { loadApi } from './policy-api.ts';
import { type PolicyPrinter, printable, printPolicyProblems } from './policy-print.ts';
import { loadPolicySets } from './policy-sets.ts';

export interface DiffOptions {
  readonly before: string;
  readonly after: string;
  readonly packs: readonly string[];
  readonly defaultEffect: DefaultEffect;
  /** An OpenAPI 3.x document; null: the tests alone. */
  readonly openApi: string | null;
  /** The Host of its operations; empty: rules for named hosts do not match. */
  readonly host: string;
  readonly json: boolean;
}

export interface DiffDeps {
  readonly printer: PolicyPrinter;
  readonly parseTarget: ParseTarget;
}

export async function diffPolicies(options: DiffOptions, deps: DiffDeps): Promise<number> {
  const { printer, parseTarget } = deps;
  const { packs } = options;
  const before = await load(options.before, options);
  const after = await load(options.after, options);
  const tests = [await loadTests(options.before, packs), await loadTests(options.after, packs)];
  const api = options.openApi === null ? null : await loadApi(options.openApi);
  const found = [before, after, ...tests, ...(api === null ? [] : [api])].flatMap(({ problems }) => problems);
  if (before.policy === null || after.policy === null || found.length > 0) {
    return refuse(sortProblems(found), options.json, printer);
  }
  const requests = [
    ...requestsOfTests(tests.flatMap(({ documents }) => documents)),
    ...requestsOfApi(api?.document ?? null, options.host),
  ];
  const sides = { before: before.policy, after: after.policy, parseTarget };
  const decisions = unrepeated(await diffDecisions(sides, requests));
  const rules = diffRules(before.documents, after.documents);
  const isSame = before.policy.digest === after.policy.digest && decisions.length === 0;
  if (options.json) {
    const digests = { before: before.policy.digest, after: after.policy.digest };
    printer.out(
      JSON.stringify({ ok: isSame, digests, rules, requests: requests.length, decisions }, null, 2),
    );
  } else print({ rules, decisions, requests: requests.length, isSame }, printer);
  return isSame ? HELD : DID_NOT_HOLD;
}

interface Side extends CompileOutcome {
  readonly documents: PolicyDocuments;
}

/** A set without a rule may be compared: what it opens is the question. */
async function load(directory: string, { packs, defaultEffect }: DiffOptions): Promise<Side> {
  const { documents, problems } = await readPolicyDirectory({ directory, packs });
  if (problems.length > 0) return { documents, policy: null, problems };
  const options = { source: directory, defaultEffect, dangerouslyAllowEmpty: true };
  return { documents, ...compilePolicy(documents, options) };
}

interface Tests {
  readonly documents: readonly TestDocument[];
  readonly problems: readonly PolicyProblem[];
}

/** The tests of the directory's own set and of the packs that are loaded. */
async function loadTests(directory: string, packs: readonly string[]): Promise<Tests> {
  const { sets, problems } = await loadPolicySets(directory);
  const wanted = sets.filter(({ name }) => name === directory || packs.includes(basename(name, '.yaml')));
  return { documents: wanted.flatMap(({ tests }) => tests), problems };
}

function refuse(problems: readonly PolicyProblem[], json: boolean, printer: PolicyPrinter): number {
  if (json) printer.out(JSON.stringify({ ok: false, problems }, null, 2));
  else printPolicyProblems(problems, printer);
  return COULD_NOT_BE_ASKED;
}

function requestsOfApi(document: ApiDocument | null, host: string): readonly ComparedRequest[] {
  if (document === null) return [];
  return document.operations.flatMap((operation) =>
    targetsOf(operation).map(
      (rawTarget): ComparedRequest => ({
        source: `operation ${operation.method} ${operation.path}`,
        text: `${operation.method} ${rawTarget}`,
        now: 0 as EpochMs,
        subject: UNKNOWN_SUBJECT,
        request: { method: operation.method, rawTarget, host, headers: NO_HEADERS, upgrade: false },
        body: Buffer.alloc(0),
      }),
    ),
  );
}

/** Both directories mostly have the same tests. */
function unrepeated(changes: readonly DecisionChange[]): readonly DecisionChange[] {
  return [...new Map(changes.map((change) => [JSON.stringify(change), change])).values()];
}

interface Difference {
  readonly rules: RuleChanges;
  readonly decisions: readonly DecisionChange[];
  readonly requests: number;
  readonly isSame: boolean;
}

function print({ rules, decisions, requests, isSame }: Difference, printer: PolicyPrinter): void {
  for (const id of rules.removed) printer.out(printer.red(`- rule ${id}`));
  for (const id of rules.added) printer.out(printer.green(`+ rule ${id}`));
  for (const id of rules.changed) printer.out(printer.yellow(`~ rule ${id}`));
  for (const { source, request, before, after } of decisions) {
    const paint = after === 'allow' ? printer.yellow : printer.red;
    printer.out(`${printable(request)}  ${printer.dim(printable(source))}`);
    printer.out(`    ${before} → ${paint(after)}`);
  }
  const text = `${decisions.length} of ${requests} requests are decided differently`;
  printer.out(decisions.length === 0 ? printer.green(text) : printer.red(text));
  if (!isSame && decisions.length === 0) {
    printer.out('the sets differ in what no test and no operation shows: write one that does');
  }
}
