// The contract of the journal: no record, no forward. Hot: one call per record, no promise, no closure.
import type { ExchangeFacts } from '#model/exchange.ts';

/** What the journal needs of an exchange: its facts, and to be told what became of the record. */
export interface Recordable extends ExchangeFacts {
  /** The group that holds this exchange's last line was written (and synced, under `durability: disk`). */
  recorded(): void;
  /** It could not be written: nothing may be forwarded, the answer is `audit_unavailable`. */
  recordRefused(): void;
}

export interface Journal {
  /** Before forwarding. Calls `recorded` or `recordRefused`, never synchronously: groups close per loop turn. */
  intend(x: Recordable): void;
  /** One complete record of a request that is not forwarded. Calls `recorded` or `recordRefused` likewise. */
  refuse(x: Recordable): void;
  /** After the exchange ended. Calls nothing back; a failure makes the journal unavailable. */
  complete(x: ExchangeFacts): void;
  /** A lifecycle event (`grant.revoked`, `policy.reloaded`, …). Never waited for by a revoke. */
  event(event: LifecycleEvent): void;
  /** False while records cannot be written; recovers by itself. */
  readonly available: boolean;
  /** Writes what is pending and waits for the sinks until `deadlineMs` passed. */
  close(deadlineMs: number): Promise<void>;
}

export interface LifecycleEvent {
  readonly event:
    | 'grant.created'
    | 'grant.changed'
    | 'grant.revoked'
    | 'grant.expired'
    | 'policy.reloaded'
    | 'policy.reload_failed'
    | 'keys.withdrawn'
    | 'gateway.started'
    | 'gateway.stopped';
  readonly tenant: string | null;
  readonly grant: { readonly id: string; readonly revision: number } | null;
  readonly actor: { readonly id: string; readonly issuer: string; readonly email: string | null; readonly name: string | null } | null;
  /** Small, flat, without secrets or personal values. */
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}
