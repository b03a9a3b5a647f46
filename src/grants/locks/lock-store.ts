// The vendor's stops as they are kept: set, lifted, listed; nothing else ever changes one. Every method rejects with
// STORE_UNAVAILABLE when it cannot find out, and with GrantRefusal when a rule forbids it; nothing is half-done. Cold:
// requests ask the lock board.
import type { EpochMs } from '#model/clock.ts';
import type { Actor } from '#model/grant.ts';
import type { Lock, LockTarget } from '#model/lock.ts';
import type { Page } from '../grant-store.ts';

/** What security asks for; well-formed, not yet judged. */
export interface LockDraft {
  readonly target: LockTarget;
  /** Shown to whoever is stopped. */
  readonly message: string | null;
  /** Null: until it is lifted. */
  readonly endsAt: EpochMs | null;
}

export interface LockQuery {
  /** `held`: those that hold now. */
  readonly status: 'held' | 'all';
  readonly cursor: string | null;
  /** 1 to 500; a RangeError otherwise. */
  readonly limit: number;
}

export interface LockStore {
  set(draft: LockDraft, by: Actor): Promise<Lock>;
  /** Idempotent: a lock that was lifted or has ended is returned unchanged. */
  lift(id: string, by: Actor): Promise<Lock>;
  get(id: string): Promise<Lock | null>;
  /** Newest first. */
  list(query: LockQuery): Promise<Page<Lock>>;
  /** Every lock that holds now, in no order. Frozen. */
  held(): Promise<readonly Lock[]>;
  /** `onChange` comes after the commit, once for each lock; `onGap`: changes may have been missed, read them all. */
  watch(onChange: () => void, onGap: () => void): Disposable;
}
