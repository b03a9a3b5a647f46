// The facts of one request, filled left to right by the gateway and read by the rooms.
// Hot: the gateway's one class implements this, so that every reader sees one object shape.
import type { EpochMs, MonotonicMs } from './clock.ts';
import type { EndedBy } from './ended-by.ts';
import type { Grant } from './grant.ts';
import type { RequestId, TenantId } from './ids.ts';
import type { Credential } from './principal.ts';
import type { ReasonCode } from './reason.ts';
import type { RequestTarget } from './request-target.ts';
import type { SupportSession } from './session.ts';
import type { RuleRef } from './verdict.ts';

export type ExchangeKind = 'http' | 'websocket' | 'event_stream';

export interface ExchangeFacts {
  readonly requestId: RequestId;
  readonly receivedAt: EpochMs;
  readonly startedAt: MonotonicMs;

  /** Empty until the request line was read; may then be any token, so it is escaped where it is written. */
  readonly method: string;
  readonly httpVersion: string;
  /** Host in lower case with its port; empty when missing or malformed. */
  readonly host: string;
  /** Null when the target was refused; `rawTarget` then says what came. */
  readonly target: RequestTarget | null;
  /** As received: hostile bytes included. Escape and cap before writing. */
  readonly rawTarget: string;
  /** The path the rules see: the canonical path, less a tenant prefix where tenancy is by path. */
  readonly routePath: string;
  readonly kind: ExchangeKind;
  /** The raw pairs of the query whose names a rule of the policy reads; usually empty. */
  readonly recordedQuery: string;
  /** The one workspace that the request names; null where it names none or several. */
  readonly workspace: string | null;

  /** A WebSocket handshake. */
  readonly isUpgrade: boolean;
  /** Whether a body was declared; one of no bytes counts as none. */
  readonly hasBody: boolean;
  /** The header as it came; empty when absent. */
  readonly contentType: string;

  /** The socket's peer. Without trusted proxies it is also the client. */
  readonly peerIp: string;
  readonly clientIp: string;
  readonly userAgent: string;
  /** The 32 hex digits of a valid `traceparent`, or empty. */
  readonly traceId: string;

  readonly credential: Credential | null;
  readonly tenant: TenantId | null;
  readonly grant: Grant | null;
  /** The support session the request belongs to; null where none was needed or found. */
  readonly session: SupportSession | null;
  readonly grantCacheResult: 'hit' | 'miss' | 'none';
  /** Age of the cache entry the grant came from; 0 when it was just loaded. */
  readonly grantCacheAgeMs: number;

  /** `ok` until something refused it. */
  readonly reason: ReasonCode;
  readonly denialNote: string | null;
  readonly rule: RuleRef | null;
  /** Rules in shadow mode that would have denied; usually the shared empty array. */
  readonly shadowRules: readonly RuleRef[];
  /** Response guards in shadow mode that would have stopped or cut the answer; usually the shared empty array. */
  readonly shadowGuards: readonly RuleRef[];
  readonly policyDigest: string;

  /** What was answered; 0 when nothing was. */
  readonly status: number;
  /** What the upstream answered; 0 when it did not. */
  readonly upstreamStatus: number;
  /** A short code such as `ECONNREFUSED`; null when there was none. Never an address. */
  readonly upstreamError: string | null;
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** Milliseconds from receipt to the hand-over to the upstream (what Postern itself added); 0 if never handed over. */
  readonly decisionMs: number;
  readonly upstreamMs: number;
  readonly durationMs: number;
  readonly endedBy: EndedBy | null;
}
