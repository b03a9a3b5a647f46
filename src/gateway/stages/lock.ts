// The vendor's own stop: whoever, whatever grant, whatever session. Asked twice: before the tenant's own settings count,
// and again under the grant, which says for which case. Hot: nothing is allocated; usually there is no lock at all.
import type { Clock } from '#model/clock.ts';
import { deny, PASS } from '#model/verdict.ts';
import type { LockLookup } from '#grants/locks/lock-board.ts';
import type { Stage } from '../stage.ts';

export interface LockStageDeps {
  /** Null: there are no locks. */
  readonly locks: LockLookup | null;
  readonly clock: Pick<Clock, 'now'>;
}

export function lockStage({ locks, clock }: LockStageDeps): Stage {
  return {
    name: 'lock',
    run(x) {
      if (locks === null) return PASS;
      if (!locks.available) return deny('store_unavailable', 'the locks cannot be read');
      const lock = locks.lockFor(x, clock.now());
      if (lock === null) return PASS;
      x.refusalDetail = lock.message;
      return deny('locked');
    },
  };
}
