// A read grant reads: safe methods only (RFC 9110 section 9.2.1), by every method that the request claims, and no
// WebSocket, since nobody sees what travels on it afterwards; besides that what SafeRoutes name.
// Hot: a GET without a query costs a few comparisons.
import { deny, NEEDS_BODY, PASS, type Verdict } from '#model/verdict.ts';
import type { RouteFacts } from './compiled-policy.ts';
import { isSafeMethod, MethodClaims } from './narrow-claims.ts';
import type { SafeRoutes } from './safe-routes.ts';

/** A grant that is missing is the gate's to refuse: only tools ask without one, and then about a write. */
export function createAccess(safeRoutes: SafeRoutes): (facts: RouteFacts) => Verdict {
  const claims = new MethodClaims();
  return (facts) => {
    const { grant } = facts;
    if (grant === null || grant.access === 'write') return PASS;
    if (!facts.isUpgrade && isSafeMethod(facts.method) && claims.onlySafe(facts)) return PASS;
    const answer = safeRoutes.cover(facts);
    if (answer === 'covered') return PASS;
    return answer === 'needs_body' ? NEEDS_BODY : deny('read_only');
  };
}
