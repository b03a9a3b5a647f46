// Access requests in the model: support asks, a lead may have to agree, the customer decides, time runs out. Whoever asks
// never approves, under whatever account.
import { type Account, accountNamed, isCustomersPerson, isStaff, type Tenant } from './actors.ts';
import { consentCodes, create, createCodes, type Giving, limitCodes } from './grants.ts';
import {
  audienceOfOne,
  DAY,
  HOUR,
  isSameCase,
  isSameHuman,
  type Life,
  type LifeRequest,
  replaced,
  told,
  type Wanted,
} from './life.ts';
import { type Effective, effective } from './settings.ts';

export interface Asking {
  readonly tenant: Tenant;
  readonly asker: Account;
  readonly caseRef: string | null;
  readonly actAs: string | null;
  readonly wanted: Wanted;
  readonly escalates: LifeRequest | null;
}

export function isWaiting({ status, lapsesAt }: LifeRequest, now: number): boolean {
  return (status === 'awaiting_lead' || status === 'awaiting_tenant') && now < lapsesAt;
}

/** Whether anything may be asked of the tenant, or given to this one. */
function openCodes(asker: Account, rules: Effective): readonly string[] {
  return [
    ...(rules.suspended ? ['tenant_suspended'] : []),
    ...(rules.mayGrant === 'nobody' ? ['policy_nobody'] : []),
    ...(rules.excludesVendor && asker.org === 'vendor' ? ['org_excluded'] : []),
  ];
}

function isMore(wanted: Wanted, than: Wanted): boolean {
  return wanted.days > than.days || (wanted.write && !than.write) || (wanted.lifts && !than.lifts);
}

export function askCodes(life: Life, asking: Asking): readonly string[] {
  const { tenant, asker, caseRef, actAs, wanted, escalates } = asking;
  const rules = effective(life, tenant);
  const codes = [...openCodes(asker, rules)];
  if (escalates !== null) {
    const isOwn =
      escalates.asker === asker.name &&
      escalates.tenant === tenant &&
      escalates.status === 'approved' &&
      isSameCase(escalates.caseRef, caseRef);
    if (!isOwn || (escalates.actAs === actAs && !isMore(wanted, escalates.left)))
      codes.push('escalation_invalid');
  }
  const isAskedAlready = life.requests.some(
    (one) =>
      one.asker === asker.name &&
      one.tenant === tenant &&
      isSameCase(one.caseRef, caseRef) &&
      isWaiting(one, life.now),
  );
  if (isAskedAlready) codes.push('request_pending');
  const giving = givingOf(life, { ...asking, asker: asker.name, left: wanted }, asker);
  return [...codes, ...limitCodes(life, { ...giving, id: '', from: life.now }, rules)];
}

type Given = Pick<LifeRequest, 'tenant' | 'asker' | 'caseRef' | 'actAs' | 'left'>;

function givingOf(life: Life, { tenant, asker, caseRef, actAs, left }: Given, by: Account): Giving {
  const { write, days, lifts } = left;
  return {
    tenant,
    by,
    startsAt: life.now,
    endsAt: life.now + days * DAY,
    write,
    audience: audienceOfOne(asker),
    lifts,
    caseRef,
    actAs,
    notice: null,
    source: 'request',
  };
}

export function ask(life: Life, { tenant, asker, caseRef, actAs, wanted }: Asking, id: string): void {
  const { leadFirst, requestHours } = effective(life, tenant);
  const request: LifeRequest = {
    id,
    tenant,
    revision: 1,
    asker: asker.name,
    caseRef,
    actAs,
    left: wanted,
    status: leadFirst ? 'awaiting_lead' : 'awaiting_tenant',
    lapsesAt: life.now + requestHours * HOUR,
    lead: null,
    approvers: [],
  };
  life.requests = [...life.requests, request];
  told(life, id, 'ask');
}

interface Approving {
  readonly by: Account;
  readonly stage: 'lead' | 'tenant';
  /** Null: as asked. */
  readonly narrowing: Wanted | null;
  readonly notice: string | null;
  readonly isStale: boolean;
}

/** Whoever may say yes or no at this stage at all. */
function deciderCodes(by: Account, stage: Approving['stage']): readonly string[] {
  const isLeads = isStaff(by) && by.side !== 'security';
  const isCustomers = isCustomersPerson(by) && by.side !== 'user';
  return (stage === 'lead' ? isLeads : isCustomers) ? [] : ['consent_required'];
}

