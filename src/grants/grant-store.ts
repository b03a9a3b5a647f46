// The store contract of the grants room: one suite (test/contract/grant-store.ts) runs against every store.
// A store that cannot find out throws STORE_UNAVAILABLE; it never answers "none" instead.
import type { EpochMs } from '#model/clock.ts';
import type { Access, Actor, Audience, Grant, GrantStatus, StatedReason } from '#model/grant.ts';
import type { GrantId, TenantId } from '#model/ids.ts';

/** A validated wish to create a grant; limits are enforced again inside the store's transaction. */
export interface GrantDraft {
  readonly tenant: TenantId;
  readonly startsAt: EpochMs;
  readonly expiresAt: EpochMs | null;
  readonly access: Access;
  readonly audience: Audience;
  readonly roles: readonly string[];
  readonly workspaces: readonly { readonly id: string; readonly roles: readonly string[] }[];
  readonly actAs: string | null;
  readonly lifts: readonly string[];
  readonly caseRef: string | null;
  readonly reason: StatedReason | null;
}

/** Absent keys stay as they are. `expectedRevision` refuses a change made against an older revision. */
export interface GrantPatch {
  readonly expectedRevision?: number;
  readonly startsAt?: EpochMs;
  readonly expiresAt?: EpochMs | null;
  readonly access?: Access;
  readonly audience?: Audience;
  readonly roles?: readonly string[];
  readonly caseRef?: string | null;
  readonly reason?: StatedReason | null;
}

export interface GrantQuery {
  readonly tenant: TenantId;
  readonly status?: GrantStatus;
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
}

export interface GrantStore {
  /** The tenant's grants that are not revoked and not expired, in no order; may hold ones that start later. */
  activeFor(tenant: TenantId, signal?: AbortSignal): Promise<readonly Grant[]>;
  get(id: GrantId): Promise<Grant | null>;
  list(query: GrantQuery): Promise<Page<Grant>>;
  create(draft: GrantDraft, by: Actor): Promise<Grant>;
  change(id: GrantId, patch: GrantPatch, by: Actor): Promise<Grant>;
  /** Idempotent: revoking a revoked grant returns it unchanged. */
  revoke(id: GrantId, by: Actor): Promise<Grant>;
  /** `onGap`: notifications may have been lost, so drop the cache. */
  watch(onChange: (change: GrantChange) => void, onGap: () => void): Disposable;
  ping(): Promise<void>;
  close(): Promise<void>;
}
