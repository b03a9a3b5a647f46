// The published record, `postern.audit/v1`: its types, and how the lines of one exchange become one.
// Pure; runs in the sink worker. The schema is config/schemas/audit-record.schema.json, and a test holds both
// together. People come resolved (line-context.ts).
import type { EndedBy } from '#model/ended-by.ts';
import { REASONS, type ReasonCode } from '#model/reason.ts';
import { type AuditEvent, EVENT_CODES, type RequestEvent, SUMMED_CODE, UNKNOWN_CODE } from './event-codes.ts';
import type {
  CheckpointLine,
  DoneLine,
  GapLine,
  RefusedLine,
  StartedLine,
  SummedLine,
} from './journal-lines.ts';
import type { ResolvedEvent, ResolvedIntent, ResolvedRequest } from './line-context.ts';
import { decodedNames, decodedPairs } from './query-names.ts';
import { derivedUuid7 } from './uuid7.ts';

const RECORD_SCHEMA = 'postern.audit/v1';

/** What became of a request. */
export const OUTCOMES = ['completed', 'open', 'refused', 'failed', 'aborted', 'cut', 'unknown'] as const;
type Outcome = (typeof OUTCOMES)[number];

/**
 * `seq` is null and `instance` empty until the joiner sets them; in answers to queries `seq` stays null, since it
 * belongs to the stream that a sink got. Keys stand in the order of publishing.
 */
export interface PublishedRecord {
  readonly schema: string;
  readonly event: AuditEvent;
  readonly code: string;
  readonly id: string;
  seq: number | null;
  instance: string;
  readonly time: string;
  readonly [field: string]: unknown;
}
type Fields = Readonly<Record<string, unknown>>;

type EndHalf = DoneLine | RefusedLine;

/** A refusal, or an intent with its completion; `streaming` when `request.allowed` was already published. */
export function recordOf(request: ResolvedRequest, end: EndHalf, streaming: boolean): PublishedRecord {
  const event = eventOf(end.code, streaming);
  const endedBy = endedByOf(end);
  return {
    ...headOf(event, EVENT_CODES[event], request.id, request.t),
    durationMs: end.us / 1000,
    upstreamMs: end.upstreamUs === undefined ? null : end.upstreamUs / 1000,
    ...requestOf(request, end.n, {
      status: end.status,
      kind: end.kind ?? 'http',
      bytesIn: end.bytesIn ?? 0,
      bytesOut: end.bytesOut,
    }),
    decision: decisionOf(end.code, (end.decisionUs ?? 0) > 0),
    decisionMs: end.decisionUs === undefined ? null : end.decisionUs / 1000,
    reasonCode: end.code,
    note: end.note ?? null,
    rule: end.rule ?? null,
    ...policyOf(request, end.shadowGuards),
    upstream: { status: upstreamStatusOf(end), error: end.upstreamError ?? null },
    endedBy,
    outcome: outcomeOf(end.code, endedBy),
  };
}

/** What a completion leaves out is as it usually is. */
function endedByOf({ k, endedBy }: EndHalf): EndedBy | null {
  if (endedBy !== undefined) return endedBy;
  return k === 'done' ? 'upstream' : null;
}

function upstreamStatusOf(end: EndHalf): number | null {
  const status = end.upstreamStatus ?? (end.k === 'done' ? end.status : 0);
  return status === 0 ? null : status;
}

/** The first of a stream's two records, as soon as its head was sent on. */
export function startedRecordOf(request: ResolvedIntent, started: StartedLine): PublishedRecord {
  return {
    ...headOf(
      'request.allowed',
      EVENT_CODES['request.allowed'],
      derivedUuid7(request.id, 'started'),
      request.t,
    ),
    durationMs: null,
    upstreamMs: null,
    ...requestOf(request, started.n, {
      status: started.status,
      kind: started.kind,
      bytesIn: null,
      bytesOut: null,
    }),
    decision: 'allow',
    decisionMs: null,
    reasonCode: 'ok',
    note: null,
    rule: null,
    ...policyOf(request),
    upstream: { status: started.upstreamStatus === 0 ? null : started.upstreamStatus, error: null },
    endedBy: null,
    outcome: 'open',
  };
}

/** An intent whose process ended first. */
export function unknownRecordOf(request: ResolvedIntent, streaming: boolean): PublishedRecord {
  return {
    ...headOf(streaming ? 'stream.ended' : 'request.error', UNKNOWN_CODE, request.id, request.t),
    ...unendedOf(request),
    reasonCode: 'internal',
    note: 'the gateway ended before the request did',
    ...withoutEndOf(request),
    outcome: 'unknown',
  };
}

/** An intent that is still under way: what queries answer before its record is there, under the id it will have. */
export function openRecordOf(request: ResolvedIntent): PublishedRecord {
  return {
    ...headOf('request.allowed', EVENT_CODES['request.allowed'], request.id, request.t),
    ...unendedOf(request),
    reasonCode: 'ok',
    note: null,
    ...withoutEndOf(request),
    outcome: 'open',
  };
}

export function summedRecordOf(line: SummedLine): PublishedRecord {
  return {
    ...headOf('request.denied', SUMMED_CODE, line.id, line.t),
    tenant: null,
    tenantSeq: null,
    client: { network: line.network },
    decision: 'deny',
    reasonCode: line.code,
    count: line.count,
    outcome: 'refused',
  };
}

