// A lock as the API shows it, and a body of the API as the store's draft. Assumes that the body passed its schema; which
// keys go with a target's kind, and whether an instant is one, is checked here and answered with a pointer. Cold.
import type { ControlIdentity } from '#authn/control-authenticator.ts';
import type { LockDraft } from '#grants/locks/lock-store.ts';
import type { EpochMs } from '#model/clock.ts';
import { DURATION_EXAMPLES, parseDuration } from '#model/duration.ts';
import type { Actor } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import { type Lock, lockHoldsAt, type LockTarget } from '#model/lock.ts';
import { ControlProblem } from './control-problem.ts';
import { formatInstant, parseInstant } from './instants.ts';

interface TargetBody {
  readonly kind: LockTarget['kind'];
  readonly issuer?: string;
  readonly id?: string;
  readonly email?: string | null;
  readonly tenant?: TenantId | null;
  readonly caseRef?: string;
}

export interface LockBody {
  readonly target: TargetBody;
  readonly message?: string | null;
  readonly endsAt?: string | null;
  readonly duration?: string;
}

/** The documented shape; the status is by the clock at this moment. */
export function lockJson(lock: Lock, now: EpochMs): Record<string, unknown> {
  return {
    id: lock.id,
    status: statusOf(lock, now),
    target: targetJson(lock.target),
    message: lock.message,
    createdAt: formatInstant(lock.createdAt),
    createdBy: securityJson(lock.createdBy),
    endsAt: lock.endsAt === null ? null : formatInstant(lock.endsAt),
    liftedAt: lock.liftedAt === null ? null : formatInstant(lock.liftedAt),
    liftedBy: lock.liftedBy === null ? null : securityJson(lock.liftedBy),
  };
}

function statusOf(lock: Lock, now: EpochMs): 'held' | 'ended' | 'lifted' {
  if (lock.liftedAt !== null) return 'lifted';
  return lockHoldsAt(lock, now) ? 'held' : 'ended';
}

/** What may be null and is, is left out: a body of the same shape would set the same lock. */
function targetJson(target: LockTarget): Record<string, unknown> {
  return Object.fromEntries(Object.entries(target).filter(([, value]) => value !== null));
}

export function securityJson({ id, email, name, kind }: Actor): Record<string, unknown> {
  return { id, email, name, kind };
}

/** Who is recorded as having done it. Only staff come here: a defect that lets another through throws. */
export function securityActorOf(identity: ControlIdentity): Actor {
  if (identity.kind !== 'staff') throw new TypeError('only staff set locks or break the glass');
  const { id, issuer, email, name } = identity.principal;
  const kind = identity.roles.includes('security') ? 'security' : 'staff';
  return { kind, id, issuer, email, name, onBehalfOf: null };
}

/** Throws ControlProblem `invalid_request`. */
export function lockDraftOf(body: LockBody, now: EpochMs): LockDraft {
  return { target: targetOf(body.target), message: body.message ?? null, endsAt: endOf(body, now) };
}

const KEYS = {
  principal: { required: ['issuer', 'id'], optional: ['email'] },
  tenant: { required: ['tenant'], optional: [] },
  case: { required: ['caseRef'], optional: ['tenant'] },
  everything: { required: [], optional: [] },
} as const satisfies Record<
  LockTarget['kind'],
  { readonly required: readonly string[]; readonly optional: readonly string[] }
>;

/** A key that does not go with the kind would be a lock of something else than was meant. */
function targetOf(body: TargetBody): LockTarget {
  const { kind, issuer, id, email = null, tenant = null, caseRef } = body;
  const { required, optional } = KEYS[kind];
  const known = new Set<string>(['kind', ...required, ...optional]);
  for (const key of Object.keys(body)) {
    if (!known.has(key)) throw invalid(`/target/${key}`, 'must not stand with this kind of target');
  }
  for (const key of required) {
    if ((body[key] ?? null) === null) throw invalid(`/target/${key}`, 'is required with this kind of target');
  }
  switch (kind) {
    case 'principal':
      return { kind, issuer: issuer as string, id: id as string, email };
    case 'tenant':
      return { kind, tenant: tenant as TenantId };
    case 'case':
      return { kind, caseRef: caseRef as string, tenant };
    case 'everything':
      return { kind };
  }
}

function endOf({ endsAt, duration }: LockBody, now: EpochMs): EpochMs | null {
  if (duration !== undefined) {
    if (endsAt !== undefined) throw invalid('/duration', 'must not stand beside endsAt');
    return (now + durationMsOf(duration)) as EpochMs;
  }
  if (endsAt === undefined || endsAt === null) return null;
  const at = parseInstant(endsAt);
  if (at === null) throw invalid('/endsAt', 'must be an RFC 3339 instant, such as 2030-01-31T12:00:00Z');
  return at;
}

/** Of `/duration` in a body. Throws ControlProblem `invalid_request`. */
export function durationMsOf(duration: string): number {
  const durationMs = parseDuration(duration);
  if (durationMs !== null) return durationMs;
  throw invalid('/duration', `must be a whole number and a unit, such as ${DURATION_EXAMPLES}`);
}

function invalid(pointer: string, message: string): ControlProblem {
  return new ControlProblem('invalid_request', 'See `errors` for each place and what is allowed there.', [
    { pointer, message },
  ]);
}
