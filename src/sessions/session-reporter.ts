// Makes the report of every session that has ended, from the journal's own records, and hands it to the store, which sends it
// with the notice. Guarantees: every ended session gets one report, also across restarts; while records cannot be read it
// tries again, and after a while people are told of the end without the counts. Cold.
import type { Clock } from '#model/clock.ts';
import type { Log } from '#model/log.ts';
import { startRounds } from '#model/rounds.ts';
import type { SupportSession } from '#model/session.ts';
import { createReportTally, type ReportedRecord, type ReportTally } from './session-report.ts';
import type { SessionStore } from './session-store.ts';

/** What of the audit's reader a report needs (src/audit/index/retained-reader.ts). Rejects when the journal cannot be read. */
export interface SessionRecords {
  records(query: {
    readonly tenant: string;
    readonly session: string;
    readonly requestsOnly: true;
    readonly since: number;
    readonly order: 'oldest';
    readonly limit: number;
    readonly cursor: string | null;
  }): Promise<{
    readonly records: readonly ReportedRecord[];
    readonly nextCursor: string | null;
    /** What came before then is not read out any more (the tenant's retention); null or absent: everything is. */
    readonly notBefore?: number | null;
  }>;
}

export interface SessionReporterDeps {
  readonly store: Pick<SessionStore, 'toReport' | 'saveReport' | 'noticeWithoutReport' | 'watch'>;
  readonly reader: SessionRecords;
  readonly clock: Clock;
  readonly log: Log;
  /** For tests: how long the journal gets to write what a session did last. */
  readonly settleMs?: number;
}

const SETTLE_MS = 2000;
const RETRY_MS = 5000;
/** So that a clock that stands still is not asked in a loop. */
const SHORTEST_WAIT_MS = 500;
/** Records of requests that still had no end by then are counted as they are. */
const OPEN_PATIENCE_MS = 60_000;
/** People are told by then, with or without the counts. */
const NOTICE_AFTER_MS = 15 * 60_000;
/** A journal that could not be read for so long will not be: the report says that it knows nothing. */
const GIVE_UP_MS = 7 * 86_400_000;
const BATCH = 50;
const PAGE = 500;
/** Records read for one report. */
const MAX_RECORDS = 100_000;

/** Runs until disposed of; its timer keeps no process alive. */
export function startSessionReporter(deps: SessionReporterDeps): Disposable {
  const { store, clock, log, settleMs = SETTLE_MS } = deps;

  /** Goes on by itself while a session waits for its report. */
  async function round(): Promise<number | null> {
    try {
      const due = await store.toReport(BATCH);
      let made = 0;
      let nextMs = Math.max(settleMs, RETRY_MS);
      for (const session of due) {
        if (rounds.stopped) return null;
        const unsettledMs = settleMs - (clock.now() - (session.endedAt ?? clock.now()));
        if (unsettledMs > 0) nextMs = Math.min(nextMs, Math.max(unsettledMs, SHORTEST_WAIT_MS));
        else if (await reported(deps, session)) made += 1;
      }
      if (due.length === 0) return null;
      return made === BATCH ? 0 : nextMs;
    } catch {
      log.warn({}, 'reports of sessions could not be kept; trying again');
      return RETRY_MS;
    }
  }

  const rounds = startRounds(round);
  const watching = store.watch(
    ({ kind }) => {
      if (kind === 'session') rounds.wakeIn(settleMs);
    },
    () => rounds.wake(),
  );
  rounds.wake();
  return {
    [Symbol.dispose]() {
      rounds[Symbol.dispose]();
      watching[Symbol.dispose]();
    },
  };
}

async function reported(
  { store, reader, clock, log }: SessionReporterDeps,
  session: SupportSession,
): Promise<boolean> {
  const sinceEndMs = clock.now() - (session.endedAt ?? clock.now());
  const tally = createReportTally();
  let isWhole = false;
  try {
    isWhole = await tallied(reader, session, tally);
  } catch {
    log.warn({ session: session.id }, 'the records of a session cannot be read; its report waits');
    if (sinceEndMs >= NOTICE_AFTER_MS) await store.noticeWithoutReport(session.id);
    if (sinceEndMs < GIVE_UP_MS) return false;
  }
  if (isWhole && tally.open > 0 && sinceEndMs < OPEN_PATIENCE_MS) return false;
  const complete = isWhole && tally.open === 0;
  await store.saveReport(tally.report(session, { at: clock.now(), complete }));
  return true;
}

/** False where there are more records than are read, or where the session began before the first that may be. */
async function tallied(
  reader: SessionRecords,
  session: SupportSession,
  tally: ReportTally,
): Promise<boolean> {
  const { id, tenant, startedAt } = session;
  const query = {
    tenant,
    session: id,
    requestsOnly: true,
    since: startedAt,
    order: 'oldest',
    limit: PAGE,
  } as const;
  let cursor: string | null = null;
  let read = 0;
  let notBefore = 0;
  do {
    const page: Awaited<ReturnType<SessionRecords['records']>> = await reader.records({ ...query, cursor });
    for (const record of page.records) tally.take(record);
    read += page.records.length;
    notBefore = Math.max(notBefore, page.notBefore ?? 0);
    cursor = page.nextCursor;
  } while (cursor !== null && read < MAX_RECORDS);
  return cursor === null && notBefore <= startedAt;
}
