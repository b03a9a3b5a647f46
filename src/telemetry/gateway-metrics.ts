// What the gateway counts. Assumes each exchange is started and ended exactly once.
// Hot: plain counters behind it, read at scrape; no label object per call.
import type { ExchangeFacts, ExchangeKind } from '#model/exchange.ts';
import type { CutReason } from '#model/ended-by.ts';
import type { ShedCause } from '#model/shed-cause.ts';
import type { RuleRef } from '#model/verdict.ts';

export interface GatewayMetrics {
  exchangeStarted(): void;
  /** Exactly once per exchange: the only place that counts requests and observes durations. */
  exchangeEnded(x: ExchangeFacts): void;
  ruleMatched(rule: RuleRef, mode: 'enforce' | 'shadow'): void;
  grantLookup(result: 'hit' | 'miss' | 'error'): void;
  streamStarted(kind: ExchangeKind): void;
  streamEnded(kind: ExchangeKind): void;
  exchangeCut(reason: CutReason): void;
  /** Headers with `_` or `.` in their names that were not forwarded (P8). */
  headerDropped(): void;
  /** Refused, or closed, because the gate has too much to do. */
  shed(cause: ShedCause): void;
  connectionOpened(): void;
  connectionClosed(): void;
}
