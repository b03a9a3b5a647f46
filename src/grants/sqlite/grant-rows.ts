// Between a grant and its row: JSON in the list columns, and frozen through and through on the way out, because
// one object is shared by the cache and every request. A row that cannot be read throws a SyntaxError, which the
// connection maps to STORE_UNAVAILABLE: half a grant is no grant.
import { type EpochMs, NEVER } from '#model/clock.ts';
import type { Access, Actor, Grant, GrantSource, Verification } from '#model/grant.ts';
import type { GrantId, TenantId } from '#model/ids.ts';
import type { CasePeriod } from '../grant-limits.ts';

export interface GrantRow {
  readonly id: string;
  readonly tenant: string;
  readonly revision: number;
  readonly starts_at: number;
  readonly ends_at: number;
  readonly access: string;
  readonly audience_org: string | null;
  readonly audience_groups: string | null;
  readonly audience_principals: string | null;
  readonly roles: string;
  readonly workspaces: string;
  readonly act_as: string | null;
  readonly lifts: string;
  readonly case_ref: string | null;
  readonly reason: string | null;
  readonly granted_by: string;
  readonly widened_by: string | null;
  readonly created_at: number;
  readonly revoked_at: number | null;
  readonly revoked_by: string | null;
  readonly source: string;
  readonly notice: string | null;
  readonly verification: string | null;
}

export const GRANT_COLUMNS = [
  'id',
  'tenant',
  'revision',
  'starts_at',
  'ends_at',
  'access',
  'audience_org',
  'audience_groups',
  'audience_principals',
  'roles',
  'workspaces',
  'act_as',
  'lifts',
  'case_ref',
  'reason',
  'granted_by',
  'widened_by',
  'created_at',
  'revoked_at',
  'revoked_by',
  'source',
  'notice',
  'verification',
] as const satisfies readonly (keyof GrantRow)[];

/** A plain copy that a statement binds by name. */
export function rowOf(grant: Grant): Record<keyof GrantRow, string | number | null> {
  const { org, groups, principals } = grant.audience;
  return {
    id: grant.id,
    tenant: grant.tenant,
    revision: grant.revision,
    starts_at: grant.startsAt,
    ends_at: grant.expiresAt ?? NEVER,
    access: grant.access,
    audience_org: org,
    audience_groups: toJson(groups),
    audience_principals: toJson(principals),
    roles: JSON.stringify(grant.roles),
    workspaces: JSON.stringify(grant.workspaces),
    act_as: grant.actAs,
    lifts: JSON.stringify(grant.lifts),
    case_ref: grant.caseRef,
    reason: toJson(grant.reason),
    granted_by: JSON.stringify(grant.grantedBy),
    widened_by: toJson(grant.widenedBy ?? null),
    created_at: grant.createdAt,
    revoked_at: grant.revokedAt,
    revoked_by: toJson(grant.revokedBy),
    source: grant.source ?? 'direct',
    notice: toJson(grant.notice ?? null),
    verification: toJson(grant.verification ?? null),
  };
}

/** Deeply frozen. */
export function grantOf(row: GrantRow): Grant {
  const widenedBy = fromJson<readonly Actor[]>(row.widened_by);
  const notice = fromJson<{ readonly version: string }>(row.notice);
  const verification = fromJson<Verification>(row.verification);
  return frozen({
    id: row.id as GrantId,
    tenant: row.tenant as TenantId,
    revision: row.revision,
    startsAt: row.starts_at as EpochMs,
    expiresAt: row.ends_at === NEVER ? null : (row.ends_at as EpochMs),
    access: row.access as Access,
    audience: {
      org: row.audience_org,
      groups: fromJson(row.audience_groups),
      principals: fromJson(row.audience_principals),
    },
    roles: JSON.parse(row.roles) as Grant['roles'],
    workspaces: JSON.parse(row.workspaces) as Grant['workspaces'],
    actAs: row.act_as,
    lifts: JSON.parse(row.lifts) as Grant['lifts'],
    caseRef: row.case_ref,
    reason: fromJson(row.reason),
    grantedBy: JSON.parse(row.granted_by) as Actor,
    ...(widenedBy === null ? {} : { widenedBy }),
    createdAt: row.created_at as EpochMs,
    revokedAt: row.revoked_at as EpochMs | null,
    revokedBy: fromJson(row.revoked_by),
    source: row.source as GrantSource,
    ...(notice === null ? {} : { notice }),
    ...(verification === null ? {} : { verification }),
  });
}

/** Of another grant, no more than its time. */
export function periodOf(row: Pick<GrantRow, 'id' | 'starts_at' | 'ends_at' | 'revoked_at'>): CasePeriod {
  return {
    id: row.id as GrantId,
    startsAt: row.starts_at as EpochMs,
    expiresAt: row.ends_at === NEVER ? null : (row.ends_at as EpochMs),
    revokedAt: row.revoked_at as EpochMs | null,
  };
}

function toJson(value: unknown): string | null {
  return value === null ? null : JSON.stringify(value);
}

function fromJson<T>(text: string | null): T | null {
  return text === null ? null : (JSON.parse(text) as T);
}

export function frozen<T extends object>(value: T): T {
  for (const inner of Object.values(value)) if (typeof inner === 'object' && inner !== null) frozen(inner);
  return Object.freeze(value);
}
