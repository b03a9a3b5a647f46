// What is settled for a tenant, in the model: the vendor's word and the customer's own, which only ever makes things
// stricter, and what holds of both.
import { type Account, type Tenant } from './actors.ts';
import { isAlive, type Life, MINUTE, HOUR, replaced, type Settled, told } from './life.ts';

export interface VendorWord {
  readonly class: 'standard' | 'trial' | 'gov';
  readonly mayGrant: 'admins' | 'permission' | 'users' | 'licensed_users' | 'nobody';
  readonly max: '14d' | '1mo';
  readonly maxPerCaseDays: number | null;
  readonly indefinite: boolean;
  readonly liftable: boolean;
  readonly verifies: boolean;
  readonly standing: boolean;
  readonly notice: string | null;
  readonly approvals: 1 | 2;
  readonly leadFirst: boolean;
  readonly requestHours: 1 | 24;
  readonly sessionsRequired: boolean;
  readonly idleMinutes: number | null;
  readonly sessionHours: number | null;
  readonly breakGlass: boolean;
  readonly caseRequired: boolean;
  readonly switchWrites: boolean;
}

/** False and null leave it to the vendor. */
export interface OwnWord {
  readonly suspended: boolean;
  readonly mayGrant: 'admins' | 'permission' | 'nobody' | null;
  readonly noStanding: boolean;
  readonly sessionsRequired: boolean;
  readonly approvals: 1 | 2 | null;
  readonly noBreakGlass: boolean;
  readonly idleMinutes: number | null;
  readonly maxDays: 10 | null;
}

export const NOTHING_OWN: OwnWord = {
  suspended: false,
  mayGrant: null,
  noStanding: false,
  sessionsRequired: false,
  approvals: null,
  noBreakGlass: false,
  idleMinutes: null,
  maxDays: null,
};

/** The gateway's own limits of a session; whatever is settled is no longer. */
export const GATEWAY_IDLE_MS = 30 * MINUTE;
export const GATEWAY_MAX_MS = 8 * HOUR;

export interface Effective extends Omit<VendorWord, 'max' | 'mayGrant'> {
  readonly suspended: boolean;
  /** The class gives access by itself. */
  readonly isTrial: boolean;
  readonly excludesVendor: boolean;
  readonly max: '14d' | '1mo' | '10d';
  readonly mayGrant: VendorWord['mayGrant'];
  /** Whoever grants holds a licence, besides. */
  readonly needsLicence: boolean;
  readonly idleMs: number;
  readonly sessionMs: number;
}

/** From the most people to none. */
const FEWER = ['users', 'licensed_users', 'admins', 'permission', 'nobody'] as const;

function isFewer(own: NonNullable<OwnWord['mayGrant']>, vendor: VendorWord['mayGrant']): boolean {
  return FEWER.indexOf(own) >= FEWER.indexOf(vendor);
}

export function effective(life: Life, tenant: Tenant): Effective {
  const { vendor, own } = life.settled[tenant];
  const { mayGrant } = own;
  const idle = [vendor.idleMinutes, own.idleMinutes].map((minutes) => (minutes ?? 30) * MINUTE);
  return {
    ...vendor,
    suspended: own.suspended,
    isTrial: vendor.class === 'trial' && !own.suspended,
    excludesVendor: vendor.class === 'gov',
    max: own.maxDays === null ? vendor.max : '10d',
    mayGrant: mayGrant !== null && isFewer(mayGrant, vendor.mayGrant) ? mayGrant : vendor.mayGrant,
    needsLicence: vendor.mayGrant === 'licensed_users',
    standing: vendor.standing && !own.noStanding,
    sessionsRequired: vendor.sessionsRequired || own.sessionsRequired,
    approvals: own.approvals === 2 ? 2 : vendor.approvals,
    breakGlass: vendor.breakGlass && !own.noBreakGlass,
    idleMs: Math.min(GATEWAY_IDLE_MS, ...idle),
    sessionMs: Math.min(GATEWAY_MAX_MS, (vendor.sessionHours ?? 8) * HOUR),
  };
}

export interface Settling {
  readonly tenant: Tenant;
  readonly by: Account;
  readonly word:
    | { readonly part: 'vendor'; readonly says: VendorWord }
    | { readonly part: 'own'; readonly says: OwnWord };
  readonly isStale: boolean;
}

export function settleCodes(life: Life, { tenant, by, word, isStale }: Settling): readonly string[] {
  const codes: string[] = [];
  const { vendor, own } = life.settled[tenant];
  if (isStale) codes.push('stale_revision');
  if (by.side !== (word.part === 'vendor' ? 'service' : 'admin')) codes.push('settings_not_yours');
  if (isSaid(life.settled[tenant], word)) return codes;
  if (word.part === 'vendor') {
    if (word.says.class === 'trial' && vendor.class !== 'trial' && own.suspended)
      codes.push('tenant_suspended');
    return codes;
  }
  const { says } = word;
  if (says.suspended && vendor.class === 'trial') codes.push('suspension_not_available');
  const isLooser =
    (says.mayGrant !== null && !isFewer(says.mayGrant, vendor.mayGrant)) ||
    (says.approvals ?? 2) < vendor.approvals ||
    (says.idleMinutes ?? 0) > (vendor.idleMinutes ?? 30);
  if (isLooser) codes.push('settings_looser');
  return codes;
}

/** Saying again what holds changes nothing. */
function isSaid({ vendor, own }: Settled, { part, says }: Settling['word']): boolean {
  return JSON.stringify(part === 'vendor' ? vendor : own) === JSON.stringify(says);
}

export function settle(life: Life, { tenant, word }: Settling): void {
  const before = life.settled[tenant];
  if (isSaid(before, word)) return;
  const { isTrial } = effective(life, tenant);
  const parts = word.part === 'vendor' ? { vendor: word.says } : { own: word.says };
  life.settled = { ...life.settled, [tenant]: { ...before, ...parts, revision: before.revision + 1 } };
  told(life, tenant, 'change');
  if (!isTrial || effective(life, tenant).isTrial || life.settled[tenant].own.suspended) return;
  // The account was converted: what the switch had opened before ends with what the class gave.
  for (const grant of life.grants) {
    if (grant.tenant !== tenant || grant.source !== 'switch' || !isAlive(grant, life.now)) continue;
    life.grants = replaced(life.grants, { ...grant, revision: grant.revision + 1, revokedAt: life.now });
    told(life, grant.id, 'revoke');
  }
}
