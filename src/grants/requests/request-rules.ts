// The rules of access requests: what may be asked, who may decide, and that the asker never does (law 8). Pure: the
// store runs them inside its transaction. Assumes well-formed values and that the caller may act at the stage it names
// (the control API's table); what the tenant allows of the grant itself is judged when the grant is made. Refuses with
// GrantRefusal. Cold.
import type {
  AccessRequest,
  RequestApproval,
  RequestedAccess,
  RequestStatus,
} from '#model/access-request.ts';
import { caseKey } from '#model/case-pattern.ts';
import type { EpochMs } from '#model/clock.ts';
import { type Actor, recordedActor } from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import { mailboxOf } from '#model/mail-address.ts';
import type { Principal } from '#model/principal.ts';
import type { TenantSettings } from '#model/tenant-settings.ts';
import { endOf, LENGTH_EXAMPLES, readLength } from '../calendar.ts';
import { checkNotice } from '../grant-content.ts';
import { isWider } from '../grant-scope.ts';
import type { GrantDraft } from '../grant-store.ts';
import { requireGrantor } from '../grantor-policy.ts';
import type {
  RequestApprovalStep,
  RequestDenial,
  RequestDraft,
  RequestNarrowing,
  RequestStage,
} from './request-store.ts';

export interface RequestContext {
  readonly now: EpochMs;
  readonly settings: TenantSettings;
}

/** By the clock, at every use: a stored `awaiting_…` is never believed. An end is exclusive. */
export function requestStatusAt({ status, lapsesAt }: AccessRequest, now: EpochMs): RequestStatus {
  return isPending(status) && now >= lapsesAt ? 'lapsed' : status;
}

export function isPending(status: RequestStatus): boolean {
  return status === 'awaiting_lead' || status === 'awaiting_tenant';
}

export interface Asking {
  readonly id: string;
  readonly draft: RequestDraft;
  readonly asker: Principal;
  /** The one that `draft.escalates` names, whosever it is; null where there is none. */
  readonly first: AccessRequest | null;
}

/** The request that a wish becomes, at revision 1. */
export function askedRequest({ id, draft, asker, first }: Asking, context: RequestContext): AccessRequest {
  const { now, settings } = context;
  checkOpenTo(asker, settings);
  endOfPeriod(draft.wanted.duration, context);
  if (draft.escalates !== null) checkEscalation(draft, { asker, first }, context);
  return {
    id,
    tenant: draft.tenant,
    revision: 1,
    status: settings.leadFirst ? 'awaiting_lead' : 'awaiting_tenant',
    asker,
    caseRef: draft.caseRef,
    reason: draft.reason,
    wanted: draft.wanted,
    narrowed: null,
    escalates: draft.escalates,
    createdAt: now,
    lapsesAt: (now + settings.requestLifetimeMs) as EpochMs,
    leadApproval: null,
    tenantApprovals: [],
    denied: null,
    grantId: null,
  };
}

/**
 * The request after an approval, one revision later. `approved` when no other is needed: the caller then makes the
 * grant and writes its id.
 */
export function approvedRequest(
  request: AccessRequest,
  approving: RequestApprovalStep,
  context: RequestContext,
): AccessRequest {
  const { stage, by } = approving;
  const { now, settings } = context;
  checkUndecided(request, approving.expectedRevision, now);
  checkStage(request, stage);
  requireDecider(stage, by);
  checkApprover(request, by);
  checkOpenTo(request.asker, settings);
  if (stage === 'tenant') {
    requireGrantor(by, request.wanted.actAs, settings.mayGrant);
    checkNotice(approving.notice, by, settings.notice);
  }
  const left = request.narrowed ?? request.wanted;
  const next = approving.narrowing === null ? left : narrowedTo(left, approving.narrowing, context);
  const approval: RequestApproval = { by: recordedActor(by), at: now };
  const step = {
    ...request,
    revision: request.revision + 1,
    narrowed: next === request.wanted ? null : next,
  };
  if (stage === 'lead') return { ...step, status: 'awaiting_tenant', leadApproval: approval };
  const tenantApprovals = [...request.tenantApprovals, approval];
  const status = tenantApprovals.length >= settings.approvals ? 'approved' : 'awaiting_tenant';
  return { ...step, status, tenantApprovals };
}