function decidedCodes(life: Life, request: LifeRequest, isStale: boolean): readonly string[] {
  return [
    ...(isStale ? ['stale_revision'] : []),
    ...(isWaiting(request, life.now) ? [] : ['request_decided']),
  ];
}

export function approveCodes(life: Life, request: LifeRequest, approving: Approving): readonly string[] {
  const { by, stage, narrowing, isStale } = approving;
  const rules = effective(life, request.tenant);
  const asker = accountNamed(request.asker);
  const codes = [...decidedCodes(life, request, isStale), ...deciderCodes(by, stage)];
  if (stage === 'tenant' && request.status === 'awaiting_lead') codes.push('awaiting_lead');
  if (stage === 'lead' && request.status !== 'awaiting_lead') codes.push('awaiting_tenant');
  if (isSameHuman(by, asker)) codes.push('own_request');
  if (request.approvers.includes(by.human ?? '') || request.lead === by.human) codes.push('approved_before');
  codes.push(...openCodes(asker, rules));
  if (narrowing !== null && isMore(narrowing, request.left)) codes.push('wider_than_asked');
  const giving = givingOf(life, { ...request, left: narrowing ?? request.left }, by);
  if (stage === 'lead' || request.approvers.length + 1 < rules.approvals) {
    codes.push(...limitCodes(life, { ...giving, id: '', from: life.now }, rules));
    if (stage === 'lead') return codes;
  }
  return [...codes, ...tenantCodes(life, { ...giving, notice: approving.notice }, rules)];
}

/** What an approval is held to as a consent of the customer's. */
function tenantCodes(life: Life, giving: Giving, rules: Effective): readonly string[] {
  const { by, actAs, notice } = giving;
  return [
    ...consentCodes(by, actAs, rules),
    ...(notice === rules.notice ? [] : ['notice_not_current']),
    ...createCodes(life, giving).filter((code) => code !== 'self_grant'),
  ];
}

/** Whether this approval is the one that makes the grant. */
export function isLast(life: Life, request: LifeRequest, { stage }: Approving): boolean {
  return stage === 'tenant' && request.approvers.length + 1 >= effective(life, request.tenant).approvals;
}

/** `grantId` where it was the last one. */
export function approve(
  life: Life,
  request: LifeRequest,
  approving: Approving,
  grantId: string | null,
): void {
  const { by, stage, narrowing, notice } = approving;
  const human = by.human ?? '';
  const left = narrowing ?? request.left;
  const next = { ...request, left, revision: request.revision + 1 };
  told(life, request.id, 'approve');
  if (stage === 'lead') {
    life.requests = replaced(life.requests, { ...next, status: 'awaiting_tenant', lead: human });
    return;
  }
  const status = grantId === null ? 'awaiting_tenant' : 'approved';
  const approvers = [...request.approvers, human];
  life.requests = replaced(life.requests, { ...next, status, approvers });
  if (grantId === null) return;
  const { lead } = request;
  const givers = [...(lead === null ? [] : [lead]), ...request.approvers];
  create(life, { ...givingOf(life, next, by), notice }, grantId, { givers, lead });
}

export function denyCodes(
  life: Life,
  request: LifeRequest,
  { by, stage, isStale }: Approving,
): readonly string[] {
  const codes = [...decidedCodes(life, request, isStale), ...deciderCodes(by, stage)];
  if (stage === 'lead' && request.status !== 'awaiting_lead') codes.push('awaiting_tenant');
  return codes;
}

export function withdrawCodes(life: Life, request: LifeRequest, by: Account): readonly string[] {
  return [...decidedCodes(life, request, false), ...(request.asker === by.name ? [] : ['request_not_yours'])];
}

const OPERATIONS = { denied: 'deny', withdrawn: 'withdraw', lapsed: 'lapse' } as const;

export function endRequest(life: Life, request: LifeRequest, status: keyof typeof OPERATIONS): void {
  life.requests = replaced(life.requests, { ...request, revision: request.revision + 1, status });
  told(life, request.id, OPERATIONS[status]);
}

/** Those that nobody has decided in time and nobody has said so of. */
export function overdueRequests({ requests, now }: Life): readonly LifeRequest[] {
  return requests.filter(
    (one) => (one.status === 'awaiting_lead' || one.status === 'awaiting_tenant') && now >= one.lapsesAt,
  );
}
