// How changes of authority become true for traffic in flight: a revoke, a narrowed grant, an ended session, a lock, other
// settings, a withdrawn key, a new policy, the shutdown. Guarantees: when a function returns, every exchange it concerns is
// over (law 5); what still waits for its grant to be chosen reads again what it read before; none of them waits for
// journal, sinks, store or identity provider.
import type { CachedGrants, GrantEnforcer, TenantEnforcer } from '#grants/grant-lookup.ts';
import type { Clock } from '#model/clock.ts';
import type { CutReason } from '#model/ended-by.ts';
import type { Grant } from '#model/grant.ts';
import type { GrantId, TenantId } from '#model/ids.ts';
import { type Lock, lockConcerns, lockHoldsAt } from '#model/lock.ts';
import type { SupportSession } from '#model/session.ts';
import { NEEDS_BODY, PASS } from '#model/verdict.ts';
import type { CompiledPolicy } from '#policy/compiled-policy.ts';
import type { SessionEnforcer } from '#sessions/session-enforcer.ts';
import { setAuthorityEnd } from './authority-end.ts';
import type { Exchange } from './exchange.ts';
import type { Flow } from './flow.ts';
import type { LiveExchanges } from './live-exchanges.ts';
import { judgeUnder } from './policy-judgement.ts';
import { standingNow, whyGrantEnds, whyTenantEnds } from './still-allowed.ts';

interface GrantImpact {
  readonly requests: number;
  readonly streams: number;
  readonly principals: number;
}

export interface Enforcement extends GrantEnforcer, TenantEnforcer, SessionEnforcer {
  /** Exchanges that hold authority now. */
  readonly inFlight: number;
  /** Everything that the lock concerns ends now, with its message; nothing where it does not hold. */
  locked(lock: Lock): void;
  keyWithdrawn(issuer: string, keyId: string): void;
  /** After a reload: what the new set denies does not go on. */
  policySwapped(next: CompiledPolicy): void;
  /** Each grant that an exchange is bound to now, once: looked at again when changes may have been missed. */
  grantsInUse(): Iterable<Grant>;
  /** Each tenant that an exchange speaks of now, once: its settings are looked at again when changes may have been missed. */
  tenantsInUse(): Iterable<TenantId>;
  /** What revoking this grant would cut, now. */
  impactOf(grant: GrantId): GrantImpact;
  /** Ends everything that is still running; returns how many were. */
  cutAll(reason: CutReason): number;
}

export interface EnforcementDeps {
  readonly live: LiveExchanges;
  readonly flow: Pick<Flow, 'cut'>;
  readonly clock: Clock;
}

export function createEnforcement(deps: EnforcementDeps): Enforcement {
  const { live } = deps;
  const goingOn = createGoingOn(deps);
  return {
    get inFlight() {
      return live.size;
    },
    ...ofTheCustomer(deps, goingOn),
    ...ofTheVendor(deps, goingOn),
    grantsInUse() {
      const inUse = new Set<Grant>();
      live.each((x) => {
        if (x.grant !== null) inUse.add(x.grant);
      });
      return inUse;
    },
    tenantsInUse() {
      const inUse = new Set<TenantId>();
      live.each((x) => {
        if (x.tenant !== null) inUse.add(x.tenant);
      });
      return inUse;
    },
    impactOf(id) {
      return impact(live, id);
    },
    cutAll(reason) {
      return live.cutWhere(() => true, reason);
    },
  };
}

/** What becomes of an exchange that a change leaves going on. */
interface GoingOn {
  /** Under a changed grant, until its new end. */
  rebind(x: Exchange, grant: Grant): void;
  /** Under other settings. */
  under(x: Exchange, grant: Grant, view: CachedGrants): void;
  /** By a policy. False: it does not go on. */
  by(x: Exchange, policy: CompiledPolicy): boolean;
}

function createGoingOn({ live, flow }: EnforcementDeps): GoingOn {
  function rebind(x: Exchange, grant: Grant): void {
    setAuthorityEnd(x, grant);
    // Adding again arms the timer for an earlier end.
    live.add(x);
  }

  function by(x: Exchange, policy: CompiledPolicy): boolean {
    const verdict = judgeUnder(policy, x);
    // A body that has not come yet will be read when its turn comes; one that is gone cannot be.
    if (verdict === PASS || (verdict === NEEDS_BODY && x.phase === 'judging')) return true;
    flow.cut(x, 'policy', verdict.rule);
    return false;
  }

  return {
    rebind,
    by,
    under(x, grant, view) {
      const isOtherClass = x.tenantClass !== view.settings.class;
      x.view = view;
      const standing = grant.source === 'standing' ? standingNow(grant, view) : null;
      if (standing !== null) rebind(x, standing);
      // The rules may ask for it.
      if (isOtherClass && x.policy !== null) by(x, x.policy);
    },
  };
}

