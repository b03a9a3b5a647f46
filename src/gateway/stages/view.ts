// What holds for the tenant, and whose session the request belongs to: read here, all that the next stages judge by.
// Guarantees: between the last reading and the choice of the grant nothing waits, so that nothing changes; what changed
// while a reading waited (`mustLookAgain`) is read again. Assumes a verified credential and a tenant. Hot: synchronous and
// without allocation when tenant and session are cached.
import type { Clock } from '#model/clock.ts';
import type { SupportSession } from '#model/session.ts';
import { deny, PASS, type Verdict } from '#model/verdict.ts';
import type { CachedGrants, GrantLookup } from '#grants/grant-lookup.ts';
import type { SessionLookup } from '#sessions/session-lookup.ts';
import type { Exchange } from '../exchange.ts';
import type { Stage } from '../stage.ts';

export interface ViewStageDeps {
  readonly grants: Pick<GrantLookup, 'grantsOf'>;
  /** Null: there are no sessions. */
  readonly sessions: Pick<SessionLookup, 'activeOf' | 'ofCookie'> | null;
  readonly clock: Pick<Clock, 'monotonic'>;
}

/** A tenant that changes faster than it can be read is refused in the end, as the cache does with its own. */
const MAX_LOOKS = 16;

export function viewStage({ grants, sessions, clock }: ViewStageDeps): Stage {
  function sessionOf(x: Exchange): SupportSession | null | Promise<SupportSession | null> {
    if (sessions === null || x.tenant === null || x.credential === null) return null;
    // A cookie names its session, an ended one too; a bearer's is the principal's one for the tenant.
    if (x.cookieHash !== '') return sessions.ofCookie(x.cookieHash);
    return sessions.activeOf(x.tenant, x.credential.principal);
  }

  return {
    name: 'view',
    repeats: true,
    run(x) {
      if (x.tenant === null) return deny('tenant_unresolved');
      if (x.mustLookAgain) forget(x);
      if (x.view === null) {
        const found = grants.grantsOf(x.tenant);
        if (found instanceof Promise) return later(x, found, takeView);
        x.grantCacheResult = 'hit';
        x.grantCacheAgeMs = Math.round(clock.monotonic() - found.loadedAt);
        x.view = found;
      }
      if (x.sessionIsKnown) return PASS;
      const session = sessionOf(x);
      if (session instanceof Promise) return later(x, session, takeSession);
      takeSession(x, session);
      return PASS;
    },
  };
}

function forget(x: Exchange): void {
  x.mustLookAgain = false;
  x.view = null;
  x.session = null;
  x.sessionIsKnown = false;
}

/** After it this stage runs again, and looks whether what it waited for still counts. */
async function later<T>(
  x: Exchange,
  pending: Promise<T>,
  take: (x: Exchange, value: T) => void,
): Promise<Verdict> {
  x.looks += 1;
  if (x.looks > MAX_LOOKS)
    return deny('store_unavailable', 'the tenant changed faster than it could be read');
  const value = await pending;
  // Cut, or its client gone, while it waited: its record is written.
  if (x.phase !== 'judging') return deny('client_closed');
  take(x, value);
  return PASS;
}

function takeView(x: Exchange, view: CachedGrants): void {
  x.grantCacheResult = 'miss';
  x.view = view;
}

function takeSession(x: Exchange, session: SupportSession | null): void {
  x.session = session;
  x.sessionIsKnown = true;
}