export function eventRecordOf(line: ResolvedEvent): PublishedRecord {
  return {
    ...headOf(line.event, EVENT_CODES[line.event], line.id, line.t),
    tenant: line.tenant,
    tenantSeq: line.n ?? null,
    actor: line.actor,
    grant: line.grant,
    details: line.details,
  };
}

/** With every field that was signed, so that the signature can be checked wherever the record was kept. */
export function checkpointRecordOf(line: CheckpointLine): PublishedRecord {
  const { chain, from, to, head, leaves, root, key, sig } = line;
  return {
    ...headOf('audit.checkpoint', EVENT_CODES['audit.checkpoint'], line.id, line.t),
    tenant: null,
    tenantSeq: null,
    chain,
    from,
    to,
    head,
    leaves,
    root,
    key,
    sig,
  };
}

export function gapRecordOf(line: GapLine): PublishedRecord {
  return {
    ...headOf('audit.gap', EVENT_CODES['audit.gap'], line.id, line.until),
    tenant: null,
    tenantSeq: null,
    since: instant(line.since),
    until: instant(line.until),
    count: line.count,
    lost: line.lost,
  };
}

type Head = Pick<PublishedRecord, 'schema' | 'event' | 'code' | 'id' | 'seq' | 'instance' | 'time'>;

function headOf(event: AuditEvent, code: string, id: string, t: number): Head {
  return { schema: RECORD_SCHEMA, event, code, id, seq: null, instance: '', time: instant(t) };
}

interface HttpEnd {
  readonly status: number | null;
  readonly kind: string | null;
  readonly bytesIn: number | null;
  readonly bytesOut: number | null;
}

/** What the end would have said, of a request that has none; up to the reason. */
function unendedOf(request: ResolvedIntent): Fields {
  return {
    durationMs: null,
    upstreamMs: null,
    ...requestOf(request, request.n, { status: null, kind: null, bytesIn: null, bytesOut: null }),
    decision: 'allow',
    decisionMs: null,
  };
}

function withoutEndOf(request: ResolvedIntent): Fields {
  return { rule: null, ...policyOf(request), upstream: { status: null, error: null }, endedBy: null };
}

/** `tenantSeq`: the number of the line that publishes the record. */
function requestOf(line: ResolvedRequest, tenantSeq: number | undefined, end: HttpEnd): Fields {
  const { person } = line;
  return {
    tenant: line.tenant,
    tenantSeq: tenantSeq ?? null,
    workspace: line.workspace ?? null,
    actor: line.actor,
    actAs: line.actAs,
    grant: line.grant,
    session: sessionOf(line),
    caseRef: line.caseRef,
    reason: line.reason,
    requestId: line.id,
    traceId: line.trace ?? null,
    http: {
      method: line.method,
      route: line.route ?? line.path,
      path: line.path,
      queryKeys: decodedNames(line.query ?? ''),
      queryValues: decodedPairs(line.pairs ?? ''),
      host: line.host,
      version: line.version ?? '1.1',
      status: end.status === 0 ? null : end.status,
      kind: end.kind,
      bytesIn: end.bytesIn,
      bytesOut: end.bytesOut,
      userAgent: person.agent,
    },
    client: { ip: person.ip, peerIp: person.peer ?? person.ip },
    effect: line.e === 'w' ? 'write' : 'read',
  };
}

/** Its keys in the order of publishing. */
function sessionOf({ session }: ResolvedRequest): Fields | null {
  if (session === null) return null;
  const { id, access, caseRef, reason } = session;
  return { id, access, caseRef, reason };
}

function policyOf(line: ResolvedRequest, shadowGuards: EndHalf['shadowGuards'] = []): Fields {
  return {
    shadowRules: [...(line.shadow ?? []), ...shadowGuards],
    policyDigest: line.policy,
    grantCache: { result: line.cache ?? 'hit', ageMs: line.cacheAgeMs ?? 0 },
  };
}

/** A refusal is one of ours (4xx); what failed (499, 5xx) was allowed when it had been handed over. */
function decisionOf(code: ReasonCode, handedOver: boolean): 'allow' | 'deny' {
  if (code === 'ok') return 'allow';
  return isFailure(code) && handedOver ? 'allow' : 'deny';
}

function eventOf(code: ReasonCode, streaming: boolean): RequestEvent {
  if (streaming) return 'stream.ended';
  if (code === 'ok') return 'request.allowed';
  return isFailure(code) ? 'request.error' : 'request.denied';
}

function isFailure(code: ReasonCode): boolean {
  return REASONS[code].status >= 499;
}

const OUTCOME_OF = {
  upstream: 'completed',
  client: 'aborted',
  timeout: 'failed',
  fault: 'failed',
  guard: 'cut',
  limit: 'cut',
  revoked: 'cut',
  expired: 'cut',
  narrowed: 'cut',
  session_ended: 'cut',
  locked: 'cut',
  suspended: 'cut',
  credential_expired: 'cut',
  policy: 'cut',
  drain: 'cut',
} as const satisfies Record<EndedBy, Outcome>;

function outcomeOf(code: ReasonCode, endedBy: EndedBy | null): Outcome {
  if (code === 'client_closed') return 'aborted';
  if (code !== 'ok') return isFailure(code) ? 'failed' : 'refused';
  return endedBy === null ? 'completed' : OUTCOME_OF[endedBy];
}

function instant(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
