// A deny rule on one version of an interface whose siblings stay open: `/api/v1/exports` is shut, `/api/v2/exports` is
// not. Siblings are versions that the set names itself, and operations of an API document. Cold.
import { compilePattern, type PathPattern, type Segment } from '../pattern.ts';
import type { PlacedRule } from '../route-policy.ts';
import { quoted } from '../yaml-fields.ts';
import { methodsCover, pathCovers } from './covers.ts';
import { createCandidates, type Entry, type EntryIndex } from './rule-entries.ts';
import { type Finding, findingAt } from './finding.ts';
import type { OperationDecision } from './operation-decisions.ts';

const VERSION = /^(?:v\d{1,4}(?:\.\d{1,4})?|20\d\d-\d\d(?:-\d\d)?)$/i;

/** Versions known from the patterns of the set alone. */
export function findOpenSiblings(index: EntryIndex): readonly Finding[] {
  const known = versionsByPrefix(index.entries);
  const findings: Finding[] = [];
  const told = new Set<string>();
  for (const entry of index.entries) {
    for (const [at, version] of versionsIn(entry.path)) {
      for (const sibling of known.get(prefixOf(entry.path, at)) ?? []) {
        const key = `${entry.rule.draft.id} ${sibling}`;
        if (sibling === version || told.has(key)) continue;
        const text = replaced(entry.path.text, at, sibling);
        const path = compilePattern(text, 'wide');
        if (typeof path === 'string') continue;
        // As another rule, so that the rule itself may be what covers the sibling.
        const covered = index.covering({ ...entry, rule: { ...entry.rule }, path }, Number.POSITIVE_INFINITY);
        if (covered !== null) continue;
        told.add(key);
        findings.push(open(entry.rule, `${quoted(entry.path.text)} is denied and ${quoted(text)} is not`));
      }
    }
  }
  return findings;
}

/** Operations that are allowed though the same route of another version, or of none, is denied. */
export function findOpenOperations(
  index: EntryIndex,
  decisions: readonly OperationDecision[],
): readonly Finding[] {
  const entries = index.entries.filter((entry) => !isConditional(entry));
  const patterns = entries.map(({ path }) => withoutVersions(path.segments));
  const candidatesFor = createCandidates(patterns);
  const findings = new Map<PlacedRule, Finding>();
  for (const { operation, decision } of decisions) {
    const path = decision === 'allow' ? compilePattern(operation.path, 'wide') : 'it is not open';
    if (typeof path === 'string') continue;
    const bare = withoutVersions(path.segments);
    for (const i of candidatesFor(bare)) {
      const { rule, match, path: denied } = entries[i] as Entry;
      const isSibling =
        methodsCover(match.methods, [operation.method]) &&
        pathCovers(patterns[i] as readonly Segment[], bare);
      if (!isSibling || findings.has(rule)) continue;
      const what = `${quoted(denied.text)} is denied and ${operation.method} ${operation.path} is not`;
      findings.set(rule, open(rule, what));
    }
  }
  return [...findings.values()];
}

function isConditional({ rule, match }: Entry): boolean {
  const { when, hosts } = rule.draft;
  return match.query.length > 0 || match.body !== null || when !== null || hosts !== null;
}

function versionsByPrefix(entries: readonly Entry[]): ReadonlyMap<string, ReadonlySet<string>> {
  const known = new Map<string, Set<string>>();
  for (const { path } of entries) {
    for (const [at, version] of versionsIn(path)) {
      const prefix = prefixOf(path, at);
      known.set(prefix, (known.get(prefix) ?? new Set()).add(version));
    }
  }
  return known;
}

function* versionsIn(path: PathPattern): Generator<readonly [number, string]> {
  for (const [i, segment] of path.text.slice(1).split('/').entries()) {
    if (VERSION.test(segment)) yield [i, segment.toLowerCase()];
  }
}

function prefixOf({ text }: PathPattern, at: number): string {
  return text.slice(1).split('/').slice(0, at).join('/').toLowerCase();
}

function replaced(text: string, at: number, version: string): string {
  return `/${text.slice(1).split('/').with(at, version).join('/')}`;
}

function withoutVersions(segments: readonly Segment[]): readonly Segment[] {
  return segments.filter((segment) => segment.kind !== 'literal' || !VERSION.test(segment.text));
}

function open(rule: PlacedRule, what: string): Finding {
  const message = `the rule ${rule.draft.id} leaves another version open: ${what}`;
  return findingAt(rule.at, { check: 'version-sibling', severity: 'warning', message });
}
