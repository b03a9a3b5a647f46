// Durations as settings and grants write them: one whole number and one unit, calendar months and years among them,
// which have no fixed length. Read here, compared only where the answer is certain; put on a clock elsewhere
// (grants/calendar.ts). Pure and cold.

export const CALENDAR_UNITS = ['s', 'm', 'h', 'd', 'w', 'mo', 'y'] as const;
export type CalendarUnit = (typeof CALENDAR_UNITS)[number];

export interface CalendarDuration {
  /** At least 1. */
  readonly count: number;
  readonly unit: CalendarUnit;
}

/** What a refusal shows as an example of the accepted form. */
export const CALENDAR_DURATION_EXAMPLES = '8h, 14d, 4w, 1mo, 5y';

const FORM = /^([1-9][0-9]{0,8})(s|m|h|d|w|mo|y)$/;
const DAY_MS = 86_400_000;
/** Longer ones are not limits but mistakes; without an end is said by `indefinite`. */
const LONGEST_MS = 100 * 366 * DAY_MS;

const FIXED_MS = { s: 1000, m: 60_000, h: 3_600_000, d: DAY_MS, w: 7 * DAY_MS } as const;
const MONTHS = { mo: 1, y: 12 } as const;

/** Null for anything else than `90s 15m 8h 14d 4w 1mo 5y`, for zero, and for more than a hundred years. */
export function parseCalendarDuration(text: string): CalendarDuration | null {
  const match = FORM.exec(text);
  if (match === null) return null;
  const duration = { count: Number(match[1]), unit: match[2] as CalendarUnit };
  return longestMs(duration) <= LONGEST_MS ? duration : null;
}

/** Whether `a` is never longer than `b`, whatever day they are counted from. */
export function neverLonger(a: CalendarDuration, b: CalendarDuration): boolean {
  const [monthsOfA, monthsOfB] = [monthsOf(a), monthsOf(b)];
  if (monthsOfA !== null && monthsOfB !== null) return monthsOfA <= monthsOfB;
  return longestMs(a) <= shortestMs(b);
}

/** Null for the fixed units. */
function monthsOf({ count, unit }: CalendarDuration): number | null {
  return unit === 'mo' || unit === 'y' ? count * MONTHS[unit] : null;
}

function longestMs(duration: CalendarDuration): number {
  const months = monthsOf(duration);
  if (months === null) return duration.count * FIXED_MS[duration.unit as keyof typeof FIXED_MS];
  const years = Math.floor(months / 12);
  return (years * 366 + (months % 12) * 31) * DAY_MS;
}

function shortestMs(duration: CalendarDuration): number {
  const months = monthsOf(duration);
  if (months === null) return longestMs(duration);
  const years = Math.floor(months / 12);
  return (years * 365 + (months % 12) * 28) * DAY_MS;
}
