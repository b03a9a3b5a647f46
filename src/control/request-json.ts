// An access request as the API shows it, and a body of the API as the store's wish or step. Assumes that the body passed
// its schema. Keys that mean "not yet" are absent, never null. Cold.
import type { ControlIdentity } from '#authn/control-authenticator.ts';
import type { RequestNarrowing, RequestStage, RequestWish } from '#grants/requests/request-store.ts';
import type { AccessRequest, RequestApproval, RequestedAccess } from '#model/access-request.ts';
import type { Actor } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import type { Principal } from '#model/principal.ts';
import { actorOf, type PersonBody } from './grant-json.ts';
import { formatInstant } from './instants.ts';

export interface AskBody extends Partial<RequestedAccess> {
  readonly tenant: TenantId;
  readonly caseRef?: string | null;
  readonly reason: AccessRequest['reason'];
  readonly escalates?: string;
}

export interface ApproveBody extends PersonBody, RequestNarrowing {
  readonly notice?: { readonly version: string };
}

export interface DenyBody extends PersonBody {
  readonly why?: string | null;
}

export function requestJson(request: AccessRequest): Record<string, unknown> {
  const { narrowed, escalates, leadApproval, denied, grantId } = request;
  return {
    id: request.id,
    tenant: request.tenant,
    revision: request.revision,
    status: request.status,
    asker: askerJson(request.asker),
    caseRef: request.caseRef,
    reason: request.reason,
    wanted: request.wanted,
    ...(narrowed === null ? {} : { narrowed }),
    ...(escalates === null ? {} : { escalates }),
    createdAt: formatInstant(request.createdAt),
    lapsesAt: formatInstant(request.lapsesAt),
    ...(leadApproval === null ? {} : { leadApproval: approvalJson(leadApproval) }),
    tenantApprovals: request.tenantApprovals.map(approvalJson),
    ...(denied === null
      ? {}
      : { denied: { ...approvalJson(denied), ...(denied.why === null ? {} : { why: denied.why }) } }),
    ...(grantId === null ? {} : { grantId }),
  };
}

function askerJson({ id, issuer, email, name, org }: Principal): object {
  return { id, issuer, email, name, org };
}

function approvalJson({ by, at }: RequestApproval): object {
  const { id, email, name, kind, onBehalfOf } = by;
  return { by: { id, email, name, kind, onBehalfOf }, at: formatInstant(at) };
}

export function wishOf(body: AskBody): RequestWish {
  const { access, duration } = body;
  return {
    tenant: body.tenant,
    caseRef: body.caseRef ?? null,
    reason: body.reason,
    escalates: body.escalates ?? null,
    wanted: {
      ...(access === undefined ? {} : { access }),
      ...(duration === undefined ? {} : { duration }),
      roles: body.roles ?? [],
      workspaces: body.workspaces ?? [],
      actAs: body.actAs ?? null,
      lifts: body.lifts ?? [],
    },
  };
}

/** Null when the body leaves all as it was asked for. */
export function narrowingOf(body: ApproveBody | null): RequestNarrowing | null {
  if (body === null) return null;
  const { access, duration, roles, workspaces, lifts } = body;
  const narrowing = {
    ...(access === undefined ? {} : { access }),
    ...(duration === undefined ? {} : { duration }),
    ...(roles === undefined ? {} : { roles }),
    ...(workspaces === undefined ? {} : { workspaces }),
    ...(lifts === undefined ? {} : { lifts }),
  };
  return Object.keys(narrowing).length === 0 ? null : narrowing;
}

/** Staff decide as leads and never in the customer's place, whatever their token says besides. */
export function deciderOf(
  identity: ControlIdentity,
  body: PersonBody | null,
): { readonly stage: RequestStage; readonly by: Actor } {
  if (identity.kind !== 'staff') return { stage: 'tenant', by: actorOf(identity, body) };
  const { id, issuer, email, name } = identity.principal;
  return { stage: 'lead', by: { kind: 'staff', id, issuer, email, name, onBehalfOf: null } };
}

/** Throws a TypeError for anybody but staff: the table lets nobody else through. */
export function principalOf(identity: ControlIdentity): Principal {
  if (identity.kind === 'staff') return identity.principal;
  throw new TypeError('only support staff ask for access');
}
