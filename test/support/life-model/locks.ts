// The vendor's own stop, and the one way in that the customer did not open, in the model.
import { type Account, accountNamed, type Tenant } from './actors.ts';
import { create } from './grants.ts';
import {
  emergencyAudience,
  HOUR,
  isKnownToBe,
  isSameCase,
  isSameHuman,
  type Life,
  type LifeEmergency,
  type LifeLock,
  type LockedThing,
  MINUTE,
  replaced,
  told,
} from './life.ts';
import { effective } from './settings.ts';

interface Subject {
  readonly account: Account;
  readonly tenant: Tenant;
  readonly caseRef: string | null;
}

export function concerns(target: LockedThing, { account, tenant, caseRef }: Subject): boolean {
  switch (target.kind) {
    case 'everything':
      return true;
    case 'tenant':
      return target.tenant === tenant;
    case 'case':
      return (
        caseRef !== null &&
        isSameCase(target.caseRef, caseRef) &&
        (target.tenant === null || target.tenant === tenant)
      );
    case 'principal':
      return isOn(target, account);
  }
}

function isOn(target: Extract<LockedThing, { kind: 'principal' }>, account: Account): boolean {
  return (
    target.account === account.name ||
    (target.withEmail && isSameHuman(accountNamed(target.account), account))
  );
}

export function holds({ isLifted, endsAt }: LifeLock, when: number): boolean {
  return !isLifted && when < endsAt;
}

export function isLocked({ locks }: Life, subject: Subject, when: number): boolean {
  return locks.some((one) => holds(one, when) && concerns(one.target, subject));
}

function securityCodes({ side }: Account): readonly string[] {
  return side === 'security' ? [] : ['security_required'];
}

export function lockCodes({ now }: Life, by: Account, endsAt: number): readonly string[] {
  return [...securityCodes(by), ...(endsAt <= now ? ['end_in_past'] : [])];
}

export function lock(life: Life, { id, target, endsAt }: Omit<LifeLock, 'isLifted'>): void {
  life.locks = [...life.locks, { id, target, endsAt, isLifted: false }];
  told(life, id, 'set');
}

/** Whoever is locked lets nothing go, least of all themselves. */
export function liftCodes({ locks, now }: Life, by: Account): readonly string[] {
  const isLockedOut = locks.some(
    (one) => holds(one, now) && one.target.kind === 'principal' && isOn(one.target, by),
  );
  return [...securityCodes(by), ...(isLockedOut ? ['locked_actor'] : [])];
}

export function lift(life: Life, one: LifeLock): void {
  if (!holds(one, life.now)) return;
  life.locks = replaced(life.locks, { ...one, isLifted: true });
  told(life, one.id, 'lift');
}

interface Breaking {
  readonly tenant: Tenant;
  readonly by: Account;
  readonly responder: Account | null;
  readonly caseRef: string | null;
  readonly write: boolean;
  readonly ms: number;
}

/** What forbids an emergency at both of its steps, whoever the people are. */
function closedCodes(life: Life, tenant: Tenant, asker: Account): readonly string[] {
  const rules = effective(life, tenant);
  return [
    ...(rules.breakGlass ? [] : ['break_glass_off']),
    ...(rules.suspended ? ['tenant_suspended'] : []),
    ...(rules.excludesVendor && asker.org === 'vendor' ? ['org_excluded'] : []),
  ];
}

function personCodes(by: Account): readonly string[] {
  return [...securityCodes(by), ...(by.email === null ? ['verified_email_required'] : [])];
}

type Place = Pick<Subject, 'tenant' | 'caseRef'>;

function lockedCodes(life: Life, people: readonly Account[], place: Place): readonly string[] {
  const isStopped = people.some((account) => isLocked(life, { ...place, account }, life.now));
  return isStopped ? ['break_glass_locked'] : [];
}

/** Of somebody who is only named nothing but the account is known, and what its id says. */
function asNamed(account: Account): Account {
  return account.id.includes('@') ? account : { ...account, email: null };
}

export function breakCodes(life: Life, breaking: Breaking): readonly string[] {
  const { tenant, by, responder, ms } = breaking;
  const people = responder === null ? [by] : [by, asNamed(responder)];
  const codes = [
    ...personCodes(by),
    ...closedCodes(life, tenant, by),
    ...lockedCodes(life, people, breaking),
  ];
  if (ms < MINUTE) codes.push('too_short');
  if (ms > 4 * HOUR) codes.push('too_long');
  const isAskedAlready = life.emergencies.some(
    (one) =>
      one.tenant === tenant &&
      !one.isConfirmed &&
      life.now < one.lapsesAt &&
      isSameHuman(accountNamed(one.asker), by),
  );
  return isAskedAlready ? [...codes, 'emergency_pending'] : codes;
}

export function breakGlass(life: Life, breaking: Breaking, id: string): void {
  const { tenant, by, responder, caseRef, write, ms } = breaking;
  const emergency: LifeEmergency = {
    id,
    tenant,
    asker: by.name,
    responder: responder?.name ?? null,
    caseRef,
    write,
    ms,
    lapsesAt: life.now + 30 * MINUTE,
    isConfirmed: false,
  };
  life.emergencies = [...life.emergencies, emergency];
  told(life, id, 'ask');
}

export function confirmCodes(life: Life, emergency: LifeEmergency, by: Account): readonly string[] {
  const { tenant, isConfirmed, lapsesAt } = emergency;
  const asker = accountNamed(emergency.asker);
  const responder = emergency.responder === null ? null : accountNamed(emergency.responder);
  const codes = [...personCodes(by), ...closedCodes(life, tenant, asker)];
  if (isConfirmed) codes.push('emergency_confirmed');
  else if (life.now >= lapsesAt) codes.push('emergency_lapsed');
  const isUser =
    isSameHuman(asker, by) ||
    (responder !== null && (responder.name === by.name || isKnownToBe(responder.name, by)));
  if (isUser) codes.push('second_person_required');
  const people = responder === null ? [asker, by] : [asker, by, asNamed(responder)];
  return [...codes, ...lockedCodes(life, people, emergency)];
}

export function confirm(life: Life, emergency: LifeEmergency, by: Account, grantId: string): void {
  const { tenant, asker, responder, caseRef, write, ms } = emergency;
  life.emergencies = replaced(life.emergencies, { ...emergency, isConfirmed: true });
  told(life, emergency.id, 'confirm');
  const { org } = accountNamed(asker);
  const giving = {
    tenant,
    by,
    startsAt: life.now,
    endsAt: life.now + ms,
    write,
    audience: emergencyAudience(org, responder === null ? [asker] : [asker, responder]),
    lifts: false,
    caseRef,
    actAs: null,
    notice: null,
    source: 'break_glass' as const,
  };
  create(life, giving, grantId);
}
