// `postern policy lint`: what is odd in a policy set and, beside an OpenAPI document, what it leaves open. Exit codes:
// 0 nothing, 1 a warning or a suspicious operation that is not denied, 2 it could not be asked. Not hot.
import { compilePolicy, type DefaultEffect } from '#policy/compile.ts';
import type { CompiledPolicy } from '#policy/compiled-policy.ts';
import type { ParseTarget } from '#policy/judge.ts';
import type { Finding } from '#policy/lint/finding.ts';
import { lintOperations, lintPolicy, type LintSubject } from '#policy/lint/lint-policy.ts';
import { readPolicyDirectory } from '#policy/load-directory.ts';
import type { ApiDocument } from '#policy/openapi-operation.ts';
import type { PolicyDocuments } from '#policy/policy-file.ts';
import { type PolicyProblem, sortProblems } from '#policy/problem.ts';
import { COULD_NOT_BE_ASKED, DID_NOT_HOLD, HELD } from './exit-codes.ts';
import { loadApi } from './policy-api.ts';
import { type LintPrint, lintJson, printLint } from './policy-lint-print.ts';
import { type PolicyPrinter, printPolicyProblems } from './policy-print.ts';

export interface LintOptions {
  readonly directory: string;
  /** Names of files in `packs/`, as `policies.packs` has them. */
  readonly packs: readonly string[];
  readonly defaultEffect: DefaultEffect;
  /** An OpenAPI 3.x document; null: the set alone. */
  readonly openApi: string | null;
  /** The Host header to judge with; empty: rules for named hosts do not match. */
  readonly host: string;
  /** 1 to 100. */
  readonly minScore: number;
  readonly json: boolean;
  /** Also the operations that are not suspicious enough. */
  readonly all: boolean;
}

export interface LintDeps {
  readonly printer: PolicyPrinter;
  readonly parseTarget: ParseTarget;
}

export async function lintPolicies(
  options: LintOptions,
  { printer, parseTarget }: LintDeps,
): Promise<number> {
  const set = await loadSet(options);
  const api = options.openApi === null ? null : await loadApi(options.openApi);
  const problems = sortProblems([...set.problems, ...(api?.problems ?? [])]);
  if (set.policy === null || problems.length > 0) {
    if (options.json) printer.out(JSON.stringify({ ok: false, problems }, null, 2));
    else printPolicyProblems(problems, printer);
    return COULD_NOT_BE_ASKED;
  }
  const { documents, policy } = set;
  const subject: LintSubject = { source: options.directory, documents, policy, parseTarget };
  const print = lint(subject, options, api?.document ?? null);
  if (options.json) printer.out(lintJson(print));
  else printLint(print, printer);
  return print.ok ? HELD : DID_NOT_HOLD;
}

function lint(subject: LintSubject, options: LintOptions, document: ApiDocument | null): LintPrint {
  const { minScore, all } = options;
  const { digest } = subject.policy;
  if (document === null) {
    const findings = lintPolicy(subject);
    return { ok: !warns(findings), digest, findings, api: null };
  }
  const { operations, title, version, unresolved } = document;
  const { findings, decisions, suspects } = lintOperations(subject, { operations, host: options.host });
  const suspicious = suspects.filter(({ score }) => score >= minScore);
  return {
    ok: suspicious.length === 0 && !warns(findings),
    digest,
    findings,
    api: {
      title,
      version,
      unresolved,
      decisions,
      suspects: all ? suspects : suspicious,
      suspicious: suspicious.length,
      minScore,
    },
  };
}

function warns(findings: readonly Finding[]): boolean {
  return findings.some(({ severity }) => severity === 'warning');
}

interface LoadedSet {
  readonly documents: PolicyDocuments;
  /** Null exactly when there are problems. */
  readonly policy: CompiledPolicy | null;
  readonly problems: readonly PolicyProblem[];
}

/** As the gate loads it: the directory's own files, then the packs. Their documents are kept. */
async function loadSet({ directory, packs, defaultEffect }: LintOptions): Promise<LoadedSet> {
  const { documents, problems } = await readPolicyDirectory({ directory, packs });
  if (problems.length > 0) return { documents, policy: null, problems };
  const options = { source: directory, dangerouslyAllowEmpty: false, defaultEffect };
  return { documents, ...compilePolicy(documents, options) };
}
