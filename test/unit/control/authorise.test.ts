// Every cell of the authorisation table, written down a second time by hand: a change of one has to be meant twice.
import { describe, expect, it } from 'vitest';
import type { ControlIdentity, StaffRole } from '#authn/control-authenticator.ts';
import type { TenantId } from '#model/ids.ts';
import {
  AUTHORISATION,
  authorise,
  CALLER_KINDS,
  type CallerKind,
  callerKindsOf,
  mayReach,
  OPERATIONS,
  type Operation,
  requireTenant,
} from '#control/authorise.ts';
import { ControlProblem } from '#control/control-problem.ts';

const acme = 'acme' as TenantId;
const globex = 'globex' as TenantId;

const OWN = 'own_tenant';
const ANY = 'any_tenant';
const NOT_ADMIN = 'not_tenant_admin';
const NOT_ALLOWED = 'service_not_allowed';
const NEVER = 'staff_never_grant';
const SECURITY = 'security_only';
const STAFF_ONLY = 'security_staff_only';
const SECURITY_STAFF = [
  STAFF_ONLY,
  STAFF_ONLY,
  NOT_ALLOWED,
  NOT_ALLOWED,
  NOT_ALLOWED,
  STAFF_ONLY,
  STAFF_ONLY,
  ANY,
];
const ASKER = 'asker_only';
const LEADS = 'leads_only';
const ASKING = [ASKER, ASKER, ASKER, ASKER, ASKER, 'asked', 'asked', 'asked'];
const DECIDING = [OWN, NOT_ADMIN, ANY, 'on_behalf_of_required', NOT_ALLOWED, LEADS, 'as_lead', LEADS];
const READS = [OWN, NOT_ADMIN, NOT_ALLOWED, NOT_ALLOWED, NOT_ALLOWED, NOT_ADMIN, NOT_ADMIN, NOT_ADMIN];

const MINE = 'own_session';
const STAFF = 'staff_only';
const SESSIONS = [STAFF, STAFF, STAFF, STAFF, STAFF, MINE, MINE, MINE];

