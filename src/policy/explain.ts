// The walk of `evaluate`, told step by step: the readings tried, and for every rule why it did or did not match.
// Cold, and safe beside the hot path: the walk is synchronous, so the scratch space is never shared.
import type { ConsideredRule, Explanation, RouteFacts, ShadowSink } from './compiled-policy.ts';
import { OUTCOME, type Outcome, type Trace, type Walk } from './evaluate.ts';
import { flawOfBody } from './judge-body.ts';
import { MAX_ALTERNATIVES, type Reading } from './reading.ts';
import type { RuleEntry, RuleSet } from './rule-set.ts';
import { whenText } from './when.ts';

export function explainWith(
  walk: Walk,
  set: RuleSet,
  facts: RouteFacts,
): Pick<Explanation, 'verdict' | 'readings' | 'considered'> {
  const readings = new Set<string>();
  const closest = new Map<number, { readonly entry: RuleEntry; readonly outcome: Outcome }>();
  const trace: Trace = {
    reading: (reading) => {
      for (const text of textsOf(reading)) readings.add(text);
    },
    entry: (entry, outcome) => {
      const known = closest.get(entry.rule.order);
      if (known === undefined || outcome < known.outcome) closest.set(entry.rule.order, { entry, outcome });
    },
  };
  const shadow: ShadowSink = { shadowRules: [], wantsBody: false };
  const verdict = walk.run(facts, shadow, trace);
  const considered = set.rules.map((rule): ConsideredRule => {
    const found = closest.get(rule.order);
    return {
      rule: rule.ref,
      mode: rule.enforced ? 'enforce' : 'shadow',
      matched: found !== undefined && found.outcome <= OUTCOME.bodyTooLarge,
      pathMatched: found !== undefined,
      because:
        found === undefined ? 'no path of the rule matched' : because(found.entry, found.outcome, facts),
    };
  });
  return { verdict, readings: [...readings], considered };
}

function because(entry: RuleEntry, outcome: Outcome, facts: RouteFacts): string {
  return `path ${entry.pathText} matched${whyOf(outcome, entry, facts)}`;
}

function whyOf(outcome: Outcome, entry: RuleEntry, facts: RouteFacts): string {
  const { rule, methods, body } = entry;
  const methodNames = methods?.names.join(', ');
  switch (outcome) {
    case OUTCOME.matched:
      return matchedText(entry, facts);
    case OUTCOME.lifted:
      return `, lifted by the grant (category ${rule.ref.category})`;
    case OUTCOME.otherHost:
      return `, host ${facts.hostName} is not one of ${rule.hosts?.names.join(', ')}`;
    case OUTCOME.otherPrincipal:
      return `, the rule is for others: ${rule.when === null ? '' : whenText(rule.when)}`;
    case OUTCOME.otherMethod:
      return `, method ${facts.method} is not one of ${methodNames}`;
    case OUTCOME.otherQuery:
      return `, query does not hold ${queryText(entry)}`;
    case OUTCOME.queryUnreadable:
      return ', the query has to be read and is malformed';
    case OUTCOME.otherBody:
      return `, the body does not hold ${body?.text}`;
    case OUTCOME.needsBody:
      return `, the body has to be read for ${body?.text ?? 'a method it may claim'}`;
    case OUTCOME.bodyUnreadable:
    case OUTCOME.bodyTooLarge:
      return `, the body has to be read for ${body?.text ?? 'a method it may claim'}: ${flawOfBody(entry, facts)}`;
  }
}

function matchedText(entry: RuleEntry, facts: RouteFacts): string {
  const { methods, body } = entry;
  if (facts.isUpgrade && body !== null) return ', and no rule sees what an upgrade carries';
  const method = methods === null ? '' : `, method is one of ${methods.names.join(', ')}`;
  const query = entry.query.length === 0 ? '' : `, query holds ${queryText(entry)}`;
  return `${method}${query}${body === null ? '' : `, the body holds ${body.text}`}`;
}

function queryText(entry: RuleEntry): string {
  return entry.query
    .map(({ name, values }) => (values === null ? name : `${name}=${values.join('|')}`))
    .join(' and ');
}

/** The folded path first; then segment by segment the further alternatives, as far as they go. */
function textsOf(reading: Reading): string[] {
  const texts: string[] = [];
  let most = 1;
  for (let i = 0; i < reading.length; i++) {
    const ways = (reading.counts[i] as number) + (reading.skippable[i] === true ? 1 : 0);
    most = Math.max(most, ways);
  }
  for (let k = 0; k < most; k++) {
    let text = '';
    for (let i = 0; i < reading.length; i++) {
      const count = reading.counts[i] as number;
      if (k >= count && reading.skippable[i] === true) continue;
      text += `/${reading.alternatives[i * MAX_ALTERNATIVES + Math.min(k, count - 1)]}`;
    }
    texts.push(text === '' ? '/' : text);
  }
  return texts;
}
