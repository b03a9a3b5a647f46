// Notices when the wall clock jumps against the monotonic one (NTP step, suspended host, tampering): grants expire
// by the wall clock, so while it cannot be believed nothing is forwarded. Hot: one subtraction per request.
import type { Clock } from '#model/clock.ts';

const MAX_DRIFT_MS = 5000;

export interface ClockGuard {
  /** False from a jump until what the store says has been read again. */
  reliable(): boolean;
}

/** `reread` drops what was cached and reads the store; the new offset holds once it has resolved. */
export function createClockGuard(clock: Clock, reread: () => Promise<void>): ClockGuard {
  let offset = clock.now() - clock.monotonic();
  let rereading = false;

  async function recover(): Promise<void> {
    if (rereading) return;
    rereading = true;
    const seen = clock.now() - clock.monotonic();
    try {
      await reread();
      offset = seen;
    } catch {
      // The store is down as well: the next request tries again.
    } finally {
      rereading = false;
    }
  }

  return {
    reliable() {
      if (Math.abs(clock.now() - clock.monotonic() - offset) <= MAX_DRIFT_MS) return true;
      void recover();
      return false;
    },
  };
}
