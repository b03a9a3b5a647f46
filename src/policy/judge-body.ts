// What the body of a request says to one path of a rule: its selector's answer, or a `_method` in a form (P6).
// Guarantees: a body that was not read is never taken for an empty one. Hot only where a rule looks at bodies.
import type { BodyAnswer, BodySelector } from './body-selector.ts';
import type { RouteFacts } from './compiled-policy.ts';
import { type MethodSet, methodsCoverAny } from './methods.ts';
import { NO_BODY } from './read-body.ts';
import type { RuleEntry } from './rule-set.ts';

export type BodyOutcome = BodyAnswer | 'needs_body';

export function judgeBody(selector: BodySelector, facts: RouteFacts): BodyOutcome {
  if (facts.body !== null) return selector.judge(facts.body, facts);
  // A document in the query is there without a body.
  return facts.hasBody ? 'needs_body' : selector.judge(NO_BODY, facts);
}

/** Why a rule could not look into the body, as a clause; never what it holds. */
export function flawOfBody({ body: selector }: RuleEntry, facts: RouteFacts): string {
  const { body } = facts;
  if (body === null) return 'it was not read';
  return selector?.flawOf(body, facts) ?? body.flaw ?? 'it is of a type that the rule does not read';
}

/** Whether `other`, a block of the same rule, reads a body of the kind that `entry` cannot look into. */
export function isComplemented(entry: RuleEntry, other: RuleEntry, { body }: RouteFacts): boolean {
  if (body === null || other.body === null || entry.body === null) return false;
  return !entry.body.reads(body.kind) && other.body.reads(body.kind);
}

/** `absent` where the body claims no method of the set. Only a POST can claim one, and only for PUT, PATCH, DELETE is it looked for. */
export function judgeFormMethod(
  methods: MethodSet,
  namesOverridable: boolean,
  facts: RouteFacts,
): BodyOutcome {
  const { body } = facts;
  if (body !== null && body.claimedMethods.length > 0 && methodsCoverAny(methods, body.claimedMethods)) {
    return 'holds';
  }
  if (!namesOverridable || facts.method !== 'POST' || !mayClaimMethod(facts)) return 'absent';
  if (body === null) return 'needs_body';
  return body.kind === 'unreadable' || body.kind === 'too_large' ? body.kind : 'absent';
}

/**
 * Whether a body of the declared type can carry `_method` at all: JSON and the like cannot. A type that is absent, or
 * that speaks of a form anywhere, may be taken for one.
 */
export function mayClaimMethod({ hasBody, contentType }: RouteFacts): boolean {
  return hasBody && (contentType.trim() === '' || contentType.toLowerCase().includes('form'));
}
