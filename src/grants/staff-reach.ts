// Whether the people whom an audience names could ever enter a tenant: organisations are pinned to issuers by the gateway's
// configuration, and a tenant's class may exclude some. A grant for nobody who could use it is refused when it is consented
// to, never found out by whoever is turned away. Pure; run inside the store's transaction. Cold.
import type { Audience } from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';

/** An issuer of support staff (`identity.support`), and every organisation that a token of it can name; never empty. */
export interface StaffIssuer {
  readonly issuer: string;
  readonly orgs: readonly string[];
}

/** Whom a tenant's audiences are chosen from. */
export interface StaffReach {
  /** Empty: nobody has said, and only what is excluded is refused. */
  readonly staff: readonly StaffIssuer[];
  readonly excludedOrgs: readonly string[];
}

/**
 * Throws GrantRefusal: `org_excluded` for who is of excluded organisations alone, `audience_unreachable` for who can be of
 * none. Each named principal has to be somebody who could enter: one that is not is a mistake of whoever wrote the list.
 */
export function checkReachable({ org, groups, principals }: Audience, reach: StaffReach): void {
  const { staff, excludedOrgs } = reach;
  if (org !== null && excludedOrgs.includes(org)) throw excluded(reach);
  if (staff.length === 0) return;
  if (org !== null && !staff.some(({ orgs }) => orgs.includes(org))) throw unreachable(reach);
  // Groups alone are of any organisation.
  if (org === null && groups !== null && principals === null && openTo(reach).length === 0)
    throw excluded(reach);
  for (const { issuer } of principals ?? []) {
    const orgs = staff.find((one) => one.issuer === issuer)?.orgs ?? [];
    const possible = org === null ? orgs : orgs.filter((one) => one === org);
    if (possible.length === 0) throw unreachable(reach);
    if (possible.every((one) => excludedOrgs.includes(one))) throw excluded(reach);
  }
}

/** Issuers with the organisations that are not excluded; those without any are left out. */
function openTo({ staff, excludedOrgs }: StaffReach): readonly StaffIssuer[] {
  return staff
    .map(({ issuer, orgs }) => ({ issuer, orgs: orgs.filter((org) => !excludedOrgs.includes(org)) }))
    .filter(({ orgs }) => orgs.length > 0);
}

function excluded(reach: StaffReach): GrantRefusal {
  return new GrantRefusal('org_excluded', allowed(reach));
}

function unreachable(reach: StaffReach): GrantRefusal {
  return new GrantRefusal('audience_unreachable', allowed(reach));
}

function allowed(reach: StaffReach): string {
  if (reach.staff.length === 0) return 'Name an organisation that is not excluded for this class of tenant.';
  const open = openTo(reach);
  if (open.length === 0)
    return 'No organisation of the vendor’s staff may enter a tenant of this class; nobody can be named.';
  const issuers = open.map(({ issuer, orgs }) => `${orgs.join(' or ')} (issuer ${issuer})`);
  return `Name staff who can enter this tenant, each principal by their own issuer: ${issuers.join('; ')}.`;
}
