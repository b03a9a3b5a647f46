// Who acts, as an application behind the gate reads it: the claims of an assertion whose signature was checked.
// Guarantees: every member has its type, whatever was signed; the whole is frozen. Runs once per request with an assertion.
import type { JWTPayload } from 'jose';
import type { Access } from '#model/grant.ts';

/** Frozen. What the gate did not say is null, or empty. */
export interface SupportContext {
  /** The support person: never one of the customer's users. */
  readonly principal: {
    readonly id: string;
    /** Of the identity provider that says so: an id is one person's only together with it. */
    readonly issuer: string;
    readonly org: string;
    readonly email: string | null;
    readonly name: string | null;
  };
  /** The customer's account that may be entered, and no other. */
  readonly tenant: string;
  readonly grant: { readonly id: string; readonly revision: number };
  readonly access: Access;
  /** What the application may give the principal. */
  readonly roles: readonly string[];
  /** Empty: no limit to some of them. */
  readonly workspaces: readonly { readonly id: string; readonly roles: readonly string[] }[];
  /** The customer's user on whose behalf to act. */
  readonly actAs: string | null;
  readonly session: string | null;
  readonly caseRef: string | null;
  /** `jti`, for the application's own log. One assertion serves many requests. */
  readonly assertionId: string;
  /** Milliseconds since 1970. What goes on longer than this has no authority any more. */
  readonly expiresAt: number;
}

/** Null for claims of another shape than the gate signs. Assumes that issuer, audience and dates were checked. */
export function supportContextOf(claims: JWTPayload): SupportContext | null {
  const { sub, idp, org, tenant, access, jti, exp } = claims;
  const grant = grantOf(claims['grant']);
  const workspaces = workspacesOf(claims['workspaces']);
  const { roles } = claims;
  if (
    !isText(sub) ||
    !isText(idp) ||
    !isText(org) ||
    !isText(tenant) ||
    !isText(jti) ||
    typeof exp !== 'number'
  )
    return null;
  if (access !== 'read' && access !== 'write') return null;
  if (grant === null || workspaces === null || !isTexts(roles)) return null;
  const said = optionalTexts(claims);
  if (said === null) return null;
  const { email, name, ...rest } = said;
  return Object.freeze({
    principal: Object.freeze({ id: sub, issuer: idp, org, email, name }),
    tenant,
    grant,
    access,
    roles: Object.freeze([...roles]),
    workspaces,
    ...rest,
    assertionId: jti,
    expiresAt: exp * 1000,
  });
}

interface OptionalTexts {
  readonly email: string | null;
  readonly name: string | null;
  readonly actAs: string | null;
  readonly session: string | null;
  readonly caseRef: string | null;
}

/** Absent is null; anything but a text that is not empty is not the gate's. */
function optionalTexts(claims: JWTPayload): OptionalTexts | null {
  const said = { email: null, name: null, actAs: null, session: null, caseRef: null };
  const texts: Record<keyof OptionalTexts, string | null> = said;
  for (const name of Object.keys(said) as (keyof OptionalTexts)[]) {
    const value = Object.hasOwn(claims, name) ? claims[name] : null;
    if (value !== null && !isText(value)) return null;
    texts[name] = value;
  }
  return texts;
}

function grantOf(value: unknown): SupportContext['grant'] | null {
  if (!isObject(value)) return null;
  const { id, revision } = value;
  if (!isText(id) || !Number.isSafeInteger(revision) || (revision as number) < 1) return null;
  return Object.freeze({ id, revision: revision as number });
}

function workspacesOf(value: unknown): SupportContext['workspaces'] | null {
  if (!Array.isArray(value)) return null;
  const workspaces: SupportContext['workspaces'][number][] = [];
  for (const one of value as readonly unknown[]) {
    if (!isObject(one) || !isText(one['id']) || !isTexts(one['roles'])) return null;
    workspaces.push(Object.freeze({ id: one['id'], roles: Object.freeze([...one['roles']]) }));
  }
  return Object.freeze(workspaces);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every(isText);
}