/** The customer may say no at any time; a lead, before the customer is asked. Nobody needs to be another person to say no. */
export function deniedRequest(request: AccessRequest, denial: RequestDenial, now: EpochMs): AccessRequest {
  const { stage, by, why } = denial;
  checkUndecided(request, denial.expectedRevision, now);
  if (stage === 'lead') checkStage(request, stage);
  requireDecider(stage, by);
  const denied = { by: recordedActor(by), at: now, why };
  return { ...request, revision: request.revision + 1, status: 'denied', denied };
}

export function withdrawnRequest(
  request: AccessRequest,
  by: Principal,
  at: { readonly now: EpochMs; readonly expectedRevision?: number },
): AccessRequest {
  if (by.id !== request.asker.id || by.issuer !== request.asker.issuer) {
    throw new GrantRefusal('request_not_yours', 'Withdraw the requests that you have made yourself.');
  }
  checkUndecided(request, at.expectedRevision, at.now);
  return { ...request, revision: request.revision + 1, status: 'withdrawn' };
}

export function lapsedRequest(request: AccessRequest): AccessRequest {
  return { ...request, revision: request.revision + 1, status: 'lapsed' };
}

/** The grant that a request asks for, starting now, for its asker alone. None who approved it before ever uses it. */
export function grantDraftOf(
  request: AccessRequest,
  context: RequestContext,
  notice?: GrantDraft['notice'],
): GrantDraft {
  const { access, duration, roles, workspaces, actAs, lifts } = request.narrowed ?? request.wanted;
  const { leadApproval } = request;
  const earlier = approversOf(request).slice(0, -1);
  return {
    tenant: request.tenant,
    startsAt: context.now,
    expiresAt: endOfPeriod(duration, context),
    access,
    audience: {
      org: null,
      groups: null,
      principals: [{ issuer: request.asker.issuer, id: request.asker.id }],
    },
    roles,
    workspaces,
    actAs,
    lifts,
    caseRef: request.caseRef,
    reason: request.reason,
    source: 'request',
    ...(notice === undefined ? {} : { notice }),
    ...(earlier.length === 0 ? {} : { widenedBy: earlier }),
    // A lead, not the asker, has looked at this very case: that is what the vendor's own check asks for.
    ...(leadApproval === null ? {} : { verification: leadApproval }),
  };
}

/** In the order in which they approved; the lead first. */
export function approversOf({ leadApproval, tenantApprovals }: AccessRequest): readonly Actor[] {
  const approvals = leadApproval === null ? tenantApprovals : [leadApproval, ...tenantApprovals];
  return approvals.map(({ by }) => by);
}

function checkOpenTo(asker: Principal, settings: TenantSettings): void {
  if (settings.suspended) {
    const allowed = 'Nobody is let in until an admin of the tenant ends the suspension.';
    throw new GrantRefusal('tenant_suspended', allowed);
  }
  if (settings.mayGrant.kind === 'nobody') {
    throw new GrantRefusal(
      'policy_nobody',
      'The policy of this tenant is that nobody grants support access.',
    );
  }
  if (!settings.excludedOrgs.includes(asker.org)) return;
  throw new GrantRefusal(
    'org_excluded',
    'Only staff of organisations that the tenant’s class does not exclude may ask for access.',
  );
}

function checkEscalation(
  draft: RequestDraft,
  { asker, first }: Pick<Asking, 'asker' | 'first'>,
  context: RequestContext,
): void {
  const isOwn =
    first !== null &&
    first.tenant === draft.tenant &&
    first.asker.id === asker.id &&
    first.asker.issuer === asker.issuer;
  if (!isOwn || first.status !== 'approved' || !isSameCase(first.caseRef, draft.caseRef)) {
    const allowed = 'Name an approved request of your own for the same tenant and case.';
    throw new GrantRefusal('escalation_invalid', allowed);
  }
  if (!isWithin(draft.wanted, first.narrowed ?? first.wanted, context)) return;
  throw new GrantRefusal(
    'escalation_invalid',
    'An escalation asks for more than the first request was given; use that one.',
  );
}

/** However it is written, as where the time of a case is limited. */
function isSameCase(a: string | null, b: string | null): boolean {
  return a === null || b === null ? a === b : caseKey(a) === caseKey(b);
}

function checkUndecided(request: AccessRequest, expected: number | undefined, now: EpochMs): void {
  if (expected !== undefined && expected !== request.revision) {
    const allowed = `Read the request again; its revision is now ${request.revision}.`;
    throw new GrantRefusal('stale_revision', allowed);
  }
  if (isPending(requestStatusAt(request, now))) return;
  throw new GrantRefusal('request_decided', 'A request is decided once; whoever needs access asks anew.');
}