const EXPECTED: Record<Operation, readonly string[]> = {
  // tenant_admin, tenant_user, service_for_person, service, service_without_duty, staff, lead, security
  'grants.create': [OWN, 'own_user', ANY, 'on_behalf_of_required', NOT_ALLOWED, NEVER, NEVER, NEVER],
  'grants.list': [OWN, 'own_user', ANY, ANY, NOT_ALLOWED, 'covering', 'covering', 'covering'],
  'grants.read': [OWN, 'own_user', ANY, ANY, NOT_ALLOWED, NEVER, NEVER, NEVER],
  'grants.change': [OWN, 'own_user', ANY, 'narrow', NOT_ALLOWED, NEVER, NEVER, NEVER],
  'grants.revoke': [OWN, 'own_user', ANY, ANY, NOT_ALLOWED, NEVER, NEVER, NEVER],
  'grants.impact': [OWN, 'own_user', ANY, ANY, NOT_ALLOWED, NEVER, NEVER, NEVER],
  'grants.revisions': READS,
  'grants.verify': [LEADS, LEADS, NOT_ALLOWED, NOT_ALLOWED, NOT_ALLOWED, LEADS, ANY, LEADS],
  'grants.unverified': [LEADS, LEADS, NOT_ALLOWED, NOT_ALLOWED, NOT_ALLOWED, LEADS, ANY, LEADS],
  'grants.mine': [
    'staff_only',
    'staff_only',
    'staff_only',
    'staff_only',
    'staff_only',
    'covering',
    'covering',
    'covering',
  ],
  'tenant.status': [
    OWN,
    NOT_ADMIN,
    NOT_ALLOWED,
    NOT_ALLOWED,
    NOT_ALLOWED,
    'covering',
    'covering',
    'covering',
  ],
  'policy.read': [SECURITY, SECURITY, ANY, ANY, ANY, SECURITY, SECURITY, ANY],
  'policy.explain': [SECURITY, SECURITY, ANY, ANY, ANY, SECURITY, SECURITY, ANY],
  'audit.access': READS,
  'audit.history': READS,
  'audit.records': READS,
  'subjects.erase': [SECURITY, SECURITY, ANY, ANY, NOT_ALLOWED, SECURITY, SECURITY, ANY],
  'requests.make': ASKING,
  'requests.list': [ASKER, ASKER, ASKER, ASKER, ASKER, 'asked', 'as_lead', 'asked'],
  'requests.list_of_tenant': [OWN, NOT_ADMIN, ANY, ANY, NOT_ALLOWED, NOT_ADMIN, NOT_ADMIN, NOT_ADMIN],
  'requests.read': [OWN, NOT_ADMIN, ANY, ANY, NOT_ALLOWED, 'asked', 'as_lead', 'asked'],
  'requests.approve': DECIDING,
  'requests.deny': DECIDING,
  'requests.withdraw': ASKING,
  'settings.read': [OWN, NOT_ADMIN, ANY, ANY, NOT_ALLOWED, NEVER, NEVER, NEVER],
  'settings.change': [OWN, NOT_ADMIN, ANY, ANY, NOT_ALLOWED, NEVER, NEVER, NEVER],
  'access.switch': [OWN, NOT_ADMIN, ANY, 'on_behalf_of_required', NOT_ALLOWED, NEVER, NEVER, NEVER],
  'sessions.open': SESSIONS,
  'sessions.mine': SESSIONS,
  'sessions.list': READS,
  'sessions.read': [OWN, NOT_ADMIN, NOT_ALLOWED, NOT_ALLOWED, NOT_ALLOWED, MINE, MINE, ANY],
  'sessions.end': [OWN, NOT_ADMIN, NOT_ALLOWED, NOT_ALLOWED, NOT_ALLOWED, MINE, MINE, ANY],
  'sessions.report': [OWN, NOT_ADMIN, NOT_ALLOWED, NOT_ALLOWED, NOT_ALLOWED, MINE, MINE, MINE],
  'locks.set': SECURITY_STAFF,
  'locks.list': SECURITY_STAFF,
  'locks.lift': SECURITY_STAFF,
  'break_glass.ask': SECURITY_STAFF,
  'break_glass.second': SECURITY_STAFF,
  'break_glass.list': SECURITY_STAFF,
};
const ALLOWED: ReadonlySet<string> = new Set([OWN, ANY, 'narrow', 'covering', 'asked', 'as_lead', MINE]);

const cells = OPERATIONS.flatMap((operation) =>
  CALLER_KINDS.map((caller, i) => [caller, operation, EXPECTED[operation][i] ?? ''] as const),
);

