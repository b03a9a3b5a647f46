// The one grant this request is judged under: its session's; without a session the chosen one of the tenant's, and where
// none covers it what stands without a grant. From here on the exchange is live: a revoke reaches it wherever it is.
// Assumes what stages/view.ts read in this very turn. Hot: nothing waits and nothing is allocated.
import type { Clock, EpochMs } from '#model/clock.ts';
import { chooseInView, type Grant, grantCovers, grantStatusAt } from '#model/grant.ts';
import type { Principal } from '#model/principal.ts';
import type { DenialCode } from '#model/reason.ts';
import type { SupportSession } from '#model/session.ts';
import type { TenantView } from '#model/tenant-settings.ts';
import { deny, PASS } from '#model/verdict.ts';
import { setAuthorityEnd } from '../authority-end.ts';
import type { LiveExchanges } from '../live-exchanges.ts';
import type { Stage } from '../stage.ts';

export interface GrantStageDeps {
  readonly live: LiveExchanges;
  readonly clock: Clock;
}

export function grantStage({ live, clock }: GrantStageDeps): Stage {
  return {
    name: 'grant',
    run(x) {
      const { view, credential, session } = x;
      if (credential === null) return deny('no_credential');
      if (view === null) return deny('store_unavailable', 'nobody has read what holds for the tenant');
      const { principal } = credential;
      if (view.settings.excludedOrgs.includes(principal.org))
        return deny('no_grant', 'the organisation is excluded by the class of the tenant');
      const now = clock.now();
      const grant =
        session === null ? chooseInView(view, principal, now) : grantOfSession(view, session, principal, now);
      if (typeof grant === 'string') return deny(grant);
      x.grant = grant;
      setAuthorityEnd(x, grant);
      live.add(x);
      return PASS;
    },
  };
}

const REASON_OF = {
  pending: 'grant_pending',
  scheduled: 'grant_pending',
  expired: 'grant_expired',
  revoked: 'grant_revoked',
} as const;

function grantOfSession(
  view: TenantView,
  session: SupportSession,
  principal: Principal,
  now: EpochMs,
): Grant | DenialCode {
  const grant = withId(view.grants, session.grantId) ?? withId(view.standing, session.grantId);
  // Neither does the view hold what was revoked or has expired: whichever it was, the session is over with it.
  if (grant === null) return 'session_ended';
  const status = grantStatusAt(grant, now);
  if (status !== 'active') return REASON_OF[status];
  if (!grantCovers(grant, principal)) return 'no_grant';
  // Its case was changed since: the session was opened for another one.
  if (grant.caseRef !== null && grant.caseRef !== session.caseRef) return 'session_ended';
  return session.access === 'read' && grant.access === 'write' ? readOnly(grant) : grant;
}

function withId(grants: readonly Grant[], id: string): Grant | null {
  for (let i = 0; i < grants.length; i++) if ((grants[i] as Grant).id === id) return grants[i] as Grant;
  return null;
}

const readOnlyViews = new WeakMap<Grant, Grant>();

/** The grant as a session for reading uses it. One object for each, so that what is kept by grant is found again. */
function readOnly(grant: Grant): Grant {
  const known = readOnlyViews.get(grant);
  if (known !== undefined) return known;
  const view: Grant = Object.freeze({ ...grant, access: 'read' });
  readOnlyViews.set(grant, view);
  return view;
}
