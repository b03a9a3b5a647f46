// Instants as the API writes and reads them: RFC 3339, or a bare date for the end of a grant. Guarantees that what it
// reads is a day and time that exists; assumes nothing of the text. Pure and cold.
import type { EpochMs } from '#model/clock.ts';

const INSTANT =
  /^(\d{4}-\d{2}-\d{2})[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** Null for what RFC 3339 does not write, a day that no month has, and a leap second, which no clock here knows. */
export function parseInstant(text: string): EpochMs | null {
  const match = INSTANT.exec(text);
  if (match === null || startOfDay(match[1] as string) === null) return null;
  const ms = Date.parse(text.toUpperCase());
  return Number.isNaN(ms) ? null : (ms as EpochMs);
}

export function formatInstant(at: EpochMs): string {
  return new Date(at).toISOString();
}

/** `Date.parse` takes 30 February for 2 March; only what comes back unchanged was a date. */
function startOfDay(date: string): number | null {
  const ms = Date.parse(`${date}T00:00:00Z`);
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(date) ? ms : null;
}
