// What is said of a support session when it was opened and when it has ended: who, why, and at the end how much was done.
// Facts alone; the whole report is read by the session's id. Pure and cold.
import type { NoticeDraft } from '#model/notice.ts';
import type { SupportSession } from '#model/session.ts';

/** What the notice of an end counts; null where the journal could not be read in time. */
export interface ReportedCounts {
  readonly complete: boolean;
  readonly requests: number;
  readonly reads: number;
  readonly writes: number;
  readonly denied: number;
}

/** One for each session and event, ever. */
export function startedNotice(session: SupportSession): NoticeDraft {
  return notice('session.started', session, { access: session.access, endsAt: session.endsAt });
}

export function endedNotice(session: SupportSession, counts: ReportedCounts | null): NoticeDraft {
  const { endedAt, startedAt, endedBy, note, access } = session;
  return notice('session.ended', session, {
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
        }),
  });
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
