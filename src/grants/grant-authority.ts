// What the control API calls to give, change and take away access. Each call returns when it is true for traffic:
// the store has committed, the cache entry is gone, the enforcer has ended what the grant no longer allows. A store
// that fails is a fault and nothing else happens; a process that dies between commit and enforcement takes its
// traffic with it. Changes that other processes commit are enforced here as they become known.
import type { Clock } from '#model/clock.ts';
import type { Actor, Grant } from '#model/grant.ts';
import type { GrantId } from '#model/ids.ts';
import type { Log } from '#model/log.ts';
import type { Principal } from '#model/principal.ts';
import type { GrantCache } from './grant-cache.ts';
import type { GrantEnforcer } from './grant-lookup.ts';
import type { GrantChange, GrantDraft, GrantPatch, GrantStore } from './grant-store.ts';

/** Shaped as the journal's lifecycle events; the details hold no personal value. */
export interface GrantEvent {
  readonly event: 'grant.created' | 'grant.changed' | 'grant.revoked' | 'grant.expired';
  readonly tenant: string;
  readonly grant: { readonly id: string; readonly revision: number };
  readonly actor: {
    readonly kind: 'customer' | 'service' | 'principal';
    readonly id: string;
    readonly issuer: string;
    readonly email: string | null;
    readonly name: string | null;
  } | null;
  readonly details: Readonly<Record<string, string | number | boolean | null>>;
}

export interface GrantAuthorityDeps {
  readonly store: GrantStore;
  readonly cache: Pick<GrantCache, 'invalidate' | 'dropAll'>;
  readonly enforcer: GrantEnforcer;
  readonly clock: Clock;
  /** Called after enforcement, never waited for; must not throw. */
  readonly onEvent: (event: GrantEvent) => void;
  /** Grants that exchanges are bound to now: looked at again after a gap in the change feed. */
  readonly grantsInUse: () => Iterable<Grant>;
  readonly log: Log;
}

export interface GrantAuthority extends Disposable {
  /** The calls reject with GrantRefusal or STORE_UNAVAILABLE; nothing was done then. */
  create(draft: GrantDraft, by: Actor): Promise<Grant>;
  change(id: GrantId, patch: GrantPatch, by: Actor): Promise<Grant>;
  /** Idempotent: repeated, it enforces again, so that a caller whose first call failed half-way can heal it. */
  revoke(id: GrantId, by: Actor): Promise<Grant>;
  /** By a lead of the vendor's: what was pending holds from now on. Idempotent. */
  verify(id: GrantId, lead: Principal, expectedRevision?: number): Promise<Grant>;
}

/** Follows the store's change feed until disposed of. */
export function createGrantAuthority(deps: GrantAuthorityDeps): GrantAuthority {
  const { store, cache, enforcer, onEvent } = deps;
  const follower = followStore(deps);
  return {
    async create(draft, by) {
      const grant = await store.create(draft, by);
      cache.invalidate(grant.tenant);
      onEvent(grantEvent('grant.created', grant, by));
      return grant;
    },
    async change(id, patch, by) {
      const before = await store.get(id);
      const grant = await store.change(id, patch, by);
      cache.invalidate(grant.tenant);
      enforcer.grantChanged(grant);
      if (grant.revision !== before?.revision) onEvent(grantEvent('grant.changed', grant, by));
      return grant;
    },
    async revoke(id, by) {
      const before = await store.get(id);
      const grant = await store.revoke(id, by);
      cache.invalidate(grant.tenant);
      enforcer.grantRevoked(grant);
      if (grant.revision !== before?.revision) onEvent(grantEvent('grant.revoked', grant, by));
      return grant;
    },
    async verify(id, lead, expectedRevision) {
      const before = await store.get(id);
      const grant = await store.verify(id, lead, expectedRevision);
      cache.invalidate(grant.tenant);
      const by = grant.verification?.by ?? null;
      if (grant.revision !== before?.revision) onEvent(grantEvent('grant.changed', grant, by));
      return grant;
    },
    [Symbol.dispose]() {
      follower[Symbol.dispose]();
    },
  };
}

export function grantEvent(event: GrantEvent['event'], grant: Grant, by: Actor | null): GrantEvent {
  const person = by?.onBehalfOf ?? by;
  return {
    event,
    tenant: grant.tenant,
    grant: { id: grant.id, revision: grant.revision },
    actor:
      by === null || person === null
        ? null
        : {
            kind: kindOf(by),
            id: person.id,
            issuer: by.issuer,
            email: person.email,
            name: person.name,
          },
    details: {
      access: grant.access,
      startsAt: grant.startsAt,
      expiresAt: grant.expiresAt,
      source: grant.source ?? 'direct',
      verification: verificationOf(grant),
      kind: by?.kind ?? null,
      service: by?.kind === 'service' ? by.id : null,
    },
  };
}

function verificationOf({ verification }: Grant): 'pending' | 'verified' | null {
  if (verification === undefined) return null;
  return verification.at === null ? 'pending' : 'verified';
}

function kindOf({ kind, onBehalfOf }: Actor): 'customer' | 'service' | 'principal' {
  if (kind === 'staff' || kind === 'security') return 'principal';
  return onBehalfOf !== null || kind === 'tenant_admin' || kind === 'tenant_user' ? 'customer' : 'service';
}

const RETRY_MS = 1000;

/**
 * Other processes' changes: out of the cache at once, and enforced here with what the store says now. A grant that
 * cannot be read stays in doubt and is looked at again until it can: new requests are refused by the store's fault
 * meanwhile, and what is in flight is cut as soon as the answer is known.
 */
function followStore({ store, cache, enforcer, grantsInUse, log }: GrantAuthorityDeps): Disposable {
  /** With the grant as it is in use; null where only a change is known. */
  const inDoubt = new Map<GrantId, Grant | null>();
  let retry: NodeJS.Timeout | undefined;
  let stopped = false;

  async function settle(): Promise<void> {
    for (const [id, used] of inDoubt) {
      try {
        const grant = await store.get(id);
        if (stopped) return;
        inDoubt.delete(id);
        enforceAsStored(enforcer, used, grant);
      } catch {
        if (stopped) return;
        // An earlier reading may have taken it out meanwhile, with what it was before this change.
        if (!inDoubt.has(id)) inDoubt.set(id, used);
        log.warn({ grant: id }, 'a grant that changed elsewhere cannot be read; trying again');
        clearTimeout(retry);
        retry = setTimeout(() => void settle(), RETRY_MS);
        retry.unref();
        return;
      }
    }
  }

  function onChange(change: GrantChange): void {
    cache.invalidate(change.tenant);
    if (!change.elsewhere) return;
    inDoubt.set(change.grantId, null);
    void settle();
  }

  function onGap(): void {
    cache.dropAll();
    for (const grant of grantsInUse()) inDoubt.set(grant.id, grant);
    void settle();
  }

  const watching = store.watch(onChange, onGap);
  return {
    [Symbol.dispose]() {
      stopped = true;
      clearTimeout(retry);
      watching[Symbol.dispose]();
    },
  };
}

/** A store restored from a copy may not know a grant in use: what it does not know is not granted. */
function enforceAsStored(enforcer: GrantEnforcer, used: Grant | null, stored: Grant | null): void {
  if (stored === null) {
    if (used !== null) enforcer.grantRevoked(used);
  } else if (stored.revokedAt !== null) {
    enforcer.grantRevoked(stored);
  } else {
    enforcer.grantChanged(stored);
  }
}
