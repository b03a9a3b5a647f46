// The session of a request that passed was used: told last, so that a client which is refused again and again keeps no
// session from idling out. What goes on for longer is told of while it does (session-use.ts). Hot.
import type { Clock } from '#model/clock.ts';
import { PASS } from '#model/verdict.ts';
import type { SessionLookup } from '#sessions/session-lookup.ts';
import type { Stage } from '../stage.ts';

export function useStage(sessions: Pick<SessionLookup, 'used'> | null, clock: Pick<Clock, 'now'>): Stage {
  return {
    name: 'use',
    run(x) {
      if (sessions !== null && x.session !== null) sessions.used(x.session, clock.now());
      return PASS;
    },
  };
}
