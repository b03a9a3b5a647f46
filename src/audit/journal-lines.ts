// The lines of a journal segment, as its readers see them: one JSON object a line, told apart by `k`.
// The writer is `line-text.ts`; a test holds that what it writes parses to these types. Types only.
import type { EndedBy } from '#model/ended-by.ts';
import type { ExchangeKind } from '#model/exchange.ts';
import type { Access, ReasonType } from '#model/grant.ts';
import type { ReasonCode } from '#model/reason.ts';
import type { LifecycleEvent } from './journal.ts';

/** Everything that names or locates a person. Kept together: erasure concerns these fields and no others. */
interface PersonPart {
  readonly email: string | null;
  readonly name: string | null;
  readonly ip: string;
  /** Absent when it is the same as `ip`. */
  readonly peer?: string;
  readonly agent: string;
}

interface RulePart {
  readonly id: string;
  readonly category: string;
}

interface GrantPart {
  readonly id: string;
  readonly revision: number;
  readonly expiresAt: string | null;
  readonly grantedBy: {
    readonly kind: string;
    readonly id: string;
    readonly issuer: string;
    readonly onBehalfOf: string | null;
  };
  readonly access: Access;
  readonly roles: readonly string[];
}

/** The request side: of an intent and of a refusal. Optional keys are absent where they would say nothing. */
interface RequestPart {
  /** The request's identifier, which joins the lines of one exchange. */
  readonly id: string;
  /** Received at, epoch milliseconds. */
  readonly t: number;
  readonly tenant: string | null;
  readonly actor: { readonly id: string; readonly issuer: string; readonly org: string } | null;
  readonly person: PersonPart;
  readonly grant?: GrantPart;
  /** Categories that the grant lifts. */
  readonly lifts?: readonly string[];
  /** Workspaces that the grant is limited to. */
  readonly workspaces?: readonly string[];
  readonly actAs?: string;
  readonly caseRef?: string;
  readonly reason?: { readonly type: ReasonType; readonly detail: string };
  readonly method: string;
  readonly version: string;
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
  readonly policy: string;
  readonly cache: 'hit' | 'miss' | 'none';
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
  readonly upstreamStatus?: number;
  readonly upstreamError?: string;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly us: number;
  readonly upstreamUs?: number;
  readonly decisionUs?: number;
  readonly endedBy?: EndedBy;
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
  readonly id: string;
}
export interface StartedLine {
  readonly k: 'started';
  readonly id: string;
  readonly kind: ExchangeKind;
  readonly status: number;
  readonly upstreamStatus: number;
}
export interface SummedLine {
  readonly k: 'summed';
  readonly id: string;
  /** The second that was summed: its start, epoch milliseconds. */
  readonly t: number;
  readonly code: ReasonCode;
  readonly network: string;
  readonly count: number;
}
export interface EventLine {
  readonly k: 'event';
  readonly id: string;
  readonly t: number;
  readonly event: LifecycleEvent['event'];
  readonly tenant: string | null;
  readonly grant: LifecycleEvent['grant'];
  readonly actor: LifecycleEvent['actor'];
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

export type JournalLine =
  | IntentLine
  | RefusedLine
  | DoneLine
  | StartedLine
  | SummedLine
  | EventLine
  | GapLine
  | OpenedLine;
