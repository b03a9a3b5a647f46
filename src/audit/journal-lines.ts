// The lines of a journal segment, as its readers see them: one JSON object a line, told apart by `k`.
// The writer is `line-text.ts`; a test holds that what it writes parses to these types. Types only.
import type { EndedBy } from '#model/ended-by.ts';
import type { ExchangeKind } from '#model/exchange.ts';
import type { Access, ReasonType } from '#model/grant.ts';
import type { ReasonCode } from '#model/reason.ts';
import type { LifecycleEvent } from './journal.ts';

interface RulePart {
  readonly id: string;
  readonly category: string;
}

/** What a grant says in the records: written once per segment and revision, and referred to by its number. */
export interface GrantPart {
  readonly id: string;
  readonly revision: number;
  readonly expiresAt: string | null;
  /** `s` is the subject line of whoever granted it, `onBehalfOf` that of the person a service acted for. */
  readonly grantedBy: { readonly kind: string; readonly s: number; readonly onBehalfOf: number | null };
  readonly access: Access;
  readonly roles: readonly string[];
}

/** What a support session says in the records, beside the grant that it uses. */
export interface SessionPart {
  readonly id: string;
  /** What the session may do: at most what the grant allows. */
  readonly access: Access;
  readonly caseRef?: string;
  readonly reason: { readonly type: ReasonType; readonly detail: string };
}

/**
 * The request side: of an intent and of a refusal. Optional keys are absent where they would say nothing. The keys
 * up to `t` stand first and in this order, since the index reads them without parsing the line.
 */
export interface RequestPart {
  readonly tenant: string | null;
  /** The subject line of this segment that says who and from where. */
  readonly s: number;
  /** The grant line of this segment, which says the session too; 0 where there was no grant. */
  readonly g: number;
  /** Reads or writes: by the method, and whatever passed under a read grant reads. */
  readonly e: 'r' | 'w';
  /** The tenant's own number of this line; absent without a tenant. */
  readonly n?: number;
  /** The policy line of this segment; 0 where no policy had been asked. */
  readonly p: number;
  /** The request's identifier, which joins the lines of one exchange. */
  readonly id: string;
  /** Received at, epoch milliseconds. */
  readonly t: number;
  readonly method: string;
  /** Absent for `1.1`. */
  readonly version?: string;
  readonly host: string;
  readonly path: string;
  /** Where tenancy is by path: what the rules saw. */
  readonly route?: string;
  /** Raw names of query keys, joined by `&`. */
  readonly query?: string;
  /** Raw pairs of the query whose names a rule reads, joined by `&`. */
  readonly pairs?: string;
  /** The declared media type, without parameters; absent where there was no body. */
  readonly body?: string;
  /** A WebSocket handshake. */
  readonly upgrade?: true;
  /** The one workspace that the request names. */
  readonly workspace?: string;
  readonly trace?: string;
  /** Absent for `hit`. */
  readonly cache?: 'hit' | 'miss' | 'none';
  readonly cacheAgeMs?: number;
  readonly shadow?: readonly RulePart[];
}

/** How it ended: of a completion and of a refusal. Durations are whole microseconds. */
interface EndPart {
  readonly code: ReasonCode;
  readonly note?: string;
  readonly rule?: RulePart;
  /** Response guards in shadow mode; published with those of the request side. */
  readonly shadowGuards?: readonly RulePart[];
  readonly status: number;
  /** Absent: of a completion the same as `status`, of a refusal none; 0 is none. */
  readonly upstreamStatus?: number;
  readonly upstreamError?: string;
  /** Absent for 0. */
  readonly bytesIn?: number;
  readonly bytesOut: number;
  readonly us: number;
  readonly upstreamUs?: number;
  readonly decisionUs?: number;
  /** Absent: of a completion `upstream`, of a refusal null. */
  readonly endedBy?: EndedBy | null;
  /** Absent for `http`. */
  readonly kind?: ExchangeKind;
}

export interface IntentLine extends RequestPart {
  readonly k: 'intent';
}
export interface RefusedLine extends RequestPart, EndPart {
  readonly k: 'refused';
}
export interface DoneLine extends EndPart {
  readonly k: 'done';
  readonly tenant: string | null;
  readonly n?: number;
  readonly id: string;
}
export interface StartedLine {
  readonly k: 'started';
  readonly tenant: string | null;
  readonly n?: number;
  readonly id: string;
  readonly kind: ExchangeKind;
  readonly status: number;
  readonly upstreamStatus: number;
}
export interface SummedLine {
  readonly k: 'summed';
  readonly id: string;
  /** When the first of them came, epoch milliseconds. */
  readonly t: number;
  readonly code: ReasonCode;
  readonly network: string;
  readonly count: number;
}
export interface EventLine {
  readonly k: 'event';
  readonly tenant: string | null;
  readonly n?: number;
  /** The subject line of whoever did it, which always stands right before this line; 0 for Postern itself. */
  readonly s: number;
  readonly id: string;
  readonly t: number;
  readonly event: LifecycleEvent['event'];
  readonly grant: LifecycleEvent['grant'];
  readonly details: LifecycleEvent['details'];
}
export interface GapLine {
  readonly k: 'gap';
  readonly id: string;
  readonly since: number;
  readonly until: number;
  /** Requests refused because their record could not be written. */
  readonly count: number;
  /** Completions and events of that time that no longer fitted into memory. */
  readonly lost: number;
}
/** The first line of a process: whatever is still open before it never got its completion. */
export interface OpenedLine {
  readonly k: 'opened';
  readonly t: number;
  readonly instance: string;
  /** Bytes of a torn last line that were cut off. */
  readonly tornBytes: number;
}

