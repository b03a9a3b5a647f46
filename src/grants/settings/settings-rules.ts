// What may be settled for a tenant, by whom and in which direction: the vendor's part by the vendor's programs, the
// customer's own part by its admins, and that only stricter than the vendor's. Pure; the store runs it inside its
// transaction. Assumes values of the right types (the API's schemas); throws GrantRefusal. Cold.
import { isDeepStrictEqual } from 'node:util';
import type { Actor } from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { OwnPart, SettingsDefaults, VendorPart } from '#model/settings-layer.ts';
import { contradictions, layerProblems, type SettingsProblem } from '#model/settings-values.ts';
import type { TenantSettings, WebhookSettings } from '#model/tenant-settings.ts';
import {
  effectiveSettings,
  isWithin,
  type SettingsParts,
  stricterGrantor,
  vendorSettings,
} from './effective-settings.ts';
import type { SettingsPatch, WebhookWish } from './settings-store.ts';

export interface SettingsRules {
  readonly defaults: SettingsDefaults;
  /** Only tests and closed networks: a secret of the customer's then travels in the clear. */
  readonly dangerouslyAllowHttpWebhooks: boolean;
}

/** Makes webhooks of what was asked for: ids and secrets. */
export interface WebhookMaker {
  id(): string;
  secret(): string;
}

const MAX_WEBHOOKS = 10;
const MAX_EMAILS = 50;

/** The parts after the patch, checked; the very same object when it says what holds already. */
export function changedParts(
  before: SettingsParts,
  patch: SettingsPatch,
  context: { readonly rules: SettingsRules; readonly by: Actor; readonly make: WebhookMaker },
): SettingsParts {
  const { rules, by, make } = context;
  requireSide(patch.part, by);
  const kept = before[patch.part];
  const { webhooks: wishes, ...values } = patch.values;
  const merged = mergedKeys(kept, values);
  if (wishes === null) delete merged['webhooks'];
  else if (wishes !== undefined) merged['webhooks'] = webhooksOf(kept.webhooks ?? [], wishes, make);
  if (isDeepStrictEqual(merged, { ...kept })) return before;
  const after: SettingsParts =
    patch.part === 'vendor'
      ? { ...before, vendor: merged as VendorPart }
      : { ...before, own: merged as OwnPart };
  if (patch.part === 'vendor') checkVendor(before, after, rules);
  else checkOwn(after, patch.values.durations, rules);
  return after;
}

/** Keys that have keys of their own, each settled by itself; any other value is replaced whole, an audience within too. */
const GROUPS: ReadonlySet<string> = new Set(['durations', 'switchGrant'] satisfies (keyof VendorPart)[]);

/** Absent keys stay, null takes one back to what it inherits; a group of which nothing is left is gone too. */
function mergedKeys(kept: object, changes: object): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...kept };
  for (const [key, value] of Object.entries(changes)) {
    const isGroup = GROUPS.has(key) && value !== null && value !== undefined;
    const next = isGroup ? mergedKeys((merged[key] ?? {}) as object, value as object) : value;
    if (next === null || (isGroup && Object.keys(next).length === 0)) delete merged[key];
    else if (next !== undefined) merged[key] = next;
  }
  return merged;
}

/** Support staff settle nothing: settings decide what they may do. */
function requireSide(part: SettingsPatch['part'], by: Actor): void {
  if (part === 'vendor' ? by.kind === 'service' : by.kind === 'tenant_admin') return;
  throw new GrantRefusal(
    'settings_not_yours',
    'A service of the vendor settles the vendor’s part, an admin of the tenant the tenant’s own part; nobody else settles anything.',
  );
}

function webhooksOf(
  kept: readonly WebhookSettings[],
  wishes: readonly WebhookWish[],
  make: WebhookMaker,
): readonly WebhookSettings[] {
  return wishes.map(({ id, url, secret }) => {
    if (id === undefined) return { id: make.id(), url, secret: secret ?? make.secret() };
    const known = kept.find((one) => one.id === id);
    if (known === undefined) {
      throw new GrantRefusal(
        'webhook_unknown',
        'Name a webhook by the id that it has, or leave the id out for a new one.',
      );
    }
    // Attack: a secret that moves along to another address signs there in the customer's name.
    if (url !== known.url && secret === undefined) return { id, url, secret: make.secret() };
    return { id, url, secret: secret ?? known.secret };
  });
}

function checkVendor(before: SettingsParts, after: SettingsParts, rules: SettingsRules): void {
  const { defaults } = rules;
  refuse(layerProblems(after.vendor, contextOf(rules, after.vendor)));
  const settings = vendorSettings(defaults, after.vendor);
  refuse(contradictions(settings));
  checkCounts(effectiveSettings(defaults, after));
  const opensAnew =
    settings.systemAccess !== null && vendorSettings(defaults, before.vendor).systemAccess === null;
  if (!opensAnew || after.own.suspended !== true) return;
  throw new GrantRefusal(
    'tenant_suspended',
    'The tenant has suspended support access; a class with access of its own is possible after its admin has lifted that.',
  );
}

