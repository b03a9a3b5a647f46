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
  'grants.revisions',
  'grants.verify',
  'grants.unverified',
  'tenant.status',
  'policy.read',
  'policy.explain',
  'audit.access',
  'audit.history',
  'audit.records',
  'subjects.erase',
  'requests.make',
  'requests.list',
  'requests.list_of_tenant',
  'requests.read',
  'requests.approve',
  'requests.deny',
  'requests.withdraw',
  'settings.read',
  'settings.change',
  'access.switch',
  'sessions.open',
  'sessions.mine',
  'sessions.list',
  'sessions.read',
  'sessions.end',
  'sessions.report',
  'locks.set',
  'locks.list',
  'locks.lift',
  'break_glass.ask',
  'break_glass.second',
  'break_glass.list',
] as const;
export type Operation = (typeof OPERATIONS)[number];

export const CALLER_KINDS = [
  /** A person of the customer with the admin claim. */
  'tenant_admin',
  /** A person of the customer without it. */
  'tenant_user',
  /** A service with the duty of the operation (`dutyOf`) that names the person it acts for. */
  'service_for_person',
  /** The same without a named person. */
  'service',
  /** A service without that duty. */
  'service_without_duty',
  'staff',
  /** Staff with the duty `identity.roles.lead`. */
  'lead',
  /** Staff with the duty `identity.roles.security`. Whoever has both duties may do what either may. */
  'security',
] as const;
export type CallerKind = (typeof CALLER_KINDS)[number];

/**
 * `own_tenant`: only for the tenant in the caller's token. `own_user`: there, and only what acts as the caller. `narrow`:
 * the store refuses whatever widens. `covering`: only grants whose audience covers the caller. `asked`: only requests that
 * the caller has made. `as_lead`: these, and those that a lead decides or has decided. `own_session`: only sessions that
 * the caller has opened. Everything else is a refusal.
 */
type Cell =
  | 'any_tenant'
  | 'own_tenant'
  | 'own_user'
  | 'narrow'
  | 'covering'
  | 'asked'
  | 'as_lead'
  | 'own_session'
  | 'asker_only'
  | 'leads_only'
  | 'staff_never_grant'
  | 'staff_only'
  | 'security_only'
  | 'security_staff_only'
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

/** The vendor's own stop and the emergency: people with the duty, never a program and never the customer. */
const SECURITY_STAFF = {
  tenant_admin: 'security_staff_only',
  tenant_user: 'security_staff_only',
  service_for_person: 'service_not_allowed',
  service: 'service_not_allowed',
  service_without_duty: 'service_not_allowed',
  staff: 'security_staff_only',
  lead: 'security_staff_only',
  security: 'any_tenant',
} as const satisfies Row;

/** Access is asked for by those who will use it. */
const ASKING = {
  tenant_admin: 'asker_only',
  tenant_user: 'asker_only',
  service_for_person: 'asker_only',
  service: 'asker_only',
  service_without_duty: 'asker_only',
  staff: 'asked',
  lead: 'asked',
  security: 'asked',
} as const satisfies Row;

/** A lead decides before the customer is asked, and never in the customer's place: the store knows whose turn it is. */
const DECIDING = {
  ...TENANT_SIDE,
  service: 'on_behalf_of_required',
  staff: 'leads_only',
  lead: 'as_lead',
  security: 'leads_only',
} as const satisfies Row;

/** A user has to do with grants that act as themselves; whether the tenant lets users grant is the store's to say. */
const GRANTS = { ...TENANT_SIDE, tenant_user: 'own_user' } as const satisfies Row;

/** The vendor's own check of a grant, before it is used: never a program's, and never the customer's. */
const VERIFYING = {
  tenant_admin: 'leads_only',
  tenant_user: 'leads_only',
  service_for_person: 'service_not_allowed',
  service: 'service_not_allowed',
  service_without_duty: 'service_not_allowed',
  staff: 'leads_only',
  lead: 'any_tenant',
  security: 'leads_only',
} as const satisfies Row;

/** Only staff have sessions; a program has none, and opens none for anybody. */
const SESSIONS = {
  tenant_admin: 'staff_only',
  tenant_user: 'staff_only',
  service_for_person: 'staff_only',
  service: 'staff_only',
  service_without_duty: 'staff_only',
  staff: 'own_session',
  lead: 'own_session',
  security: 'own_session',
} as const satisfies Row;

/** Its principal, and the customer whose account it is in. */
const SESSION_SIDES = {
  ...TENANT_READS,
  staff: 'own_session',
  lead: 'own_session',
  security: 'own_session',
} as const satisfies Row;

/** The vendor's own rules: for those who answer for them, and programs. */
const POLICY_READS = {
  tenant_admin: 'security_only',
  tenant_user: 'security_only',
  service_for_person: 'any_tenant',
  service: 'any_tenant',
  service_without_duty: 'any_tenant',
  staff: 'security_only',
  lead: 'security_only',
  security: 'any_tenant',
} as const satisfies Row;

