// Locks and break glass over the one store: the board that the gate asks, and what the control API calls. Guarantees that
// whatever another process locks is cut here too. `firstRead` of the board is awaited before anything listens: until
// then, and whenever the locks cannot be read, the gate refuses. Cold.
import type { Journal } from '#audit/journal.ts';
import type { EmergencyRoutesDeps } from '#control/emergency-routes.ts';
import type { LockRoutesDeps } from '#control/lock-routes.ts';
import { createEmergencyAuthority } from '#grants/emergencies/emergency-authority.ts';
import type { GrantCache } from '#grants/grant-cache.ts';
import { createLockAuthority } from '#grants/locks/lock-authority.ts';
import { createLockBoard, type LockBoard, type LockEnforcer } from '#grants/locks/lock-board.ts';
import { createEmergencyStore } from '#grants/sqlite/emergency-store.ts';
import { createLockStore } from '#grants/sqlite/lock-store.ts';
import type { SettingsSource } from '#grants/sqlite/settings-source.ts';
import type { StoreCore } from '#grants/sqlite/store-core.ts';
import type { Clock } from '#model/clock.ts';
import type { Log } from '#model/log.ts';

export interface SecurityNeeds {
  readonly core: StoreCore;
  readonly settingsOf: SettingsSource;
  readonly clock: Clock;
  readonly log: Log;
  readonly journal: Pick<Journal, 'event'>;
  readonly cache: Pick<GrantCache, 'invalidate'>;
  /** Told of the emergencies that somebody of them has to agree to. */
  readonly securityGroups: readonly string[];
}

export interface Security {
  readonly board: LockBoard;
  /** What the control API's routes need. */
  readonly locks: LockRoutesDeps['locks'];
  readonly emergencies: EmergencyRoutesDeps['emergencies'];
}

/** `enforcer` is called after the first reading at the earliest: it may be made of a gateway that comes later. */
export function openSecurity(
  { core, settingsOf, clock, log, journal, cache, securityGroups }: SecurityNeeds,
  enforcer: LockEnforcer,
  opened: AsyncDisposableStack,
): Security {
  const onEvent: Journal['event'] = (event) => journal.event(event);
  const lockStore = createLockStore(core);
  const board = createLockBoard({ store: lockStore, clock, log, onLocked: (lock) => enforcer.locked(lock) });
  opened.use(board);
  const emergencyStore = createEmergencyStore(core, settingsOf, securityGroups);
  return {
    board,
    locks: {
      authority: createLockAuthority({ store: lockStore, board, enforcer, onEvent }),
      store: lockStore,
    },
    emergencies: {
      authority: createEmergencyAuthority({ store: emergencyStore, cache, onEvent }),
      store: emergencyStore,
    },
  };
}
