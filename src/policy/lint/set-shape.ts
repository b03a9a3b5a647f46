// What shows only in a set as a whole: categories that nothing covers, ids that get mistaken for each other, patterns
// that make every request pay, rules that only watch. Cold.
import type { PolicyDocuments } from '../policy-file.ts';
import { problemOfFile } from '../problem.ts';
import type { PlacedRule } from '../route-policy.ts';
import { type Finding, findingAt } from './finding.ts';

/** What a product with support access has to close, whatever it sells; then what many have. */
const EXPECTED = {
  warning: ['self-grant', 'user-admin', 'permissions', 'credentials', 'export', 'email', 'billing'],
  note: ['destructive', 'sensitive', 'settings', 'integrations', 'ai', 'meetings', 'company', 'code'],
} as const;

/** `source` is the directory that was loaded. */
export function findMissingCategories(source: string, documents: PolicyDocuments): readonly Finding[] {
  const present = new Set([
    ...documents.rules.map(({ draft }) => draft.category),
    ...documents.guards.map(({ draft }) => draft.category),
  ]);
  return (['warning', 'note'] as const).flatMap((severity): Finding[] => {
    const missing = EXPECTED[severity].filter((category) => !present.has(category));
    if (missing.length === 0) return [];
    const message = `no rule of the set has the category ${missing.join(', ')}`;
    return [{ ...problemOfFile(source, message), check: 'missing-category', severity }];
  });
}

export function findConfusingIds(rules: readonly PlacedRule[]): readonly Finding[] {
  const findings: Finding[] = [];
  const bySkeleton = new Map<string, PlacedRule>();
  const byId = new Map(rules.map((rule) => [rule.draft.id, rule]));
  for (const rule of rules) {
    const { id, category } = rule.draft;
    const skeleton = id.replace(/[._-]+/g, '');
    const twin = bySkeleton.get(skeleton);
    if (twin === undefined) bySkeleton.set(skeleton, rule);
    else findings.push(confusing(rule, `the ids ${id} and ${twin.draft.id} differ by separators only`));
    const parent = parentOf(id, byId);
    if (parent !== null && parent.draft.category !== category) {
      const categories = `${category}, not ${parent.draft.category}`;
      findings.push(
        confusing(rule, `${id} reads like a part of ${parent.draft.id}, and its category is ${categories}`),
      );
    }
  }
  return findings;
}

/** The rule whose id is the beginning of `id` up to a separator, the longest such. */
function parentOf(id: string, byId: ReadonlyMap<string, PlacedRule>): PlacedRule | null {
  for (let at = id.length - 1; at > 0; at--) {
    if (!/[._-]/.test(id.charAt(at))) continue;
    const parent = byId.get(id.slice(0, at));
    if (parent !== undefined) return parent;
  }
  return null;
}

function confusing(rule: PlacedRule, message: string): Finding {
  return findingAt(rule.at, { check: 'confusing-id', severity: 'warning', message });
}

/** From here on a set is large; POLICY.md promises its speed for at most this share of patterns that begin with `**`. */
const LARGE_RULES = 1000;
const DEEP_SHARE = 0.01;

export function findDeepStarts(rules: readonly PlacedRule[]): readonly Finding[] {
  const paths = rules.flatMap((rule) =>
    rule.draft.match.flatMap((match) => match.paths.map((path) => ({ rule, path }))),
  );
  const deep = paths.filter(({ path }) => path.segments[0]?.kind === 'deep' && path.segments.length > 1);
  const [first] = deep;
  if (first === undefined || rules.length < LARGE_RULES || deep.length <= paths.length * DEEP_SHARE)
    return [];
  const message = `${deep.length} of ${paths.length} paths begin with \`**\`, more than one in a hundred: every request walks them all. This is the first; begin with a literal segment`;
  return [findingAt(first.rule.at, { check: 'deep-start', severity: 'note', message })];
}

export function findShadowModeOnly(rules: readonly PlacedRule[]): readonly Finding[] {
  const [first] = rules;
  if (first === undefined || rules.some(({ draft }) => draft.mode === 'enforce')) return [];
  const message = 'every rule is in shadow mode: the set records and stops nothing';
  return [findingAt(first.at, { check: 'shadow-mode-only', severity: 'warning', message })];
}
