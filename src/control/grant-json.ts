// A grant as the API shows it, and a body of the API as the store's draft or patch. Assumes that the body passed
// its schema; what a schema cannot say (real instants, one end only) is checked here and answered with a pointer.
import type { ControlIdentity } from '#authn/control-authenticator.ts';
import type { GrantDraft, GrantPatch, GrantRevision, WrittenEnd } from '#grants/grant-store.ts';
import { CALENDAR_DURATION_EXAMPLES, parseCalendarDuration } from '#model/calendar-duration.ts';
import type { EpochMs } from '#model/clock.ts';
import {
  type Access,
  type Actor,
  type Audience,
  type Grant,
  type GrantorFacts,
  grantStatusAt,
  type StatedReason,
} from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { TenantId } from '#model/ids.ts';
import type { Principal } from '#model/principal.ts';
import { ControlProblem } from './control-problem.ts';
import { formatInstant, parseInstant } from './instants.ts';

interface OnBehalfOf {
  readonly id: string;
  readonly email: string;
  readonly name?: string | null;
  /** What the service says they hold, for tenants whose policy asks for it. */
  readonly permissions?: readonly string[];
  readonly products?: readonly string[];
}

export interface PersonBody {
  readonly onBehalfOf?: OnBehalfOf | null;
}

interface AudienceBody {
  readonly org?: string | null;
  readonly groups?: readonly string[] | null;
  readonly principals?: Audience['principals'];
}

export interface CreateBody extends PersonBody {
  readonly startsAt?: string;
  readonly expiresAt?: string | null;
  readonly duration?: string;
  readonly access?: Access;
  readonly audience: AudienceBody;
  readonly roles?: readonly string[];
  readonly workspaces?: Grant['workspaces'];
  readonly actAs?: string | null;
  readonly lifts?: readonly string[];
  readonly caseRef?: string | null;
  readonly reason?: StatedReason | null;
  readonly notice?: { readonly version: string };
}

export interface ChangeBody extends PersonBody {
  readonly expectedRevision?: number;
  readonly startsAt?: string;
  readonly expiresAt?: string | null;
  readonly access?: Access;
  readonly audience?: AudienceBody;
  readonly roles?: readonly string[];
  readonly workspaces?: Grant['workspaces'];
  readonly lifts?: readonly string[];
  readonly caseRef?: string | null;
  readonly reason?: StatedReason | null;
  readonly notice?: { readonly version: string };
}

export interface VerifyBody {
  readonly expectedRevision?: number;
}

/** The documented shape; the status is by the clock at this moment. Whom an actor's token came from stays here. */
export function grantJson(grant: Grant, now: EpochMs): Record<string, unknown> {
  return {
    id: grant.id,
    tenant: grant.tenant,
    revision: grant.revision,
    status: grantStatusAt(grant, now),
    startsAt: formatInstant(grant.startsAt),
    expiresAt: grant.expiresAt === null ? null : formatInstant(grant.expiresAt),
    access: grant.access,
    audience: grant.audience,
    roles: grant.roles,
    workspaces: grant.workspaces,
    actAs: grant.actAs,
    lifts: grant.lifts,
    caseRef: grant.caseRef,
    reason: grant.reason,
    source: grant.source ?? 'direct',
    notice: grant.notice ?? null,
    ...(grant.verification === undefined ? {} : { verification: verificationJson(grant.verification) }),
    grantedBy: actorJson(grant.grantedBy),
    createdAt: formatInstant(grant.createdAt),
    revokedAt: grant.revokedAt === null ? null : formatInstant(grant.revokedAt),
    revokedBy: grant.revokedBy === null ? null : actorJson(grant.revokedBy),
  };
}

function verificationJson({ at, by }: NonNullable<Grant['verification']>): Record<string, unknown> {
  if (at === null || by === null) return { status: 'pending' };
  return { status: 'verified', at: formatInstant(at), by: actorJson(by) };
}

/** One step of the history, the grant as it was after it; its status is of now, as a grant's always is. */
export function revisionJson({ operation, at, by, grant }: GrantRevision, now: EpochMs): object {
  const who = by === null ? {} : { by: actorJson(by) };
  return { operation, at: formatInstant(at), ...who, grant: grantJson(grant, now) };
}

function actorJson({ id, email, name, kind, onBehalfOf }: Actor): Record<string, unknown> {
  return { id, email, name, kind, onBehalfOf };
}

