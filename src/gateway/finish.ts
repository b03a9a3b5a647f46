// The end of an exchange, exactly once whatever happened: everything it held is given back, and it is counted.
// Hot. The only place that counts requests and observes their durations.
import type { GatewayMetrics } from '#telemetry/gateway-metrics.ts';
import type { Exchange } from './exchange.ts';
import type { LiveExchanges } from './live-exchanges.ts';
import type { Overload } from './overload.ts';
import type { PrincipalLimits } from './principal-limits.ts';

export interface FinishDeps {
  readonly live: LiveExchanges;
  readonly principalLimits: PrincipalLimits | null;
  readonly overload: Overload;
  readonly metrics: GatewayMetrics;
}

export function finish(x: Exchange, { live, principalLimits, overload, metrics }: FinishDeps): void {
  if (x.phase === 'finished') return;
  x.phase = 'finished';
  x.transfer = null;
  x.heldBody = null;
  x.body = null;
  live.remove(x);
  if (x.usage !== null) principalLimits?.release(x.usage);
  x.usage = null;
  overload.inFlight -= 1;
  if (x.heldBytes !== 0) overload.release(x.heldBytes);
  x.heldBytes = 0;
  if (x.rule !== null) metrics.ruleMatched(x.rule, 'enforce');
  for (const rule of x.shadowRules) metrics.ruleMatched(rule, 'shadow');
  for (const rule of x.shadowGuards) metrics.ruleMatched(rule, 'shadow');
  if (x.responseHasStarted && x.kind !== 'http') metrics.streamEnded(x.kind);
  metrics.exchangeEnded(x);
  // Last: it may begin the next exchange of this connection.
  x.connection.release(x);
}
