// Rules that are never reported, because earlier ones stop all that they stop. Only certain ones: paths, methods,
// conditions, hosts, principals and lifts are all looked at. Cold; about linear in the set.
import type { PlacedRule } from '../route-policy.ts';
import type { EntryIndex } from './rule-entries.ts';
import { type Finding, findingAt } from './finding.ts';

export function findShadowedRules(index: EntryIndex): readonly Finding[] {
  const findings: Finding[] = [];
  for (const [rule, entries] of Map.groupBy(index.entries, (entry) => entry.rule)) {
    const covering = new Set<PlacedRule>();
    const isShadowed = entries.every((entry) => {
      const earlier = index.covering(entry, entry.order);
      if (earlier !== null) covering.add(earlier.rule);
      return earlier !== null;
    });
    if (isShadowed) findings.push(shadowed(rule, [...covering]));
  }
  return findings;
}

const MAX_NAMED = 3;

function shadowed(rule: PlacedRule, earlier: readonly PlacedRule[]): Finding {
  const named = earlier
    .slice(0, MAX_NAMED)
    .map(({ draft, at }) => `${draft.id} (${at.file}:${at.line})`)
    .join(', ');
  const more = earlier.length > MAX_NAMED ? ` and ${earlier.length - MAX_NAMED} more` : '';
  const message = `the rule ${rule.draft.id} never decides: all it stops is stopped before by ${named}${more}`;
  // A pack for one product repeats what general files say: then nothing reads differently for it.
  const isRepeated = earlier.every(
    ({ draft, at }) => at.file !== rule.at.file && draft.category === rule.draft.category,
  );
  return findingAt(rule.at, { check: 'shadowed-rule', severity: isRepeated ? 'note' : 'warning', message });
}