/**
 * The first line of every segment. It begins the group `group` (chain/seal.ts), which follows on the one whose hash
 * is `prev`; 64 zeros and group 1 at the beginning of a chain.
 */
export interface SegmentLine {
  readonly k: 'segment';
  readonly v: 1;
  /** Names the chain, a UUID: one per audit directory and worker, for as long as it is kept. */
  readonly chain: string;
  readonly segment: number;
  readonly group: number;
  readonly prev: string;
  /** The Ed25519 public key that signs from here on: 32 bytes, base64url. */
  readonly key: string;
  readonly t: number;
  readonly instance: string;
}
/** The numbers that tenants' next lines get, at most 1,000 a line; all of them stand at the start of a segment. */
export interface TenantsLine {
  readonly k: 'tenants';
  readonly next: Readonly<Record<string, number>>;
  /** Random: a hash of the line tells nobody what stands in it. */
  readonly salt: string;
}
/**
 * A person as seen from one place: written before the first line of a segment that refers to it. What names the
 * person is in `box`, encrypted under the subject's key (subjects/subject-box.ts): without the key it is gone.
 */
export interface SubjectLine {
  readonly k: 'subject';
  /** Its number, unique in the segment. */
  readonly s: number;
  /** The subject it belongs to: a random id, or `anonymous-2026-01-31`. */
  readonly subject: string;
  readonly kind: SubjectKind;
  readonly issuer: string | null;
  readonly org: string | null;
  /** 12 bytes, base64. */
  readonly iv: string;
  /** AES-256-GCM, tag included, base64. */
  readonly box: string;
}
export type SubjectKind = 'principal' | 'customer' | 'service' | 'anonymous';
/** What a grant says, and the session that uses it; before the first line of a segment that refers to both. */
export interface GrantLine {
  readonly k: 'grant';
  readonly tenant: string;
  /** Its number, unique in the segment. */
  readonly g: number;
  readonly grant: GrantPart;
  /** Categories that the grant lifts. */
  readonly lifts?: readonly string[];
  /** Workspaces that the grant is limited to. */
  readonly workspaces?: readonly string[];
  /** The subject line of the customer's user who is acted for. */
  readonly actAs?: number;
  readonly caseRef?: string;
  readonly reason?: { readonly type: ReasonType; readonly detail: string };
  /** Absent where a request belongs to no session. */
  readonly session?: SessionPart;
}
export interface PolicyLine {
  readonly k: 'policy';
  /** Its number, unique in the segment. */
  readonly p: number;
  readonly digest: string;
}
/** Numbers of a tenant that were given to lines which could not be written: nothing is missing there. */
export interface UnusedLine {
  readonly k: 'unused';
  readonly tenant: string;
  /** First and last, inclusive, ascending. */
  readonly ranges: readonly (readonly [number, number])[];
  readonly salt: string;
}
/** Signed by the journal's key: chain/checkpoint.ts. */
export interface CheckpointLine {
  readonly k: 'checkpoint';
  readonly id: string;
  readonly t: number;
  readonly chain: string;
  /** The groups it covers, inclusive: those since the checkpoint before. */
  readonly from: number;
  readonly to: number;
  /** The hash of the group `to`, hex. */
  readonly head: string;
  readonly leaves: number;
  /** Merkle root over the leaves of those groups, hex. */
  readonly root: string;
  /** The public key that signed, base64url, and the signature, base64url. */
  readonly key: string;
  readonly sig: string;
}
/** The last line of every group. */
export interface SealLine {
  readonly k: 'seal';
  /** The group's number in its chain, from 1, without gaps. */
  readonly n: number;
  /** SHA-256 of the previous group's hash (32 bytes) and the bytes of this group's other lines, hex. */
  readonly h: string;
}

/** What later lines of the same segment refer to. */
export type ContextLine = SubjectLine | GrantLine | PolicyLine;

/** Said by lines that hold no record: the chain itself, and what records refer to. */
export type StructureLine = SegmentLine | TenantsLine | ContextLine | UnusedLine | SealLine;

export type JournalLine =
  | IntentLine
  | RefusedLine
  | DoneLine
  | StartedLine
  | SummedLine
  | EventLine
  | GapLine
  | OpenedLine
  | CheckpointLine
  | StructureLine;
