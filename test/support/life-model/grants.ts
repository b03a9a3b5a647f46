// What grants may and may not be, in the model: plain arithmetic in UTC over a handful of people. Each `…Codes` says every
// reason for which a wish is refused; none is a yes.
import { type Account, accountNamed, isCustomersPerson, isStaff, type Tenant } from './actors.ts';
import {
  DAY,
  FOREVER,
  isAlive,
  isKnownToBe,
  isSameCase,
  type Life,
  type LifeGrant,
  MINUTE,
  namesIn,
  replaced,
  type Scope,
  told,
} from './life.ts';
import { type Effective, effective } from './settings.ts';

/** One calendar month later in UTC, on the last day of a month that is shorter. */
function monthAfter(at: number): number {
  const date = new Date(at);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + 1);
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, last));
  return date.getTime();
}

function latestEnd(from: number, max: Effective['max']): number {
  if (max === '1mo') return monthAfter(from);
  return from + (max === '10d' ? 10 : 14) * DAY;
}

/** Whether somebody may consent to a grant that acts as this user. */
export function consentCodes(by: Account, actAs: string | null, rules: Effective): readonly string[] {
  if (!isCustomersPerson(by)) return ['consent_required'];
  const codes: string[] = [];
  const isUser = by.side === 'user';
  if (rules.mayGrant === 'nobody') codes.push('policy_nobody');
  if (rules.mayGrant === 'admins' && isUser) codes.push('policy_admins');
  if (rules.mayGrant === 'permission' && (isUser || !by.permission)) codes.push('policy_permission');
  if (rules.needsLicence && !by.licence) codes.push('policy_licence');
  if (isUser && actAs !== by.id) codes.push('policy_own_user');
  return codes;
}

/** Whether somebody may make a grant less, or end it. */
export function touchCodes(by: Account, grant: LifeGrant): readonly string[] {
  if (by.side === 'user') return grant.actAs === by.id ? [] : ['policy_own_user'];
  if (by.side === 'security' && grant.source === 'break_glass') return [];
  return isStaff(by) ? ['consent_required'] : [];
}

interface Standing extends Scope {
  readonly id: string;
  readonly tenant: Tenant;
  /** From when on its length counts. */
  readonly from: number;
}

/** Whether a consent to this state of a grant may stand, beside the others of its case. */
export function limitCodes(life: Life, next: Standing, rules: Effective): readonly string[] {
  const codes: string[] = [];
  const { endsAt, from } = next;
  if (endsAt === FOREVER) {
    if (!rules.indefinite || rules.maxPerCaseDays !== null) codes.push('indefinite_not_allowed');
  } else {
    codes.push(...endCodes(life.now, from, endsAt));
    if (endsAt > latestEnd(from, rules.max)) codes.push('too_long');
    if (endsAt < from + 1000) codes.push('too_short');
  }
  if (next.lifts && !rules.liftable) codes.push('lift_not_allowed');
  if (rules.excludesVendor && isOfVendor(next.audience)) codes.push('org_excluded');
  if (next.caseRef === null && (rules.caseRequired || rules.maxPerCaseDays !== null))
    codes.push('case_ref_required');
  if (isPastCase(life, next, rules)) codes.push('case_limit');
  return codes;
}

/** Whether only the vendor's own organisation is meant, or somebody of it by name. */
function isOfVendor(audience: string): boolean {
  const isAll = audience === 'vendor' || audience === 'vendor_support';
  return isAll || namesIn(audience).some((name) => accountNamed(name).org === 'vendor');
}

/** Shortening is held to this alone. */
function endCodes(now: number, startsAt: number, endsAt: number): readonly string[] {
  return [...(endsAt <= now ? ['end_in_past'] : []), ...(endsAt <= startsAt ? ['end_before_start'] : [])];
}

function startCodes(now: number, startsAt: number): readonly string[] {
  return startsAt < now - MINUTE ? ['start_in_past'] : [];
}

/** All grants of a case end within so many days of the first start on it, whatever lies between them. */
function isPastCase(life: Life, next: Standing, { maxPerCaseDays }: Effective): boolean {
  if (maxPerCaseDays === null || next.caseRef === null) return false;
  const caseMs = maxPerCaseDays * DAY;
  const others = life.grants.filter(
    (one) =>
      one.id !== next.id &&
      one.tenant === next.tenant &&
      isSameCase(one.caseRef, next.caseRef) &&
      // Revoked before it began it was of no use to anybody.
      !(one.revokedAt !== null && one.revokedAt <= one.startsAt),
  );
  const first = Math.min(next.startsAt, ...others.map((one) => one.startsAt));
  if (next.endsAt > first + caseMs) return true;
  return (
    first === next.startsAt && others.some((one) => isAlive(one, life.now) && one.endsAt > first + caseMs)
  );
}