function checkStage({ status }: AccessRequest, stage: RequestStage): void {
  if (stage === 'tenant' && status === 'awaiting_lead') {
    throw new GrantRefusal('awaiting_lead', 'Approve it when a lead of the vendor has; you may deny it now.');
  }
  if (stage === 'lead' && status === 'awaiting_tenant') {
    throw new GrantRefusal('awaiting_tenant', 'Only admins of the tenant approve or deny it from here on.');
  }
}

/** The kinds are listed, not excluded: an actor of a kind nobody thought of decides nothing. */
function requireDecider(stage: RequestStage, by: Actor): void {
  const isPerson = by.onBehalfOf === null;
  if (stage === 'lead' && by.kind === 'staff' && isPerson) return;
  if (stage === 'tenant' && by.kind === 'tenant_admin' && isPerson) return;
  if (stage === 'tenant' && by.kind === 'service' && !isPerson) return;
  throw new GrantRefusal(
    'consent_required',
    'An admin of the tenant, or a service on behalf of a named person, decides; a lead of the vendor before them.',
  );
}

function checkApprover(request: AccessRequest, by: Actor): void {
  const approver = humanOf(by);
  const { id, issuer, email } = request.asker;
  const asker = { id, issuer, email };
  // The service itself too: a key is nobody's way around this.
  if (isSameHuman(approver, asker) || isSameHuman(by, asker)) {
    throw new GrantRefusal('own_request', 'Another person must approve what you have asked for.');
  }
  if (!approversOf(request).some((earlier) => isSameHuman(approver, humanOf(earlier)))) return;
  throw new GrantRefusal('approved_before', 'Another person must approve it too.');
}

interface Human {
  readonly id: string;
  /** Null for the person a service names: of them only an id and an address are known. */
  readonly issuer: string | null;
  readonly email: string | null;
}

function humanOf({ id, issuer, email, onBehalfOf }: Actor): Human {
  if (onBehalfOf === null) return { id, issuer, email };
  return { id: onBehalfOf.id, issuer: null, email: onBehalfOf.email };
}

/**
 * Errs towards yes: an id counts under any issuer where one is not known, and an id that is an address counts as one.
 * A needless refusal is seen and mended; an approval of one's own wish would not be.
 */
function isSameHuman(a: Human, b: Human): boolean {
  if (a.id === b.id && (a.issuer === b.issuer || a.issuer === null || b.issuer === null)) return true;
  return addressesOf(a).some((address) => addressesOf(b).includes(address));
}

function addressesOf({ id, email }: Human): readonly string[] {
  const addresses = id.includes('@') ? [mailboxOf(id)] : [];
  return email === null ? addresses : [...addresses, mailboxOf(email)];
}

function narrowedTo(
  left: RequestedAccess,
  narrowing: RequestNarrowing,
  context: RequestContext,
): RequestedAccess {
  const next: RequestedAccess = { ...left, ...narrowing };
  if (isWithin(next, left, context)) return next;
  throw new GrantRefusal(
    'wider_than_asked',
    'Approve what was asked for, or less: a shorter time, read for write, fewer roles, workspaces or lifts.',
  );
}

/** Whether `next` allows nothing that `whole` does not. Acting as somebody else, or as nobody, is not less. */
function isWithin(next: RequestedAccess, whole: RequestedAccess, context: RequestContext): boolean {
  return next.actAs === whole.actAs && !isWider(scopeOf(whole, context), scopeOf(next, context));
}

const NOBODY_YET = { org: null, groups: null, principals: null };

function scopeOf({ access, duration, roles, workspaces, lifts }: RequestedAccess, context: RequestContext) {
  const expiresAt = endOfPeriod(duration, context);
  const same = { audience: NOBODY_YET, caseRef: null, reason: null };
  return { startsAt: context.now, expiresAt, access, roles, workspaces, lifts, ...same };
}

/** Of a period that starts now. Only a length of time: a request does not know the day on which it is approved. */
function endOfPeriod(duration: string, { now, settings }: RequestContext): EpochMs {
  if (readLength(duration) === null) {
    const allowed = `Write a whole number and a unit, such as ${LENGTH_EXAMPLES}.`;
    throw new GrantRefusal('duration_invalid', allowed);
  }
  const { timeZone, durations } = settings;
  return endOf({ text: duration, startsAt: now, timeZone, wholeDays: durations.wholeDays > 0 });
}
