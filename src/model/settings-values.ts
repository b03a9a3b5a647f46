// What a value of tenant settings may be, beyond its type: each wrong one gets a code, its place and a sentence that says
// what is allowed and repeats nothing. Asked when the configuration is read and when settings are changed; whether
// somebody may settle a key at all is asked elsewhere (grants/settings/settings-rules.ts). Pure and cold.
import { CALENDAR_DURATION_EXAMPLES, neverLonger, parseCalendarDuration } from './calendar-duration.ts';
import { CASE_PATTERN_FORM, caseRefMatcher } from './case-pattern.ts';
import { NEVER_LIFTABLE } from './never-liftable.ts';
import { type ClassRules, type VendorPart, WRITTEN_DURATIONS, writtenKey } from './settings-layer.ts';
import type { GrantDurations, TenantSettings, WebhookSettings } from './tenant-settings.ts';

/** Each is a refusal of the control API too. */
export type SettingsProblemCode =
  | 'duration_invalid'
  | 'durations_contradict'
  | 'preset_out_of_limits'
  | 'time_zone_unknown'
  | 'case_pattern_unsafe'
  | 'never_liftable'
  | 'email_invalid'
  | 'webhook_url_invalid'
  | 'class_unknown'
  | 'profile_unknown'
  | 'retention_too_long'
  | 'empty_audience';

export interface SettingsProblem {
  readonly code: SettingsProblemCode;
  /** JSON Pointer within the layer, in the names of its written form. */
  readonly pointer: string;
  /** One sentence that ends with a full stop. */
  readonly sentence: string;
}

/** What the operator allows and configures, as far as values depend on it. */
export interface SettingsContext {
  readonly dangerouslyAllowHttpWebhooks: boolean;
  /** Besides `standard`. */
  readonly classes: ReadonlySet<string>;
  readonly profiles: ReadonlySet<string>;
  /** How long the gateway keeps its journal (`audit.retention`): nobody is promised more. */
  readonly recordsKeptMs: number;
}

/** The class of a tenant nobody has put into another. */
export const STANDARD_CLASS = 'standard';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const LONGEST_MS = 3650 * DAY_MS;

/** Every problem of one layer by itself, in the order of its keys; what layers make together is `contradictions`. */
export function layerProblems(
  layer: ClassRules & VendorPart,
  context: SettingsContext,
): readonly SettingsProblem[] {
  const found: SettingsProblem[] = [];
  const say = (pointer: string, code: SettingsProblemCode, sentence: string): void =>
    void found.push({ code, pointer, sentence });
  for (const key of Object.values(WRITTEN_DURATIONS)) {
    const ms = layer[key];
    if (ms === undefined || ms === null || (ms >= MINUTE_MS && ms <= LONGEST_MS)) continue;
    say(
      `/${writtenKey(key)}`,
      'duration_invalid',
      'A time in settings is 1 minute to 3650 days, such as 30m, 8h or 14d.',
    );
  }
  if (layer.durations !== undefined) checkDurations(layer.durations, say);
  if (layer.timeZone !== undefined && !isTimeZone(layer.timeZone)) {
    say(
      '/timeZone',
      'time_zone_unknown',
      'A time zone has a name of the IANA database, such as Europe/Berlin or UTC.',
    );
  }
  if (typeof layer.caseRefPattern === 'string' && caseRefMatcher(layer.caseRefPattern) === null) {
    say(
      '/caseRefPattern',
      'case_pattern_unsafe',
      `A pattern for case references has at most 128 characters: ${CASE_PATTERN_FORM}.`,
    );
  }
  if (layer.liftable?.some((category) => NEVER_LIFTABLE.includes(category)) === true) {
    say(
      '/liftable',
      'never_liftable',
      `Rules of these categories are never lifted: ${NEVER_LIFTABLE.join(', ')}.`,
    );
  }
  checkRetention(layer, context, say);
  checkAudience(layer, say);
  checkAddresses(layer, context, say);
  checkNames(layer, context, say);
  return found;
}

type Say = (pointer: string, code: SettingsProblemCode, sentence: string) => void;

function checkRetention(
  { auditRetentionMs }: ClassRules,
  { recordsKeptMs }: SettingsContext,
  say: Say,
): void {
  if (typeof auditRetentionMs !== 'number' || !(auditRetentionMs > recordsKeptMs)) return;
  say('/auditRetention', 'retention_too_long', retentionSentence(recordsKeptMs));
}

