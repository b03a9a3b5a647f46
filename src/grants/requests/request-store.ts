// The contract of what keeps access requests: asked, decided, lapsed, each step in one transaction with whatever it makes
// true, the grant of the last approval included. A refusal (GrantRefusal) leaves nothing behind; a store that cannot find
// out throws STORE_UNAVAILABLE. What comes out is deeply frozen, its status by the clock at that moment. Cold.
import type { AccessRequest, RequestedAccess, RequestStatus } from '#model/access-request.ts';
import type { EpochMs } from '#model/clock.ts';
import type { Actor, Grant } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import type { Principal } from '#model/principal.ts';
import type { Page } from '../grant-store.ts';

/** A validated wish; the tenant's limits are asked inside the store's transaction. */
export type RequestDraft = Pick<AccessRequest, 'tenant' | 'caseRef' | 'reason' | 'escalates'> & {
  readonly wanted: RequestedAccess;
};

/** What a body may leave out: the tenant's defaults stand for it. */
export type RequestWish = Omit<RequestDraft, 'wanted'> & {
  readonly wanted: Omit<RequestedAccess, 'access' | 'duration'> &
    Partial<Pick<RequestedAccess, 'access' | 'duration'>>;
};

/** Whose part somebody acts in: a lead decides before the customer is asked. */
export type RequestStage = 'lead' | 'tenant';

/** Absent keys stay as they were asked for. Acting as a customer's user is not narrowed: it is denied instead. */
export type RequestNarrowing = Partial<Omit<RequestedAccess, 'actAs'>>;

export interface RequestApprovalStep {
  readonly stage: RequestStage;
  readonly by: Actor;
  /** Null approves what the approvals before have left. */
  readonly narrowing: RequestNarrowing | null;
  /** The notice the customer was shown, as for a grant of their own. */
  readonly notice?: { readonly version: string };
  readonly expectedRevision?: number;
}

export interface RequestDenial {
  readonly stage: RequestStage;
  readonly by: Actor;
  readonly why: string | null;
  readonly expectedRevision?: number;
}

export interface RequestWithdrawal {
  readonly by: Principal;
  readonly expectedRevision?: number;
}

export interface RequestQuery {
  readonly of:
    | { readonly kind: 'tenant'; readonly tenant: TenantId }
    | { readonly kind: 'asker'; readonly issuer: string; readonly id: string }
    /** Of every tenant, still to be decided by a lead. */
    | { readonly kind: 'awaiting_lead' };
  readonly status?: RequestStatus;
  /** 1 to 500; a RangeError otherwise. */
  readonly limit: number;
  readonly cursor: string | null;
}

export interface RequestStore {
  ask(wish: RequestWish, asker: Principal): Promise<AccessRequest>;
  /** `grant` is the one that the last approval made; null before it. */
  approve(
    id: string,
    step: RequestApprovalStep,
  ): Promise<{ readonly request: AccessRequest; readonly grant: Grant | null }>;
  deny(id: string, denial: RequestDenial): Promise<AccessRequest>;
  withdraw(id: string, withdrawal: RequestWithdrawal): Promise<AccessRequest>;
  get(id: string): Promise<AccessRequest | null>;
  /** Newest first, by (createdAt, id). */
  list(query: RequestQuery): Promise<Page<AccessRequest>>;
}

/** What a timer needs to say that a request has lapsed. Separate: only the request timer uses it. */
export interface RequestLapseFeed {
  /** The earliest end of a request that is still pending in the store, past or future; null for none. */
  nextLapse(): Promise<EpochMs | null>;
  /** Up to `limit` requests that have lapsed, each handed out once, whatever the number of processes or restarts. */
  claimLapsed(limit: number): Promise<readonly AccessRequest[]>;
  /** `onChange` comes after the commit of any change of a request; `onGap`: changes may have been missed. */
  watch(onChange: () => void, onGap: () => void): Disposable;
}
