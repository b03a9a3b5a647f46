// How long grants may last under a tenant's settings, and when they may start: presets, minimum, maximum, whole days, the
// time of one support case. Pure; run inside the store's transaction. Exactly the limit passes, a millisecond more does
// not. Assumes settings that were checked when they were set. Cold.
import type { EpochMs } from '#model/clock.ts';
import type { Grant, GrantSource } from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { GrantDurations, TenantSettings } from '#model/tenant-settings.ts';
import { after, describeLength, endOf, endOfDayAfter, isDayEnd, LAST_INSTANT } from './calendar.ts';
import type { GrantDraft } from './grant-store.ts';

/** A start may lie this far back: the caller's clock is not ours, and a call takes its time. */
const START_TOLERANCE_MS = 60_000;

/** Of the settings, what is asked here. */
export type PeriodSettings = Pick<TenantSettings, 'durations' | 'timeZone'>;

/** What another grant of the same case counts for. */
export type CasePeriod = Pick<Grant, 'id' | 'startsAt' | 'expiresAt' | 'revokedAt'>;

export interface PeriodContext {
  readonly now: EpochMs;
  readonly settings: PeriodSettings;
}

/** The instant an end means: itself, or what was written. Throws GrantRefusal. */
export function endInstant(
  end: GrantDraft['expiresAt'],
  startsAt: EpochMs,
  { durations, timeZone }: PeriodSettings,
): EpochMs | null {
  if (end === null || typeof end === 'number') return end;
  checkInstant(startsAt);
  return endOf({
    text: end.written ?? durations.default,
    startsAt,
    timeZone,
    wholeDays: durations.wholeDays > 0,
  });
}

export function checkStart(startsAt: EpochMs, { now, settings }: PeriodContext): void {
  checkInstant(startsAt);
  if (startsAt < now - START_TOLERANCE_MS) {
    throw new GrantRefusal('start_in_past', 'A grant starts now or later; leave the start out for now.');
  }
  const { maxStartDelay } = settings.durations;
  if (startsAt <= after(now, maxStartDelay, settings.timeZone)) return;
  throw new GrantRefusal(
    'start_too_late',
    `A grant starts at most ${describeLength(maxStartDelay)} from now.`,
  );
}

/** From start to end, extensions included. */
export function checkPeriod(startsAt: EpochMs, expiresAt: EpochMs | null, context: PeriodContext): void {
  const { now, settings } = context;
  const { durations, timeZone } = settings;
  const { min, max, wholeDays } = durations;
  if (expiresAt === null) {
    if (durations.indefinite && durations.maxPerCase === null) return;
    const allowed = `Name an end, at most ${describeLength(max)} after the start.`;
    throw new GrantRefusal('indefinite_not_allowed', allowed);
  }
  checkEnd(startsAt, expiresAt, now);
  checkWholeDays(startsAt, expiresAt, settings);
  const reach = reachOf(durations);
  if (expiresAt > reach(startsAt, max, timeZone)) {
    const allowed = `A grant lasts at most ${describeLength(max)} from its start, extensions included.`;
    throw new GrantRefusal('too_long', allowed);
  }
  if (expiresAt < reach(startsAt, min, timeZone)) throw tooShort(min);
  // Said last: what is too short for any reading of the limits is called that.
  if (wholeDays > 0 && expiresAt < endOfDayAfter(startsAt, `${wholeDays}d`, timeZone))
    throw tooShort(`${wholeDays}d`);
}

/** Where ends are dates, so are the limits: the whole of the last day is allowed. */
function reachOf({ wholeDays }: GrantDurations): typeof after {
  return wholeDays > 0 ? endOfDayAfter : after;
}

function tooShort(min: string): GrantRefusal {
  return new GrantRefusal('too_short', `A grant lasts at least ${describeLength(min)}.`);
}

function checkWholeDays(
  startsAt: EpochMs,
  expiresAt: EpochMs,
  { durations, timeZone }: PeriodSettings,
): void {
  if (durations.wholeDays === 0 || isDayEnd(expiresAt, timeZone)) return;
  if (expiresAt < startsAt) return;
  throw new GrantRefusal(
    'whole_days',
    'A grant of this tenant ends with a day: name a date, such as 2030-01-31.',
  );
}

/** What the customer chooses from; what support asked for is held to the limits alone, and so is a later change. */
export function checkPreset(
  grant: Pick<Grant, 'startsAt' | 'expiresAt'>,
  source: GrantSource,
  { durations, timeZone }: PeriodSettings,
): void {
  const { presets, indefinite } = durations;
  const { startsAt, expiresAt } = grant;
  if (presets.length === 0 || expiresAt === null || (source !== 'direct' && source !== 'switch')) return;
  const reach = reachOf(durations);
  if (presets.some((preset) => reach(startsAt, preset, timeZone) === expiresAt)) return;
  const offered = presets.map(describeLength).join(', ');
  const allowed = `A grant lasts one of these from its start: ${offered}${indefinite ? ', or has no end' : ''}.`;
  throw new GrantRefusal('not_a_preset', allowed);
}

/** Shortening is always the customer's right, so it is held to no maximum and no minimum, only to this. */
export function checkEnd(startsAt: EpochMs, expiresAt: EpochMs | null, now: EpochMs): void {
  if (expiresAt === null) return;
  checkInstant(expiresAt);
  if (expiresAt <= now) {
    throw new GrantRefusal('end_in_past', 'A grant ends later than now; to end one at once, revoke it.');
  }
  if (expiresAt <= startsAt) throw new GrantRefusal('end_before_start', 'A grant ends after it starts.');
}

export function checkInstant(instant: EpochMs): void {
  if (Number.isSafeInteger(instant) && instant >= 0 && instant <= LAST_INSTANT) return;
  throw new GrantRefusal('instant_invalid', 'An instant lies between the years 1970 and 9999.');
}

/**
 * The time of one support case runs from the first start on it, whether or not a grant holds at every moment of it.
 * `others` are the tenant's grants of the case, ended ones too, in any order; `next` itself among them does not matter.
 */
export function checkCaseTime(
  next: Pick<Grant, 'id' | 'startsAt' | 'expiresAt'>,
  others: readonly CasePeriod[],
  { now, settings }: PeriodContext,
): void {
  const { maxPerCase } = settings.durations;
  if (maxPerCase === null) return;
  let first = next.startsAt;
  let lastOfOthers = 0;
  for (const one of others) {
    // Revoked before it began, it was of no use to anybody.
    if (one.id === next.id || (one.revokedAt !== null && one.revokedAt <= one.startsAt)) continue;
    if (one.startsAt < first) first = one.startsAt;
    if (one.revokedAt === null)
      lastOfOthers = Math.max(lastOfOthers, one.expiresAt ?? Number.POSITIVE_INFINITY);
  }
  const until = after(first, maxPerCase, settings.timeZone);
  const tooLong = next.expiresAt === null || next.expiresAt > until;
  // An earlier first start moves the whole case: then another grant of it may be the one that lasts too long.
  const othersTooLong = first === next.startsAt && lastOfOthers > Math.max(until, now);
  if (!tooLong && !othersTooLong) return;
  throw new GrantRefusal(
    'case_limit',
    `All grants of a support case end within ${describeLength(maxPerCase)} of the first start on it; for this one, until ${new Date(until).toISOString()}.`,
  );
}
