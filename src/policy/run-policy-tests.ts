// Runs PolicyTest documents against a compiled set, in the order in which the gate would refuse: target, grant,
// opt-ins, read-only, rules. The one parser of targets is handed in. Cold; the decision itself is the hot code.
import { grantStatusAt } from '#model/grant.ts';
import type { DenialCode } from '#model/reason.ts';
import type { RequestTarget } from '#model/request-target.ts';
import { type Denial, deny, PASS, type Verdict } from '#model/verdict.ts';
import type { CompiledPolicy, RouteFacts, ShadowSink } from './compiled-policy.ts';
import type { Position } from './problem.ts';
import type { TestCase, TestDocument, TestRequest } from './policy-test.ts';
import { METHOD_OVERRIDE, QueryView } from './query.ts';

/** gateway/request-target.ts has it; handed in, since rooms do not import each other. */
export type ParseTarget = (raw: string) => RequestTarget | Denial;

export interface TestRunOptions {
  readonly policy: CompiledPolicy;
  readonly documents: readonly TestDocument[];
  readonly parseTarget: ParseTarget;
  /** A piece of the document's or the case's name, or of the request; null runs all. */
  readonly filter: string | null;
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

export interface TestReport {
  readonly results: readonly RequestResult[];
  readonly failed: number;
  /** Ids of rules whose path, method and query some request met, lifted ones included. */
  readonly reachedRules: ReadonlySet<string>;
}

/** What the gate would decide, and what the rules were asked. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly shadowRules: readonly string[];
  /** Null where the request was refused before the rules. */
  readonly facts: RouteFacts | null;
}

export function runPolicyTests({ policy, documents, parseTarget, filter }: TestRunOptions): TestReport {
  const results: RequestResult[] = [];
  const reachedRules = new Set<string>();
  for (const document of documents) {
    for (const one of document.cases) {
      for (const request of one.requests) {
        if (filter !== null && !isWanted(filter, document, one, request)) continue;
        const judgement = judgeRequest({ policy, parseTarget, now: document.now }, one, request);
        for (const id of matchingRules(policy, judgement.facts)) reachedRules.add(id);
        results.push(resultOf(document, one, request, judgement));
      }
    }
  }
  return { results, failed: results.filter((result) => !result.held).length, reachedRules };
}

/** Without a grant nothing is lifted, so a rule that a case sees lifted counts as reached. */
function matchingRules(policy: CompiledPolicy, facts: RouteFacts | null): readonly string[] {
  if (facts === null) return [];
  const { considered } = policy.explain({ ...facts, grant: null });
  return considered.filter((one) => one.matched).map((one) => one.rule.id);
}

function isWanted(filter: string, document: TestDocument, one: TestCase, request: TestRequest): boolean {
  return [document.name, one.name, textOf(request)].some((text) => text.includes(filter));
}

interface JudgeDeps {
  readonly policy: CompiledPolicy;
  readonly parseTarget: ParseTarget;
  readonly now: TestDocument['now'];
}

export function judgeRequest(
  { policy, parseTarget, now }: JudgeDeps,
  { grant, formMethods }: Pick<TestCase, 'grant' | 'formMethods'>,
  { method, rawTarget }: Pick<TestRequest, 'method' | 'rawTarget'>,
): Judgement {
  const target = parseTarget(rawTarget);
  if ('reason' in target) return refused(target);
  const status = grantStatusAt(grant, now);
  if (status !== 'active') return refused(deny(STATUS_REASONS[status]));
  const settings = policy.settingsFor(target.path);
  if (target.encodedSlash && !settings.allowEncodedSlash) return refused(CLOSED_SLASH);
  if (target.encodedPercent && !settings.allowEncodedPercent) return refused(CLOSED_PERCENT);
  const facts: RouteFacts = { method, target, routePath: target.path, formMethods, grant };
  if (grant.access === 'read' && !isSafe(facts)) return refused(deny('read_only'));
  const shadow: ShadowSink = { shadowRules: [] };
  const verdict = policy.evaluate(facts, shadow);
  const shadowRules = shadow.shadowRules.map((rule) => rule.id).toSorted();
  return { verdict, shadowRules, facts };
}

const CLOSED_SLASH = deny(
  'bad_request_target',
  'an encoded slash, and the route does not opt in to encodedSlash',
);
const CLOSED_PERCENT = deny(
  'bad_request_target',
  'an encoded percent sign, and the route does not opt in to encodedPercent',
);

const STATUS_REASONS = {
  scheduled: 'grant_pending',
  expired: 'grant_expired',
  revoked: 'grant_revoked',
} as const satisfies Record<string, DenialCode>;

function refused(verdict: Denial): Judgement {
  return { verdict, shadowRules: [], facts: null };
}

const SAFE = new Set(['GET', 'HEAD', 'OPTIONS']);

/** Every method reading must be safe. */
function isSafe({ method, target, formMethods }: RouteFacts): boolean {
  const query = new QueryView([]);
  query.reset(target.query);
  const overrides = [...query.valuesOf(METHOD_OVERRIDE), ...formMethods];
  return [method, ...overrides].every((name) => SAFE.has(name.toUpperCase().trim()));
}

function resultOf(
  document: TestDocument,
  one: TestCase,
  request: TestRequest,
  { verdict, shadowRules }: Judgement,
): RequestResult {
  const withShadow = (text: string, ids: readonly string[]): string =>
    one.shadow === null ? text : `${text}, shadow ${ids.join(' ') || 'none'}`;
  const wanted = one.expect === 'allow' ? 'allow' : `deny by ${one.rule ?? one.reason}`;
  const expected = withShadow(wanted, one.shadow ?? []);
  const actual = withShadow(verdictText(verdict), shadowRules);
  return {
    document: document.name,
    case: one.name,
    request: textOf(request),
    at: request.at,
    held: expected === actual,
    expected,
    actual,
  };
}

export function verdictText(verdict: Verdict): string {
  if (verdict === PASS) return 'allow';
  return `deny by ${verdict.rule?.id ?? verdict.reason}`;
}

function textOf({ method, rawTarget }: TestRequest): string {
  return `${method} ${rawTarget}`;
}
