// Runs PolicyTest documents against a compiled set through judge.ts, and counts what the tests reach.
// Guarantees: a rule that a case sees lifted, or narrowed away by `when`, counts as reached. Cold; the decision itself
// is the hot code.
import { type Denial, PASS, type Verdict } from '#model/verdict.ts';
import type { CompiledPolicy, Explanation } from './compiled-policy.ts';
import {
  type AnswerJudgement,
  type JudgeDeps,
  judgeAnswer,
  type JudgedRequest,
  type Judgement,
  judgeWithBody,
  type ParseTarget,
  UNKNOWN_SUBJECT,
} from './judge.ts';
import type { TestCase, TestRequest } from './policy-test-case.ts';
import type { TestDocument } from './policy-test.ts';
import { compare, type Position } from './problem.ts';

export interface TestRunOptions {
  readonly policy: CompiledPolicy;
  /** The same documents compiled with `defaultEffect: deny`; needed only where a test document asks for it. */
  readonly allowList?: CompiledPolicy;
  readonly documents: readonly TestDocument[];
  readonly parseTarget: ParseTarget;
  /** A piece of the document's or the case's name, or of the request; null runs all. */
  readonly filter: string | null;
  /** Told of every request that was judged, in order. */
  readonly observe?: (judged: JudgedTest) => void;
}

/** One request of one case, judged. */
export interface JudgedTest {
  readonly document: TestDocument;
  readonly case: TestCase;
  readonly request: TestRequest;
  readonly judgement: Judgement;
  /** The same request by nobody in particular. */
  readonly neutral: Judgement;
  /** Null: the case describes no answer, or the request was denied. */
  readonly answer: AnswerJudgement | null;
  readonly result: RequestResult;
}

export interface RequestResult {
  readonly document: string;
  readonly case: string;
  readonly request: string;
  readonly at: Position;
  readonly held: boolean;
  readonly expected: string;
  readonly actual: string;
}

/** How many requests did what with a rule. */
export interface RuleCoverage {
  /** Host, path, method, query and body are those of the rule, whoever asks. */
  readonly reached: number;
  /** Denied by it. */
  readonly denied: number;
  /** Reached, and lifted by the grant or narrowed away by `when`. */
  readonly spared: number;
  /** Reached, and an earlier rule was reported, or the rule is in shadow mode. */
  readonly passedOver: number;
}

export interface TestReport {
  readonly results: readonly RequestResult[];
  readonly failed: number;
  readonly documents: number;
  readonly cases: number;
  /** By rule id; what no request reached is absent. */
  readonly coverage: ReadonlyMap<string, RuleCoverage>;
  /** The ids of `coverage`. */
  readonly reachedRules: ReadonlySet<string>;
}

/** Throws RangeError where a document asks for an allow-list and none was given. */
export async function runPolicyTests(options: TestRunOptions): Promise<TestReport> {
  const { documents, parseTarget, filter, observe } = options;
  const results: RequestResult[] = [];
  const coverage = new Map<string, RuleCoverage>();
  const cases = new Set<TestCase>();
  const used = new Set<TestDocument>();
  for (const document of documents) {
    const deps: JudgeDeps = { policy: policyFor(document, options), parseTarget, now: document.now };
    for (const one of document.cases) {
      for (const request of one.requests) {
        if (filter !== null && !isWanted(filter, document, one, request)) continue;
        const judged = await judgeTest(deps, document, one, request);
        cover(coverage, deps.policy, judged);
        cases.add(one);
        used.add(document);
        results.push(judged.result);
        observe?.(judged);
      }
    }
  }
  return {
    results,
    failed: results.filter((result) => !result.held).length,
    documents: used.size,
    cases: cases.size,
    coverage,
    reachedRules: new Set(coverage.keys()),
  };
}

function policyFor(document: TestDocument, { policy, allowList }: TestRunOptions): CompiledPolicy {
  if (document.defaultEffect === 'allow') return policy;
  if (allowList === undefined) throw new RangeError(`${document.name} needs the set as an allow-list`);
  return allowList;
}

export function isWanted(
  filter: string,
  document: TestDocument,
  one: TestCase,
  request: TestRequest,
): boolean {
  return [document.name, one.name, textOf(request)].some((text) => text.includes(filter));
}

/** The request as judge.ts takes it; the case itself is the subject. */
export function describeRequest(
  one: TestCase,
  { method, rawTarget }: TestRequest,
): Omit<JudgedRequest, 'body' | 'bodyBytes'> {
  return { method, rawTarget, host: one.host, headers: one.headers, upgrade: one.upgrade };
}

