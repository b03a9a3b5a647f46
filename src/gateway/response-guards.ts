// The response guards of an exchange's policy, asked on the way out, and what they leave in its record.
// Guarantees: a fault of theirs withholds the answer. Assumes the exchange is being forwarded. Hot where a set has
// guards.
import type { Log } from '#model/log.ts';
import { type Denial, deny, type RuleRef } from '#model/verdict.ts';
import type { GuardVerdict, ResponseFacts, RouteFacts } from '#policy/compiled-policy.ts';
import type { Exchange } from './exchange.ts';

const NO_RULES: readonly RuleRef[] = Object.freeze([]);
const FAULTED: GuardVerdict = Object.freeze({
  denial: deny('internal'),
  maxBodyBytes: 0,
  sizeGuard: null,
  shadowRules: NO_RULES,
  shadowSizes: Object.freeze([]),
});

export function judgeAnswer(x: Exchange, response: ResponseFacts, log: Log): GuardVerdict {
  const { policy } = x;
  if (policy === null) return FAULTED;
  try {
    return policy.judgeResponse(x as RouteFacts, response);
  } catch (error) {
    log.error({ requestId: x.requestId, err: error }, 'a response guard failed');
    return FAULTED;
  }
}

/** For an answer of which nothing has left: stopped by its head, or by what came with it. */
export function denialOfGuard(x: Exchange): Denial {
  const verdict = x.guardVerdict;
  if (verdict === null) return deny('internal');
  return verdict.denial ?? { reason: 'response_guarded', rule: verdict.sizeGuard, note: TOO_LONG };
}

const TOO_LONG = 'the answer grew larger than the guard allows';

/** At the end of an answer that was sent on, or begun. */
export function recordGuards(x: Exchange, verdict: GuardVerdict): void {
  if (x.endedBy === 'guard') x.rule = verdict.sizeGuard;
  for (const { rule, maxBytes } of verdict.shadowSizes) {
    if (x.bytesOut > maxBytes) x.shadowGuards = [...x.shadowGuards, rule];
  }
}
