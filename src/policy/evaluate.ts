// The one walk of a request over the deny rules; `evaluate` runs it bare and `explain` with a trace.
// Guarantees: the first denying rule in file and document order is reported, whatever order the trie found it in;
// what a rule must read and cannot is refused. Assumes a canonical path. Hot: synchronous, and an ASCII path
// without a query allocates only the slices of its segments.
import { type Denial, deny, PASS, type RuleRef, type Verdict } from '#model/verdict.ts';
import type { RouteFacts, ShadowSink } from './compiled-policy.ts';
import { bitsOfRequest, methodsCover, methodsCoverAny } from './methods.ts';
import { METHOD_OVERRIDE, QueryView } from './query.ts';
import { readDecoded, Reading, readWide } from './reading.ts';
import type { CompiledRule, RuleEntry, RuleSet } from './rule-set.ts';
import { secondReadings } from './second-reading.ts';
import { Hits } from './trie.ts';

export const OUTCOME = { matched: 0, lifted: 1, otherQuery: 2, otherMethod: 3, unreadable: 4 } as const;
export type Outcome = (typeof OUTCOME)[keyof typeof OUTCOME];

/** Told every step of the walk; then nothing is skipped, and the verdict is the same. */
export interface Trace {
  reading(reading: Reading): void;
  /** The path of `entry` matched; `outcome` says what else did or did not. */
  entry(entry: RuleEntry, outcome: Outcome): void;
}

const NO_RULES: readonly RuleRef[] = Object.freeze([]);
const UNREADABLE_QUERY: Denial = Object.freeze(
  deny(
    'bad_request_target',
    'a rule on this path has to read the query, and a name or value in it is malformed',
  ),
);
const UNSAFE_READING: Denial = Object.freeze(
  deny('bad_request_target', 'decoded once more, the path holds what a path may not hold'),
);
const NOT_CANONICAL: Denial = Object.freeze(deny('bad_request_target', 'the path is not canonical'));

/** The walk and its scratch space: one per compiled set, never entered twice at once since it never waits. */
export class Walk {
  private readonly set: RuleSet;
  private readonly reading = new Reading();
  private readonly hits = new Hits();
  private readonly query: QueryView;
  private readonly anyOverridable: boolean;
  private bits = 0;
  private best: CompiledRule | null = null;
  private refusal: Denial | null = null;
  private shadows: CompiledRule[] | null = null;

  constructor(set: RuleSet) {
    this.set = set;
    this.query = new QueryView(set.queryNames);
    this.anyOverridable = set.entries.some((entry) => entry.namesOverridable);
  }

  run(facts: RouteFacts, shadow: ShadowSink, trace: Trace | null): Verdict {
    this.best = null;
    this.refusal = null;
    this.shadows = null;
    this.bits = bitsOfRequest(facts.method);
    if (readWide(facts.routePath, this.reading)) this.judgeReading(facts, '', trace);
    else this.refusal = NOT_CANONICAL;
    if (facts.target.encodedSlash || facts.target.encodedPercent) this.judgeFurther(facts, trace);
    shadow.shadowRules = this.shadows === null ? NO_RULES : refsInOrder(this.shadows);
    if (this.best !== null) return (this.best as CompiledRule).denial;
    return this.refusal ?? PASS;
  }

  needsFormMethod(facts: RouteFacts): boolean {
    if (!this.anyOverridable || facts.method !== 'POST') return false;
    if (readWide(facts.routePath, this.reading) && this.namesOverridable(facts)) return true;
    if (!facts.target.encodedSlash && !facts.target.encodedPercent) return false;
    for (const further of secondReadings(facts.routePath) ?? []) {
      readDecoded(further.segments, this.reading);
      if (this.namesOverridable(facts)) return true;
    }
    return false;
  }

  private namesOverridable(facts: RouteFacts): boolean {
    this.set.trie.walk(this.reading, this.hits);
    for (let i = 0; i < this.hits.length; i++) {
      const entry = this.entryAt(i);
      if (entry.namesOverridable && !isLifted(entry.rule, facts)) return true;
    }
    return false;
  }