async function judgeTest(
  deps: JudgeDeps,
  document: TestDocument,
  one: TestCase,
  request: TestRequest,
): Promise<JudgedTest> {
  const described = describeRequest(one, request);
  const judgement = await judgeWithBody(deps, one, described, one.body);
  const neutral = await judgeWithBody(deps, UNKNOWN_SUBJECT, described, one.body);
  const isAnswered = one.answer !== null && judgement.verdict === PASS && judgement.facts !== null;
  const answer = isAnswered ? judgeAnswer(deps.policy, judgement.facts, one.answer) : null;
  const result = resultOf(document, one, request, actualOf(deps.policy, one, judgement, answer));
  return { document, case: one, request, judgement, neutral, answer, result };
}

function cover(
  coverage: Map<string, RuleCoverage>,
  policy: CompiledPolicy,
  { judgement, neutral }: JudgedTest,
): void {
  // Refused before the rules were asked: no rule can be said to have been tested.
  if (judgement.facts === null || neutral.facts === null || judgement.at !== 'rules') return;
  const matched = matchedBy(policy.explain(judgement.facts));
  const reported = judgement.verdict === PASS ? null : judgement.verdict.rule?.id;
  for (const id of matchedBy(policy.explain(neutral.facts))) {
    const known = coverage.get(id) ?? { reached: 0, denied: 0, spared: 0, passedOver: 0 };
    const isDenied = id === reported;
    const isSpared = !isDenied && !matched.has(id);
    coverage.set(id, {
      reached: known.reached + 1,
      denied: known.denied + (isDenied ? 1 : 0),
      spared: known.spared + (isSpared ? 1 : 0),
      passedOver: known.passedOver + (isDenied || isSpared ? 0 : 1),
    });
  }
}

function matchedBy({ considered }: Explanation): ReadonlySet<string> {
  return new Set(considered.filter((one) => one.matched).map((one) => one.rule.id));
}

interface Actual {
  readonly verdict: Verdict;
  readonly allowance: string | null;
  /** Sorted. */
  readonly shadow: readonly string[];
}

function actualOf(
  policy: CompiledPolicy,
  one: TestCase,
  { verdict, facts, shadowRules }: Judgement,
  answer: AnswerJudgement | null,
): Actual {
  const shadow = [...shadowRules, ...(answer?.shadowRules ?? [])].map((rule) => rule.id);
  const asked = one.allowance !== null && facts !== null;
  return {
    verdict: answer?.verdict ?? verdict,
    allowance: asked ? policy.explain(facts).allowance : null,
    shadow: shadow.toSorted(compare),
  };
}

function resultOf(
  document: TestDocument,
  one: TestCase,
  request: TestRequest,
  actual: Actual,
): RequestResult {
  const shadow = (ids: readonly string[]): string =>
    one.shadow === null ? '' : `, shadow ${ids.join(' ') || 'none'}`;
  const allowance = (id: string | null): string =>
    one.allowance === null ? '' : ` by ${id ?? 'no allowance'}`;
  const wanted = one.expect === 'allow' ? `allow${allowance(one.allowance)}` : wantedText(one);
  const { verdict } = actual;
  const got = verdict === PASS ? `allow${allowance(actual.allowance)}` : denialText(verdict);
  return {
    document: document.name,
    case: one.name,
    request: textOf(request),
    at: request.at,
    held: isHeld(one, actual),
    expected: `${wanted}${shadow(one.shadow ?? [])}`,
    actual: `${got}${shadow(actual.shadow)}`,
  };
}

function isHeld(one: TestCase, { verdict, allowance, shadow }: Actual): boolean {
  if (one.shadow !== null && one.shadow.join() !== shadow.join()) return false;
  if (one.expect === 'allow') return verdict === PASS && one.allowance === allowance;
  if (verdict === PASS) return false;
  const ruleHolds = one.rule === null ? verdict.reason === one.reason : verdict.rule?.id === one.rule;
  return ruleHolds && (one.reason === null || verdict.reason === one.reason);
}

function wantedText({ rule, reason }: TestCase): string {
  if (rule === null) return `deny by ${reason}`;
  return reason === null ? `deny by ${rule}` : `deny by ${rule} (${reason})`;
}

const PLAIN_REASONS: ReadonlySet<string> = new Set(['rule_denied', 'response_guarded']);

/** A rule that denied because it could not look is told with the reason. */
function denialText({ rule, reason }: Denial): string {
  if (rule === null) return `deny by ${reason}`;
  return PLAIN_REASONS.has(reason) ? `deny by ${rule.id}` : `deny by ${rule.id} (${reason})`;
}

export function textOf({ method, rawTarget }: TestRequest): string {
  return `${method} ${rawTarget}`;
}