export const AUTHORISATION: Readonly<Record<Operation, Row>> = {
  'grants.create': { ...GRANTS, service: 'on_behalf_of_required' },
  'grants.list': { ...GRANTS, staff: 'covering', lead: 'covering', security: 'covering' },
  'grants.read': GRANTS,
  'grants.change': { ...GRANTS, service: 'narrow' },
  'grants.revoke': GRANTS,
  'grants.impact': GRANTS,
  'grants.revisions': TENANT_READS,
  'grants.verify': VERIFYING,
  'grants.unverified': VERIFYING,
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
  'policy.read': POLICY_READS,
  'policy.explain': POLICY_READS,
  'audit.access': TENANT_READS,
  'audit.history': TENANT_READS,
  'audit.records': TENANT_READS,
  // What cannot be undone is not for a key without any duty.
  'subjects.erase': { ...POLICY_READS, service_without_duty: 'service_not_allowed' },
  'requests.make': ASKING,
  'requests.list': { ...ASKING, lead: 'as_lead' },
  'requests.list_of_tenant': {
    ...TENANT_SIDE,
    staff: 'not_tenant_admin',
    lead: 'not_tenant_admin',
    security: 'not_tenant_admin',
  },
  'requests.read': { ...TENANT_SIDE, staff: 'asked', lead: 'as_lead', security: 'asked' },
  'requests.approve': DECIDING,
  'requests.deny': DECIDING,
  'requests.withdraw': ASKING,
  // The duty of the services is `tenants` here.
  'settings.read': TENANT_SIDE,
  'settings.change': TENANT_SIDE,
  'access.switch': { ...TENANT_SIDE, service: 'on_behalf_of_required' },
  'sessions.open': SESSIONS,
  'sessions.mine': SESSIONS,
  'sessions.list': TENANT_READS,
  'sessions.read': { ...SESSION_SIDES, security: 'any_tenant' },
  'sessions.end': { ...SESSION_SIDES, security: 'any_tenant' },
  // What was done in an account is its customer's to read, and its principal's.
  'sessions.report': SESSION_SIDES,
  'locks.set': SECURITY_STAFF,
  'locks.list': SECURITY_STAFF,
  'locks.lift': SECURITY_STAFF,
  'break_glass.ask': SECURITY_STAFF,
  'break_glass.second': SECURITY_STAFF,
  'break_glass.list': SECURITY_STAFF,
};

const SENTENCES = {
  staff_never_grant:
    'Support staff may list the grants that cover them; only the customer gives, reads, changes or revokes one.',
  asker_only: 'Call this with a token of the support staff; a customer gives access without being asked.',
  leads_only:
    'Ask a lead of the vendor’s staff to do this, or an admin of the tenant when it is for them to decide.',
  staff_only: 'Call this with a token of the support staff.',
  security_only: 'Call this with a token of the vendor’s security staff, or with a service key.',
  security_staff_only: 'Call this with a token of the vendor’s security staff.',
  not_tenant_admin: 'Ask an admin of the tenant to do this.',
  service_not_allowed: 'This call is not among what the service key may do.',
  on_behalf_of_required:
    'A service creates a grant only with `onBehalfOf` {id, email, name}; without it, it may shorten, narrow and revoke.',
} as const satisfies Partial<Record<Cell, string>>;

export type Scope = Exclude<Cell, keyof typeof SENTENCES>;

/** What a service must be configured to do (`may`) for the operation. */
export function dutyOf(operation: Operation): 'grants' | 'tenants' {
  return operation === 'settings.read' || operation === 'settings.change' ? 'tenants' : 'grants';
}

/** Never empty. Staff are of several kinds: the last is what they are for which no duty is asked. */
export function callerKindsOf(
  identity: ControlIdentity,
  namesPerson: boolean,
  duty: ReturnType<typeof dutyOf> = 'grants',
): readonly CallerKind[] {
  switch (identity.kind) {
    case 'customer':
      return [identity.admin ? 'tenant_admin' : 'tenant_user'];
    case 'staff':
      return [...DUTIES.filter((duty) => identity.roles.includes(duty)), 'staff'];
    case 'service':
      if (!identity.may.includes(duty)) return ['service_without_duty'];
      return [namesPerson ? 'service_for_person' : 'service'];
  }
}

const DUTIES = ['security', 'lead'] as const satisfies readonly CallerKind[];

/**
 * What of the operation the caller may reach, by the first of its kinds that may; what only askers reach gives way to what
 * a duty adds. Throws ControlProblem, for the cell of the last, when none may.
 */
export function authorise(callers: readonly CallerKind[], operation: Operation): Scope {
  const row = AUTHORISATION[operation];
  let refusal: keyof typeof SENTENCES = 'staff_never_grant';
  let asked = false;
  for (const caller of callers) {
    const cell = row[caller];
    if (cell === 'asked') asked = true;
    else if (isRefusal(cell)) refusal = cell;
    else return cell;
  }
  if (asked) return 'asked';
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
  if (scope !== 'own_tenant' && scope !== 'own_user') return true;
  return identity.kind === 'customer' && identity.tenant === tenant;
}
