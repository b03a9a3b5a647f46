// Everything the stages need, by name; each stage takes its part of it.
// Made once, when the gateway is.
import type { Journal } from '#audit/journal.ts';
import type { Authenticator } from '#authn/authenticator.ts';
import type { GrantLookup } from '#grants/grant-lookup.ts';
import type { LockLookup } from '#grants/locks/lock-board.ts';
import type { Clock } from '#model/clock.ts';
import type { PolicySource } from '#policy/policy-source.ts';
import type { SessionLookup } from '#sessions/session-lookup.ts';
import type { GatewayMetrics } from '#telemetry/gateway-metrics.ts';
import type { Forwarder } from '#upstream/forwarder.ts';
import type { SessionDesk } from './browser-entry.ts';
import type { ClockGuard } from './clock-guard.ts';
import type { LiveExchanges } from './live-exchanges.ts';
import type { Overload } from './overload.ts';
import type { PrincipalLimits } from './principal-limits.ts';
import type { HeadReader } from './raw-headers.ts';
import type { GateState } from './stages/gate-state.ts';
import type { Tenancy } from './tenancy.ts';

export interface PipelineDeps {
  readonly reader: HeadReader;
  /** Upper case. */
  readonly methods: readonly string[];
  readonly targetBytes: number;
  readonly tenancy: Tenancy;
  readonly policies: PolicySource;
  readonly bodyBytes: number;
  readonly headersTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly state: GateState;
  readonly journal: Journal;
  readonly clockGuard: ClockGuard;
  readonly overload: Overload;
  /** Serialised, lower case; empty: the same origin as Host. */
  readonly origins: readonly string[];
  readonly authenticator: Authenticator;
  readonly sessionsRequired: boolean;
  readonly grants: GrantLookup;
  /** Null: nobody opens sessions, and no cookie is a credential. */
  readonly sessions: SessionLookup | null;
  /** Null: browsers have no way in of their own. */
  readonly sessionDesk: SessionDesk | null;
  /** Null: nothing is ever locked. */
  readonly locks: LockLookup | null;
  readonly live: LiveExchanges;
  readonly clock: Clock;
  readonly metrics: GatewayMetrics;
  readonly principalLimits: PrincipalLimits | null;
  readonly forwarder: Forwarder;
}