  private judgeFurther(facts: RouteFacts, trace: Trace | null): void {
    const further = secondReadings(facts.routePath);
    if (further === null) {
      this.refusal = UNSAFE_READING;
      return;
    }
    for (const one of further) {
      readDecoded(one.segments, this.reading);
      this.judgeReading(facts, one.query, trace);
    }
  }

  private judgeReading(facts: RouteFacts, queryAhead: string, trace: Trace | null): void {
    const { query } = facts.target;
    this.query.reset(queryAhead === '' ? query : `${queryAhead}&${query}`);
    this.set.trie.walk(this.reading, this.hits);
    if (trace !== null) trace.reading(this.reading);
    for (let i = 0; i < this.hits.length; i++) {
      const entry = this.entryAt(i);
      const { rule } = entry;
      if (trace === null && rule.enforced && this.best !== null && this.best.order <= rule.order) continue;
      const outcome = this.judgeEntry(entry, facts);
      if (trace !== null) trace.entry(entry, outcome);
      if (outcome === OUTCOME.matched) this.keep(rule);
      else if (outcome === OUTCOME.unreadable && rule.enforced) this.refusal ??= UNREADABLE_QUERY;
    }
  }

  private keep(rule: CompiledRule): void {
    if (rule.enforced) {
      if (this.best === null || rule.order < this.best.order) this.best = rule;
    } else if (this.shadows === null) this.shadows = [rule];
    else if (!this.shadows.includes(rule)) this.shadows.push(rule);
  }

  private judgeEntry(entry: RuleEntry, facts: RouteFacts): Outcome {
    if (isLifted(entry.rule, facts)) return OUTCOME.lifted;
    if (entry.methods !== null && !methodsCover(entry.methods, facts.method, this.bits)) {
      const overridden = this.judgeOverride(entry, facts);
      if (overridden !== OUTCOME.matched) return overridden;
    }
    return entry.query.length === 0 ? OUTCOME.matched : this.judgeQuery(entry);
  }

  /** `_method` counts besides the real method, from the query and from a form that was held for it. */
  private judgeOverride(entry: RuleEntry, facts: RouteFacts): Outcome {
    const methods = entry.methods;
    if (methods === null) return OUTCOME.matched;
    if (facts.formMethods.length > 0 && methodsCoverAny(methods, facts.formMethods)) return OUTCOME.matched;
    if (this.query.isEmpty()) return OUTCOME.otherMethod;
    if (methodsCoverAny(methods, this.query.valuesOf(METHOD_OVERRIDE))) return OUTCOME.matched;
    if (this.query.unreadableOverride || this.query.isUnreadable(METHOD_OVERRIDE)) return OUTCOME.unreadable;
    return OUTCOME.otherMethod;
  }

  private judgeQuery(entry: RuleEntry): Outcome {
    if (this.query.isEmpty()) return OUTCOME.otherQuery;
    let outcome: Outcome = OUTCOME.matched;
    for (let i = 0; i < entry.query.length; i++) {
      const { name, values } = entry.query[i] as RuleEntry['query'][number];
      const present = this.query.valuesOf(name);
      const unreadable = this.query.unreadableName || this.query.isUnreadable(name);
      if (holds(present, values, this.query.isUnreadable(name))) continue;
      if (!unreadable) return OUTCOME.otherQuery;
      outcome = OUTCOME.unreadable;
    }
    return outcome;
  }

  private entryAt(i: number): RuleEntry {
    return this.set.entries[this.hits.payloads[i] as number] as RuleEntry;
  }
}

function holds(
  present: ReadonlySet<string>,
  wanted: readonly string[] | null,
  unreadableValue: boolean,
): boolean {
  if (wanted === null) return present.size > 0 || unreadableValue;
  for (let i = 0; i < wanted.length; i++) if (present.has(wanted[i] as string)) return true;
  return false;
}

function isLifted(rule: CompiledRule, facts: RouteFacts): boolean {
  return rule.liftable && facts.grant !== null && facts.grant.lifts.includes(rule.ref.category);
}

function refsInOrder(rules: CompiledRule[]): readonly RuleRef[] {
  return rules.toSorted((a, b) => a.order - b.order).map((rule) => rule.ref);
}
