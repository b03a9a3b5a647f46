// A grant as the API shows it, and a body of the API as the store's draft or patch. Assumes that the body passed
// its schema; what a schema cannot say (real instants, one end only) is checked here and answered with a pointer.
import type { ControlIdentity } from '#authn/control-authenticator.ts';
import type { GrantDraft, GrantPatch } from '#grants/grant-store.ts';
import type { EpochMs } from '#model/clock.ts';
import { DURATION_EXAMPLES, parseDuration } from '#model/duration.ts';
import {
  type Access,
  type Actor,
  type Audience,
  type Grant,
  grantStatusAt,
  type StatedReason,
} from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import { ControlProblem } from './control-problem.ts';
import { formatInstant, parseEndDate, parseInstant } from './instants.ts';

interface OnBehalfOf {
  readonly id: string;
  readonly email: string;
  readonly name?: string | null;
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
}

export interface ChangeBody extends PersonBody {
  readonly expectedRevision?: number;
  readonly startsAt?: string;
  readonly expiresAt?: string | null;
  readonly access?: Access;
  readonly audience?: AudienceBody;
  readonly roles?: readonly string[];
  readonly workspaces?: Grant['workspaces'];
  readonly caseRef?: string | null;
  readonly reason?: StatedReason | null;
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
    notice: null,
    grantedBy: actorJson(grant.grantedBy),
    createdAt: formatInstant(grant.createdAt),
    revokedAt: grant.revokedAt === null ? null : formatInstant(grant.revokedAt),
    revokedBy: grant.revokedBy === null ? null : actorJson(grant.revokedBy),
  };
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
      return { kind: admin ? 'tenant_admin' : 'tenant_user', id, issuer, email, name, onBehalfOf: null };
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
      };
    case 'staff':
      throw new TypeError('support staff never act on grants');
  }
}

export interface DraftContext {
  readonly tenant: TenantId;
  readonly now: EpochMs;
  readonly defaultDurationMs: number;
}

/** Defaults: starts now, ends after the default duration, reads only. Throws ControlProblem `invalid_request`. */
export function draftOf(body: CreateBody, context: DraftContext): GrantDraft {
  const startsAt = body.startsAt === undefined ? context.now : instantOf(body.startsAt, '/startsAt');
  return {
    tenant: context.tenant,
    startsAt,
    expiresAt: endOf(body, startsAt, context.defaultDurationMs),
    access: body.access ?? 'read',
    audience: audienceOf(body.audience),
    roles: body.roles ?? [],
    workspaces: body.workspaces ?? [],
    actAs: body.actAs ?? null,
    lifts: body.lifts ?? [],
    caseRef: body.caseRef ?? null,
    reason: body.reason ?? null,
  };
}

/** Only the keys that were given. Throws ControlProblem `invalid_request`. */
export function patchOf(body: ChangeBody): GrantPatch {
  const { expectedRevision, access, roles, workspaces, caseRef, reason } = body;
  return {
    ...(expectedRevision === undefined ? {} : { expectedRevision }),
    ...(body.startsAt === undefined ? {} : { startsAt: instantOf(body.startsAt, '/startsAt') }),
    ...(body.expiresAt === undefined ? {} : { expiresAt: endInstantOf(body.expiresAt) }),
    ...(access === undefined ? {} : { access }),
    ...(body.audience === undefined ? {} : { audience: audienceOf(body.audience) }),
    ...(roles === undefined ? {} : { roles }),
    ...(workspaces === undefined ? {} : { workspaces }),
    ...(caseRef === undefined ? {} : { caseRef }),
    ...(reason === undefined ? {} : { reason }),
  };
}

function audienceOf({ org, groups, principals }: AudienceBody): Audience {
  return { org: org ?? null, groups: groups ?? null, principals: principals ?? null };
}

function endOf(body: CreateBody, startsAt: EpochMs, defaultDurationMs: number): EpochMs | null {
  if (body.duration !== undefined) {
    if (body.expiresAt !== undefined) throw invalid('/duration', 'must not stand beside expiresAt');
    const durationMs = parseDuration(body.duration);
    if (durationMs === null) {
      throw invalid('/duration', `must be a whole number and a unit, such as ${DURATION_EXAMPLES}`);
    }
    return (startsAt + durationMs) as EpochMs;
  }
  if (body.expiresAt === undefined) return (startsAt + defaultDurationMs) as EpochMs;
  return endInstantOf(body.expiresAt);
}

function endInstantOf(text: string | null): EpochMs | null {
  if (text === null) return null;
  return parseEndDate(text) ?? instantOf(text, '/expiresAt');
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
