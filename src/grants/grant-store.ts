// The store contract of the grants room: one suite (test/contract/grant-store.ts) runs against every store.
// A store that cannot find out throws STORE_UNAVAILABLE; it never answers "none" instead.
// What the lifecycle rules forbid is thrown as GrantRefusal (model/grant-refusal.ts), and nothing was written.
import type { EpochMs } from '#model/clock.ts';
import type { Actor, Grant, GrantStatus } from '#model/grant.ts';
import type { GrantId, TenantId } from '#model/ids.ts';
import type { Principal } from '#model/principal.ts';

/** A validated wish to create a grant; limits are enforced again inside the store's transaction. */
export type GrantDraft = Pick<
  Grant,
  | 'tenant'
  | 'startsAt'
  | 'expiresAt'
  | 'access'
  | 'audience'
  | 'roles'
  | 'workspaces'
  | 'actAs'
  | 'lifts'
  | 'caseRef'
  | 'reason'
>;

/** Absent keys stay as they are. `expectedRevision` refuses a change made against an older revision. */
export type GrantPatch = { readonly expectedRevision?: number } & Partial<
  Pick<
    Grant,
    'startsAt' | 'expiresAt' | 'access' | 'audience' | 'roles' | 'workspaces' | 'caseRef' | 'reason'
  >
>;

export interface GrantQuery {
  /** Null is every tenant: for a member of staff, and only together with `covering`. */
  readonly tenant: TenantId | null;
  readonly status?: GrantStatus;
  /** Only grants whose audience covers this principal (`grantCovers`). */
  readonly covering?: Principal;
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
}
