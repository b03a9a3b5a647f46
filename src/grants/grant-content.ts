// What a grant says besides its period: for whom, in which roles, lifting what, for which purpose, after which notice.
// Pure; run inside the store's transaction. Refuses with one closed code and a sentence that repeats nothing sent. Cold.
import type { Actor, Grant } from '#model/grant.ts';
import { caseRefMatcher, isCaseRef, MAX_CASE_REF_CHARS } from '#model/case-pattern.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import { NEVER_LIFTABLE } from '#model/never-liftable.ts';
import { isSamePerson } from '#model/principal.ts';
import type { TenantSettings } from '#model/tenant-settings.ts';
import { checkReachable, type StaffReach } from './staff-reach.ts';

const ANY_CASE = /[^]/;
/** As names travel in headers and in the assertion: no control characters, nothing empty. */
const NAME = /^\P{Cc}{1,128}$/u;

export function checkAudience(scope: Pick<Grant, 'audience'>, by: Actor, reach: StaffReach): void {
  checkAudienceNamesSomebody(scope);
  checkReachable(scope.audience, reach);
  for (const principal of scope.audience.principals ?? []) {
    if (isActor(by, principal)) {
      throw new GrantRefusal('self_grant', 'Whoever creates, extends or widens a grant is never its user.');
    }
  }
}

/** An empty list matches nobody, and in some other reading everybody: neither is what somebody meant. */
export function checkAudienceNamesSomebody({ audience }: Pick<Grant, 'audience'>): void {
  const { org, groups, principals } = audience;
  const namesNothing = org === null && groups === null && principals === null;
  if (!namesNothing && org !== '' && groups?.length !== 0 && principals?.length !== 0) return;
  throw new GrantRefusal(
    'empty_audience',
    'Name an organisation, groups or principals; a list that is given holds at least one value.',
  );
}

/**
 * The person a service names carries no issuer, so an equal id counts under any; and where ids are email
 * addresses, an equal address counts. A needless refusal is seen and mended; a self-grant would not be.
 */
export function isActor(
  by: Pick<Actor, 'id' | 'issuer' | 'email' | 'onBehalfOf'>,
  principal: { readonly issuer: string; readonly id: string },
): boolean {
  const user = { id: principal.id, issuer: principal.issuer, email: asEmail(principal.id) };
  if (isSamePerson(by, user)) return true;
  return by.onBehalfOf !== null && isSamePerson({ ...by.onBehalfOf, issuer: principal.issuer }, user);
}

function asEmail(id: string): string | null {
  return id.includes('@') ? id : null;
}

export function checkRoles({ roles, workspaces }: Pick<Grant, 'roles' | 'workspaces'>): void {
  const named = new Set<string>();
  for (const { id } of workspaces) {
    if (!NAME.test(id) || named.has(id)) {
      throw new GrantRefusal(
        'workspace_invalid',
        'A workspace is named once, by 1 to 128 characters without control characters.',
      );
    }
    named.add(id);
  }
  for (const held of [roles, ...workspaces.map((one) => one.roles)]) {
    if (held.every((role) => NAME.test(role)) && new Set(held).size === held.length) continue;
    throw new GrantRefusal(
      'role_invalid',
      'A role is named once, by 1 to 128 characters without control characters.',
    );
  }
}

export function checkLifts(lifts: readonly string[], liftable: readonly string[]): void {
  for (const category of lifts) {
    if (!NEVER_LIFTABLE.includes(category) && liftable.includes(category)) continue;
    const open = liftable.filter((one) => !NEVER_LIFTABLE.includes(one));
    const allowed =
      open.length === 0
        ? 'No category of deny rules can be lifted for this tenant.'
        : `Only these categories can be lifted: ${open.join(', ')}.`;
    throw new GrantRefusal('lift_not_allowed', allowed);
  }
}

/** Who lifts a deny rule says why, also where nobody else has to. */
export function checkPurpose(
  grant: Pick<Grant, 'reason' | 'caseRef' | 'lifts'>,
  settings: Pick<TenantSettings, 'reasonRequired' | 'caseRefRequired' | 'caseRefPattern' | 'durations'>,
): void {
  const { caseRef, reason, lifts } = grant;
  if (reason === null && (settings.reasonRequired || lifts.length > 0)) {
    throw new GrantRefusal('reason_required', 'State a reason: its type and one sentence of detail.');
  }
  if (caseRef === null) {
    if (!settings.caseRefRequired && settings.durations.maxPerCase === null) return;
    throw new GrantRefusal('case_ref_required', 'Name the support case that the access is for.');
  }
  checkCaseRef(caseRef, settings);
}

/** The form of a case that was named. */
export function checkCaseRef(
  caseRef: string,
  { caseRefPattern }: Pick<TenantSettings, 'caseRefPattern'>,
): void {
  // What a configuration let through though it is not safe to run matches nothing.
  const matcher = caseRefPattern === null ? ANY_CASE : caseRefMatcher(caseRefPattern);
  if (matcher !== null && isCaseRef(matcher, caseRef)) return;
  throw new GrantRefusal(
    'case_ref_mismatch',
    caseRefPattern === null
      ? `A case reference has 1 to ${MAX_CASE_REF_CHARS} characters.`
      : `A case reference of this tenant matches ${caseRefPattern} as a whole.`,
  );
}

/** The system grants by rules the customer has settled already; a person grants after having been told. */
export function checkNotice(shown: Grant['notice'], by: Actor, notice: TenantSettings['notice']): void {
  if (by.kind === 'system' || shown?.version === notice?.version) return;
  throw new GrantRefusal(
    'notice_not_current',
    notice === null
      ? 'There is no notice for this tenant: leave its version out.'
      : `Show the notice of the tenant's settings and send its version, ${notice.version}.`,
  );
}
