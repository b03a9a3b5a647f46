// Sessions that end by themselves: because the clock, their grant or the tenant's settings did it. Each is ended once,
// whatever the number of processes. Few sessions are open at any time. Cold.
import type { EpochMs } from '#model/clock.ts';
import { sessionOverAt, type SupportSession } from '#model/session.ts';
import { endSession, lostAuthority } from './session-ends.ts';
import { SESSION_COLUMNS, sessionsOf } from './session-rows.ts';
import type { StoreCore, Transaction } from './store-core.ts';
import type { TenantViewDeps } from './tenant-view.ts';

interface Claim {
  readonly limit: number;
  readonly idleGraceMs: number;
  readonly changed: { readonly kind: 'grant' | 'settings'; readonly id: string } | null;
}

export interface SessionSweep {
  claimEnded(claim: Claim): Promise<readonly SupportSession[]>;
  nextEnd(): Promise<EpochMs | null>;
}

const OPEN = `SELECT ${SESSION_COLUMNS} FROM sessions s WHERE s.ended_at IS NULL`;
const OPEN_OF_GRANT = `${OPEN} AND s.grant_id = ?`;
const OPEN_OF_TENANT = `${OPEN} AND s.tenant = ?`;
/** Over by the clock, or whose grant is; those under a grant that no row says are looked at each time. */
const MAYBE_OVER = `${OPEN} AND (s.ends_at <= :now OR s.last_used_at + s.idle_ms + :graceMs <= :now
  OR NOT EXISTS (SELECT 1 FROM grants g WHERE g.id = s.grant_id AND g.revoked_at IS NULL AND g.ends_at > :now))
  ORDER BY s.started_at, s.id`;
const NEXT_END =
  'SELECT min(min(ends_at, last_used_at + idle_ms)) AS at FROM sessions WHERE ended_at IS NULL';

export function sessionSweep(core: StoreCore, deps: TenantViewDeps): SessionSweep {
  return {
    claimEnded: (claim) => core.write((tx) => claimed(tx, deps, claim)),
    nextEnd: () =>
      core.read((statements) => (statements.sql(NEXT_END).get()?.['at'] ?? null) as EpochMs | null),
  };
}

function claimed(tx: Transaction, deps: TenantViewDeps, claim: Claim): readonly SupportSession[] {
  const ended: SupportSession[] = [];
  for (const session of candidates(tx, claim)) {
    if (ended.length >= claim.limit) break;
    const lost = lostAuthority(tx, deps, session);
    if (lost === null && !isOver(session, tx.now, claim.idleGraceMs)) continue;
    ended.push(endSession(tx, session, { ending: lost ?? 'limit', by: null, note: null }));
  }
  return ended;
}

/** What a change may have ended, and without one whatever time may have. */
function candidates({ statements, now }: Transaction, { idleGraceMs, changed }: Claim): SupportSession[] {
  if (changed === null) return sessionsOf(statements.sql(MAYBE_OVER).all({ now, graceMs: idleGraceMs }));
  return sessionsOf(
    statements.sql(changed.kind === 'grant' ? OPEN_OF_GRANT : OPEN_OF_TENANT).all(changed.id),
  );
}

/** Uses reach the store late: one that only seems idle is left until they must have. */
function isOver(session: SupportSession, now: EpochMs, idleGraceMs: number): boolean {
  if (now >= session.endsAt) return true;
  return sessionOverAt(session, session.lastUsedAt, (now - idleGraceMs) as EpochMs) !== null;
}
