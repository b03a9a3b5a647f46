// What is said of an access request: made, approved by a lead, decided. Pure and cold. `decision` is approved, denied,
// lapsed or withdrawn; `status` says who is to decide.
import type { AccessRequest } from '#model/access-request.ts';
import type { Actor } from '#model/grant.ts';
import type { NoticeDraft, NoticeEvent, NoticePerson } from '#model/notice.ts';
import type { Principal } from '#model/principal.ts';
import { personOf } from '../grant-notice.ts';

type RequestNoticeEvent = Extract<NoticeEvent, `request.${string}`>;

/** One per request and event. `by` null: the clock did it. `leadGroups` hear of what a lead has to decide first. */
export function requestNotice(
  event: RequestNoticeEvent,
  request: AccessRequest,
  by: Actor | Principal | null,
  leadGroups: readonly string[] = [],
): NoticeDraft {
  const { asker, reason, status } = request;
  const { access, duration, actAs } = request.narrowed ?? request.wanted;
  return {
    dedupe: `${event}:${request.id}`,
    event,
    tenant: request.tenant,
    by: by === null ? null : nameOf(by),
    staff: { principals: [{ issuer: asker.issuer, id: asker.id, email: asker.email }], groups: [] },
    ...(event === 'request.made' && status === 'awaiting_lead' ? { deciders: leadGroups } : {}),
    facts: {
      requestId: request.id,
      revision: request.revision,
      status,
      askerName: asker.name,
      askerEmail: asker.email,
      access,
      duration,
      actAs,
      caseRef: request.caseRef,
      reasonType: reason.type,
      reasonDetail: reason.detail,
      escalates: request.escalates,
      lapsesAt: request.lapsesAt,
      ...(event === 'request.decided'
        ? { decision: status, why: request.denied?.why ?? null, grantId: request.grantId }
        : {}),
    },
  };
}

function nameOf(by: Actor | Principal): NoticePerson {
  return 'kind' in by ? personOf(by) : { name: by.name, email: by.email };
}
