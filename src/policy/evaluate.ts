// The one walk of a request over the deny rules; `evaluate` runs it bare and `explain` with a trace.
// Guarantees: the first denying rule in file and document order is reported, whatever order the trie found it in
// (of those that need no body, when it was not read); what a rule must read and cannot is refused. Assumes a
// canonical path. Hot: synchronous, and an ASCII path without a query allocates only the slices of its segments.
import { type Denial, deny, NEEDS_BODY, PASS, type RuleRef, type Verdict } from '#model/verdict.ts';
import type { RouteFacts, ShadowSink } from './compiled-policy.ts';
import { type BodyOutcome, flawOfBody, isComplemented, judgeBody, judgeFormMethod } from './judge-body.ts';
import { hostsCover } from './hosts.ts';
import { bitsOfRequest, methodsCover, methodsCoverAny } from './methods.ts';
import { METHOD_OVERRIDE, QueryView } from './query.ts';
import { readDecoded, Reading, readWide } from './reading.ts';
import type { CompiledRule, RuleEntry, RuleSet } from './rule-set.ts';
import { secondReadings } from './second-reading.ts';
import { Hits } from './trie.ts';
import { whenApplies } from './when.ts';

/** What became of one path of a rule that matched; the smaller, the closer it came to denying. */
export const OUTCOME = {
  matched: 0,
  bodyUnreadable: 1,
  bodyTooLarge: 2,
  queryUnreadable: 3,
  needsBody: 4,
  lifted: 5,
  otherPrincipal: 6,
  otherBody: 7,
  otherQuery: 8,
  otherMethod: 9,
  otherHost: 10,
} as const;
export type Outcome = (typeof OUTCOME)[keyof typeof OUTCOME];

const OF_BODY: Readonly<Record<BodyOutcome, Outcome>> = {
  holds: OUTCOME.matched,
  absent: OUTCOME.otherBody,
  unreadable: OUTCOME.bodyUnreadable,
  too_large: OUTCOME.bodyTooLarge,
  needs_body: OUTCOME.needsBody,
};

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
  deny('bad_request_target', 'decoded once more, the path holds what a path may not hold, or too much'),
);
const NOT_CANONICAL: Denial = Object.freeze(deny('bad_request_target', 'the path is not canonical'));

/** The walk and its scratch space: one per compiled set, never entered twice at once since it never waits. */
export class Walk {
  private readonly set: RuleSet;
  private readonly reading = new Reading();
  private readonly hits = new Hits();
  private readonly query: QueryView;
  private bits = 0;
  private best: CompiledRule | null = null;
  private denial: Denial | null = null;
  private refusal: Denial | null = null;
  private needsBody = false;
  private wantsBody = false;
  private shadows: CompiledRule[] | null = null;

  constructor(set: RuleSet) {
    this.set = set;
    this.query = new QueryView(set.queryNames);
  }

  run(facts: RouteFacts, shadow: ShadowSink, trace: Trace | null): Verdict {
    this.best = null;
    this.denial = null;
    this.refusal = null;
    this.needsBody = false;
    this.wantsBody = false;
    this.shadows = null;
    this.bits = bitsOfRequest(facts.method);
    if (readWide(facts.routePath, this.reading)) this.judgeReading(facts, '', trace);
    else this.refusal = NOT_CANONICAL;
    if (facts.target.encodedSlash || facts.target.encodedPercent) this.judgeFurther(facts, trace);
    shadow.shadowRules = this.shadows === null ? NO_RULES : refsInOrder(this.shadows);
    shadow.wantsBody = this.wantsBody;
    return this.denial ?? this.refusal ?? (this.needsBody ? NEEDS_BODY : PASS);
  }

  private judgeFurther(facts: RouteFacts, trace: Trace | null): void {
    const further = secondReadings(facts.routePath, facts.target.query.length);
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
    this.query.reset(queryAhead === '' ? query : `${queryAhead}&${query}`, this.reading);
    this.set.trie.walk(this.reading, this.hits);
    if (trace !== null) trace.reading(this.reading);
    for (let i = 0; i < this.hits.length; i++) {
      const entry = this.entryAt(i);
      const { rule } = entry;
      if (trace === null && this.isDecided(rule)) continue;
      const outcome = this.judgeEntry(entry, facts);
      if (trace !== null) trace.entry(entry, outcome);
      this.take(entry, outcome, facts);
    }
  }

  /** Whether nothing this rule could say would change the verdict. */
  private isDecided(rule: CompiledRule): boolean {
    if (!rule.enforced || this.best === null) return false;
    return this.best.order < rule.order || this.denial === rule.denial;
  }

