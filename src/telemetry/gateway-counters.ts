// What the gateway counts, in plain arrays: an index per closed label set, no label object per call.
// Hot: a handful of calls per request, none of which allocates. Read by `metrics.ts` at scrape.
import type { CutReason } from '#model/ended-by.ts';
import type { ExchangeFacts, ExchangeKind } from '#model/exchange.ts';
import { REASONS, type ReasonCode } from '#model/reason.ts';
import { SHED_CAUSES, type ShedCause } from '#model/shed-cause.ts';
import type { RuleRef } from '#model/verdict.ts';
import { DurationBuckets } from './duration-buckets.ts';
import type { GatewayMetrics } from './gateway-metrics.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'other'] as const;
const OTHER = METHODS.indexOf('other');
const CODE_CLASSES = ['none', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;
const DECISIONS = ['deny', 'allow'] as const;
const REASON_CODES = Object.keys(REASONS) as ReasonCode[];

const methodIndex = new Map<string, number>(METHODS.slice(0, OTHER).map((method, index) => [method, index]));
const reasonIndex = new Map<string, number>(REASON_CODES.map((code, index) => [code, index]));
/** 499 and 5xx: whether it was allowed then depends on whether it had been handed over. */
const isFailure = REASON_CODES.map((code) => REASONS[code].status >= 499);
const INTERNAL = REASON_CODES.indexOf('internal');
const OK = REASON_CODES.indexOf('ok');

/** Policies may be reloaded for years: rules beyond so many share one label. */
const MAX_RULES = 10_000;
const REST_OF_RULES = 'other';

const REQUEST_SECONDS = [
  0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
] as const;
const DECISION_SECONDS = [
  0.00001, 0.000025, 0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 1,
] as const;

export interface RequestCount {
  readonly decision: string;
  readonly reason: string;
  readonly method: string;
  readonly codeClass: string;
  readonly count: number;
}

export class GatewayCounters implements GatewayMetrics {
  readonly requestDuration = new DurationBuckets(REQUEST_SECONDS);
  readonly decisionDuration = new DurationBuckets(DECISION_SECONDS);
  readonly upstreamDuration = new DurationBuckets(REQUEST_SECONDS);
  inFlight = 0;
  headersDropped = 0;
  connections = 0;
  readonly lookups = { hit: 0, miss: 0, error: 0 };
  readonly streams: Record<ExchangeKind, number> = { http: 0, websocket: 0, event_stream: 0 };
  readonly cuts = new Map<CutReason, number>();
  readonly sheds = new Map<ShedCause, number>(SHED_CAUSES.map((cause) => [cause, 0]));
  readonly ruleMatches = new Map<string, { enforce: number; shadow: number }>();
  readonly #requests = new Float64Array(
    REASON_CODES.length * DECISIONS.length * METHODS.length * CODE_CLASSES.length,
  );

  exchangeStarted(): void {
    this.inFlight += 1;
  }

  exchangeEnded(x: ExchangeFacts): void {
    this.inFlight -= 1;
    const reason = reasonIndex.get(x.reason) ?? INTERNAL;
    const method = methodIndex.get(x.method) ?? OTHER;
    const codeClass = x.status >= 100 && x.status < 600 ? (x.status / 100) | 0 : 0;
    const allowed = reason === OK || (isFailure[reason] === true && x.decisionMs > 0) ? 1 : 0;
    const index =
      ((reason * DECISIONS.length + allowed) * METHODS.length + method) * CODE_CLASSES.length + codeClass;
    this.#requests[index] = (this.#requests[index] as number) + 1;
    this.requestDuration.observe(x.durationMs);
    if (x.decisionMs > 0) this.decisionDuration.observe(x.decisionMs);
    if (x.upstreamMs > 0) this.upstreamDuration.observe(x.upstreamMs);
  }

  ruleMatched(rule: RuleRef, mode: 'enforce' | 'shadow'): void {
    const known = this.ruleMatches.get(rule.id) ?? this.#addRule(rule.id);
    known[mode] += 1;
  }

  grantLookup(result: 'hit' | 'miss' | 'error'): void {
    this.lookups[result] += 1;
  }

  streamStarted(kind: ExchangeKind): void {
    this.streams[kind] += 1;
  }

  streamEnded(kind: ExchangeKind): void {
    this.streams[kind] -= 1;
  }

  exchangeCut(reason: CutReason): void {
    this.cuts.set(reason, (this.cuts.get(reason) ?? 0) + 1);
  }

  headerDropped(): void {
    this.headersDropped += 1;
  }

  shed(cause: ShedCause): void {
    this.sheds.set(cause, (this.sheds.get(cause) ?? 0) + 1);
  }

  connectionOpened(): void {
    this.connections += 1;
  }

  connectionClosed(): void {
    this.connections -= 1;
  }

  /** Those that happened at all. */
  requestCounts(): readonly RequestCount[] {
    const found: RequestCount[] = [];
    for (const [index, count] of this.#requests.entries()) {
      if (count === 0) continue;
      const byMethod = Math.floor(index / CODE_CLASSES.length);
      const byDecision = Math.floor(byMethod / METHODS.length);
      found.push({
        decision: DECISIONS[byDecision % DECISIONS.length] as string,
        reason: REASON_CODES[Math.floor(byDecision / DECISIONS.length)] as string,
        method: METHODS[byMethod % METHODS.length] as string,
        codeClass: CODE_CLASSES[index % CODE_CLASSES.length] as string,
        count,
      });
    }
    return found;
  }

  #addRule(id: string): { enforce: number; shadow: number } {
    const key = this.ruleMatches.size >= MAX_RULES ? REST_OF_RULES : id;
    const known = this.ruleMatches.get(key);
    if (known !== undefined) return known;
    const counts = { enforce: 0, shadow: 0 };
    this.ruleMatches.set(key, counts);
    return counts;
  }
}
