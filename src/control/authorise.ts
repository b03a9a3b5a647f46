// The authorisation table of the control API: caller × operation, every cell written down. Law 8: support staff
// have no cell that gives, changes or takes away access. What a tenant's admin may do ends at the tenant's border.
// The store enforces consent again; this table is what a reviewer reads.
import type { ControlIdentity } from '#authn/control-authenticator.ts';
import type { TenantId } from '#model/ids.ts';
import { ControlDenial, ControlProblem } from './control-problem.ts';

export const OPERATIONS = [
  'grants.create',
  'grants.list',
  'grants.read',
  'grants.change',
  'grants.revoke',
  'grants.impact',
  'grants.mine',
  'tenant.status',
  'policy.read',
  'audit.access',
  'audit.history',
  'audit.records',
  'subjects.erase',
] as const;
export type Operation = (typeof OPERATIONS)[number];

export const CALLER_KINDS = [
  /** A person of the customer with the admin claim. */
  'tenant_admin',
  /** A person of the customer without it. */
  'tenant_user',
  /** A service that may `grants` and names the person it acts for. */
  'service_for_person',
  /** The same without a named person. */
  'service',
  /** A service that may not `grants`. */
  'service_without_duty',
  'staff',
  /** Staff with the duty `identity.roles.lead`. */
  'lead',
  /** Staff with the duty `identity.roles.security`. Whoever has both duties may do what either may. */
  'security',
] as const;
export type CallerKind = (typeof CALLER_KINDS)[number];

/**
 * `own_tenant`: only for the tenant in the caller's token. `narrow`: the store refuses whatever widens.
 * `covering`: only grants whose audience covers the caller. Everything else is a refusal.
 */
type Cell =
  | 'any_tenant'
  | 'own_tenant'
  | 'narrow'
  | 'covering'
  | 'staff_never_grant'
  | 'staff_only'
  | 'security_only'
  | 'not_tenant_admin'
  | 'service_not_allowed'
  | 'on_behalf_of_required';

type Row = Readonly<Record<CallerKind, Cell>>;

const TENANT_SIDE = {
  tenant_admin: 'own_tenant',
  tenant_user: 'not_tenant_admin',
  service_for_person: 'any_tenant',
  service: 'any_tenant',
  service_without_duty: 'service_not_allowed',
  staff: 'staff_never_grant',
  lead: 'staff_never_grant',
  security: 'staff_never_grant',
} as const satisfies Row;

/** Who came, why and what they did is the customer's to read: neither staff nor a program of the vendor's. */
const TENANT_READS = {
  tenant_admin: 'own_tenant',
  tenant_user: 'not_tenant_admin',
  service_for_person: 'service_not_allowed',
  service: 'service_not_allowed',
  service_without_duty: 'service_not_allowed',
  staff: 'not_tenant_admin',
  lead: 'not_tenant_admin',
  security: 'not_tenant_admin',
} as const satisfies Row;

export const AUTHORISATION: Readonly<Record<Operation, Row>> = {
  'grants.create': { ...TENANT_SIDE, service: 'on_behalf_of_required' },
  'grants.list': { ...TENANT_SIDE, staff: 'covering', lead: 'covering', security: 'covering' },
  'grants.read': TENANT_SIDE,
  'grants.change': { ...TENANT_SIDE, service: 'narrow' },
  'grants.revoke': TENANT_SIDE,
  'grants.impact': TENANT_SIDE,
  'grants.mine': {
    tenant_admin: 'staff_only',
    tenant_user: 'staff_only',
    service_for_person: 'staff_only',
    service: 'staff_only',
    service_without_duty: 'staff_only',
    staff: 'covering',
    lead: 'covering',
    security: 'covering',
  },
  'tenant.status': {
    ...TENANT_SIDE,
    service_for_person: 'service_not_allowed',
    service: 'service_not_allowed',
    staff: 'covering',
    lead: 'covering',
    security: 'covering',
  },
  'policy.read': {
    tenant_admin: 'security_only',
    tenant_user: 'security_only',
    service_for_person: 'any_tenant',
    service: 'any_tenant',
    service_without_duty: 'any_tenant',
    staff: 'security_only',
    lead: 'security_only',
    security: 'any_tenant',
  },
  'audit.access': TENANT_READS,
  'audit.history': TENANT_READS,
  'audit.records': TENANT_READS,
  'subjects.erase': {
    tenant_admin: 'security_only',
    tenant_user: 'security_only',
    service_for_person: 'any_tenant',
    service: 'any_tenant',
    // What cannot be undone is not for a key without any duty.
    service_without_duty: 'service_not_allowed',
    staff: 'security_only',
    lead: 'security_only',
    security: 'any_tenant',
  },
};

const SENTENCES = {
  staff_never_grant:
    'Support staff may list the grants that cover them; only the customer gives, reads, changes or revokes one.',
  staff_only: 'Call this with a token of the support staff.',
  security_only: 'Call this with a token of the vendor’s security staff, or with a service key.',
  not_tenant_admin: 'Ask an admin of the tenant to do this.',
  service_not_allowed: 'This call is not among what the service key may do.',
  on_behalf_of_required:
    'A service creates a grant only with `onBehalfOf` {id, email, name}; without it, it may shorten, narrow and revoke.',
} as const satisfies Partial<Record<Cell, string>>;

export type Scope = Exclude<Cell, keyof typeof SENTENCES>;

/** Never empty. Staff are of several kinds: the last is what they are for which no duty is asked. */
export function callerKindsOf(identity: ControlIdentity, namesPerson: boolean): readonly CallerKind[] {
  switch (identity.kind) {
    case 'customer':
      return [identity.admin ? 'tenant_admin' : 'tenant_user'];
    case 'staff':
      return [...DUTIES.filter((duty) => identity.roles.includes(duty)), 'staff'];
    case 'service':
      if (!identity.may.includes('grants')) return ['service_without_duty'];
      return [namesPerson ? 'service_for_person' : 'service'];
  }
}

const DUTIES = ['security', 'lead'] as const satisfies readonly CallerKind[];

/**
 * What of the operation the caller may reach, by the first of its kinds that may. Throws ControlProblem, for the cell
 * of the last, when none may.
 */
export function authorise(callers: readonly CallerKind[], operation: Operation): Scope {
  const row = AUTHORISATION[operation];
  let refusal: keyof typeof SENTENCES = 'staff_never_grant';
  for (const caller of callers) {
    const cell = row[caller];
    if (!isRefusal(cell)) return cell;
    refusal = cell;
  }
  throw new ControlProblem(refusal, SENTENCES[refusal]);
}

function isRefusal(cell: Cell): cell is keyof typeof SENTENCES {
  return Object.hasOwn(SENTENCES, cell);
}

/** For paths that name a tenant: another one than the caller's own is said to be that. */
export function requireTenant(identity: ControlIdentity, scope: Scope, tenant: TenantId): void {
  if (mayReach(identity, scope, tenant)) return;
  throw new ControlDenial('tenant_mismatch', 'Name the tenant that your token is for.');
}

/** For grants found by id: somebody else's must look as if it did not exist. */
export function mayReach(identity: ControlIdentity, scope: Scope, tenant: TenantId): boolean {
  return scope !== 'own_tenant' || (identity.kind === 'customer' && identity.tenant === tenant);
}
