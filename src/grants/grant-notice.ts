// What is said of a grant when it was given, changed, revoked, verified, is about to end or has ended: facts, no words.
// Pure and cold; the store writes it in the transaction that made it true.
import type { Actor, Grant } from '#model/grant.ts';
import type { NoticeDraft, NoticeEvent, NoticePerson } from '#model/notice.ts';

type GrantNoticeEvent = Extract<NoticeEvent, `grant.${string}`>;

/** One per grant, event and revision. `by` null: the clock did it. `leadGroups` hear of what awaits their verification. */
export function grantNotice(
  event: GrantNoticeEvent,
  grant: Grant,
  by: Actor | null,
  leadGroups: readonly string[] = [],
): NoticeDraft {
  const { principals, groups } = grant.audience;
  const grantor = personOf(grant.grantedBy);
  const awaitsVerification = grant.verification !== undefined && grant.verification.at === null;
  const isToVerify = awaitsVerification && (event === 'grant.given' || event === 'grant.changed');
  return {
    dedupe: `${event}:${grant.id}:${grant.revision}`,
    event,
    tenant: grant.tenant,
    by: by === null ? null : personOf(by),
    staff: { principals: principals ?? [], groups: groups ?? [] },
    ...(isToVerify ? { deciders: leadGroups } : {}),
    ...usersOf(grant),
    facts: {
      grantId: grant.id,
      revision: grant.revision,
      source: grant.source ?? 'direct',
      grantedByName: grantor.name,
      grantedByEmail: grantor.email,
      awaitsVerification,
      access: grant.access,
      roles: listed(grant.roles),
      workspaces: listed(
        grant.workspaces.map(({ id, roles }) => (roles.length === 0 ? id : `${id} (${roles.join(', ')})`)),
      ),
      startsAt: grant.startsAt,
      expiresAt: grant.expiresAt,
      caseRef: grant.caseRef,
      reasonType: grant.reason?.type ?? null,
      reasonDetail: grant.reason?.detail ?? null,
      actAs: grant.actAs,
      audienceOrg: grant.audience.org,
    },
  };
}

/** Whoever of the customer's users gave the grant or widened it, and is no admin; for a notice of what happens under it too. */
export function usersOf(grant: Grant | null): Pick<NoticeDraft, 'users'> {
  const givers = grant === null ? [] : [grant.grantedBy, ...(grant.widenedBy ?? [])];
  const users = givers.flatMap(({ kind, email }) =>
    kind === 'tenant_user' && email !== null ? [{ email }] : [],
  );
  return users.length === 0 ? {} : { users };
}

/** Null of an empty list: of workspaces that is all of them. */
function listed(names: readonly string[]): string | null {
  return names.length === 0 ? null : names.join(', ');
}

/** The person who acted: for a service, the one it names. */
export function personOf(by: Actor): NoticePerson {
  const { name, email } = by.onBehalfOf ?? by;
  return { name, email };
}
