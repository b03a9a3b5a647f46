// The one grant this request is judged under. From here on the exchange is live: a revoke reaches it wherever it is.
// Assumes a verified credential and a tenant. Hot: on a cache hit nothing waits and nothing is allocated.
import type { Clock } from '#model/clock.ts';
import { NEVER } from '#model/clock.ts';
import { chooseGrant } from '#model/grant.ts';
import { deny, PASS, type Verdict } from '#model/verdict.ts';
import type { CachedGrants, GrantLookup } from '#grants/grant-lookup.ts';
import type { Exchange } from '../exchange.ts';
import type { LiveExchanges } from '../live-exchanges.ts';
import type { Stage } from '../stage.ts';

export interface GrantStageDeps {
  readonly grants: GrantLookup;
  readonly live: LiveExchanges;
  readonly clock: Clock;
}

export function grantStage({ grants, live, clock }: GrantStageDeps): Stage {
  function choose(x: Exchange, cached: CachedGrants): Verdict {
    if (x.credential === null) return deny('no_credential');
    const now = clock.now();
    const grant = chooseGrant(cached.grants, x.credential.principal, now);
    if (typeof grant === 'string') return deny(grant);
    const grantEnd = grant.expiresAt ?? NEVER;
    x.grant = grant;
    x.authorityEndsAt = x.credential.expiresAt < grantEnd ? x.credential.expiresAt : grantEnd;
    live.add(x);
    return PASS;
  }

  function afterLoad(x: Exchange, loaded: CachedGrants): Verdict {
    // Cut, or its client gone, while it waited: an exchange that has ended must not become live again.
    if (x.phase !== 'judging') return deny('client_closed');
    x.grantCacheResult = 'miss';
    return choose(x, loaded);
  }

  return {
    name: 'grant',
    run(x) {
      if (x.tenant === null) return deny('tenant_unresolved');
      const found = grants.grantsOf(x.tenant);
      if (found instanceof Promise) return found.then((loaded) => afterLoad(x, loaded));
      x.grantCacheResult = 'hit';
      x.grantCacheAgeMs = Math.round(clock.monotonic() - found.loadedAt);
      return choose(x, found);
    },
  };
}
