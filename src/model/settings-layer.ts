// Tenant settings as layers: what the gateway's file, a profile, a class, the vendor and the customer's admins each say,
// every key optional. Merged in one place (grants/settings/effective-settings.ts). Also their written form, the same in a
// profile's YAML and in the control API: as below, durations as texts. Types, and one pure reading; cold.
import { parseDuration } from './duration.ts';
import type { Audience } from './grant.ts';
import type { GrantDurations, SwitchGrant, TenantSettings, WebhookSettings } from './tenant-settings.ts';

/** What one layer says; a key that is absent leaves what lies below it. */
export type SettingsLayer = Partial<
  Omit<
    TenantSettings,
    'class' | 'systemAccess' | 'excludedOrgs' | 'suspended' | 'durations' | 'switchGrant' | 'webhooks'
  >
> & {
  readonly durations?: Partial<GrantDurations>;
  readonly switchGrant?: Partial<SwitchGrant>;
};

/** What follows from a tenant's class; a class alone may give access that no customer gave, or exclude staff. */
export type ClassRules = SettingsLayer & Partial<Pick<TenantSettings, 'systemAccess' | 'excludedOrgs'>>;

export interface SettingsProfile {
  readonly name: string;
  readonly settings: SettingsLayer;
  readonly classes: Readonly<Record<string, ClassRules>>;
}

/** What the vendor has settled for one tenant. */
export type VendorPart = SettingsLayer & {
  readonly class?: string;
  /** Instead of the gateway's own. */
  readonly profile?: string;
  readonly webhooks?: readonly WebhookSettings[];
};

/** What the customer's admins have settled: nothing in it makes anything looser. */
export interface OwnPart {
  readonly suspended?: boolean;
  readonly standing?: TenantSettings['standing'];
  readonly sessionsRequired?: boolean;
  readonly sessionIdleMs?: number;
  readonly sessionMaxMs?: number;
  readonly liftable?: readonly string[];
  readonly timeZone?: string;
  readonly durations?: Partial<Pick<GrantDurations, 'default' | 'max' | 'indefinite'>>;
  readonly mayGrant?: TenantSettings['mayGrant'];
  readonly reasonRequired?: boolean;
  readonly caseRefRequired?: boolean;
  readonly approvals?: number;
  readonly requestLifetimeMs?: number;
  readonly defaultAccess?: TenantSettings['defaultAccess'];
  readonly breakGlass?: boolean;
  readonly notifyEmails?: readonly string[];
  readonly webhooks?: readonly WebhookSettings[];
}

/** Above the defaults, per tenant: all that is needed to know its effective settings. Frozen. */
export interface SettingsDefaults {
  /** What the gateway's file says below every profile. */
  readonly file: SettingsLayer;
  /** Sessions are never less strict than this, whoever says so. */
  readonly floor: SessionFloor;
  /** The profile of a tenant that has none of its own; null: none. */
  readonly profile: string | null;
  readonly profiles: ReadonlyMap<string, SettingsProfile>;
  /** What the gateway's file says above every profile. */
  readonly over: SettingsLayer;
  /** What it says of classes, key by key above a profile's. */
  readonly classes: Readonly<Record<string, ClassRules>>;
  /** How long the journal is kept (`audit.retention`): no tenant's `auditRetention` is longer. */
  readonly recordsKeptMs: number;
}

export interface SessionFloor {
  readonly required: boolean;
  readonly idleMs: number;
  readonly maxMs: number;
}

/** The keys whose written form is a duration's text, by the name of the written key. */
export const WRITTEN_DURATIONS = {
  sessionIdle: 'sessionIdleMs',
  sessionMax: 'sessionMaxMs',
  requestLifetime: 'requestLifetimeMs',
  auditRetention: 'auditRetentionMs',
} as const satisfies Record<string, keyof TenantSettings>;

/**
 * A layer from its written form, whose shape a schema has checked. Keys that are null stay null: in a change of settings
 * they mean "as inherited". A duration that is none becomes NaN, which settings-values.ts refuses.
 */
export function readLayer(written: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const layer: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(written)) {
    if (isWrittenDuration(key)) {
      layer[WRITTEN_DURATIONS[key]] = value === null ? null : (parseDuration(String(value)) ?? Number.NaN);
    } else {
      layer[key] = key === 'switchGrant' && value !== null ? readSwitchGrant(value) : value;
    }
  }
  return layer;
}

/** An audience may leave out the fields that name nobody. */
function readSwitchGrant(value: unknown): unknown {
  const { audience, ...rest } = value as { readonly audience?: Partial<Audience> };
  if (audience === undefined) return rest;
  const { org = null, groups = null, principals = null } = audience;
  return { ...rest, audience: { org, groups, principals } };
}

function isWrittenDuration(key: string): key is keyof typeof WRITTEN_DURATIONS {
  return Object.hasOwn(WRITTEN_DURATIONS, key);
}

/** The written name of a layer's key, for a message about it. */
export function writtenKey(key: string): string {
  for (const [written, kept] of Object.entries(WRITTEN_DURATIONS)) if (kept === key) return written;
  return key;
}
