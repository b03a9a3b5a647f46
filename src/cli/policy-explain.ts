// `postern policy explain 'POST /api/v2/exports'`: what would be decided and why, by the walk that decides.
// Opens no socket and changes nothing: it reads the policy directory and, if named, one grant. Not hot.
import { type Clock, systemClock } from '#model/clock.ts';
import type { Grant } from '#model/grant.ts';
import { PASS } from '#model/verdict.ts';
import type { CompiledPolicy, Explanation } from '#policy/compiled-policy.ts';
import { loadPolicyDirectory, readPolicyFile } from '#policy/load-directory.ts';
import { parseGrantFile } from '#policy/policy-file.ts';
import { PLAIN_GRANT } from '#policy/policy-test.ts';
import { type PolicyProblem, problemOfFile } from '#policy/problem.ts';
import { type Judgement, judgeRequest, type ParseTarget, verdictText } from '#policy/run-policy-tests.ts';
import { COULD_NOT_BE_ASKED, HELD } from './exit-codes.ts';
import { type PolicyPrinter, printPolicyProblems } from './policy-print.ts';

export interface ExplainOptions {
  /** `METHOD /target`. */
  readonly request: string;
  readonly directory: string;
  readonly packs: readonly string[];
  /** A file that holds one grant; null judges without lifts. */
  readonly grantFile: string | null;
  readonly json: boolean;
  /** Also the rules whose path did not match. */
  readonly all: boolean;
}

export interface ExplainDeps {
  readonly printer: PolicyPrinter;
  readonly parseTarget: ParseTarget;
  readonly clock?: Clock;
}

const REQUEST = /^([A-Z][A-Z-]*) ([!-~]+)$/;

/** 0 when it could be explained, whatever the decision. */
export async function explainRequest(options: ExplainOptions, deps: ExplainDeps): Promise<number> {
  const { printer, parseTarget, clock = systemClock } = deps;
  const [, method, rawTarget] = REQUEST.exec(options.request) ?? [];
  if (method === undefined || rawTarget === undefined) {
    printer.err("a request is an upper-case method, one space and a target: 'POST /api/v2/exports'");
    return COULD_NOT_BE_ASKED;
  }
  const { directory, packs } = options;
  const loaded = await loadPolicyDirectory({ directory, packs, dangerouslyAllowEmpty: false });
  const read = await readGrantFile(options.grantFile);
  const problems = [...loaded.problems, ...read.problems];
  if (loaded.policy === null || read.grant === null) {
    if (options.json) printer.out(JSON.stringify({ ok: false, problems }, null, 2));
    else printPolicyProblems(problems, printer);
    return COULD_NOT_BE_ASKED;
  }
  const judge = { policy: loaded.policy, parseTarget, now: clock.now() };
  const judgement = judgeRequest(judge, { grant: read.grant, formMethods: [] }, { method, rawTarget });
  const explanation = judgement.facts === null ? null : loaded.policy.explain(judgement.facts);
  if (options.json) printer.out(jsonOf(options.request, loaded.policy, judgement, explanation));
  else printText(options, judgement, explanation, printer);
  return HELD;
}

async function readGrantFile(
  file: string | null,
): Promise<{ readonly grant: Grant | null; readonly problems: readonly PolicyProblem[] }> {
  if (file === null) return { grant: PLAIN_GRANT, problems: [] };
  const bytes = await readPolicyFile(file);
  if (typeof bytes === 'string') return { grant: null, problems: [problemOfFile(file, bytes)] };
  const { grant, problems } = parseGrantFile(file, bytes);
  return { grant: problems.length > 0 ? null : grant, problems };
}

function printText(
  options: ExplainOptions,
  { verdict }: Judgement,
  explanation: Explanation | null,
  printer: PolicyPrinter,
): void {
  const decision = verdictText(verdict);
  printer.out(options.request);
  printer.out(`  decision   ${verdict === PASS ? printer.green(decision) : printer.red(decision)}`);
  if (verdict !== PASS) {
    const why = verdict.rule?.message ?? verdict.note;
    if (why !== null && why !== undefined) printer.out(`  because    ${why}`);
  }
  if (explanation === null) {
    printer.out('  Refused before any rule was looked at.');
    return;
  }
  printer.out(`  canonical  ${explanation.canonicalPath}`);
  for (const reading of explanation.readings) printer.out(`  reading    ${reading}`);
  const near = explanation.considered.filter((one) => one.pathMatched);
  const shown = options.all ? explanation.considered : near;
  for (const { rule, mode, matched, because } of shown) {
    const mark = matched ? 'matched' : 'not    ';
    printer.out(`  ${mark}    ${rule.id}${mode === 'shadow' ? ' (shadow)' : ''}: ${because}`);
  }
  const hidden = explanation.considered.length - shown.length;
  if (hidden > 0) printer.out(printer.dim(`  ${hidden} more rules, none of whose paths matched (--all)`));
}

function jsonOf(
  request: string,
  policy: CompiledPolicy,
  { verdict, shadowRules }: Judgement,
  explanation: Explanation | null,
): string {
  const isAllowed = verdict === PASS;
  const answer = {
    request,
    decision: isAllowed ? 'allow' : 'deny',
    reason: isAllowed ? 'ok' : verdict.reason,
    rule: isAllowed ? null : verdict.rule,
    note: isAllowed ? null : verdict.note,
    shadowRules,
    policyDigest: policy.digest,
    canonicalPath: explanation?.canonicalPath ?? null,
    readings: explanation?.readings ?? [],
    considered: explanation?.considered ?? [],
  };
  return JSON.stringify(answer, null, 2);
}
