// The locks that hold, by what they are on, so that a thousand locked principals cost a request no more than one.
// Guarantees: finds a lock exactly when `lockFor` of model/lock.ts finds one in the same list; asks the clock at each
// look. Hot: one look per request, no allocation unless a case or an address is locked; built anew at each change.
import { caseKey } from '#model/case-pattern.ts';
import type { EpochMs } from '#model/clock.ts';
import { type Lock, type Locked, lockHoldsAt } from '#model/lock.ts';
import { mailboxOf } from '#model/mail-address.ts';
import type { Principal } from '#model/principal.ts';

type LocksBy = Map<string, Lock[]>;

export class LockTable {
  readonly #everything: Lock[] = [];
  readonly #byTenant: LocksBy = new Map();
  readonly #byCase: LocksBy = new Map();
  /** Issuer, then id: never a joined key. */
  readonly #byPrincipal = new Map<string, LocksBy>();
  readonly #byEmail: LocksBy = new Map();
  readonly #isEmpty: boolean;

  constructor(locks: Iterable<Lock>) {
    let isEmpty = true;
    for (const lock of locks) {
      this.#add(lock);
      isEmpty = false;
    }
    this.#isEmpty = isEmpty;
  }

  /** A lock that holds and concerns the subject; the widest first. Null for none. */
  lockFor({ principal, tenant, caseRef }: Locked, now: EpochMs): Lock | null {
    if (this.#isEmpty) return null;
    return (
      firstHeld(this.#everything, now) ??
      (tenant === null ? null : firstHeld(this.#byTenant.get(tenant), now)) ??
      (caseRef === null ? null : this.#caseLock(caseRef, tenant, now)) ??
      (principal === null ? null : this.#principalLock(principal, now))
    );
  }

  #add(lock: Lock): void {
    const { target } = lock;
    switch (target.kind) {
      case 'everything':
        this.#everything.push(lock);
        return;
      case 'tenant':
        put(this.#byTenant, target.tenant, lock);
        return;
      case 'case':
        put(this.#byCase, caseKey(target.caseRef), lock);
        return;
      case 'principal': {
        const ofIssuer: LocksBy = this.#byPrincipal.get(target.issuer) ?? new Map();
        this.#byPrincipal.set(target.issuer, ofIssuer);
        put(ofIssuer, target.id, lock);
        if (target.email !== null) put(this.#byEmail, mailboxOf(target.email), lock);
      }
    }
  }

  #caseLock(caseRef: string, tenant: string | null, now: EpochMs): Lock | null {
    if (this.#byCase.size === 0) return null;
    const locks = this.#byCase.get(caseKey(caseRef));
    if (locks === undefined) return null;
    for (const lock of locks) {
      const of = lock.target.kind === 'case' ? lock.target.tenant : null;
      if (lockHoldsAt(lock, now) && (of === null || of === tenant)) return lock;
    }
    return null;
  }

  #principalLock({ issuer, id, email }: Principal, now: EpochMs): Lock | null {
    const named = firstHeld(this.#byPrincipal.get(issuer)?.get(id), now);
    if (named !== null || email === null || this.#byEmail.size === 0) return named;
    return firstHeld(this.#byEmail.get(mailboxOf(email)), now);
  }
}

function put(locks: LocksBy, key: string, lock: Lock): void {
  const known = locks.get(key);
  if (known === undefined) locks.set(key, [lock]);
  else known.push(lock);
}

function firstHeld(locks: readonly Lock[] | undefined, now: EpochMs): Lock | null {
  if (locks === undefined) return null;
  for (const lock of locks) if (lockHoldsAt(lock, now)) return lock;
  return null;
}
