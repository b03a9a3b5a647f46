// From verified claims to people: the mapping of names, and the hygiene of what identity strings may hold, so
// that nothing downstream is confused by a second `@`, a NUL, a line break or a letter that nobody sees
// (GHSA-c5c4-8r6x-56w3, CVE-2025-66220). Assumes verified claims of a checked issuer. Runs once per token.
import type { TenantId } from '#model/ids.ts';
import type { Principal } from '#model/principal.ts';
import { isJsonObject, type JsonObject, member } from '#model/strict-json.ts';
import type { Denial } from '#model/verdict.ts';
import type { CustomerIdentity } from './control-authenticator.ts';
import { DENIED } from './denials.ts';
import type { CustomerIssuer, SupportIssuer } from './options.ts';

const MAX_ID_LENGTH = 255;
/** RFC 5321 section 4.5.3.1: 64 + 1 + 255. */
const MAX_EMAIL_LENGTH = 320;
const MAX_NAME_LENGTH = 256;
const MAX_TENANT_LENGTH = 253;
const MAX_ENTRY_LENGTH = 256;

/** Control, format (bidirectional overrides too), separators of lines, fillers: nothing that an identifier has. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
/** In names joiners have a place (Persian, Indic scripts, emoji); direction and line breaks do not. */
const UNSAFE_IN_NAME = /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/u;
const VISIBLE = /[^\s\p{Default_Ignorable_Code_Point}]/u;
/** One `@` with something on either side, and nothing that lists, quotes, comments or routes (RFC 5322 section 3.2.3). */
const ADDRESS = /^[^\s()<>[\]:;,"\\@]+@[^\s()<>[\]:;,"\\@]+$/u;

/** Denies with `credential_invalid`, `groups_overage` or `not_support_principal`. The principal is frozen. */
export function readPrincipal(issuer: SupportIssuer, claims: JsonObject): Principal | Denial {
  const id = claimAt(claims, issuer.claims.id);
  if (!isIdentifier(id, MAX_ID_LENGTH)) return DENIED.id;
  const email = readEmail(claims, issuer.claims.email);
  if (email === undefined) return DENIED.email;
  if (hasOverage(claims, issuer.claims.groups)) return DENIED.overage;
  const groups = readList(claimAt(claims, issuer.claims.groups));
  if (groups === null) return DENIED.groups;
  const { requireGroups } = issuer;
  if (requireGroups.length > 0 && !requireGroups.some((group) => groups.includes(group))) return DENIED.group;
  const org = readOrg(issuer, claims);
  if (org === null) return DENIED.org;
  const name = readName(claims, issuer.claims.name);
  return Object.freeze({ id, issuer: issuer.issuer, email, name, groups, org });
}

/** Denies with `credential_invalid`. Frozen. */
export function readCustomer(issuer: CustomerIssuer, claims: JsonObject): CustomerIdentity | Denial {
  const names = issuer.claims;
  const id = textOf(claimAt(claims, names.id));
  if (!isIdentifier(id, MAX_ID_LENGTH)) return DENIED.id;
  const tenant = textOf(claimAt(claims, names.tenant));
  if (!isIdentifier(tenant, MAX_TENANT_LENGTH)) return DENIED.tenant;
  const email = readEmail(claims, names.email);
  if (email === undefined) return DENIED.email;
  const permissions = readList(claimAt(claims, names.permissions));
  const products = readList(claimAt(claims, names.products));
  if (permissions === null || products === null) return DENIED.list;
  return Object.freeze({
    kind: 'customer',
    issuer: issuer.issuer,
    id,
    email,
    name: readName(claims, names.name),
    tenant: tenant as TenantId,
    // "true", 1 and the like are refused power, not given it.
    admin: claimAt(claims, names.admin) === true,
    permissions,
    products,
  });
}

/** An own member of that name (Auth0's are URLs, with dots), else the path of members that the dots spell. */
function claimAt(claims: JsonObject, name: string): unknown {
  if (Object.hasOwn(claims, name) || !name.includes('.')) return member(claims, name);
  let value: unknown = claims;
  for (const step of name.split('.')) {
    if (!isJsonObject(value)) return undefined;
    value = member(value, step);
  }
  return value;
}

/** Systems that number their accounts put numbers into their tokens; a fraction or a huge one is no number of one. */
function textOf(value: unknown): unknown {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? String(value) : value;
}

function isIdentifier(value: unknown, maxLength: number): value is string {
  return (
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= maxLength &&
    value.isWellFormed() &&
    !INVISIBLE.test(value) &&
    value.trim() === value
  );
}

/** Null when absent or not verified; undefined when malformed. */
function readEmail(claims: JsonObject, name: string): string | null | undefined {
  const email = claimAt(claims, name);
  if (email === undefined || email === null || email === '') return null;
  if (!isIdentifier(email, MAX_EMAIL_LENGTH) || !isAddress(email)) return undefined;
  return isVouchedFor(claims, 'email_verified') && isVouchedFor(claims, 'xms_edov') ? email : null;
}

/** Also for whoever folds full width forms to ASCII, or decodes words (RFC 2047): an `@` may hide in either. */
function isAddress(email: string): boolean {
  return ADDRESS.test(email) && ADDRESS.test(email.normalize('NFKC')) && !email.includes('=?');
}

/**
 * OpenID Connect Core section 5.1, and Entra's word on whether the address' domain was proven (without it anyone
 * with a directory of their own can claim any address). Absent is not a no; some providers quote their booleans.
 */
function isVouchedFor(claims: JsonObject, name: string): boolean {
  const word = member(claims, name);
  return word === undefined || word === true || word === 'true' || word === 1 || word === '1';
}

function readName(claims: JsonObject, claim: string): string | null {
  const name = claimAt(claims, claim);
  if (typeof name !== 'string' || name.length === 0 || name.length > MAX_NAME_LENGTH) return null;
  // Only shown, never compared: an odd name is left out and shuts nobody out.
  return name.isWellFormed() && VISIBLE.test(name) && !UNSAFE_IN_NAME.test(name) ? name : null;
}

/** Frozen, without duplicates; a single string is a list of one. Null when malformed. */
function readList(value: unknown): readonly string[] | null {
  if (value === undefined || value === null) return Object.freeze([]);
  const list: unknown[] = Array.isArray(value) ? value : [value];
  for (const entry of list) {
    if (!isIdentifier(entry, MAX_ENTRY_LENGTH)) return null;
  }
  return Object.freeze([...new Set(list as string[])]);
}

/**
 * Entra leaves the groups out when there are more than about 200 and points at a list elsewhere: an empty list
 * would then be a wrong answer, for a rule may depend on the very group that is missing.
 */
function hasOverage(claims: JsonObject, claim: string): boolean {
  const elsewhere = member(claims, '_claim_names');
  if (isJsonObject(elsewhere) && Object.hasOwn(elsewhere, claim)) return true;
  if (claim !== 'groups') return false;
  const flag = member(claims, 'hasgroups');
  return flag === true || flag === 'true' || Object.hasOwn(claims, 'groups:src1');
}

function readOrg(issuer: SupportIssuer, claims: JsonObject): string | null {
  const { org } = issuer;
  if ('value' in org) return org.value;
  const claimed = claimAt(claims, org.claim);
  return typeof claimed === 'string' && org.oneOf.includes(claimed) ? claimed : null;
}