function selfCodes(by: Account, audience: string): readonly string[] {
  return namesIn(audience).some((name) => isKnownToBe(name, by)) ? ['self_grant'] : [];
}

function noticeCodes(shown: string | null, rules: Effective): readonly string[] {
  return shown === rules.notice ? [] : ['notice_not_current'];
}

export interface Giving extends Scope {
  readonly tenant: Tenant;
  readonly by: Account;
  readonly actAs: string | null;
  readonly notice: string | null;
  readonly source: LifeGrant['source'];
}

export function createCodes(life: Life, giving: Giving): readonly string[] {
  const rules = effective(life, giving.tenant);
  return [
    ...consentCodes(giving.by, giving.actAs, rules),
    ...startCodes(life.now, giving.startsAt),
    ...limitCodes(life, { ...giving, id: '', from: giving.startsAt }, rules),
    ...selfCodes(giving.by, giving.audience),
    ...noticeCodes(giving.notice, rules),
  ];
}

interface Earlier {
  /** Those who approved a request before the last one gave it too. */
  readonly givers: readonly string[];
  /** The lead who has looked at the case already. */
  readonly lead: string | null;
}

const NOBODY_EARLIER: Earlier = { givers: [], lead: null };

export function create(life: Life, giving: Giving, id: string, earlier = NOBODY_EARLIER): void {
  const { by, ...rest } = giving;
  const { givers, lead } = earlier;
  const isChecked = effective(life, giving.tenant).verifies && giving.source !== 'break_glass';
  const grant: LifeGrant = {
    ...rest,
    id,
    revision: 1,
    order: life.grants.length,
    revokedAt: null,
    givers: [...givers, ...(by.human === null ? [] : [by.human])],
    verification: isChecked ? (lead === null ? 'pending' : 'verified') : 'none',
    verifiers: [],
  };
  life.grants = [...life.grants, grant];
  told(life, id, 'create');
}

/** What of another audience is surely nobody new. */
const WITHIN: Readonly<Record<string, readonly string[]>> = { vendor_support: ['vendor', 'support'] };

function isWidening(from: Scope, to: Scope): boolean {
  return (
    to.startsAt < from.startsAt ||
    to.endsAt > from.endsAt ||
    (to.write && !from.write) ||
    (to.lifts && !from.lifts) ||
    to.caseRef !== from.caseRef ||
    (to.audience !== from.audience && WITHIN[to.audience]?.includes(from.audience) !== true)
  );
}

interface Changing {
  readonly by: Account;
  readonly next: Scope;
  readonly notice: string | null;
  readonly isStale: boolean;
  /** From when on its length counts; absent from its start. */
  readonly from?: number;
}

function isSame(from: Scope, to: Scope): boolean {
  return (
    to.startsAt === from.startsAt &&
    to.endsAt === from.endsAt &&
    to.write === from.write &&
    to.lifts === from.lifts &&
    to.caseRef === from.caseRef &&
    to.audience === from.audience
  );
}

export function changeCodes(life: Life, before: LifeGrant, changing: Changing): readonly string[] {
  const { by, next, notice, isStale, from = next.startsAt } = changing;
  const rules = effective(life, before.tenant);
  const codes = [...touchCodes(by, before), ...aliveCodes(life, before)];
  if (isStale) codes.push('stale_revision');
  if (isSame(before, next)) return codes;
  if (next.startsAt !== before.startsAt) {
    if (before.startsAt <= life.now) codes.push('already_started');
    codes.push(...startCodes(life.now, next.startsAt));
  }
  if (!isWidening(before, next)) {
    return next.endsAt === FOREVER ? codes : [...codes, ...endCodes(life.now, next.startsAt, next.endsAt)];
  }
  if (before.source === 'break_glass') codes.push('break_glass_fixed');
  if (next.caseRef !== before.caseRef && rules.maxPerCaseDays !== null && life.now >= before.startsAt)
    codes.push('case_fixed');
  return [
    ...codes,
    ...consentCodes(by, before.actAs, rules),
    ...limitCodes(life, { ...next, id: before.id, tenant: before.tenant, from }, rules),
    ...selfCodes(by, next.audience),
    ...noticeCodes(notice ?? (rules.notice === null ? null : before.notice), rules),
  ];
}

