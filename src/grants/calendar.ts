/// <reference lib="esnext.temporal" />
// Instants as a customer writes them: lengths of time (`30s 15m 8h 14d 4w 1mo 5y`), days and exact instants, read in the
// tenant's zone. Seconds to weeks have a fixed length; months and years are the calendar's: the same wall clock on the same
// day, or on the month's last day where it has none; a wall clock that the zone skips is the first one after it, one that it
// shows twice the first. A day ends where the next begins, after 23 or 25 hours too. Pure; needs Node 26's Temporal. Cold.
import {
  CALENDAR_DURATION_EXAMPLES,
  type CalendarDuration,
  parseCalendarDuration,
} from '#model/calendar-duration.ts';
import type { EpochMs } from '#model/clock.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
const UNIT_NAMES = {
  s: 'second',
  m: 'minute',
  h: 'hour',
  d: 'day',
  w: 'week',
  mo: 'month',
  y: 'year',
} as const;

/** What a refusal shows as examples of the accepted form. */
export const LENGTH_EXAMPLES = `30s, 15m, ${CALENDAR_DURATION_EXAMPLES}`;

/** The last instant that RFC 3339 can write. */
export const LAST_INSTANT = Date.UTC(9999, 11, 31, 23, 59, 59, 999);

const DATE = /^[0-9]{4}-[0-9]{2}-[0-9]{2}$/;
const INSTANT =
  /^([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** One whole number and one unit; null for anything else, and for zero. */
export const readLength = parseCalendarDuration;

/** `14 days`, `1 month`: for sentences that say what is allowed. Throws a RangeError for what `parseCalendarDuration` does not read. */
export function describeLength(text: string): string {
  const { count, unit } = lengthOf(text);
  return `${count} ${UNIT_NAMES[unit]}${count === 1 ? '' : 's'}`;
}

/**
 * The instant that lies this length of time after `at`; no later than year 9999. Throws a RangeError for what
 * `parseCalendarDuration` refuses and for no zone: settings were checked when they were set.
 */
export function after(at: EpochMs, text: string, timeZone: string): EpochMs {
  const { count, unit } = lengthOf(text);
  if (unit !== 'mo' && unit !== 'y') return bounded(at + count * UNIT_MS[unit]);
  const moved = zoned(at, timeZone).add(unit === 'mo' ? { months: count } : { years: count });
  return bounded(moved.epochMilliseconds);
}

/** The end of the day in which `after` lies for days and more counted by the calendar, so that no zone's clock moves it. */
export function endOfDayAfter(at: EpochMs, text: string, timeZone: string): EpochMs {
  const { count, unit } = lengthOf(text);
  if (unit === 's' || unit === 'm' || unit === 'h') {
    // What ends with a day has lasted for it: the instant before is still of that day.
    const last = Math.max(at, after(at, text, timeZone) - 1) as EpochMs;
    return endOfDay(zoned(last, timeZone).toPlainDate(), timeZone);
  }
  const day = zoned(at, timeZone).toPlainDate();
  return endOfDay(day.add(CALENDAR[unit](count)), timeZone);
}

const CALENDAR = {
  d: (days: number) => ({ days }),
  w: (weeks: number) => ({ weeks }),
  mo: (months: number) => ({ months }),
  y: (years: number) => ({ years }),
} as const;

/** Whether this instant is where a day of the zone ends and the next begins. */
export function isDayEnd(at: EpochMs, timeZone: string): boolean {
  return zoned(at, timeZone).startOfDay().epochMilliseconds === at;
}

/** The end of that day in the zone, exclusive: the first instant of the next. Null for anything but a real date. */
export function endOfDate(text: string, timeZone: string): EpochMs | null {
  if (!DATE.test(text)) return null;
  const day = plainDate(text);
  return day === null ? null : endOfDay(day, timeZone);
}

export interface EndText {
  readonly text: string;
  readonly startsAt: EpochMs;
  readonly timeZone: string;
  /** A length of time ends with the day it leads to, as where a tenant's ends are dates. */
  readonly wholeDays?: boolean;
}

/**
 * The end somebody wrote: a length of time from the start, a bare date (the end of that day), or an RFC 3339 instant.
 * Throws GrantRefusal `duration_invalid`, `date_invalid` or `instant_invalid`, by the form it comes closest to.
 */
export function endOf({ text, startsAt, timeZone, wholeDays = false }: EndText): EpochMs {
  if (parseCalendarDuration(text) !== null)
    return (wholeDays ? endOfDayAfter : after)(startsAt, text, timeZone);
  if (/^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt]/.test(text)) return instantOf(text);
  if (/^[0-9]{1,6}-[0-9]/.test(text)) {
    const end = endOfDate(text, timeZone);
    if (end !== null) return end;
    throw new GrantRefusal('date_invalid', 'Name a day that there is in the calendar, such as 2030-01-31.');
  }
  throw new GrantRefusal(
    'duration_invalid',
    `Write a whole number and a unit, such as ${LENGTH_EXAMPLES}; or a day, such as 2030-01-31.`,
  );
}

/** Throws GrantRefusal: `date_invalid` for a day that no month has, `instant_invalid` for what RFC 3339 does not write. */
function instantOf(text: string): EpochMs {
  const match = INSTANT.exec(text);
  const ms = match === null ? Number.NaN : Date.parse(text.toUpperCase());
  if (match === null || Number.isNaN(ms)) {
    throw new GrantRefusal('instant_invalid', 'Write an RFC 3339 instant, such as 2030-01-31T12:00:00Z.');
  }
  if (plainDate(match[1] as string) === null) {
    throw new GrantRefusal('date_invalid', 'Name a day that there is in the calendar, such as 2030-01-31.');
  }
  return ms as EpochMs;
}

function lengthOf(text: string): CalendarDuration {
  const length = parseCalendarDuration(text);
  if (length === null) throw new RangeError('a length of time is a whole number and a unit');
  return length;
}

function zoned(at: EpochMs, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at).toZonedDateTimeISO(timeZone);
}

function endOfDay(day: Temporal.PlainDate, timeZone: string): EpochMs {
  return bounded(day.add({ days: 1 }).toZonedDateTime(timeZone).epochMilliseconds);
}

function plainDate(text: string): Temporal.PlainDate | null {
  try {
    return Temporal.PlainDate.from(text, { overflow: 'reject' });
  } catch {
    return null;
  }
}

function bounded(ms: number): EpochMs {
  return Math.min(ms, LAST_INSTANT) as EpochMs;
}
