// The contract of the journal: no record, no forward. A request is handed over at most once in each of its stages.
// Hot: one call per record, no promise, no closure.
import type { ExchangeFacts } from '#model/exchange.ts';

/** To be told what became of a line: exactly one of the two is called, once, never synchronously. */
export interface Told {
  /** The group that holds the line was written (and synced, under `durability: disk`). */
  recorded(): void;
  /** It could not be written: nothing may be forwarded, the answer is `audit_unavailable`. */
  recordRefused(): void;
}

/** What the journal needs of an exchange: its facts, and to be told for each `intend` and `refuse`. */
export interface Recordable extends ExchangeFacts, Told {}

export interface Journal {
  /** Before forwarding. Only after `recorded` may a byte go to the upstream. */
  intend(x: Recordable): void;
  /** One complete record of a request that was never forwarded. Its answer leaves after `recorded`. */
  refuse(x: Recordable): void;
  /**
   * After the exchange ended: the other half of an intent. `waits` is told as for an intent: whoever still has an answer
   * to send. Without it nothing of the exchange is held on to.
   */
  complete(x: ExchangeFacts, waits?: Told): void;
  /** For streams: published at once, before the exchange ends (`request.allowed`, later `stream.ended`). */
  started(x: ExchangeFacts): void;
  /** A lifecycle event (`grant.revoked`, `policy.reloaded`, …). Never waited for by a revoke. */
  event(event: LifecycleEvent): void;
  /** False while records cannot be written; recovers by itself. */
  readonly available: boolean;
  /** Writes what is pending and waits for the sinks, at most `deadlineMs`. */
  close(deadlineMs: number): Promise<void>;
}

export interface LifecycleEvent {
  readonly event:
    | 'grant.created'
    | 'grant.changed'
    | 'grant.revoked'
    | 'grant.expired'
    /** Details: `part` (vendor or own), `revision`, `keys` that were changed, never to what, `class`, `suspended`, `revoked`. */
    | 'settings.changed'
    /** Details of the three: `request`, `revision`, `status`, `access`, `duration`, `escalates`, `service`. */
    | 'request.made'
    | 'request.approved'
    | 'request.decided'
    /** Details: `session`, `grant`, `access`, `caseRef`, `reasonType`, `endsAt`, `replaced` (the session that it ended). */
    | 'session.started'
    /** Details: `session`, `grant`, `endedBy`, `startedAt`, `endedAt`, `hasNote`, `service`. */
    | 'session.ended'
    | 'policy.reloaded'
    | 'policy.reload_failed'
    | 'keys.withdrawn'
    /** Details: `lock`, `kind`, `endsAt`; whom it is on is in the store alone. */
    | 'lock.set'
    | 'lock.lifted'
    /** Details: `emergency`, `access`, `durationMs`, `responder`, `expiresAt`; of `used` the grant too. */
    | 'break_glass.asked'
    | 'break_glass.used'
    | 'gateway.started'
    | 'gateway.stopped'
    /** Somebody read records: details say by what means, whose and how many. */
    | 'audit.read'
    /** A person's key and fields were destroyed (subjects/subject-store.ts). Details: `subject`. */
    | 'subject.erased'
    /** Segments were removed unshipped, since the journal was full and may do so. Details: `segments`, `bytes`. */
    | 'audit.dropped';
  readonly tenant: string | null;
  readonly grant: { readonly id: string; readonly revision: number } | null;
  readonly actor: {
    /** Absent: a principal. */
    readonly kind?: 'principal' | 'customer' | 'service';
    readonly id: string;
    readonly issuer: string;
    readonly email: string | null;
    readonly name: string | null;
  } | null;
  /** Small, flat, without secrets or personal values. */
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}