  private take(entry: RuleEntry, outcome: Outcome, facts: RouteFacts): void {
    const { rule } = entry;
    switch (outcome) {
      case OUTCOME.matched:
        this.keep(rule, rule.denial);
        break;
      case OUTCOME.bodyUnreadable:
        this.keep(rule, unreadBy(entry, 'body_uninspectable', facts));
        break;
      case OUTCOME.bodyTooLarge:
        this.keep(rule, unreadBy(entry, 'body_too_large', facts));
        break;
      case OUTCOME.queryUnreadable:
        if (rule.enforced) this.refusal ??= UNREADABLE_QUERY;
        break;
      case OUTCOME.needsBody:
        if (rule.enforced) this.needsBody = true;
        else this.wantsBody = true;
        break;
      default:
    }
  }

  private keep(rule: CompiledRule, denial: Denial): void {
    if (rule.enforced) {
      // The same rule may have matched by another of its paths: what it says outright comes before what it could not read.
      const isEarlier = this.best === null || rule.order < this.best.order;
      if (!isEarlier && (rule !== this.best || denial !== rule.denial)) return;
      this.best = rule;
      this.denial = denial;
    } else if (this.shadows === null) this.shadows = [rule];
    else if (!this.shadows.includes(rule)) this.shadows.push(rule);
  }

  private judgeEntry(entry: RuleEntry, facts: RouteFacts): Outcome {
    const { rule } = entry;
    if (rule.hosts !== null && !hostsCover(rule.hosts, facts.hostName)) return OUTCOME.otherHost;
    if (isLifted(rule, facts)) return OUTCOME.lifted;
    if (rule.when !== null && !whenApplies(rule.when, facts)) return OUTCOME.otherPrincipal;
    // No rule sees what travels after the handshake.
    if (facts.isUpgrade && entry.body !== null) return OUTCOME.matched;
    const ofLine = this.judgeLine(entry, facts);
    if (ofLine !== OUTCOME.matched || entry.body === null) return ofLine;
    const ofBody = OF_BODY[judgeBody(entry.body, facts)];
    return ofBody === OUTCOME.bodyUnreadable && this.isCovered(entry, facts) ? OUTCOME.otherBody : ofBody;
  }

  /** Method and query: `matched`, or what of them did not hold. */
  private judgeLine(entry: RuleEntry, facts: RouteFacts): Outcome {
    let ofMethod: Outcome = OUTCOME.matched;
    if (entry.methods !== null && !methodsCover(entry.methods, facts.method, this.bits)) {
      ofMethod = this.judgeOverride(entry.methods, entry, facts);
      if (ofMethod === OUTCOME.otherMethod) return ofMethod;
    }
    if (entry.query.length === 0) return ofMethod;
    const ofQuery = this.judgeQuery(entry);
    return ofQuery === OUTCOME.matched ? ofMethod : ofQuery;
  }

  /** `_method` counts besides the real method, from the query and from a form. */
  private judgeOverride(
    methods: NonNullable<RuleEntry['methods']>,
    entry: RuleEntry,
    facts: RouteFacts,
  ): Outcome {
    const ofQuery = this.judgeQueryOverride(methods);
    if (ofQuery === OUTCOME.matched) return ofQuery;
    const ofForm = OF_BODY[judgeFormMethod(methods, entry.namesOverridable, facts)];
    return ofForm === OUTCOME.otherBody ? ofQuery : ofForm;
  }

  private judgeQueryOverride(methods: NonNullable<RuleEntry['methods']>): Outcome {
    if (this.query.isEmpty()) return OUTCOME.otherMethod;
    if (methodsCoverAny(methods, this.query.valuesOf(METHOD_OVERRIDE))) return OUTCOME.matched;
    if (this.query.unreadableOverride || this.query.isUnreadable(METHOD_OVERRIDE)) {
      return OUTCOME.queryUnreadable;
    }
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
      outcome = OUTCOME.queryUnreadable;
    }
    return outcome;
  }

  /** Whether another block of the same rule, on this same path, reads a body of the kind that came. */
  private isCovered(entry: RuleEntry, facts: RouteFacts): boolean {
    for (let i = 0; i < this.hits.length; i++) {
      const other = this.entryAt(i);
      if (other.rule !== entry.rule || !isComplemented(entry, other, facts)) continue;
      if (this.judgeLine(other, facts) === OUTCOME.matched) return true;
    }
    return false;
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

/** Made anew, since it says what was wrong with this body. */
function unreadBy(entry: RuleEntry, reason: Denial['reason'], facts: RouteFacts): Denial {
  return { reason, rule: entry.rule.ref, note: flawOfBody(entry, facts) };
}

function isLifted(rule: CompiledRule, facts: RouteFacts): boolean {
  return rule.liftable && facts.grant !== null && facts.grant.lifts.includes(rule.ref.category);
}

function refsInOrder(rules: CompiledRule[]): readonly RuleRef[] {
  return rules.toSorted((a, b) => a.order - b.order).map((rule) => rule.ref);
}