/** Who is recorded as having done it. Staff have no actor: a defect that lets one through throws. */
export function actorOf(identity: ControlIdentity, body: PersonBody | null | undefined): Actor {
  const person = body?.onBehalfOf ?? null;
  switch (identity.kind) {
    case 'customer': {
      if (person !== null) throw new ControlProblem('on_behalf_of_not_allowed', 'Leave `onBehalfOf` out.');
      const { id, issuer, email, name, admin } = identity;
      const holds = { permissions: identity.permissions, products: identity.products };
      return {
        kind: admin ? 'tenant_admin' : 'tenant_user',
        id,
        issuer,
        email,
        name,
        onBehalfOf: null,
        holds,
      };
    }
    case 'service':
      return {
        kind: 'service',
        id: identity.name,
        issuer: 'urn:postern:service',
        email: null,
        name: identity.name,
        onBehalfOf:
          person === null ? null : { id: person.id, email: person.email, name: person.name ?? null },
        holds: heldBy(person),
      };
    case 'staff':
      throw new TypeError('support staff never act on grants');
  }
}

function heldBy(person: OnBehalfOf | null): GrantorFacts {
  return { permissions: person?.permissions ?? [], products: person?.products ?? [] };
}

/** Only staff verify: a defect that lets anybody else through throws. */
export function leadOf(identity: ControlIdentity): Principal {
  if (identity.kind === 'staff') return identity.principal;
  throw new TypeError('only support staff verify grants');
}

export interface DraftContext {
  readonly tenant: TenantId;
  readonly now: EpochMs;
}

/** Starts now where no start is named; what else is left out is the tenant's default. Throws ControlProblem, GrantRefusal. */
export function draftOf(body: CreateBody, { tenant, now }: DraftContext): GrantDraft {
  const { access, notice } = body;
  return {
    tenant,
    startsAt: body.startsAt === undefined ? now : instantOf(body.startsAt, '/startsAt'),
    expiresAt: endOf(body),
    ...(access === undefined ? {} : { access }),
    audience: audienceOf(body.audience),
    roles: body.roles ?? [],
    workspaces: body.workspaces ?? [],
    actAs: body.actAs ?? null,
    lifts: body.lifts ?? [],
    caseRef: body.caseRef ?? null,
    reason: body.reason ?? null,
    ...(notice === undefined ? {} : { notice }),
  };
}

/** Only the keys that were given. Throws ControlProblem `invalid_request`. */
export function patchOf(body: ChangeBody): GrantPatch {
  const { expectedRevision, access, roles, workspaces, lifts, caseRef, reason, notice } = body;
  return {
    ...(expectedRevision === undefined ? {} : { expectedRevision }),
    ...(body.startsAt === undefined ? {} : { startsAt: instantOf(body.startsAt, '/startsAt') }),
    ...(body.expiresAt === undefined ? {} : { expiresAt: writtenEnd(body.expiresAt) }),
    ...(access === undefined ? {} : { access }),
    ...(body.audience === undefined ? {} : { audience: audienceOf(body.audience) }),
    ...(roles === undefined ? {} : { roles }),
    ...(workspaces === undefined ? {} : { workspaces }),
    ...(lifts === undefined ? {} : { lifts }),
    ...(caseRef === undefined ? {} : { caseRef }),
    ...(reason === undefined ? {} : { reason }),
    ...(notice === undefined ? {} : { notice }),
  };
}

function audienceOf({ org, groups, principals }: AudienceBody): Audience {
  return { org: org ?? null, groups: groups ?? null, principals: principals ?? null };
}

/** As it was written: only the store knows the tenant's zone at the moment of the commit. */
function endOf({ duration, expiresAt }: CreateBody): GrantDraft['expiresAt'] {
  if (duration === undefined) return expiresAt === undefined ? { written: null } : writtenEnd(expiresAt);
  if (expiresAt !== undefined) throw invalid('/duration', 'must not stand beside expiresAt');
  if (parseCalendarDuration(duration) !== null) return { written: duration };
  const allowed = `A duration is a whole number and a unit, such as ${CALENDAR_DURATION_EXAMPLES}.`;
  throw new GrantRefusal('duration_invalid', allowed);
}

function writtenEnd(text: string | null): WrittenEnd | null {
  if (text === null) return null;
  if (/^[0-9]+-/.test(text)) return { written: text };
  throw new GrantRefusal(
    'instant_invalid',
    'An end is an RFC 3339 instant, such as 2030-01-31T12:00:00Z, or a day, such as 2030-01-31.',
  );
}

function instantOf(text: string, pointer: string): EpochMs {
  const at = parseInstant(text);
  if (at === null) throw invalid(pointer, 'must be an RFC 3339 instant, such as 2030-01-31T12:00:00Z');
  return at;
}

function invalid(pointer: string, message: string): ControlProblem {
  return new ControlProblem('invalid_request', 'See `errors` for each place and what is allowed there.', [
    { pointer, message },
  ]);
}
