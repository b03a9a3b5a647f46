// Break glass as the API shows it, and a body of the API as the store's draft. Assumes that the body passed its schema.
// Cold.
import type { ControlIdentity } from '#authn/control-authenticator.ts';
import type {
  Emergency,
  EmergencyDraft,
  EmergencyStatus,
  Responder,
} from '#grants/emergencies/emergency-store.ts';
import type { EpochMs } from '#model/clock.ts';
import type { Access, StatedReason } from '#model/grant.ts';
import type { TenantId } from '#model/ids.ts';
import { formatInstant } from './instants.ts';
import { durationMsOf, securityJson } from './lock-json.ts';

export interface EmergencyBody {
  readonly tenant: TenantId;
  readonly caseRef?: string | null;
  readonly reason: StatedReason;
  readonly access?: Access;
  readonly duration?: string;
  readonly responder?: Responder | null;
}

const DEFAULT_DURATION = '1h';

/** The documented shape; `expiresAt` is what was confirmed, the tenant may have ended it since. */
export function emergencyJson(emergency: Emergency, now: EpochMs): Record<string, unknown> {
  const { confirmedBy, confirmedAt, durationMs } = emergency;
  return {
    id: emergency.id,
    status: statusOf(emergency, now),
    tenant: emergency.tenant,
    caseRef: emergency.caseRef,
    reason: emergency.reason,
    access: emergency.access,
    duration: durationText(durationMs),
    responder: emergency.responder,
    askedBy: securityJson(emergency.askedBy),
    createdAt: formatInstant(emergency.createdAt),
    lapsesAt: formatInstant(emergency.lapsesAt),
    confirmedBy: confirmedBy === null ? null : securityJson(confirmedBy),
    confirmedAt: confirmedAt === null ? null : formatInstant(confirmedAt),
    grantId: emergency.grantId,
    expiresAt: confirmedAt === null ? null : formatInstant((confirmedAt + durationMs) as EpochMs),
  };
}

/** As grants/emergencies/emergency-rules.ts says it: rooms are joined by types alone here. */
function statusOf({ confirmedAt, lapsesAt }: Emergency, now: EpochMs): EmergencyStatus {
  if (confirmedAt !== null) return 'confirmed';
  return now < lapsesAt ? 'pending' : 'lapsed';
}

/** Throws ControlProblem `invalid_request`; a TypeError for a caller who is not staff: a defect. */
export function emergencyDraftOf(body: EmergencyBody, identity: ControlIdentity): EmergencyDraft {
  if (identity.kind !== 'staff') throw new TypeError('only staff break the glass');
  return {
    tenant: body.tenant,
    org: identity.principal.org,
    caseRef: body.caseRef ?? null,
    reason: body.reason,
    access: body.access ?? 'read',
    durationMs: durationMsOf(body.duration ?? DEFAULT_DURATION),
    responder: body.responder ?? null,
  };
}

const UNITS = [
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const;

/** As durations are written: the largest unit that states it exactly. */
function durationText(durationMs: number): string {
  for (const [unit, unitMs] of UNITS) if (durationMs % unitMs === 0) return `${durationMs / unitMs}${unit}`;
  return `${Math.ceil(durationMs / 1000)}s`;
}
