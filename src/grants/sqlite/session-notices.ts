// What is said of a support session when it was opened and when it has ended: who, why, and at the end what was done, by
// the names of routes. Facts alone; the whole report is read by the session's id. Pure and cold.
import type { Grant } from '#model/grant.ts';
import type { NoticeDraft } from '#model/notice.ts';
import type { SupportSession } from '#model/session.ts';
import { usersOf } from '../grant-notice.ts';

/** What the notice of an end counts; null where the journal could not be read in time. */
export interface ReportedCounts {
  readonly complete: boolean;
  readonly requests: number;
  readonly reads: number;
  readonly writes: number;
  readonly denied: number;
  /** The busiest first. */
  readonly resources: readonly {
    readonly resource: string;
    readonly reads: number;
    readonly writes: number;
  }[];
}

/** A mail is no report: what was written to comes first, and the rest is counted. */
const MAX_STEPS = 20;

/** One for each session and event, ever. `grant`: the session's; null for what stands without one. */
export function startedNotice(session: SupportSession, grant: Grant | null): NoticeDraft {
  const more = { access: session.access, endsAt: session.endsAt };
  return { ...notice('session.started', session, more), ...usersOf(grant) };
}

export function endedNotice(
  session: SupportSession,
  counts: ReportedCounts | null,
  grant: Grant | null,
): NoticeDraft {
  const { endedAt, startedAt, endedBy, note, access } = session;
  const facts = {
    access,
    endedAt,
    endedBy,
    durationMs: endedAt === null ? null : Math.max(0, endedAt - startedAt),
    note,
    hasReport: counts !== null,
    ...(counts === null
      ? {}
      : {
          reportComplete: counts.complete,
          requests: counts.requests,
          reads: counts.reads,
          writes: counts.writes,
          denied: counts.denied,
          report: stepsOf(counts.resources),
        }),
  };
  return { ...notice('session.ended', session, facts), ...usersOf(grant) };
}

/** A line for each: `/api/v2/tickets: 12 reading, 1 writing`. Null where nothing was let through. */
function stepsOf(resources: ReportedCounts['resources']): string | null {
  const written = resources.filter(({ writes }) => writes > 0);
  const steps = [...written, ...resources.filter(({ writes }) => writes === 0)].slice(0, MAX_STEPS);
  if (steps.length === 0) return null;
  return steps
    .map(({ resource, reads, writes }) => `${resource}: ${reads} reading, ${writes} writing`)
    .join('\n');
}

function notice(
  event: 'session.started' | 'session.ended',
  session: SupportSession,
  more: NoticeDraft['facts'],
): NoticeDraft {
  const { id, issuer, email, name } = session.principal;
  return {
    dedupe: `${event}:${session.id}`,
    event,
    tenant: session.tenant,
    by: { name, email },
    staff: { principals: [{ issuer, id, email }], groups: [] },
    facts: {
      sessionId: session.id,
      grantId: session.grantId,
      caseRef: session.caseRef,
      reasonType: session.reason.type,
      reasonDetail: session.reason.detail,
      startedAt: session.startedAt,
      ...more,
    },
  };
}