/** It has no grant yet, and may be about to be given one by what was read before this change. */
function looksAgain(x: Exchange, tenant: TenantId): boolean {
  if (x.grant !== null) return false;
  if (x.tenant === tenant) x.mustLookAgain = true;
  return true;
}

type OfTheCustomer = Pick<
  Enforcement,
  'grantRevoked' | 'grantChanged' | 'tenantChanged' | 'sessionEnded' | 'sessionNarrowed'
>;

function ofTheCustomer({ live, flow, clock }: EnforcementDeps, goingOn: GoingOn): OfTheCustomer {
  return {
    grantRevoked(grant) {
      live.each((x) => {
        if (!looksAgain(x, grant.tenant) && x.grant?.id === grant.id) flow.cut(x, 'revoked');
      });
    },
    grantChanged(grant) {
      live.each((x) => {
        if (looksAgain(x, grant.tenant) || x.grant?.id !== grant.id) return;
        const reason = whyGrantEnds(x, grant, clock.now());
        if (reason === null) goingOn.rebind(x, grant);
        else flow.cut(x, reason);
      });
    },
    tenantChanged(tenant, view) {
      const known: CachedGrants = { ...view, loadedAt: clock.monotonic() };
      live.each((x) => {
        if (x.tenant !== tenant) return;
        // Whoever has not said who they are learns nothing of the customer.
        if (x.grant === null && x.credential !== null && view.settings.suspended) flow.cut(x, 'suspended');
        if (looksAgain(x, tenant) || x.grant === null) return;
        const reason = whyTenantEnds(x, view, clock.now());
        if (reason === null) goingOn.under(x, x.grant, known);
        else flow.cut(x, reason);
      });
    },
    sessionEnded(session) {
      live.each((x) => {
        if (!looksAgain(x, session.tenant) && x.session?.id === session.id) flow.cut(x, 'session_ended');
      });
    },
    sessionNarrowed(session) {
      live.each((x) => {
        // Its cookie is its credential: what was judged by it, or is about to be, is judged by more than it is worth now.
        if (x.cookieHash !== '' && x.tenant === session.tenant && isWiderThan(x, session))
          flow.cut(x, 'narrowed');
      });
    },
  };
}

/** The credential is this principal's, with a group that they are not in any more. */
function isWiderThan({ credential }: Exchange, { principal }: SupportSession): boolean {
  if (credential === null) return false;
  const { issuer, id, groups } = credential.principal;
  if (issuer !== principal.issuer || id !== principal.id) return false;
  return groups.some((group) => !principal.groups.includes(group));
}

type OfTheVendor = Pick<Enforcement, 'locked' | 'keyWithdrawn' | 'policySwapped'>;

function ofTheVendor({ live, flow, clock }: EnforcementDeps, goingOn: GoingOn): OfTheVendor {
  return {
    locked(lock) {
      if (!lockHoldsAt(lock, clock.now())) return;
      live.each((x) => {
        // Whoever has not said who they are comes to the lock in their turn, and is not told of it before.
        if (x.credential === null || !lockConcerns(lock, x)) return;
        x.refusalDetail = lock.message;
        flow.cut(x, 'locked');
      });
    },
    keyWithdrawn(issuer, keyId) {
      live.cutWhere(
        (x) => x.credential?.keyId === keyId && x.credential.principal.issuer === issuer,
        'credential_expired',
      );
    },
    policySwapped(next) {
      live.each((x) => {
        // Without a grant it has not come to the policy's checks yet, and will be judged by the one in force then.
        if (x.grant === null || !goingOn.by(x, next)) return;
        // Its answer has not begun: the guards of the new set will judge it. One that has begun goes on.
        if (x.phase !== 'judging' && !x.responseHasStarted) x.policy = next;
      });
    },
  };
}

function impact(live: LiveExchanges, id: GrantId): GrantImpact {
  let requests = 0;
  let streams = 0;
  const principals = new Set<string>();
  live.each((x) => {
    if (x.grant?.id !== id || x.credential === null) return;
    if (x.kind === 'http') requests += 1;
    else streams += 1;
    principals.add(JSON.stringify([x.credential.principal.issuer, x.credential.principal.id]));
  });
  return { requests, streams, principals: principals.size };
}
