// Support's own wish for access: asked for, perhaps approved by a lead of the vendor, then decided by the customer's
// admins, or lapsed. The requester never approves (law 8). Types only; the rules are grants/requests/request-rules.ts. Cold.
import type { EpochMs } from './clock.ts';
import type { Access, Actor, Grant, StatedReason } from './grant.ts';
import type { GrantId, TenantId } from './ids.ts';
import type { Principal } from './principal.ts';

export const REQUEST_STATUSES = [
  'awaiting_lead',
  'awaiting_tenant',
  'approved',
  'denied',
  'lapsed',
  'withdrawn',
] as const;
export type RequestStatus = (typeof REQUEST_STATUSES)[number];

/** What is asked for; an approval may narrow it. `duration` as written (`3d`, `1mo`), from the approval on. */
export interface RequestedAccess {
  readonly access: Access;
  readonly duration: string;
  readonly roles: readonly string[];
  readonly workspaces: Grant['workspaces'];
  readonly actAs: string | null;
  readonly lifts: readonly string[];
}

export interface RequestApproval {
  readonly by: Actor;
  readonly at: EpochMs;
}

/** Immutable: every step makes a new object with a greater `revision`. */
export interface AccessRequest {
  readonly id: string;
  readonly tenant: TenantId;
  readonly revision: number;
  readonly status: RequestStatus;
  /** The grant will be for this principal alone. */
  readonly asker: Principal;
  readonly caseRef: string | null;
  readonly reason: StatedReason;
  readonly wanted: RequestedAccess;
  /** What the approvals so far leave of it; null: all that was asked for. */
  readonly narrowed: RequestedAccess | null;
  /** The request that this one escalates; null for a first one. */
  readonly escalates: string | null;
  readonly createdAt: EpochMs;
  /** When it dies untouched, by the clock at each use. */
  readonly lapsesAt: EpochMs;
  readonly leadApproval: RequestApproval | null;
  readonly tenantApprovals: readonly RequestApproval[];
  readonly denied: (RequestApproval & { readonly why: string | null }) | null;
  /** Once approved. */
  readonly grantId: GrantId | null;
}
