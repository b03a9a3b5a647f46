// The contract of reading the audit: what the control API and the commands ask. Answers come from the index and the
// journal; what was written a moment ago is in them. Off the forwarding loop: the implementation runs in a worker.
import type { PublishedRecord } from '../published-record.ts';

/** Every given field must match. */
export interface RecordQuery {
  readonly tenant?: string;
  readonly requestId?: string;
  /** A subject's id, a person's id or an email address. */
  readonly principal?: string;
  readonly session?: string;
  readonly caseRef?: string;
  readonly rule?: string;
  readonly decision?: 'allow' | 'deny';
  readonly effect?: 'read' | 'write' | 'denied';
  /** Epoch milliseconds: from then on, and before then. */
  readonly since?: number;
  readonly until?: number;
  /** Requests alone, or lifecycle events, gaps and checkpoints too. */
  readonly requestsOnly?: boolean;
  readonly order: 'newest' | 'oldest';
  readonly limit: number;
  /** Of the page before; null for the first. */
  readonly cursor: string | null;
}

/** `seq` of these records is null: it belongs to the stream that sinks got. */
export interface RecordPage {
  readonly records: readonly PublishedRecord[];
  readonly nextCursor: string | null;
}

/** One visit: a principal under one grant and in one session, if any, until nothing was asked for 30 minutes. */
export interface Visit {
  readonly subject: string;
  /** Null once erased. */
  readonly actor: {
    readonly id: string;
    readonly email: string | null;
    readonly name: string | null;
    readonly issuer: string;
    readonly org: string;
  } | null;
  readonly grant: { readonly id: string; readonly revision: number } | null;
  /** The session's id. */
  readonly session: string | null;
  /** The session's case and reason, else the grant's. */
  readonly caseRef: string | null;
  readonly reason: { readonly type: string; readonly detail: string } | null;
  readonly actAs: string | null;
  /** Client addresses, at most 8, as they were seen. */
  readonly from: readonly string[];
  readonly firstAt: number;
  readonly lastAt: number;
  readonly reads: number;
  readonly writes: number;
  /** What was denied, most frequent first, at most 16: a rule's id, or a reason code where it was no rule. */
  readonly denied: readonly { readonly what: string; readonly count: number }[];
  readonly deniedCount: number;
}

export interface VisitQuery {
  readonly tenant: string;
  readonly principal?: string;
  readonly caseRef?: string;
  readonly since?: number;
  readonly until?: number;
  /**
   * Epoch milliseconds: as if nothing had been recorded before then. `since` chooses visits that reach beyond it and shows
   * them whole; this cuts them there.
   */
  readonly notBefore?: number;
  /** Newest first. */
  readonly limit: number;
  readonly cursor: string | null;
}

export interface VisitPage {
  readonly visits: readonly Visit[];
  readonly nextCursor: string | null;
}

/** Who was last seen in a tenant, newest first. */
export interface LastActive {
  readonly subject: string;
  readonly actor: Visit['actor'];
  readonly grantId: string | null;
  readonly lastAt: number;
}

/** Every method rejects with AUDIT_UNAVAILABLE when the journal cannot be read, and with a RangeError for a cursor that is none. */
export interface AuditReader {
  records(query: RecordQuery): Promise<RecordPage>;
  visits(query: VisitQuery): Promise<VisitPage>;
  /** At most 1,000. */
  lastActive(tenant: string): Promise<readonly LastActive[]>;
  close(): Promise<void>;
}
