// The whole life of support access as plain arrays: what was settled, given, asked, opened, locked. Everything in them is
// replaced, never changed in place, so that a life is copied by copying the arrays. No line of the code that it judges.
import { type Account, accountNamed, type Tenant } from './actors.ts';
import type { OwnWord, VendorWord } from './settings.ts';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const FOREVER = Number.POSITIVE_INFINITY;

interface Thing {
  readonly id: string;
  readonly tenant: Tenant;
  readonly revision: number;
}

export interface Scope {
  readonly startsAt: number;
  /** FOREVER without an end. */
  readonly endsAt: number;
  readonly write: boolean;
  readonly audience: string;
  readonly lifts: boolean;
  readonly caseRef: string | null;
}

export interface LifeGrant extends Thing, Scope {
  readonly source: 'direct' | 'switch' | 'request' | 'break_glass';
  /** The later one of two goes first. */
  readonly order: number;
  readonly actAs: string | null;
  readonly revokedAt: number | null;
  /** Every human who gave it, widened it or approved it: none of them ever uses it. */
  readonly givers: readonly string[];
  readonly verification: 'none' | 'pending' | 'verified';
  /** Every human who has verified it, before it was widened too: none of them ever uses it either. */
  readonly verifiers: readonly string[];
  readonly notice: string | null;
}

export interface Wanted {
  readonly write: boolean;
  readonly days: number;
  readonly lifts: boolean;
}

export interface LifeRequest extends Thing {
  readonly asker: string;
  readonly caseRef: string | null;
  readonly actAs: string | null;
  /** What the approvals so far leave of what was asked. */
  readonly left: Wanted;
  readonly status: 'awaiting_lead' | 'awaiting_tenant' | 'approved' | 'denied' | 'lapsed' | 'withdrawn';
  readonly lapsesAt: number;
  readonly lead: string | null;
  readonly approvers: readonly string[];
}

export interface LifeSession {
  readonly id: string;
  readonly tenant: Tenant;
  /** Whose, by account. */
  readonly account: string;
  /** `class` and `tier` are what stands without a grant. */
  readonly grant: string;
  readonly write: boolean;
  readonly caseRef: string | null;
  readonly endsAt: number;
  readonly idleMs: number;
  readonly lastUsedAt: number;
  readonly endedAt: number | null;
  readonly endedBy: string | null;
  readonly note: string | null;
}

export type LockedThing =
  | { readonly kind: 'principal'; readonly account: string; readonly withEmail: boolean }
  | { readonly kind: 'tenant'; readonly tenant: Tenant }
  | { readonly kind: 'case'; readonly caseRef: string; readonly tenant: Tenant | null }
  | { readonly kind: 'everything' };

export interface LifeLock {
  readonly id: string;
  readonly target: LockedThing;
  readonly endsAt: number;
  readonly isLifted: boolean;
}

export interface LifeEmergency {
  readonly id: string;
  readonly tenant: Tenant;
  readonly asker: string;
  readonly responder: string | null;
  readonly caseRef: string | null;
  readonly write: boolean;
  readonly ms: number;
  readonly lapsesAt: number;
  readonly isConfirmed: boolean;
}

export interface Settled {
  readonly revision: number;
  readonly vendor: VendorWord;
  readonly own: OwnWord;
}

export interface Life {
  now: number;
  settled: Readonly<Record<Tenant, Settled>>;
  grants: readonly LifeGrant[];
  requests: readonly LifeRequest[];
  sessions: readonly LifeSession[];
  locks: readonly LifeLock[];
  emergencies: readonly LifeEmergency[];
  /** What was done to each thing, in order; of each thing by its id. */
  history: ReadonlyMap<string, readonly string[]>;
}

/** The thing with this number, counted round; null when there is none. */
export function nth<T>(things: readonly T[], n: number): T | null {
  return things[n % Math.max(1, things.length)] ?? null;
}

export function replaced<T extends { readonly id: string }>(things: readonly T[], next: T): readonly T[] {
  return things.map((one) => (one.id === next.id ? next : one));
}

export function told(life: Life, id: string, operation: string): void {
  life.history = new Map(life.history).set(id, [...(life.history.get(id) ?? []), operation]);
}

export function copyOf(life: Life): Life {
  return { ...life };
}

/** One case, however it is written. */
export function isSameCase(a: string | null, b: string | null): boolean {
  return a?.trim().toUpperCase() === b?.trim().toUpperCase();
}

/** Not revoked, and not over to the millisecond. */
export function isAlive({ revokedAt, endsAt }: LifeGrant, when: number): boolean {
  return revokedAt === null && when < endsAt;
}

export function isActive(grant: LifeGrant, when: number): boolean {
  return isAlive(grant, when) && when >= grant.startsAt && grant.verification !== 'pending';
}

/** Named by the audience, and of those who have no hand in it. */
export function covers(grant: LifeGrant, account: Account): boolean {
  return isNamed(grant.audience, account) && !hasHandIn(grant, account);
}

function hasHandIn({ givers, verifiers }: LifeGrant, { human }: Account): boolean {
  return human !== null && (givers.includes(human) || verifiers.includes(human));
}

export const AUDIENCES = ['vendor', 'support', 'sam', 'desk', 'vendor_support', 'bob'] as const;

/** Of one account; those that have a name of their own in AUDIENCES keep it. */
export function audienceOfOne(name: string): string {
  if (name === 'sam') return 'sam';
  return name === 'bob at vendor' ? 'bob' : `only ${name}`;
}

/** Names people one by one, all of the same organisation. */
export function emergencyAudience(org: string, names: readonly string[]): string {
  return `${org} only ${[...new Set(names)].join(',')}`;
}

function isNamed(audience: string, { name, org, groups }: Account): boolean {
  switch (audience) {
    case 'vendor':
    case 'desk':
      return org === audience;
    case 'support':
      return groups.includes('support');
    case 'vendor_support':
      return org === 'vendor' && groups.includes('support');
  }
  const [whose] = audience.split('only ');
  return namesIn(audience).includes(name) && (whose === audience || whose === '' || whose === `${org} `);
}

/** The accounts that an audience names one by one. */
export function namesIn(audience: string): readonly string[] {
  if (audience === 'sam') return ['sam'];
  if (audience === 'bob') return ['bob at vendor'];
  const [, names] = audience.split('only ');
  return names === undefined ? [] : names.split(',');
}

/** Where an account's id is an address it says who it is; any other says nothing of the human. */
export function isKnownToBe(name: string, { email }: Account): boolean {
  const { id } = accountNamed(name);
  return email !== null && id.toLowerCase() === email.toLowerCase();
}

/** The same account, or the same verified address. */
export function isSameHuman(a: Account, b: Account): boolean {
  return a.name === b.name || (a.email !== null && b.email !== null && a.human === b.human);
}

/** Every instant still to come at which something ends or begins. */
export function edgesOf(life: Life): readonly number[] {
  const all = [
    ...life.grants.flatMap((one) => (one.revokedAt === null ? [one.startsAt, one.endsAt] : [])),
    ...life.sessions.flatMap((one) =>
      one.endedAt === null ? [one.endsAt, one.lastUsedAt + one.idleMs] : [],
    ),
    ...life.locks.filter((one) => !one.isLifted).map((one) => one.endsAt),
    ...life.requests.map((one) => one.lapsesAt),
    ...life.emergencies.map((one) => one.lapsesAt),
  ];
  return [...new Set(all)].filter((at) => at > life.now && at !== FOREVER).toSorted((a, b) => a - b);
}
