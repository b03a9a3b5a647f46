// What the control API calls to set and lift a lock. A lock is set when the call returns: the store has committed, the
// board knows, and the enforcer has ended what it concerns. It waits for no journal and no identity provider. What other
// processes set comes through the board (lock-board.ts).
import type { Actor } from '#model/grant.ts';
import type { Lock } from '#model/lock.ts';
import type { LockBoard, LockEnforcer } from './lock-board.ts';
import { tenantOfLock } from './lock-rules.ts';
import type { LockDraft, LockStore } from './lock-store.ts';

/** Shaped as the journal's lifecycle events. The details hold no personal value: whom it is on is in the store. */
export interface LockEvent {
  readonly event: 'lock.set' | 'lock.lifted';
  readonly tenant: string | null;
  readonly grant: null;
  readonly actor: {
    readonly kind: 'principal';
    readonly id: string;
    readonly issuer: string;
    readonly email: string | null;
    readonly name: string | null;
  };
  readonly details: Readonly<Record<string, string | number | null>>;
}

export interface LockAuthorityDeps {
  readonly store: Pick<LockStore, 'set' | 'lift' | 'get'>;
  readonly board: Pick<LockBoard, 'take'>;
  readonly enforcer: LockEnforcer;
  /** Called after enforcement, never waited for; must not throw. */
  readonly onEvent: (event: LockEvent) => void;
}

export interface LockAuthority {
  /** The calls reject with GrantRefusal or STORE_UNAVAILABLE; nothing was done then. */
  set(draft: LockDraft, by: Actor): Promise<Lock>;
  /** Idempotent. */
  lift(id: string, by: Actor): Promise<Lock>;
}

export function createLockAuthority({ store, board, enforcer, onEvent }: LockAuthorityDeps): LockAuthority {
  return {
    async set(draft, by) {
      const lock = await store.set(draft, by);
      board.take(lock);
      enforcer.locked(lock);
      onEvent(lockEvent('lock.set', lock, by));
      return lock;
    },
    async lift(id, by) {
      const before = await store.get(id);
      const lock = await store.lift(id, by);
      board.take(lock);
      if (before?.liftedAt === null && lock.liftedAt !== null) onEvent(lockEvent('lock.lifted', lock, by));
      return lock;
    },
  };
}

function lockEvent(event: LockEvent['event'], lock: Lock, by: Actor): LockEvent {
  const { id, issuer, email, name } = by;
  return {
    event,
    tenant: tenantOfLock(lock),
    grant: null,
    actor: { kind: 'principal', id, issuer, email, name },
    details: { lock: lock.id, kind: lock.target.kind, endsAt: lock.endsAt },
  };
}
