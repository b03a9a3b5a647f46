// A decision explained, for the command and for the control API: what is decided about a described request, by which check,
// and how near each rule came. Guarantees: repeats no header and nothing of a body. Not hot; bounded as a request is.
import { PASS } from '#model/verdict.ts';
import type { Explanation } from './compiled-policy.ts';
import {
  type JudgeDeps,
  type JudgedRequest,
  type JudgedSubject,
  type Judgement,
  judgeRequest,
  judgeWithBody,
} from './judge.ts';

/** As people describe it; `body` is empty where there is none. */
export interface RequestToExplain extends Omit<JudgedRequest, 'body' | 'bodyBytes'> {
  readonly body: Buffer;
}

export interface ExplainedDecision {
  readonly digest: string;
  readonly judgement: Judgement;
  /** Null where the request was refused before access was looked at. */
  readonly explanation: Explanation | null;
  /** It has no body, and with one a check might have to see it. */
  readonly dependsOnBody: boolean;
}

export async function explainDecision(
  judge: JudgeDeps,
  subject: JudgedSubject,
  request: RequestToExplain,
): Promise<ExplainedDecision> {
  const judgement = await judgeWithBody(judge, subject, request, request.body);
  const { facts } = judgement;
  // A body was not given; would one have mattered?
  const unread = { ...request, bodyBytes: 1, body: null };
  const isWithoutBody = request.body.length === 0 && !request.upgrade;
  return {
    digest: judge.policy.digest,
    judgement,
    explanation: facts === null ? null : judge.policy.explain(facts),
    dependsOnBody: isWithoutBody && judgeRequest(judge, subject, unread).needsBody,
  };
}

/** What both of them say, in the words of the JSON. */
export function decisionJson({ digest, judgement, explanation, dependsOnBody }: ExplainedDecision) {
  const { verdict, facts, at, shadowRules } = judgement;
  const denial = verdict === PASS ? null : verdict;
  return {
    decision: denial === null ? 'allow' : 'deny',
    reason: denial?.reason ?? 'ok',
    decidedBy: at,
    rule: denial?.rule ?? null,
    note: denial?.note ?? null,
    shadowRules: shadowRules.map(({ id }) => id),
    policyDigest: digest,
    canonicalPath: explanation?.canonicalPath ?? null,
    readings: explanation?.readings ?? [],
    workspace: facts?.workspace ?? null,
    bodyMatters: dependsOnBody || (facts?.body ?? null) !== null,
    allowance: explanation?.allowance ?? null,
    considered: explanation?.considered ?? [],
  } as const;
}