describe('the authorisation table', () => {
  it('has a cell for every caller and operation, and no other', () => {
    expect(Object.keys(AUTHORISATION).toSorted()).toEqual(OPERATIONS.toSorted());
    for (const row of Object.values(AUTHORISATION)) {
      expect(Object.keys(row).toSorted()).toEqual(CALLER_KINDS.toSorted());
    }
  });

  it.each(cells)('%s × %s is %s', (caller, operation, expected) => {
    let outcome: string;
    try {
      outcome = authorise([caller], operation);
    } catch (error) {
      if (!(error instanceof ControlProblem)) throw error;
      outcome = error.code;
      expect(error.message).toMatch(/^[A-Z].*\.$/);
    }
    expect(outcome).toBe(expected);
  });

  it('gives staff nothing but lists of what covers them, requests and sessions of their own', () => {
    const reachable = OPERATIONS.filter((operation) => ALLOWED.has(AUTHORISATION[operation].staff));
    expect(reachable).toEqual([
      'grants.list',
      'grants.mine',
      'tenant.status',
      'requests.make',
      'requests.list',
      'requests.read',
      'requests.withdraw',
      'sessions.open',
      'sessions.mine',
      'sessions.read',
      'sessions.end',
      'sessions.report',
    ]);
    for (const operation of reachable) {
      expect(['covering', 'asked', MINE]).toContain(AUTHORISATION[operation].staff);
    }
  });

  it('gives a lead who is of the security staff too what either may', () => {
    expect(authorise(['security', 'lead', 'staff'], 'requests.list')).toBe('as_lead');
    expect(authorise(['security', 'lead', 'staff'], 'requests.approve')).toBe('as_lead');
    expect(authorise(['security', 'staff'], 'requests.list')).toBe('asked');
    expect(() => authorise(['security', 'staff'], 'requests.approve')).toThrow(/lead/);
  });

  it('gives security staff the policy, erasure, locks and the emergency besides, no grant and no record', () => {
    const reachable = OPERATIONS.filter((operation) => ALLOWED.has(AUTHORISATION[operation].security));
    expect(reachable).toEqual([
      'grants.list',
      'grants.mine',
      'tenant.status',
      'policy.read',
      'policy.explain',
      'subjects.erase',
      'requests.make',
      'requests.list',
      'requests.read',
      'requests.withdraw',
      'sessions.open',
      'sessions.mine',
      'sessions.read',
      'sessions.end',
      'sessions.report',
      'locks.set',
      'locks.list',
      'locks.lift',
      'break_glass.ask',
      'break_glass.second',
      'break_glass.list',
    ]);
  });

  it('gives what was recorded of a tenant to its admins alone', () => {
    for (const operation of ['audit.access', 'audit.history', 'audit.records'] as const) {
      const readers = CALLER_KINDS.filter((caller) => ALLOWED.has(AUTHORISATION[operation][caller]));
      expect(readers).toEqual(['tenant_admin']);
      expect(AUTHORISATION[operation].tenant_admin).toBe(OWN);
    }
  });
});

const person = { issuer: 'i', id: 'u', email: null, name: null, permissions: [], products: [] };
const customer = (admin: boolean): ControlIdentity => ({ kind: 'customer', ...person, tenant: acme, admin });
const service = (may: readonly string[]): ControlIdentity => ({ kind: 'service', name: 's', may });
const staff = (roles: readonly StaffRole[]): ControlIdentity => ({
  kind: 'staff',
  principal: { id: 's', issuer: 'i', email: null, name: null, groups: [], org: 'vendor' },
  roles,
});

describe('the kind of a caller', () => {
  it.each<[ControlIdentity, boolean, readonly CallerKind[]]>([
    [customer(true), false, ['tenant_admin']],
    [customer(false), false, ['tenant_user']],
    [customer(false), true, ['tenant_user']],
    [service(['grants']), true, ['service_for_person']],
    [service(['grants']), false, ['service']],
    [service(['tenants']), true, ['service_without_duty']],
    [service([]), true, ['service_without_duty']],
    [staff(['lead']), true, ['lead', 'staff']],
    [staff([]), false, ['staff']],
    [staff(['security']), true, ['security', 'staff']],
    [staff(['lead', 'security']), true, ['security', 'lead', 'staff']],
  ])('%# is as the identity says, whatever the body claims', (identity, namesPerson, kind) => {
    expect(callerKindsOf(identity, namesPerson)).toEqual(kind);
  });

  it('ends a user’s reach at the border of the tenant too', () => {
    expect(mayReach(customer(false), 'own_user', acme)).toBe(true);
    expect(mayReach(customer(false), 'own_user', globex)).toBe(false);
    expect(mayReach(service(['grants']), 'own_user', acme)).toBe(false);
  });

  it('ends an admin’s reach at the border of the tenant', () => {
    expect(mayReach(customer(true), 'own_tenant', acme)).toBe(true);
    expect(mayReach(customer(true), 'own_tenant', globex)).toBe(false);
    expect(mayReach(service(['grants']), 'own_tenant', globex)).toBe(false);
    expect(mayReach(service(['grants']), 'any_tenant', globex)).toBe(true);
    expect(() => requireTenant(customer(true), 'own_tenant', globex)).toThrow(/token/);
  });
});
