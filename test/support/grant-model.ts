// What grants may and may not be, said once more and simply: plain arithmetic in UTC over a handful of people, without a
// line of the code it judges. The property test holds the store against it, step by step.

const DAY = 86_400_000;

/** Somebody of the customer's side, or one who only claims to be. */
export interface ModelActor {
  readonly kind: 'tenant_admin' | 'tenant_user' | 'service' | 'staff' | 'security';
  readonly id: string;
  readonly email: string | null;
  /** A service names a person. */
  readonly person: string | null;
  readonly permission: boolean;
  readonly licence: boolean;
}

export interface ModelStaff {
  readonly id: string;
  readonly email: string;
  readonly org: string;
  readonly groups: readonly string[];
}

export interface ModelSettings {
  readonly mayGrant: 'admins' | 'permission' | 'users' | 'licensed_users' | 'nobody';
  readonly max: '14d' | '1mo';
  readonly maxPerCaseDays: number | null;
  readonly indefinite: boolean;
  readonly liftable: boolean;
  readonly excludesVendor: boolean;
  readonly verifies: boolean;
  readonly standing: boolean;
  readonly notice: string | null;
}

export const AUDIENCES = ['vendor', 'support', 'sam', 'desk', 'vendor_support', 'bob'] as const;
export type ModelAudience = (typeof AUDIENCES)[number];

export interface ModelScope {
  readonly startsAt: number;
  readonly endsAt: number | null;
  readonly write: boolean;
  readonly audience: ModelAudience;
  readonly lifts: boolean;
}

export interface ModelGrant extends ModelScope {
  readonly id: string;
  readonly order: number;
  readonly actAs: string | null;
  readonly caseRef: string;
  readonly revokedAt: number | null;
  /** Addresses of everyone who consented. */
  readonly consented: readonly string[];
  readonly verification: 'none' | 'pending' | string;
  readonly notice: string | null;
}

/** One calendar month later in UTC, on the last day of a month that is shorter. */
export function monthAfter(at: number): number {
  const date = new Date(at);
  const day = date.getUTCDate();
  date.setUTCDate(1);
  date.setUTCMonth(date.getUTCMonth() + 1);
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(day, last));
  return date.getTime();
}

export function isAlive({ revokedAt, endsAt }: ModelGrant, now: number): boolean {
  return revokedAt === null && (endsAt === null || now < endsAt);
}

export function addressOf({ person, email }: ModelActor): string | null {
  return person ?? email;
}

export function mayConsent(by: ModelActor, actAs: string | null, settings: ModelSettings): boolean {
  const isPerson = by.kind === 'tenant_admin' || by.kind === 'tenant_user' || by.person !== null;
  if (!isPerson || by.kind === 'staff' || by.kind === 'security') return false;
  const own = by.kind !== 'tenant_user' || actAs === by.id;
  switch (settings.mayGrant) {
    case 'nobody':
      return false;
    case 'admins':
      return by.kind !== 'tenant_user';
    case 'permission':
      return by.kind !== 'tenant_user' && by.permission;
    case 'users':
      return own;
    case 'licensed_users':
      return own && by.licence;
  }
}

export function mayTouch(by: ModelActor, grant: ModelGrant): boolean {
  if (by.kind === 'tenant_user') return grant.actAs === by.id;
  return by.kind === 'tenant_admin' || by.kind === 'service';
}

/** Whether a consent to this state of a grant may stand beside the others of its case. */
export function mayStand(
  next: ModelScope & { readonly id: string; readonly caseRef: string },
  by: ModelActor,
  world: { readonly now: number; readonly settings: ModelSettings; readonly grants: readonly ModelGrant[] },
): boolean {
  const { now, settings, grants } = world;
  const { startsAt, endsAt } = next;
  if (endsAt === null) {
    if (!settings.indefinite || settings.maxPerCaseDays !== null) return false;
  } else {
    const latest = settings.max === '1mo' ? monthAfter(startsAt) : startsAt + 14 * DAY;
    if (endsAt <= now || endsAt - startsAt < 1000 || endsAt > latest) return false;
  }
  if (next.lifts && !settings.liftable) return false;
  if (settings.excludesVendor && (next.audience === 'vendor' || next.audience === 'vendor_support'))
    return false;
  if (next.audience === 'bob' && addressOf(by) === 'bob@acme.example') return false;
  if (settings.maxPerCaseDays === null || endsAt === null) return true;
  const others = grants.filter(
    (one) =>
      one.id !== next.id &&
      one.caseRef === next.caseRef &&
      !(one.revokedAt !== null && one.revokedAt <= one.startsAt),
  );
  const caseMs = settings.maxPerCaseDays * DAY;
  const firstOfOthers = Math.min(...others.map((one) => one.startsAt));
  if (endsAt > Math.min(startsAt, firstOfOthers) + caseMs) return false;
  return (
    startsAt > firstOfOthers ||
    others.every((one) => !isAlive(one, now) || (one.endsAt ?? Number.POSITIVE_INFINITY) <= startsAt + caseMs)
  );
}

const WITHIN: Readonly<Partial<Record<ModelAudience, readonly ModelAudience[]>>> = {
  vendor_support: ['vendor', 'support'],
};

export function isWidening(from: ModelScope, to: ModelScope): boolean {
  const audienceWithin =
    from.audience === to.audience || (WITHIN[to.audience]?.includes(from.audience) ?? false);
  return (
    to.startsAt < from.startsAt ||
    (to.endsAt ?? Number.POSITIVE_INFINITY) > (from.endsAt ?? Number.POSITIVE_INFINITY) ||
    (to.write && !from.write) ||
    (to.lifts && !from.lifts) ||
    !audienceWithin
  );
}

export function isNamed(audience: ModelAudience, staff: ModelStaff): boolean {
  const supports = staff.groups.includes('support');
  switch (audience) {
    case 'vendor':
      return staff.org === 'vendor';
    case 'support':
      return supports;
    case 'sam':
      return staff.id === 'sam';
    case 'desk':
      return staff.org === 'desk';
    case 'vendor_support':
      return staff.org === 'vendor' && supports;
    case 'bob':
      return staff.id === 'bob@acme.example';
  }
}

/** Whether this person may enter under this grant at this instant. */
export function holds(grant: ModelGrant, staff: ModelStaff, when: number): boolean {
  return (
    isAlive(grant, when) &&
    when >= grant.startsAt &&
    grant.verification !== 'pending' &&
    isNamed(grant.audience, staff) &&
    !grant.consented.includes(staff.email) &&
    grant.verification !== staff.email
  );
}

/** The id of the one grant that judges a request; null for none. */
export function chosen(
  grants: readonly ModelGrant[],
  settings: ModelSettings,
  { staff, when }: { readonly staff: ModelStaff; readonly when: number },
): string | null {
  if (settings.excludesVendor && staff.org === 'vendor') return null;
  const held = grants.filter((one) => holds(one, staff, when));
  if (new Set(held.map((one) => one.actAs)).size > 1) return 'ambiguous';
  const last = held.toSorted((a, b) => b.order - a.order)[0];
  if (last !== undefined) return last.id;
  return settings.standing && staff.org === 'vendor' ? 'standing' : null;
}
