// A support session and its report as the API shows them, and a body of the API as a wish. Assumes that the body passed its
// schema. Pure and cold.
import type { ControlIdentity } from '#authn/control-authenticator.ts';
import type { EpochMs } from '#model/clock.ts';
import type { Access, Actor, StatedReason } from '#model/grant.ts';
import type { GrantId, TenantId } from '#model/ids.ts';
import type { Principal } from '#model/principal.ts';
import { sessionOverAt, type SupportSession } from '#model/session.ts';
import type { SessionWish } from '#sessions/session-authority.ts';
import type { Denials, SessionReport } from '#sessions/session-report.ts';
import { formatInstant } from './instants.ts';

export interface OpenBody {
  readonly tenant: TenantId;
  readonly grantId?: GrantId | null;
  readonly access?: Access;
  readonly reason: StatedReason;
  readonly caseRef?: string | null;
  readonly browser?: boolean;
}

/** Who asks: of the staff, by the token of this call. */
export interface Asker {
  readonly principal: Principal;
  readonly keyId?: string;
}

/** Reads unless writing is asked for. */
export function wishOf(body: OpenBody, { principal, keyId }: Asker, launch: boolean): SessionWish {
  const { tenant, grantId = null, access = 'read', reason, caseRef = null } = body;
  const by = keyId === undefined ? { principal } : { principal, keyId };
  return { tenant, ...by, grantId, access, reason, caseRef, launch };
}

/** What is known of a session beside what the store keeps. */
export interface SessionFacts {
  readonly now: EpochMs;
  /** The latest use known here. */
  readonly lastUsedAt: EpochMs;
  /** By its report; null while there is none. */
  readonly writes: number | null;
}

/** What has no meaning yet is absent: an end, a note, a count of writes. The status is by the clock at this moment. */
export function sessionJson(
  session: SupportSession,
  { now, lastUsedAt, writes }: SessionFacts,
): Record<string, unknown> {
  const end =
    session.endedAt === null
      ? sessionOverAt(session, lastUsedAt, now)
      : { endedAt: session.endedAt, endedBy: session.endedBy };
  return {
    id: session.id,
    tenant: session.tenant,
    status: end === null ? 'active' : 'ended',
    principal: personJson(session.principal),
    grantId: session.grantId,
    access: session.access,
    reason: session.reason,
    ...(session.caseRef === null ? {} : { caseRef: session.caseRef }),
    startedAt: formatInstant(session.startedAt),
    endsAt: formatInstant(session.endsAt),
    idle: durationText(session.idleMs),
    lastUsedAt: formatInstant(lastUsedAt),
    ...(end === null ? {} : { endedAt: formatInstant(end.endedAt), endedBy: end.endedBy }),
    ...(session.note === null ? {} : { note: session.note }),
    ...(writes === null ? {} : { hasWrites: writes > 0 }),
  };
}

/** The note may be newer than the report. */
export function reportJson(report: SessionReport, note: string | null): Record<string, unknown> {
  const { principal, caseRef, startedAt, endedAt, durationMs, madeAt, denials, ...counted } = report;
  return {
    ...counted,
    principal: personJson(principal),
    ...(caseRef === null ? {} : { caseRef }),
    startedAt: formatInstant(startedAt),
    endedAt: formatInstant(endedAt),
    duration: durationText(durationMs),
    madeAt: formatInstant(madeAt),
    denials: denials.map(denialJson),
    ...(note === null ? {} : { note }),
  };
}

function denialJson({ reasonCode, rule, category, count }: Denials): Record<string, unknown> {
  return rule === null ? { reasonCode, count } : { reasonCode, rule: { id: rule, category }, count };
}

type Person = Pick<Principal, 'id' | 'issuer' | 'email' | 'name' | 'org'>;

function personJson({ id, issuer, email, name, org }: Person): Record<string, unknown> {
  return { id, issuer, email, name, org };
}

const UNITS: readonly (readonly [string, number])[] = [
  ['h', 3_600_000],
  ['m', 60_000],
];

/** The largest unit that says it exactly, down to seconds, which are rounded: `8h`, `30m`, `754s`. */
function durationText(ms: number): string {
  for (const [unit, unitMs] of UNITS) if (ms > 0 && ms % unitMs === 0) return `${ms / unitMs}${unit}`;
  return `${Math.round(ms / 1000)}s`;
}

/** Who ends a session, and as what that is put down. A service never gets here: a defect that lets one through throws. */
export function enderOf(
  identity: ControlIdentity,
  isOwn: boolean,
): { readonly by: Actor; readonly ending: 'left' | 'tenant' | 'vendor' } {
  switch (identity.kind) {
    case 'customer': {
      const { id, issuer, email, name, admin } = identity;
      const kind = admin ? 'tenant_admin' : 'tenant_user';
      return { by: { kind, id, issuer, email, name, onBehalfOf: null }, ending: 'tenant' };
    }
    case 'staff': {
      const { id, issuer, email, name } = identity.principal;
      const kind = isOwn ? 'staff' : 'security';
      return {
        by: { kind, id, issuer, email, name, onBehalfOf: null },
        ending: isOwn ? 'left' : 'vendor',
      };
    }
    case 'service':
      throw new TypeError('services do not end sessions');
  }
}
