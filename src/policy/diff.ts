// Two policy sets beside each other: which rules came, went or changed, and which requests they decide differently.
// Judges by the gate's own code; compares what a client would see. Cold.
import type { CompiledPolicy } from './compiled-policy.ts';
import { ruleParts } from './digest.ts';
import {
  type JudgedRequest,
  type JudgedSubject,
  judgeWithBody,
  type ParseTarget,
  verdictText,
} from './judge.ts';
import type { PolicyDocuments } from './policy-file.ts';
import type { TestDocument } from './policy-test.ts';
import { guardDigest } from './response-guard.ts';
import { describeRequest } from './run-policy-tests.ts';
import type { EpochMs } from '#model/clock.ts';

export interface ComparedRequest {
  /** Where it comes from: a test's document and case, or an operation. */
  readonly source: string;
  /** `GET /api/v1/tickets` */
  readonly text: string;
  readonly now: EpochMs;
  readonly subject: JudgedSubject;
  readonly request: Omit<JudgedRequest, 'body' | 'bodyBytes'>;
  readonly body: Buffer;
}

export interface DecisionChange {
  readonly source: string;
  readonly request: string;
  /** `allow`, `deny by <rule>`, `deny by <reason>` or `needs the body`. */
  readonly before: string;
  readonly after: string;
}

export interface RuleChanges {
  /** Ids of rules and guards, sorted. */
  readonly added: readonly string[];
  readonly removed: readonly string[];
  /** The same id, another content. */
  readonly changed: readonly string[];
}

export function diffRules(before: PolicyDocuments, after: PolicyDocuments): RuleChanges {
  const [old, now] = [contentsOf(before), contentsOf(after)];
  return {
    added: [...now.keys()].filter((id) => !old.has(id)).toSorted(),
    removed: [...old.keys()].filter((id) => !now.has(id)).toSorted(),
    changed: [...now].flatMap(([id, text]) => (old.has(id) && old.get(id) !== text ? [id] : [])).toSorted(),
  };
}

function contentsOf({ rules, guards }: PolicyDocuments): ReadonlyMap<string, string> {
  return new Map([
    ...rules.map(({ draft }) => [draft.id, JSON.stringify(ruleParts(draft))] as const),
    ...guards.map(({ draft }) => [draft.id, JSON.stringify(guardDigest(draft))] as const),
  ]);
}

/** The requests of tests, each once for each case. */
export function requestsOfTests(documents: readonly TestDocument[]): readonly ComparedRequest[] {
  return documents.flatMap((document) =>
    document.cases.flatMap((one) =>
      one.requests.map(
        (request): ComparedRequest => ({
          source: `${document.name}: ${one.name}`,
          text: `${request.method} ${request.rawTarget}`,
          now: document.now,
          subject: one,
          request: describeRequest(one, request),
          body: one.body,
        }),
      ),
    ),
  );
}

export interface DiffDeps {
  readonly before: CompiledPolicy;
  readonly after: CompiledPolicy;
  readonly parseTarget: ParseTarget;
}

/** Those that are decided differently, in the order given. */
export async function diffDecisions(
  deps: DiffDeps,
  requests: readonly ComparedRequest[],
): Promise<readonly DecisionChange[]> {
  const changes: DecisionChange[] = [];
  for (const one of requests) {
    const before = await decide(deps.before, deps.parseTarget, one);
    const after = await decide(deps.after, deps.parseTarget, one);
    if (before !== after) changes.push({ source: one.source, request: one.text, before, after });
  }
  return changes;
}

async function decide(
  policy: CompiledPolicy,
  parseTarget: ParseTarget,
  one: ComparedRequest,
): Promise<string> {
  const deps = { policy, parseTarget, now: one.now };
  const judgement = await judgeWithBody(deps, one.subject, one.request, one.body);
  return judgement.needsBody ? 'needs the body' : verdictText(judgement.verdict);
}
