// Whether one state of a grant allows anything that another does not. Widening is a new consent; narrowing is not.
// Pure and cold. Anything that cannot be shown to be narrower counts as wider.
import type { Audience, Grant } from '#model/grant.ts';

/** What of a grant decides who may do what, and when. */
export type GrantScope = Pick<
  Grant,
  'startsAt' | 'expiresAt' | 'access' | 'audience' | 'roles' | 'workspaces' | 'lifts' | 'caseRef' | 'reason'
>;

/**
 * True when `next` allows a person, an instant, an access, a role, a workspace or a lift that `current` does not,
 * or states another purpose: the consent was given for the purpose, so another one needs another consent.
 */
export function isWider(current: GrantScope, next: GrantScope): boolean {
  return (
    next.startsAt < current.startsAt ||
    endOf(next) > endOf(current) ||
    (next.access === 'write' && current.access === 'read') ||
    !audienceWithin(next.audience, current.audience) ||
    !rolesWithin(next.roles, current.roles) ||
    !workspacesWithin(next.workspaces, current.workspaces) ||
    !subset(next.lifts, current.lifts) ||
    next.caseRef !== current.caseRef ||
    next.reason?.type !== current.reason?.type ||
    next.reason?.detail !== current.reason?.detail
  );
}

/** True when nothing differs: such a change makes no revision. */
export function isSameScope(a: GrantScope, b: GrantScope): boolean {
  return JSON.stringify(scopeOf(a)) === JSON.stringify(scopeOf(b));
}

function scopeOf(grant: GrantScope): readonly unknown[] {
  const { startsAt, expiresAt, access, audience, roles, workspaces, lifts, caseRef, reason } = grant;
  return [
    startsAt,
    expiresAt,
    access,
    [audience.org, audience.groups, audience.principals?.map((one) => [one.issuer, one.id])],
    roles,
    workspaces.map((one) => [one.id, one.roles]),
    lifts,
    caseRef,
    reason === null ? null : [reason.type, reason.detail],
  ];
}

function endOf(grant: GrantScope): number {
  return grant.expiresAt ?? Number.POSITIVE_INFINITY;
}

/** Named fields must all match, so a field that is no longer named lets more people in. */
function audienceWithin(next: Audience, current: Audience): boolean {
  if (current.org !== null && next.org !== current.org) return false;
  if (current.groups !== null && (next.groups === null || !subset(next.groups, current.groups))) return false;
  if (current.principals === null) return true;
  const allowed = current.principals;
  return (
    next.principals !== null &&
    next.principals.every((one) =>
      allowed.some((known) => known.id === one.id && known.issuer === one.issuer),
    )
  );
}

/**
 * No workspace named means no limit by workspace, so naming one narrows and naming none widens. It gives no role in any of
 * them either, so a role in the one that is named is a new one.
 */
function workspacesWithin(next: Grant['workspaces'], current: Grant['workspaces']): boolean {
  if (current.length === 0) return next.every((one) => one.roles.length === 0);
  if (next.length === 0) return false;
  return next.every((one) => {
    const known = current.find(({ id }) => id === one.id);
    return known !== undefined && rolesWithin(one.roles, known.roles);
  });
}

/**
 * The first role stays: it is the one that the upstream's credential is chosen by (`{grant.role}`, `{workspace.role}`),
 * so another one first is another credential. Without any, the upstream is told of none and does as it is used to.
 */
function rolesWithin(next: readonly string[], current: readonly string[]): boolean {
  return next[0] === current[0] && subset(next, current);
}

function subset(next: readonly string[], current: readonly string[]): boolean {
  return next.every((value) => current.includes(value));
}
