// The settings that hold for a tenant: every layer merged, in one order, into one frozen value. From below: the defaults,
// the gateway's file, the profile, the file's own word above it, the class, the vendor's part; then the floor for
// sessions, and last the customer's own part, which can only make things stricter, whatever stands in it. Assumes that each
// value was checked when it was set; fails closed on what is no longer configured. Pure; cold, once per change.
import { neverLonger, parseCalendarDuration } from '#model/calendar-duration.ts';
import { NEVER_LIFTABLE } from '#model/never-liftable.ts';
import type {
  ClassRules,
  OwnPart,
  SessionFloor,
  SettingsDefaults,
  VendorPart,
} from '#model/settings-layer.ts';
import { STANDARD_CLASS } from '#model/settings-values.ts';
import type { GrantDurations, GrantorRule, TenantSettings, WebhookSettings } from '#model/tenant-settings.ts';
import { DEFAULT_TENANT_SETTINGS } from './default-settings.ts';
import { frozen } from '../sqlite/grant-rows.ts';

/** What is kept for one tenant. */
export interface SettingsParts {
  readonly vendor: VendorPart;
  readonly own: OwnPart;
}

/** The defaults of a gateway whose file says nothing and that has no profile. */
export const NO_SETTINGS_DEFAULTS: SettingsDefaults = {
  file: {},
  floor: { required: false, idleMs: Number.POSITIVE_INFINITY, maxMs: Number.POSITIVE_INFINITY },
  profile: null,
  profiles: new Map(),
  over: {},
  classes: {},
  recordsKeptMs: Number.POSITIVE_INFINITY,
};

/** Deeply frozen. */
export function effectiveSettings(defaults: SettingsDefaults, parts: SettingsParts): TenantSettings {
  return frozen(tightened(vendorSettings(defaults, parts.vendor), parts.own));
}

/** What holds before the customer's own part: what that may make stricter. */
export function vendorSettings(defaults: SettingsDefaults, vendor: VendorPart): TenantSettings {
  const { class: className = STANDARD_CLASS, profile: profileName, webhooks = [], ...layer } = vendor;
  const name = profileName ?? defaults.profile;
  const profile = name === null ? null : (defaults.profiles.get(name) ?? null);
  const rules = classRules(defaults, profile?.classes ?? {}, className);
  let settings: TenantSettings = { ...DEFAULT_TENANT_SETTINGS, class: className, webhooks };
  for (const one of [defaults.file, profile?.settings ?? {}, defaults.over, rules ?? {}, layer]) {
    settings = layered(settings, one);
  }
  // A class or a profile that the configuration no longer names may have excluded somebody: nobody enters.
  const isForgotten = rules === null || (name !== null && profile === null);
  return floored(
    {
      ...settings,
      systemAccess: isForgotten ? null : settings.systemAccess,
      suspended: isForgotten,
      auditRetentionMs: keptAtMost(settings.auditRetentionMs, defaults.recordsKeptMs),
    },
    defaults.floor,
  );
}

/** Null stays null; what was set before `audit.retention` became shorter is no longer than the journal is kept. */
function keptAtMost(retentionMs: number | null, recordsKeptMs: number): number | null {
  return retentionMs === null ? null : Math.min(retentionMs, recordsKeptMs);
}

/** Every class that the profile or the file names; null for any other but the standard one. */
function classRules(
  { classes }: SettingsDefaults,
  ofProfile: Readonly<Record<string, ClassRules>>,
  name: string,
): ClassRules | null {
  const below = Object.hasOwn(ofProfile, name) ? ofProfile[name] : undefined;
  const above = Object.hasOwn(classes, name) ? classes[name] : undefined;
  if (below === undefined && above === undefined) return name === STANDARD_CLASS ? {} : null;
  return { ...below, ...above };
}

/** `liftable` never holds what nothing lifts, even where an older version or another hand stored it. */
function layered(below: TenantSettings, layer: ClassRules): TenantSettings {
  const { durations, switchGrant, ...rest } = layer;
  const merged: TenantSettings = { ...below, ...rest };
  return {
    ...merged,
    durations: { ...below.durations, ...durations },
    switchGrant: { ...below.switchGrant, ...switchGrant },
    liftable: merged.liftable.filter((category) => !NEVER_LIFTABLE.includes(category)),
  };
}

function floored(settings: TenantSettings, floor: SessionFloor): TenantSettings {
  return {
    ...settings,
    sessionsRequired: settings.sessionsRequired || floor.required,
    sessionIdleMs: atMost(settings.sessionIdleMs, floor.idleMs),
    sessionMaxMs: atMost(settings.sessionMaxMs, floor.maxMs),
  };
}

/** Null is no limit: the smaller of the two, null where neither limits. */
function atMost(ms: number | null, limitMs: number | undefined): number | null {
  const least = Math.min(ms ?? Number.POSITIVE_INFINITY, limitMs ?? Number.POSITIVE_INFINITY);
  return Number.isFinite(least) ? least : null;
}

