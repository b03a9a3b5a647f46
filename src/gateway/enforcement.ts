// How changes of authority become true for traffic in flight: a revoke, a narrowed grant, a withdrawn key, a new
// policy, the shutdown. Guarantees: when a function returns, every exchange it concerns is over (law 5); none of
// them waits for journal, sinks, store or identity provider.
import type { GrantEnforcer } from '#grants/grant-lookup.ts';
import type { Clock } from '#model/clock.ts';
import { NEVER } from '#model/clock.ts';
import type { CutReason } from '#model/ended-by.ts';
import { type Grant, grantCovers, grantStatusAt } from '#model/grant.ts';
import type { GrantId } from '#model/ids.ts';
import { NEEDS_BODY, PASS } from '#model/verdict.ts';
import type { CompiledPolicy } from '#policy/compiled-policy.ts';
import type { Exchange } from './exchange.ts';
import type { Flow } from './flow.ts';
import type { LiveExchanges } from './live-exchanges.ts';
import { judgeUnder } from './policy-judgement.ts';

interface GrantImpact {
  readonly requests: number;
  readonly streams: number;
  readonly principals: number;
}

export interface Enforcement extends GrantEnforcer {
  /** Exchanges that hold authority now. */
  readonly inFlight: number;
  keyWithdrawn(issuer: string, keyId: string): void;
  /** After a reload: what the new set denies does not go on. */
  policySwapped(next: CompiledPolicy): void;
  /** Each grant that an exchange is bound to now, once: looked at again when changes may have been missed. */
  grantsInUse(): Iterable<Grant>;
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

export function createEnforcement({ live, flow, clock }: EnforcementDeps): Enforcement {
  /** The exchange goes on under a changed grant, until its new end. */
  function rebind(x: Exchange, grant: Grant): void {
    const grantEnd = grant.expiresAt ?? NEVER;
    const credentialEnd = x.credential === null ? NEVER : x.credential.expiresAt;
    x.authorityEndsAt = credentialEnd < grantEnd ? credentialEnd : grantEnd;
    // Adding again arms the timer for an earlier end.
    live.add(x);
  }

  return {
    get inFlight() {
      return live.size;
    },
    grantRevoked(grant) {
      live.cutWhere((x) => x.grant?.id === grant.id, 'revoked');
    },
    grantChanged(grant) {
      live.each((x) => {
        if (x.grant?.id !== grant.id) return;
        const reason = whyEnded(x, x.grant, grant, grantStatusAt(grant, clock.now()));
        if (reason === null) rebind(x, grant);
        else flow.cut(x, reason);
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
        if (x.grant === null) return;
        const verdict = judgeUnder(next, x);
        // A body that has not come yet will be read when its turn comes; one that is gone cannot be.
        if (verdict !== PASS && (verdict !== NEEDS_BODY || x.phase !== 'judging')) {
          flow.cut(x, 'policy', verdict.rule);
          return;
        }
        // Its answer has not begun: the guards of the new set will judge it. One that has begun goes on.
        if (x.phase !== 'judging' && !x.responseHasStarted) x.policy = next;
      });
    },
    grantsInUse() {
      const inUse = new Set<Grant>();
      live.each((x) => {
        if (x.grant !== null) inUse.add(x.grant);
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

/** Null where the new revision still allows what the exchange is doing under the old one. */
function whyEnded(
  x: Exchange,
  before: Grant,
  after: Grant,
  status: ReturnType<typeof grantStatusAt>,
): CutReason | null {
  if (status === 'revoked') return 'revoked';
  if (status === 'expired') return 'expired';
  if (status === 'scheduled') return 'narrowed';
  if (x.credential === null || !grantCovers(after, x.credential.principal)) return 'narrowed';
  return isNarrower(before, after) ? 'narrowed' : null;
}

/** The upstream was told of the old grant: whatever it lost is lost for what is in flight too. */
function isNarrower(before: Grant, after: Grant): boolean {
  if (before.access === 'write' && after.access === 'read') return true;
  if (before.actAs !== after.actAs) return true;
  if (before.roles.some((role) => !after.roles.includes(role))) return true;
  if (before.lifts.some((category) => !after.lifts.includes(category))) return true;
  // None named is all of them, so a list where there was none takes something away.
  if (before.workspaces.length === 0) return after.workspaces.length > 0;
  return before.workspaces.some(({ id, roles }) => {
    if (after.workspaces.length === 0) return false;
    const kept = after.workspaces.find((workspace) => workspace.id === id);
    return kept === undefined || roles.some((role) => !kept.roles.includes(role));
  });
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