/** `asked` is what this change says of the durations: what was settled before yields where it no longer fits. */
function checkOwn(after: SettingsParts, asked: AskedDurations, rules: SettingsRules): void {
  const { own } = after;
  const base = vendorSettings(rules.defaults, after.vendor);
  refuse(layerProblems(own as VendorPart, contextOf(rules, after.vendor)));
  if (own.suspended === true && base.systemAccess !== null) {
    throw new GrantRefusal(
      'suspension_not_available',
      'Access of an account of this class is the vendor’s to end; it can be suspended once the account is converted.',
    );
  }
  for (const [key, allowed] of Object.entries(DIRECTIONS)) {
    if (own[key as keyof typeof DIRECTIONS] !== undefined && !allowed.isStrict(base, own)) {
      throw new GrantRefusal('settings_looser', allowed.sentence(base));
    }
  }
  const effective = effectiveSettings(rules.defaults, after);
  refuse(contradictions(effective));
  const { default: usual } = asked ?? {};
  // The merge makes it one that fits; whoever asks for one that does not is told instead.
  if (typeof usual === 'string') {
    refuse(contradictions({ durations: { ...effective.durations, default: usual } }));
  }
  checkCounts(effective);
}

type AskedDurations = Extract<SettingsPatch, { readonly part: 'own' }>['values']['durations'];

interface Direction {
  isStrict(base: TenantSettings, own: OwnPart): boolean;
  sentence(base: TenantSettings): string;
}

function only(key: string, value: string, isStrict: Direction['isStrict']): Direction {
  return {
    isStrict,
    sentence: () => `The tenant may settle ${key} only as ${value}, or leave it to the vendor.`,
  };
}

function atMost(key: 'sessionIdleMs' | 'sessionMaxMs' | 'requestLifetimeMs', name: string): Direction {
  return {
    isStrict: (base, own) => (own[key] ?? 0) <= (base[key] ?? Number.POSITIVE_INFINITY),
    sentence: (base) =>
      `The tenant may settle ${name} at ${Math.floor((base[key] ?? 0) / 60_000)} minutes at most.`,
  };
}

/** What of the own part has a direction, and which; the rest (zone, addresses, suspension) is the customer's to choose. */
const DIRECTIONS = {
  standing: only('standing', 'none', (base, { standing }) => standing === 'none' || base.standing === 'read'),
  sessionsRequired: only(
    'sessionsRequired',
    'true',
    (base, own) => own.sessionsRequired === true || !base.sessionsRequired,
  ),
  sessionIdleMs: atMost('sessionIdleMs', 'sessionIdle'),
  sessionMaxMs: atMost('sessionMaxMs', 'sessionMax'),
  requestLifetimeMs: atMost('requestLifetimeMs', 'requestLifetime'),
  liftable: {
    isStrict: (base, own) => (own.liftable ?? []).every((one) => base.liftable.includes(one)),
    sentence: ({ liftable }) =>
      liftable.length === 0
        ? 'No category of deny rules can be made liftable for this tenant.'
        : `The tenant may leave some of these categories out: ${liftable.join(', ')}.`,
  },
  durations: {
    isStrict: ({ durations: base }, { durations: own }) =>
      own === undefined ||
      ((own.max === undefined || isWithin(own.max, base.max)) &&
        (own.default === undefined || isWithin(own.default, base.max)) &&
        (own.indefinite !== true || base.indefinite)),
    sentence: ({ durations }) =>
      `The tenant may settle durations within the vendor’s: at most ${durations.max}${durations.indefinite ? '' : ', never without an end'}.`,
  },
  mayGrant: {
    isStrict: (base, { mayGrant }) =>
      mayGrant === undefined || stricterGrantor(base.mayGrant, mayGrant) !== null,
    sentence: () =>
      'The tenant may let fewer people grant than the vendor does: users, those with a licence, admins, admins with a permission, nobody; the licence and the permission that the vendor asks for stay the same.',
  },
  reasonRequired: only(
    'reasonRequired',
    'true',
    (base, own) => own.reasonRequired === true || !base.reasonRequired,
  ),
  caseRefRequired: only(
    'caseRefRequired',
    'true',
    (base, own) => own.caseRefRequired === true || !base.caseRefRequired,
  ),
  approvals: {
    isStrict: (base, own) => (own.approvals ?? 1) >= base.approvals,
    sentence: ({ approvals }) => `The tenant may ask for ${approvals} approvals or more.`,
  },
  defaultAccess: only(
    'defaultAccess',
    'read',
    (base, own) => own.defaultAccess === 'read' || base.defaultAccess === 'write',
  ),
  breakGlass: only('breakGlass', 'false', (base, own) => own.breakGlass === false || base.breakGlass),
} as const satisfies Partial<Record<keyof OwnPart, Direction>>;

function checkCounts({ webhooks, notifyEmails }: TenantSettings): void {
  if (webhooks.length <= MAX_WEBHOOKS && notifyEmails.length <= MAX_EMAILS) return;
  throw new GrantRefusal(
    'notices_too_many',
    `A tenant has at most ${MAX_WEBHOOKS} webhooks and ${MAX_EMAILS} addresses, the vendor’s among them.`,
  );
}

function contextOf({ defaults, dangerouslyAllowHttpWebhooks }: SettingsRules, vendor: VendorPart) {
  const profile = defaults.profiles.get(vendor.profile ?? defaults.profile ?? '');
  const classes = new Set([...Object.keys(profile?.classes ?? {}), ...Object.keys(defaults.classes)]);
  const { recordsKeptMs } = defaults;
  return {
    dangerouslyAllowHttpWebhooks,
    classes,
    profiles: new Set(defaults.profiles.keys()),
    recordsKeptMs,
  };
}

function refuse([first]: readonly SettingsProblem[]): void {
  if (first !== undefined) throw new GrantRefusal(first.code, first.sentence);
}
