// Whether the request has the support session it needs, and whether that still holds by the clock: what idled out or
// reached its limit is over, also before anybody has noted it. Where none is required a bearer whose session is over is
// judged as one who never opened any. Hot: one map look-up, nothing allocated.
import type { Clock } from '#model/clock.ts';
import { sessionStatusAt } from '#model/session.ts';
import { deny, PASS, type Verdict } from '#model/verdict.ts';
import type { SessionLookup } from '#sessions/session-lookup.ts';
import type { Exchange } from '../exchange.ts';
import type { Stage } from '../stage.ts';

export interface SessionStageDeps {
  /** By the gateway's configuration; a tenant's settings may require one besides. */
  readonly sessionsRequired: boolean;
  readonly sessions: Pick<SessionLookup, 'lastUsedOf'> | null;
  readonly clock: Pick<Clock, 'now'>;
}

const HOW_TO_OPEN =
  'Open a support session for this customer, with your reason and the case: POST /v1/sessions on the control listener, or `postern session open`.';

export function sessionStage({ sessionsRequired, sessions, clock }: SessionStageDeps): Stage {
  function without(x: Exchange, reason: 'session_required' | 'session_ended'): Verdict {
    if (x.view === null) return deny('store_unavailable', 'nobody has read what holds for the tenant');
    // A browser's cookie is its session: there is nothing else by which it could be let in.
    if (x.cookieHash === '' && !sessionsRequired && !x.view.settings.sessionsRequired) {
      x.session = null;
      return PASS;
    }
    x.refusalDetail = HOW_TO_OPEN;
    return deny(x.cookieHash === '' ? reason : 'session_ended');
  }

  return {
    name: 'session',
    run(x) {
      const { session } = x;
      if (session === null || sessions === null) return without(x, 'session_required');
      if (session.tenant !== x.tenant) return deny('tenant_mismatch');
      const status = sessionStatusAt(session, sessions.lastUsedOf(session), clock.now());
      return status === 'active' ? PASS : without(x, 'session_ended');
    },
  };
}
