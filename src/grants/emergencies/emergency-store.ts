// Break glass as it is kept: one of the vendor's security team asks, another confirms, and then there is a grant. Every
// method rejects with STORE_UNAVAILABLE when it cannot find out, and with GrantRefusal when a rule forbids it; nothing is
// half-done. Cold.
import type { EpochMs } from '#model/clock.ts';
import type { Access, Actor, Audience, Grant, StatedReason } from '#model/grant.ts';
import type { GrantId, TenantId } from '#model/ids.ts';
import type { Page } from '../grant-store.ts';

/** One named in an audience, beside the asker. */
export type Responder = NonNullable<Audience['principals']>[number];

/** What security asks for; well-formed, not yet judged. */
export interface EmergencyDraft {
  readonly tenant: TenantId;
  /** The asker's, as their issuer is pinned; whoever uses the grant is of it. */
  readonly org: string;
  readonly caseRef: string | null;
  readonly reason: StatedReason;
  readonly access: Access;
  /** From the confirmation on. */
  readonly durationMs: number;
  /** Who may use it besides the asker. */
  readonly responder: Responder | null;
}

export type EmergencyStatus = 'pending' | 'lapsed' | 'confirmed';

/** Immutable: the confirmation makes a new object. */
export interface Emergency extends EmergencyDraft {
  readonly id: string;
  readonly askedBy: Actor;
  readonly createdAt: EpochMs;
  /** When it dies unconfirmed, by the clock at each use. */
  readonly lapsesAt: EpochMs;
  readonly confirmedBy: Actor | null;
  readonly confirmedAt: EpochMs | null;
  /** Once confirmed. */
  readonly grantId: GrantId | null;
}

export interface EmergencyQuery {
  /** `pending`: those that can still be confirmed. */
  readonly status: 'pending' | 'all';
  readonly cursor: string | null;
  /** 1 to 500; a RangeError otherwise. */
  readonly limit: number;
}

export interface ConfirmedEmergency {
  readonly emergency: Emergency;
  /** Of source `break_glass`, in force from now on. */
  readonly grant: Grant;
}

export interface EmergencyStore {
  ask(draft: EmergencyDraft, by: Actor): Promise<Emergency>;
  /** The second person's word: the grant is created in the same transaction. */
  confirm(id: string, by: Actor): Promise<ConfirmedEmergency>;
  get(id: string): Promise<Emergency | null>;
  /** Newest first. */
  list(query: EmergencyQuery): Promise<Page<Emergency>>;
}
