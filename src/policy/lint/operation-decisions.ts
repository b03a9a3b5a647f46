// Each operation of an API document → what the gate decides about it, asked of the gate's own code with requests that
// stand for it. `conditional`: a rule stops some of its requests, by a value, a query, a body or who asks. Cold.
import { NEEDS_BODY, PASS, type Verdict } from '#model/verdict.ts';
import type { ConsideredRule, RouteFacts } from '../compiled-policy.ts';
import {
  judgeAnswer,
  type JudgeDeps,
  judgeRequest,
  type JudgedRequest,
  NO_HEADERS,
  UNKNOWN_SUBJECT,
} from '../judge.ts';
import type { ApiOperation } from '../openapi-operation.ts';
import { targetsOf, withQuery } from '../openapi-requests.ts';
import { foldName } from '../query.ts';
import type { PlacedRule } from '../route-policy.ts';
import type { QueryDraft, RuleDraft } from '../rule-set.ts';

export interface OperationDecision {
  readonly operation: ApiOperation;
  readonly decision: 'allow' | 'deny' | 'conditional';
  /** The rule or reason that stops it, wholly or in part; null exactly where it is allowed. */
  readonly by: string | null;
  readonly category: string | null;
  /** One clause: `when the query holds format=csv`. Null but for conditional ones. */
  readonly condition: string | null;
  /** Ids of rules in shadow mode that would stop it. */
  readonly shadowRules: readonly string[];
}

export interface DecideDeps extends JudgeDeps {
  readonly rules: readonly PlacedRule[];
  /** Of the Host header; empty: rules for named hosts do not match. */
  readonly host: string;
}

/** In the document's order. */
export function decideOperations(
  deps: DecideDeps,
  operations: readonly ApiOperation[],
): readonly OperationDecision[] {
  const drafts = new Map(deps.rules.map(({ draft }) => [draft.id, draft]));
  return operations.map((operation) => decide(deps, drafts, operation));
}

interface Asked {
  readonly verdict: Verdict;
  /** Null where it was refused before the rules. */
  readonly facts: RouteFacts | null;
  /** Asked for only where it matters: of a large set it is long. */
  considered(): readonly ConsideredRule[];
  readonly shadowRules: readonly string[];
}

type Drafts = ReadonlyMap<string, RuleDraft>;
type Decided = Pick<OperationDecision, 'decision' | 'by' | 'category' | 'condition'>;
const ALLOWED: Decided = { decision: 'allow', by: null, category: null, condition: null };

function decide(deps: DecideDeps, drafts: Drafts, operation: ApiOperation): OperationDecision {
  const targets = targetsOf(operation);
  const answers = targets.map((target) => ({ target, ...ask(deps, operation, target) }));
  const shadowRules = [...new Set(answers.flatMap((answer) => answer.shadowRules))];
  const each = answers.map((answer) => ofVerdict(drafts, answer));
  const [first = ALLOWED] = each;
  const stopped = each.find((one) => one.decision !== 'allow');
  if (stopped === undefined) {
    const ofQuery = queryCondition(deps, drafts, operation, answers[0]);
    return { operation, shadowRules, ...(ofQuery ?? guardCondition(deps, operation, answers[0]) ?? ALLOWED) };
  }
  if (each.every((one) => one.decision === 'deny')) return { operation, shadowRules, ...first };
  const condition = stopped.condition ?? `for ${targets[each.indexOf(stopped)]}`;
  return { operation, shadowRules, ...stopped, decision: 'conditional', condition };
}

function ask(deps: DecideDeps, operation: ApiOperation, rawTarget: string): Asked {
  const { method, requestTypes } = operation;
  const takesBody = requestTypes.length > 0 && method !== 'GET' && method !== 'HEAD';
  const headers = takesBody ? new Map([['content-type', [requestTypes[0] as string]]]) : NO_HEADERS;
  const bodyBytes = takesBody ? 1 : 0;
  const request: JudgedRequest = {
    method,
    rawTarget,
    host: deps.host,
    headers,
    bodyBytes,
    body: null,
    upgrade: false,
  };
  const { verdict, facts, shadowRules } = judgeRequest(deps, UNKNOWN_SUBJECT, request);
  const considered = (): readonly ConsideredRule[] =>
    facts === null ? [] : deps.policy.explain(facts).considered;
  return { verdict, facts, considered, shadowRules: shadowRules.map(({ id }) => id) };
}

