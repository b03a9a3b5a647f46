// Every path of every rule that enforces, findable by an example of what it matches: what keeps the lint linear in a
// large set. Candidates only; covers.ts says which of them really cover. Cold.
import type { PathPattern, Segment } from '../pattern.ts';
import { readDecoded, Reading } from '../reading.ts';
import type { PlacedRule } from '../route-policy.ts';
import type { MatchDraft } from '../rule-set.ts';
import { Hits, Trie } from '../trie.ts';
import { conditionsCover, pathCovers, scopeCovers } from './covers.ts';

export interface Entry {
  readonly rule: PlacedRule;
  /** Place of the rule in the set. */
  readonly order: number;
  readonly match: MatchDraft;
  readonly path: PathPattern;
}

export interface EntryIndex {
  /** In file and document order. */
  readonly entries: readonly Entry[];
  /** The first entry that stops all that `entry` does, of a rule before `before`. Null: none that is certain. */
  covering(entry: Entry, before: number): Entry | null;
}

export function indexEntries(rules: readonly PlacedRule[]): EntryIndex {
  const entries = rules.flatMap((rule, order): Entry[] =>
    rule.draft.mode === 'shadow'
      ? []
      : rule.draft.match.flatMap((match) => match.paths.map((path) => ({ rule, order, match, path }))),
  );
  const candidatesFor = createCandidates(entries.map(({ path }) => path.segments));
  return {
    entries,
    covering(entry, before) {
      for (const i of candidatesFor(entry.path.segments)) {
        const other = entries[i] as Entry;
        if (other.order >= before) break;
        if (isCovered(entry, other)) return other;
      }
      return null;
    },
  };
}

/** Given a pattern, the places of those that may cover it, ascending: they match an example of it. */
export function createCandidates(
  patterns: readonly (readonly Segment[])[],
): (segments: readonly Segment[]) => readonly number[] {
  const trie = new Trie();
  for (const [i, segments] of patterns.entries()) trie.add(segments, i);
  const reading = new Reading();
  const hits = new Hits();
  return (segments) => {
    readDecoded(exampleOf(segments), reading);
    trie.walk(reading, hits);
    return hits.payloads.slice(0, hits.length).toSorted((a, b) => a - b);
  };
}

function isCovered(entry: Entry, by: Entry): boolean {
  return (
    by.rule !== entry.rule &&
    scopeCovers(by.rule.draft, entry.rule.draft) &&
    conditionsCover(by.match, entry.match) &&
    pathCovers(by.path.segments, entry.path.segments)
  );
}

/** Decoded segments that the pattern matches: `**` as nothing, a wildcard as a word that no pattern names. */
function exampleOf(segments: readonly Segment[]): readonly string[] {
  return segments.flatMap((segment) => {
    switch (segment.kind) {
      case 'deep':
        return [];
      case 'any':
        return ['qzx7'];
      case 'literal':
        return [segment.text];
      case 'glob': {
        const { prefix, middle, suffix } = segment.glob;
        return [`${prefix}${middle.join('')}${suffix}` || 'qzx7'];
      }
    }
  });
}