export function change(life: Life, before: LifeGrant, { by, next, notice }: Changing): void {
  if (isSame(before, next)) return;
  const narrower: LifeGrant = { ...before, ...scopeOf(next), revision: before.revision + 1 };
  const isVerified = before.verification !== 'none' || effective(life, before.tenant).verifies;
  const after: LifeGrant = isWidening(before, next)
    ? {
        ...narrower,
        notice: notice ?? before.notice,
        givers: [...before.givers, by.human ?? ''],
        // Another consent, another look.
        verification: isVerified ? 'pending' : 'none',
      }
    : narrower;
  life.grants = replaced(life.grants, after);
  told(life, before.id, 'change');
}

function scopeOf({ startsAt, endsAt, write, audience, lifts, caseRef }: Scope): Scope {
  return { startsAt, endsAt, write, audience, lifts, caseRef };
}

function aliveCodes({ now }: Life, grant: LifeGrant): readonly string[] {
  return isAlive(grant, now) ? [] : ['ended'];
}

export function revoke(life: Life, before: LifeGrant): void {
  if (before.revokedAt !== null) return;
  life.grants = replaced(life.grants, { ...before, revision: before.revision + 1, revokedAt: life.now });
  told(life, before.id, 'revoke');
}

export function verifyCodes(life: Life, grant: LifeGrant, lead: Account): readonly string[] {
  const codes = [...aliveCodes(life, grant)];
  if (grant.verification === 'none') codes.push('verification_not_asked');
  if (grant.verification !== 'pending') return codes;
  const isUser =
    grant.givers.includes(lead.human ?? '') ||
    namesIn(grant.audience).some((name) => name === lead.name || isKnownToBe(name, lead));
  return isUser ? [...codes, 'verifier_is_user'] : codes;
}

export function verify(life: Life, grant: LifeGrant, lead: Account): void {
  if (grant.verification !== 'pending') return;
  const verifiers = [...grant.verifiers, lead.human ?? ''];
  const after = { ...grant, revision: grant.revision + 1, verification: 'verified' as const, verifiers };
  life.grants = replaced(life.grants, after);
  told(life, grant.id, 'verify');
}

interface Pressing {
  readonly tenant: Tenant;
  readonly by: Account;
  readonly open: boolean;
  /** Null is without an end. */
  readonly days: number | null;
  /** Null leaves it as it is, or as it is settled. */
  readonly write: boolean | null;
  readonly notice: string | null;
}

export const SWITCH_CASE = 'CASE-3';

export function switchedOn(life: Life, tenant: Tenant): LifeGrant | null {
  return (
    life.grants.find((one) => one.tenant === tenant && one.source === 'switch' && isAlive(one, life.now)) ??
    null
  );
}

/** What the switch gives where it is off. */
export function switchGiving(life: Life, pressing: Pressing): Giving {
  const { tenant, by, days, write, notice } = pressing;
  return {
    tenant,
    by,
    startsAt: life.now,
    endsAt: days === null ? FOREVER : life.now + days * DAY,
    write: write ?? effective(life, tenant).switchWrites,
    audience: 'vendor',
    lifts: false,
    caseRef: SWITCH_CASE,
    actAs: null,
    notice,
    source: 'switch',
  };
}

/** What it changes where it is on: the length counts from now. */
export function switchChanging(life: Life, current: LifeGrant, pressing: Pressing): Changing {
  const { by, days, write, notice } = pressing;
  const endsAt = days === null ? FOREVER : life.now + days * DAY;
  const next = { ...scopeOf(current), endsAt, write: write ?? current.write, caseRef: SWITCH_CASE };
  return { by, next, notice, isStale: false, from: Math.max(life.now, current.startsAt) };
}

export function switchCodes(life: Life, pressing: Pressing): readonly string[] {
  const { tenant, by, open } = pressing;
  const { isTrial, suspended } = effective(life, tenant);
  const codes: string[] = [];
  if (isTrial) codes.push('access_set_by_class');
  const current = switchedOn(life, tenant);
  if (!open) return current === null ? codes : [...codes, ...touchCodes(by, current)];
  if (suspended) codes.push('tenant_suspended');
  return [
    ...codes,
    ...(current === null
      ? createCodes(life, switchGiving(life, pressing))
      : changeCodes(life, current, switchChanging(life, current, pressing))),
  ];
}