/** `when` rules hold for an unknown subject: a rule without one has to stand behind an outright denial. */
function ofVerdict(drafts: Drafts, { verdict, considered }: Asked): Decided {
  if (verdict === PASS) return ALLOWED;
  if (verdict === NEEDS_BODY) {
    const reader = considered().find((one) => isEnforced(one) && one.pathMatched && asksBody(drafts, one));
    const { id = 'a rule', category = null } = reader?.rule ?? {};
    return { decision: 'conditional', by: id, category, condition: 'for some bodies' };
  }
  const { rule, reason } = verdict;
  if (rule === null) return denied(reason, null);
  if (!isNarrowed(drafts, rule.id)) return denied(rule.id, rule.category);
  const outright = considered().find(
    (one) => isEnforced(one) && one.matched && !isNarrowed(drafts, one.rule.id),
  );
  if (outright !== undefined) return denied(outright.rule.id, outright.rule.category);
  const condition = 'for some principals or grants';
  return { decision: 'conditional', by: rule.id, category: rule.category, condition };
}

function denied(by: string, category: string | null): Decided {
  return { decision: 'deny', by, category, condition: null };
}

function isEnforced({ mode }: ConsideredRule): boolean {
  return mode === 'enforce';
}

function isNarrowed(drafts: Drafts, id: string): boolean {
  return (drafts.get(id)?.when ?? null) !== null;
}

function asksBody(drafts: Drafts, { rule, matched }: ConsideredRule): boolean {
  return !matched && drafts.get(rule.id)?.match.some(({ body }) => body !== null) === true;
}

/** A rule that asks for query parameters which the operation has, proven by asking with them. */
function queryCondition(
  deps: DecideDeps,
  drafts: Drafts,
  operation: ApiOperation,
  answer: (Asked & { readonly target: string }) | undefined,
): Decided | null {
  const offered = new Set(
    operation.parameters.filter((one) => one.in === 'query').map(({ name }) => foldName(name)),
  );
  if (answer === undefined || offered.size === 0) return null;
  for (const { rule, mode, pathMatched } of answer.considered()) {
    if (mode !== 'enforce' || !pathMatched) continue;
    for (const { query } of drafts.get(rule.id)?.match ?? []) {
      if (query.length === 0 || !query.every(({ key }) => offered.has(foldName(key)))) continue;
      const asked = ask(deps, operation, withQuery(answer.target, query.map(examplePair)));
      if (asked.verdict === PASS || asked.verdict === NEEDS_BODY || asked.verdict.rule === null) continue;
      const { id, category } = asked.verdict.rule;
      const text = query.map(({ key, values }) => (values === null ? key : `${key}=${values.join('|')}`));
      const condition = `when the query holds ${text.join(' and ')}`;
      return { decision: 'conditional', by: id, category, condition };
    }
  }
  return null;
}

/** A response guard that stops an answer of one of the media types which the document names. */
function guardCondition(
  { policy }: DecideDeps,
  operation: ApiOperation,
  answer: Asked | undefined,
): Decided | null {
  const facts = answer?.facts ?? null;
  if (facts === null || !policy.hasGuards) return null;
  const attached = operation.responseHeaders.includes('content-disposition')
    ? ['content-disposition', 'attachment']
    : [];
  for (const type of operation.responseTypes) {
    const fields = ['content-type', type, ...attached];
    const head = { status: 200, fields, contentLength: -1, bytes: 0 };
    const { verdict } = judgeAnswer(policy, facts, head);
    if (verdict === PASS || verdict.rule === null) continue;
    const { id, category } = verdict.rule;
    return { decision: 'conditional', by: id, category, condition: `when the answer is ${type}` };
  }
  return null;
}

function examplePair({ key, values }: QueryDraft): readonly [string, string] {
  return [key, values?.[0] ?? 'x'];
}
