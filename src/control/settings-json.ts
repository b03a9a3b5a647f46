// Tenant settings as the API shows them, and its bodies as the store's patches and wishes. Secrets of webhooks are shown
// once, by the call that made them. Assumes that a body passed its schema. Pure and cold.
import type { SwitchWish } from '#grants/settings/access-switch.ts';
import type { SettingsOutcome, SettingsPatch, StoredSettings } from '#grants/settings/settings-store.ts';
import { parseCalendarDuration } from '#model/calendar-duration.ts';
import { durationText } from '#model/duration.ts';
import type { Access, Audience, Grant, StatedReason } from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import { readLayer, writtenKey } from '#model/settings-layer.ts';
import { ControlProblem } from './control-problem.ts';
import type { PersonBody } from './grant-json.ts';

export type SettingsPartName = SettingsPatch['part'];

/** `part` is the caller's: the vendor's part is shown to the vendor's services alone. */
export function settingsJson(settings: StoredSettings, part: SettingsPartName): Record<string, unknown> {
  const { tenant, revision, vendor, own, effective } = settings;
  return {
    tenant,
    revision,
    ...(part === 'vendor' ? { vendor: written(vendor) } : {}),
    own: written(own),
    effective: written(effective),
  };
}

export function changedJson(outcome: SettingsOutcome, part: SettingsPartName): Record<string, unknown> {
  const made = outcome.newWebhooks.map(({ id, secret }) => ({ id, secret }));
  return { ...settingsJson(outcome.settings, part), ...(made.length === 0 ? {} : { newWebhooks: made }) };
}

function written(layer: object): Record<string, unknown> {
  const shown: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(layer)) {
    const name = writtenKey(key);
    if (key === 'webhooks') shown[key] = withoutSecrets(value);
    else shown[name] = name !== key && typeof value === 'number' ? durationText(value) : value;
  }
  return shown;
}

function withoutSecrets(webhooks: unknown): unknown {
  return (webhooks as StoredSettings['effective']['webhooks']).map(({ id, url }) => ({ id, url }));
}

const VENDOR_ONLY = [
  'class',
  'profile',
  'vendorVerification',
  'notice',
  'caseRefPattern',
  'leadFirst',
  'switchGrant',
  'auditRetention',
];
const OWN_ONLY = ['suspended'];
const OWN_DURATIONS = ['default', 'max', 'indefinite'];

/** Throws GrantRefusal `settings_not_yours` for keys of the other part. */
export function settingsPatchOf(
  body: Readonly<Record<string, unknown>> & PersonBody,
  part: SettingsPartName,
): SettingsPatch {
  const { onBehalfOf: _person, ...values } = body;
  const { durations } = values;
  const foreign = part === 'vendor' ? OWN_ONLY : VENDOR_ONLY;
  const isForeign =
    Object.keys(values).some((key) => foreign.includes(key)) ||
    (part === 'own' && Object.keys(durations ?? {}).some((key) => !OWN_DURATIONS.includes(key)));
  if (isForeign) {
    throw new GrantRefusal(
      'settings_not_yours',
      part === 'vendor'
        ? `The vendor settles everything but ${OWN_ONLY.join(', ')}.`
        : `The tenant settles everything but ${VENDOR_ONLY.join(', ')}, and of durations ${OWN_DURATIONS.join(', ')}.`,
    );
  }
  return { part, values: readLayer(values) } as SettingsPatch;
}

export interface SwitchBody extends PersonBody {
  readonly open: boolean;
  readonly duration?: string;
  readonly until?: string | null;
  readonly access?: Access;
  readonly audience?: Partial<Audience>;
  readonly roles?: readonly string[];
  readonly workspaces?: Grant['workspaces'];
  readonly caseRef?: string | null;
  readonly reason?: StatedReason | null;
  readonly notice?: { readonly version: string };
}

/** Throws ControlProblem `invalid_request`, GrantRefusal `duration_invalid` or `date_invalid`. */
export function switchWishOf(body: SwitchBody): SwitchWish {
  const { open, duration, until, audience, onBehalfOf: _person, ...choice } = body;
  if (!open) {
    const more = Object.keys(body).find((key) => key !== 'open' && key !== 'onBehalfOf');
    if (more !== undefined) throw invalid(`/${more}`, 'must not stand beside open: false');
    return { open: false };
  }
  return {
    open: true,
    ...periodOf(duration, until),
    ...choice,
    ...(audience === undefined
      ? {}
      : { audience: { org: null, groups: null, principals: null, ...audience } }),
  };
}

function periodOf(
  duration: string | undefined,
  until: string | null | undefined,
): { written?: string | null } {
  if (duration === undefined) {
    if (until === undefined) return {};
    if (until === null || parseCalendarDuration(until) === null) return { written: until };
    throw new GrantRefusal(
      'date_invalid',
      'Name a day or an instant, such as 2030-01-31; a duration stands in `duration`.',
    );
  }
  if (until !== undefined) throw invalid('/until', 'must not stand beside duration');
  if (parseCalendarDuration(duration) !== null) return { written: duration };
  throw new GrantRefusal(
    'duration_invalid',
    'Write a whole number and a unit, such as 8h, 14d, 4w, 1mo or 5y.',
  );
}

function invalid(pointer: string, message: string): ControlProblem {
  return new ControlProblem('invalid_request', 'See `errors` for each place and what is allowed there.', [
    { pointer, message },
  ]);
}
