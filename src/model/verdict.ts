// What a check says: PASS, or a denial that is a value. Anything else stops the request too.
// Hot: denials without a rule are made once and shared.
import { type DenialCode, REASONS } from './reason.ts';

/** Must be said: a stage that forgets to return denies (fail closed by construction). */
export const PASS: unique symbol = Symbol('PASS');

/** A rule as answers, records and metrics name it. Frozen; lives as long as its policy. */
export interface RuleRef {
  readonly id: string;
  readonly category: string;
  readonly message: string | null;
}

export interface Denial {
  readonly reason: DenialCode;
  /** Set where a rule denied: `rule_denied`, `response_guarded`, or a body that the rule could not look into. */
  readonly rule: RuleRef | null;
  /** For the operational log and the record; never for the client: it may say what a parser saw. */
  readonly note: string | null;
}

export type Verdict = typeof PASS | Denial;

const shared = new Map<DenialCode, Denial>(
  (Object.keys(REASONS) as (DenialCode | 'ok')[])
    .filter((code): code is DenialCode => code !== 'ok')
    .map((reason) => [reason, Object.freeze({ reason, rule: null, note: null })]),
);

export function deny(reason: DenialCode, note?: string): Denial {
  if (note !== undefined) return { reason, rule: null, note };
  return shared.get(reason) as Denial;
}

/**
 * A rule has to see the body, and nobody has read it yet. Whoever can holds the body and asks again; whoever does
 * not refuses the request. Compared by identity.
 */
export const NEEDS_BODY: Denial = Object.freeze({
  reason: 'body_uninspectable',
  rule: null,
  note: 'a rule has to see the body, and it was not read',
});

export function denyByRule(rule: RuleRef): Denial {
  return { reason: 'rule_denied', rule, note: null };
}