/** What is allowed; rounded down, so that what it says is never refused. */
function retentionSentence(recordsKeptMs: number): string {
  const days = Math.floor(recordsKeptMs / DAY_MS);
  return `A tenant’s records are shown for ${days}d at most: so long the gateway keeps its journal (audit.retention).`;
}

const DURATION_KEYS = ['default', 'min', 'max', 'maxPerCase', 'maxStartDelay'] as const;

function checkDurations(durations: Partial<GrantDurations>, say: Say): void {
  const sentence = `A duration is a whole number and a unit, at most a hundred years, such as ${CALENDAR_DURATION_EXAMPLES}.`;
  for (const key of DURATION_KEYS) {
    const text = durations[key];
    if (text === undefined || text === null || parseCalendarDuration(text) !== null) continue;
    say(`/durations/${key}`, 'duration_invalid', sentence);
  }
  for (const [index, text] of (durations.presets ?? []).entries()) {
    if (parseCalendarDuration(text) === null)
      say(`/durations/presets/${index}`, 'duration_invalid', sentence);
  }
}

function checkAudience({ switchGrant }: ClassRules, say: Say): void {
  const audience = switchGrant?.audience;
  if (audience === undefined) return;
  const { org, groups, principals } = audience;
  const namesNobody = org === null && groups === null && principals === null;
  if (!namesNobody && org !== '' && groups?.length !== 0 && principals?.length !== 0) return;
  say(
    '/switchGrant/audience',
    'empty_audience',
    'An audience names an organisation, groups or principals; a list holds at least one.',
  );
}

function checkAddresses(layer: VendorPart, context: SettingsContext, say: Say): void {
  for (const [index, email] of (layer.notifyEmails ?? []).entries()) {
    if (!isEmail(email)) {
      say(
        `/notifyEmails/${index}`,
        'email_invalid',
        'An address for notices is plain, such as support-access@customer.example.',
      );
    }
  }
  for (const [index, { url }] of (layer.webhooks ?? []).entries()) {
    if (isWebhookUrl(url, context.dangerouslyAllowHttpWebhooks)) continue;
    say(
      `/webhooks/${index}/url`,
      'webhook_url_invalid',
      'A webhook has an https address without a user name, a password or a fragment, of at most 2048 characters.',
    );
  }
}

function checkNames(layer: VendorPart, { classes, profiles }: SettingsContext, say: Say): void {
  if (layer.class !== undefined && layer.class !== STANDARD_CLASS && !classes.has(layer.class)) {
    say('/class', 'class_unknown', `A tenant's class is ${[STANDARD_CLASS, ...classes].join(' or ')}.`);
  }
  if (layer.profile !== undefined && !profiles.has(layer.profile)) {
    say('/profile', 'profile_unknown', `A tenant's profile is one of these: ${[...profiles].join(', ')}.`);
  }
}

/** What does not fit together in settings whose layers are merged. */
export function contradictions({ durations }: Pick<TenantSettings, 'durations'>): readonly SettingsProblem[] {
  const [min, usual, max] = [durations.min, durations.default, durations.max].map(parseCalendarDuration);
  // A duration that is none was said already.
  if (!min || !usual || !max) return [];
  if (!neverLonger(min, usual) || !neverLonger(usual, max)) {
    const sentence =
      'The least duration is never longer than the usual one, and that never longer than the greatest.';
    return [{ code: 'durations_contradict', pointer: '/durations', sentence }];
  }
  const found: SettingsProblem[] = [];
  for (const [index, text] of durations.presets.entries()) {
    const preset = parseCalendarDuration(text);
    if (preset === null || (neverLonger(min, preset) && neverLonger(preset, max))) continue;
    const sentence =
      'A duration on offer is never shorter than the least and never longer than the greatest.';
    found.push({ code: 'preset_out_of_limits', pointer: `/durations/presets/${index}`, sentence });
  }
  return found;
}

/** A name of the tz database; an offset such as +02:00 knows no summer time and is none. */
function isTimeZone(text: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]{0,63}$/.test(text)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

/** Attack: an address with a line break or a comma adds recipients or headers of its own. */
const EMAIL =
  /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z0-9-]{2,63}$/;

function isEmail(text: string): boolean {
  return text.length <= 254 && EMAIL.test(text);
}

/** Where it leads is looked at when it is called, after resolution: a name that is public today may not be tomorrow. */
function isWebhookUrl(text: WebhookSettings['url'], allowHttp: boolean): boolean {
  if (text.length > 2048 || /[\s\\]/.test(text)) return false;
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') return false;
  return url.protocol === 'https:' || (allowHttp && url.protocol === 'http:');
}
