// The walk of `evaluate`, told step by step: the readings tried, and for every rule why it did or did not match.
// Cold, and safe beside the hot path: the walk is synchronous, so the scratch space is never shared.
import type { ConsideredRule, Explanation, RouteFacts, ShadowSink } from './compiled-policy.ts';
import { OUTCOME, type Outcome, type Trace, type Walk } from './evaluate.ts';
import { MAX_ALTERNATIVES, type Reading } from './reading.ts';
import type { RuleEntry, RuleSet } from './rule-set.ts';

export function explainWith(walk: Walk, set: RuleSet, facts: RouteFacts): Explanation {
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
  const shadow: ShadowSink = { shadowRules: [] };
  const verdict = walk.run(facts, shadow, trace);
  const considered = set.rules.map((rule): ConsideredRule => {
    const found = closest.get(rule.order);
    return {
      rule: rule.ref,
      mode: rule.enforced ? 'enforce' : 'shadow',
      matched: found?.outcome === OUTCOME.matched,
      pathMatched: found !== undefined,
      because:
        found === undefined ? 'no path of the rule matched' : because(found.entry, found.outcome, facts),
    };
  });
  return { verdict, canonicalPath: facts.target.path, readings: [...readings], considered };
}

function because(entry: RuleEntry, outcome: Outcome, facts: RouteFacts): string {
  const path = `path ${entry.pathText} matched`;
  switch (outcome) {
    case OUTCOME.matched: {
      const method = entry.methods === null ? '' : `, method is one of ${entry.methods.names.join(', ')}`;
      const query = entry.query.length === 0 ? '' : `, query holds ${queryText(entry)}`;
      return `${path}${method}${query}`;
    }
    case OUTCOME.lifted:
      return `${path}, lifted by the grant (category ${entry.rule.ref.category})`;
    case OUTCOME.otherMethod:
      return `${path}, method ${facts.method} is not one of ${entry.methods?.names.join(', ')}`;
    case OUTCOME.otherQuery:
      return `${path}, query does not hold ${queryText(entry)}`;
    case OUTCOME.unreadable:
      return `${path}, the query has to be read and is malformed`;
  }
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
