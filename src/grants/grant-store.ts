// The store contract of the grants room: one suite (test/contract/grant-store.ts) runs against every store.
// A store that cannot find out throws STORE_UNAVAILABLE; it never answers "none" instead.
// What the lifecycle rules forbid is thrown as GrantRefusal (model/grant-refusal.ts), and nothing was written.
import type { EpochMs } from '#model/clock.ts';
import type { Access, Actor, Grant, GrantSource, GrantStatus, Verification } from '#model/grant.ts';
import type { GrantId, TenantId } from '#model/ids.ts';
import type { Principal } from '#model/principal.ts';

/** An end as somebody wrote it (`calendar.ts`), read in the tenant's zone at the commit; null: the tenant's default duration. */
export interface WrittenEnd {
  readonly written: string | null;
}

/** A validated wish to create a grant; limits are enforced again inside the store's transaction. */
export interface GrantDraft
  extends Pick<
    Grant,
    'tenant' | 'startsAt' | 'audience' | 'roles' | 'workspaces' | 'actAs' | 'lifts' | 'caseRef' | 'reason'
  > {
  readonly expiresAt: EpochMs | null | WrittenEnd;
  /** Absent: the tenant's default. */
  readonly access?: Access;
  /** Absent: `direct`. Emergencies have rules of their own (emergency-rules.ts), and what stands is in no store. */
  readonly source?: Exclude<GrantSource, 'standing' | 'break_glass'>;
  /** The notice the customer was shown; must be the tenant's current one where there is one, and absent where there is none. */
  readonly notice?: { readonly version: string };
  /** Who else consented to it, such as the earlier approvers of a request: none of them ever uses it. */
  readonly widenedBy?: readonly Actor[];
  /** Where the vendor verifies grants: the case was checked before the grant was made. Absent: it waits. */
  readonly verification?: Verification;
}

/** Absent keys stay as they are. `expectedRevision` refuses a change made against an older revision. */
export interface GrantPatch
  extends Partial<
    Pick<
      Grant,
      'startsAt' | 'access' | 'audience' | 'roles' | 'workspaces' | 'lifts' | 'caseRef' | 'reason' | 'notice'
    >
  > {
  readonly expectedRevision?: number;
  readonly expiresAt?: EpochMs | null | WrittenEnd;
  /** Where a period is chosen anew (the switch): what is written, and its limits, count from here instead of the start. */
  readonly periodFrom?: EpochMs;
}

export interface GrantQuery {
  /** Null is every tenant: for staff, and only together with `covering`, or for the `pending` ones that leads verify. */
  readonly tenant: TenantId | null;
  readonly status?: GrantStatus;
  /** Only grants whose audience covers this principal (`grantCovers`). */
  readonly covering?: Principal;
  /** Only grants that act as this user of the customer. */
  readonly actAs?: string;
  /** 1 to 500. */
  readonly limit: number;
  /** Opaque, from the page before; null for the first. */
  readonly cursor: string | null;
}

/** Newest first, by (createdAt, id). */
export interface Page<T> {
  readonly items: readonly T[];
  readonly nextCursor: string | null;
}

/** One step of a grant's history: what it was after it. */
export interface GrantRevision {
  /** `create`, `change`, `verify` or `revoke`. */
  readonly operation: string;
  readonly at: EpochMs;
  readonly by: Actor | null;
  readonly grant: Grant;
}

export interface GrantChange {
  readonly tenant: TenantId;
  readonly grantId: GrantId;
  /** True when another process or connection committed it, so that nobody here has enforced it yet. */
  readonly elsewhere: boolean;
}

export interface GrantStore {
  /** The tenant's grants that are not revoked and not expired, in no order; may hold ones that start later. */
  activeFor(tenant: TenantId, signal?: AbortSignal): Promise<readonly Grant[]>;
  /** How many grants hold now, over all tenants; for the metric. */
  countActive(): Promise<number>;
  get(id: GrantId): Promise<Grant | null>;
  list(query: GrantQuery): Promise<Page<Grant>>;
  create(draft: GrantDraft, by: Actor): Promise<Grant>;
  change(id: GrantId, patch: GrantPatch, by: Actor): Promise<Grant>;
  /** Idempotent: revoking a revoked grant returns it unchanged. */
  revoke(id: GrantId, by: Actor): Promise<Grant>;
  /** `lead` has verified the case for the vendor. Idempotent: a verified grant is returned unchanged. */
  verify(id: GrantId, lead: Principal, expectedRevision?: number): Promise<Grant>;
  /** The history of one grant, newest first; empty for a grant that there is not. */
  revisions(id: GrantId, limit: number, cursor: string | null): Promise<Page<GrantRevision>>;
  /**
   * `onChange` comes after the commit, once for each change. `onGap`: notifications may have been lost, so drop
   * the cache and look at everything that is in use.
   */
  watch(onChange: (change: GrantChange) => void, onGap: () => void): Disposable;
  ping(): Promise<void>;
  close(): Promise<void>;
}

/** What a timer needs to say that a grant has ended by itself. Separate: only the expiry timer uses it. */
export interface GrantExpiryFeed {
  /** The earliest end that was not claimed yet, past or future; null when no grant will end by itself. */
  nextEnd(): Promise<EpochMs | null>;
  /**
   * Up to `limit` grants whose end has passed, unrevoked, each handed out once, whatever the number of processes
   * or restarts. In order of their ends.
   */
  claimExpired(limit: number): Promise<readonly Grant[]>;
  /** When the next one comes within `withinMs` of its end, past or future; null when none will. */
  nextEnding(withinMs: number): Promise<EpochMs | null>;
  /**
   * Up to `limit` live grants of more than 48 hours that end within `withinMs`, each handed out once for each of its
   * revisions, with a notice written in the same transaction. In order of their ends.
   */
  claimEnding(withinMs: number, limit: number): Promise<readonly Grant[]>;
}
