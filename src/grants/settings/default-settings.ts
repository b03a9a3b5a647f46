// The settings of a tenant nobody has said anything about, without a profile: what SYSTEMS.md calls the defaults that
// follow. Everything else is a layer over these (effective-settings.ts). Cold.
import type { TenantSettings } from '#model/tenant-settings.ts';

const HOUR_MS = 3_600_000;

/** `audience` of the switch names nobody: a profile or the gateway's file says who the vendor's staff are. Frozen. */
export const DEFAULT_TENANT_SETTINGS: TenantSettings = Object.freeze({
  class: 'standard',
  standing: 'none',
  systemAccess: null,
  excludedOrgs: Object.freeze([]),
  suspended: false,
  sessionsRequired: true,
  sessionIdleMs: null,
  sessionMaxMs: null,
  liftable: Object.freeze([]),
  vendorVerification: 'none',
  notice: null,
  timeZone: 'UTC',
  durations: Object.freeze({
    presets: Object.freeze([]),
    default: '7d',
    min: '1s',
    max: '14d',
    indefinite: false,
    maxPerCase: null,
    maxStartDelay: '365d',
    wholeDays: 0,
  }),
  mayGrant: Object.freeze({ kind: 'admins' }),
  reasonRequired: true,
  caseRefRequired: true,
  caseRefPattern: null,
  approvals: 1,
  leadFirst: false,
  requestLifetimeMs: 24 * HOUR_MS,
  defaultAccess: 'read',
  switchGrant: Object.freeze({
    access: 'read',
    audience: Object.freeze({ org: null, groups: null, principals: null }),
    roles: Object.freeze([]),
    workspaces: Object.freeze([]),
  }),
  breakGlass: false,
  notifyEmails: Object.freeze([]),
  webhooks: Object.freeze([]),
  auditRetentionMs: null,
});
