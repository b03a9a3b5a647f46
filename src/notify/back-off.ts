// When a failed delivery is tried again, and when not any more. Pure.
// Exponential with jitter, so that a thousand deliveries do not come back to a receiver in step.
import type { EpochMs } from '#model/clock.ts';

const FIRST_CEILING_MS = 10_000;
const MAX_WAIT_MS = 3_600_000;
/** From its planning on; then it is given up. */
export const GIVE_UP_AFTER_MS = 3 * 86_400_000;

/**
 * 5 to 10 s after the first failure, twice that after each further one, at most an hour; what the receiver asked for if
 * that is longer, at most an hour too. `failures`: 1 or more. `random`: from 0 up to 1.
 */
export function backOffMs(failures: number, retryAfterMs: number | null, random: () => number): number {
  const ceiling = Math.min(MAX_WAIT_MS, FIRST_CEILING_MS * 2 ** Math.min(failures - 1, 20));
  const wait = Math.ceil(ceiling / 2 + (random() * ceiling) / 2);
  return Math.min(MAX_WAIT_MS, Math.max(wait, retryAfterMs ?? 0));
}

export function isOverdue(plannedAt: EpochMs, now: EpochMs): boolean {
  return now - plannedAt >= GIVE_UP_AFTER_MS;
}
