// The states in which the gate forwards nothing: stopped, draining, overloaded, no journal, no believable clock. Before the
// credential: whoever asks, the answer is the same. Hot.
import { deny, PASS } from '#model/verdict.ts';
import type { Journal } from '#audit/journal.ts';
import type { ClockGuard } from '../clock-guard.ts';
import type { Overload } from '../overload.ts';
import type { Stage } from '../stage.ts';

export interface GateState {
  /** Set once, at shutdown. */
  draining: boolean;
  /** While the kill-switch file exists. */
  stopped: boolean;
}

export interface GateStateDeps {
  readonly state: GateState;
  readonly journal: Journal;
  readonly clockGuard: ClockGuard;
  readonly overload: Overload;
}

export function gateStateStage({ state, journal, clockGuard, overload }: GateStateDeps): Stage {
  return {
    name: 'gate-state',
    run(x) {
      if (state.stopped) return deny('stopped');
      if (state.draining) return deny('draining');
      const { isSurplus } = x.connection;
      if (isSurplus || overload.inFlight > overload.bound) {
        x.endedBy = 'limit';
        return overload.refusal(overload.causeFor(isSurplus));
      }
      // Asked again by the journal itself; here it spares the work of judging.
      if (!journal.available) return deny('audit_unavailable');
      return clockGuard.reliable() ? PASS : deny('clock_unreliable');
    },
  };
}
