// Deny rules as the walk wants them: one entry per path of a match block, all in one trie. Built once per load
// from checked documents; afterwards only read. Cold itself; what it makes is hot.
import { type Denial, denyByRule, type RuleRef } from '#model/verdict.ts';
import { compileBodySelector } from './body-compile.ts';
import type { BodySelector, BodySelectorDraft } from './body-selector.ts';
import type { HostSet } from './hosts.ts';
import { compileMethods, type MethodSet, namesOverridable } from './methods.ts';
import type { PathPattern } from './pattern.ts';
import { foldName } from './query.ts';
import { foldText } from './fold.ts';
import { Trie } from './trie.ts';
import type { When } from './when.ts';

/** A rule as parsed and checked; `kind: RoutePolicy` makes these. */
export interface RuleDraft {
  readonly id: string;
  readonly category: string;
  readonly mode: 'enforce' | 'shadow';
  readonly liftable: boolean;
  /** Null: every host. */
  readonly hosts: HostSet | null;
  /** Null: whoever asks. */
  readonly when: When | null;
  readonly message: string | null;
  readonly match: readonly MatchDraft[];
}

export interface MatchDraft {
  /** Null means every method. Upper case. */
  readonly methods: readonly string[] | null;
  readonly paths: readonly PathPattern[];
  /** All must hold. Empty: no condition. */
  readonly query: readonly QueryDraft[];
  /** Null: no condition. */
  readonly body: BodySelectorDraft | null;
}

export interface QueryDraft {
  readonly key: string;
  /** Null is presence. */
  readonly values: readonly string[] | null;
}

export interface CompiledRule {
  readonly ref: RuleRef;
  /** Place in file and document order, from 0. */
  readonly order: number;
  readonly enforced: boolean;
  readonly liftable: boolean;
  readonly hosts: HostSet | null;
  readonly when: When | null;
  /** Made once: a denial by this rule is always the same value. */
  readonly denial: Denial;
}

/** One path of one match block. */
export interface RuleEntry {
  readonly rule: CompiledRule;
  readonly pathText: string;
  readonly methods: MethodSet | null;
  readonly namesOverridable: boolean;
  readonly query: readonly QueryCondition[];
  readonly body: BodySelector | null;
}

interface QueryCondition {
  /** As `foldName` makes it. */
  readonly name: string;
  /** Folded; null is presence. */
  readonly values: readonly string[] | null;
}

export interface RuleSet {
  readonly rules: readonly CompiledRule[];
  /** The trie's payloads are indexes into this. */
  readonly entries: readonly RuleEntry[];
  readonly trie: Trie;
  /** Folded names of the query that some rule reads. */
  readonly queryNames: ReadonlySet<string>;
}

/** `drafts` in file and document order, with unique ids. */
export function compileRules(drafts: readonly RuleDraft[]): RuleSet {
  const rules: CompiledRule[] = [];
  const entries: RuleEntry[] = [];
  const trie = new Trie();
  const queryNames = new Set<string>();
  for (const draft of drafts) {
    const rule = compileRule(draft, rules.length);
    rules.push(rule);
    for (const match of draft.match) {
      const methods = match.methods === null ? null : compileMethods(match.methods);
      const query = Object.freeze(match.query.map(compileCondition));
      const body = match.body === null ? null : compileBodySelector(match.body);
      for (const condition of query) queryNames.add(condition.name);
      for (const path of match.paths) {
        trie.add(path.segments, entries.length);
        entries.push({
          rule,
          pathText: path.text,
          methods,
          namesOverridable: methods !== null && namesOverridable(methods),
          query,
          body,
        });
      }
    }
  }
  return { rules, entries, trie, queryNames };
}

function compileRule(draft: RuleDraft, order: number): CompiledRule {
  const ref = Object.freeze({ id: draft.id, category: draft.category, message: draft.message });
  return Object.freeze({
    ref,
    order,
    enforced: draft.mode === 'enforce',
    liftable: draft.liftable,
    hosts: draft.hosts,
    when: draft.when,
    denial: Object.freeze(denyByRule(ref)),
  });
}

function compileCondition(draft: QueryDraft): QueryCondition {
  return Object.freeze({
    name: foldName(draft.key),
    values: draft.values === null ? null : Object.freeze([...new Set(draft.values.map(foldText))]),
  });
}
