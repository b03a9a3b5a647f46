// What people are told of: lifecycle events as the store writes them into its outbox, in the very transaction that made
// them true. Facts only, enough to write the message from: who it goes to and in which words is the notify room's. Cold.
import type { EpochMs } from './clock.ts';
import type { TenantId } from './ids.ts';

export const NOTICE_EVENTS = [
  'grant.given',
  'grant.changed',
  'grant.revoked',
  'grant.ending',
  'grant.ended',
  'grant.verified',
  'request.made',
  'request.lead_approved',
  'request.decided',
  'session.started',
  'session.ended',
  'lock.set',
  'lock.lifted',
  'break_glass.asked',
  'break_glass.used',
] as const;
export type NoticeEvent = (typeof NOTICE_EVENTS)[number];

/** A person as a message names one. */
export interface NoticePerson {
  readonly name: string | null;
  readonly email: string | null;
}

export interface Notice {
  readonly id: string;
  readonly at: EpochMs;
  readonly event: NoticeEvent;
  /** Null for a lock on what belongs to no one tenant: then no tenant is told; the operator and `staff` are. */
  readonly tenant: TenantId | null;
  /** Who did it; null where the clock did. */
  readonly by: NoticePerson | null;
  /** Whom it is about on the vendor's side, told too: the support principal, or everyone a grant's audience names. */
  readonly staff: {
    readonly principals: readonly {
      readonly issuer: string;
      readonly id: string;
      readonly email?: string | null;
    }[];
    readonly groups: readonly string[];
  };
  /**
   * Groups of the vendor's who have to decide something now, such as those of its leads: told besides, in words of their
   * own. In no webhook's body: a customer has no use for the vendor's groups. Absent: nobody has.
   */
  readonly deciders?: readonly string[];
  /** The customer's users who gave the grant it is about for themselves: told beside the admins. Absent: nobody. */
  readonly users?: readonly { readonly email: string }[];
  /**
   * What happened, flat and JSON: `grantId, caseRef, access, startsAt, expiresAt, reasonType, reasonDetail, requestId,
   * decision, sessionId, lockKind, message …`, instants as epoch milliseconds. Webhooks carry it as it is.
   */
  readonly facts: Readonly<Record<string, string | number | boolean | null>>;
}

/** `dedupe`: one notice for each, ever; such as `grant.changed:<id>:<revision>`. */
export type NoticeDraft = Omit<Notice, 'id' | 'at'> & { readonly dedupe: string };