/**
 * The customer's own part over the vendor's: each key only in its strict direction, so that a part that was stricter when
 * it was set makes nothing looser after the vendor has become stricter still. Additions are welcome: more addresses.
 */
function tightened(base: TenantSettings, own: OwnPart): TenantSettings {
  const suspended = base.suspended || own.suspended === true;
  return {
    ...base,
    suspended,
    // Whoever has suspended access keeps it so, although the class would let the system give it.
    systemAccess: suspended ? null : base.systemAccess,
    standing: own.standing === 'none' ? 'none' : base.standing,
    sessionsRequired: base.sessionsRequired || own.sessionsRequired === true,
    sessionIdleMs: atMost(base.sessionIdleMs, own.sessionIdleMs),
    sessionMaxMs: atMost(base.sessionMaxMs, own.sessionMaxMs),
    liftable:
      own.liftable === undefined ? base.liftable : base.liftable.filter((one) => own.liftable?.includes(one)),
    timeZone: own.timeZone ?? base.timeZone,
    durations: tightenedDurations(base.durations, own.durations ?? {}),
    mayGrant: stricterGrantor(base.mayGrant, own.mayGrant ?? base.mayGrant) ?? base.mayGrant,
    reasonRequired: base.reasonRequired || own.reasonRequired === true,
    caseRefRequired: base.caseRefRequired || own.caseRefRequired === true,
    approvals: Math.max(base.approvals, own.approvals ?? 1),
    requestLifetimeMs: atMost(base.requestLifetimeMs, own.requestLifetimeMs) ?? base.requestLifetimeMs,
    defaultAccess: own.defaultAccess === 'read' ? 'read' : base.defaultAccess,
    breakGlass: base.breakGlass && own.breakGlass !== false,
    notifyEmails: union(base.notifyEmails, own.notifyEmails ?? []),
    webhooks: [...base.webhooks, ...(own.webhooks ?? []).filter(isNewTo(base.webhooks))],
  };
}

function isNewTo(known: readonly WebhookSettings[]): (hook: WebhookSettings) => boolean {
  return ({ id }) => !known.some((one) => one.id === id);
}

function union(first: readonly string[], second: readonly string[]): readonly string[] {
  const known = new Set(first.map((one) => one.toLowerCase()));
  return [...first, ...second.filter((one) => !known.has(one.toLowerCase()))];
}

function tightenedDurations(base: GrantDurations, own: NonNullable<OwnPart['durations']>): GrantDurations {
  const max = shorter(base.max, own.max);
  const presets = base.presets.filter((preset) => max === base.max || isWithin(preset, max));
  return {
    ...base,
    max,
    default: onOffer(shorter(shorter(base.default, own.default), max), presets, base),
    presets,
    indefinite: base.indefinite && own.indefinite !== false,
  };
}

/**
 * The usual length as one of `presets`, so that whoever names none is not refused: the longest of them within `usual`,
 * else the shortest. Never longer than the vendor's; and the vendor's own stays, on offer or not, until it is shortened.
 */
function onOffer(usual: string, presets: readonly string[], base: GrantDurations): string {
  const isUntouched = usual === base.default && !base.presets.includes(usual);
  if (isUntouched || presets.includes(usual)) return usual;
  const possible = presets.filter((preset) => isWithin(preset, base.default));
  const fitting = possible.filter((preset) => isWithin(preset, usual));
  if (fitting.length > 0) return fitting.reduce((one, other) => (isWithin(one, other) ? other : one));
  return possible.reduce((one, other) => shorter(one, other), possible[0] ?? usual);
}

/** The base unless the other is certainly not longer: a month is no limit within thirty days. */
function shorter(base: string, other: string | undefined): string {
  return other !== undefined && isWithin(other, base) ? other : base;
}

/** Whether `text` is never longer than `limit`; false where either is no duration. */
export function isWithin(text: string, limit: string): boolean {
  const [a, b] = [parseCalendarDuration(text), parseCalendarDuration(limit)];
  return a !== null && b !== null && neverLonger(a, b);
}

/**
 * The rule that holds when the customer asks for `own` where the vendor says `base`; null where `own` would let in somebody
 * whom `base` does not, or cannot be compared. A licence that the vendor asks for stays asked for.
 */
export function stricterGrantor(base: GrantorRule, own: GrantorRule): GrantorRule | null {
  if (own.kind === 'nobody') return own;
  if (STRICTNESS[own.kind] < STRICTNESS[base.kind] || namesAnotherPermission(base, own)) return null;
  const product = 'product' in base ? base.product : undefined;
  if (product === undefined || own.kind === 'users') return own;
  return own.product === undefined || own.product === product ? { ...own, product } : null;
}

function namesAnotherPermission(base: GrantorRule, own: GrantorRule): boolean {
  return base.kind === 'permission' && own.kind === 'permission' && base.permission !== own.permission;
}

const STRICTNESS = { users: 0, licensed_users: 1, admins: 2, permission: 3, nobody: 4 } as const;
