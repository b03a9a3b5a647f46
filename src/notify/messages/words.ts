// The words of a message: what others wrote made fit to be shown, instants in the tenant's zone, people by name. Pure.
// Attacks: line breaks that forge a header or another paragraph, bidirectional and invisible characters that make a text
// read as another one, a name of many thousand letters.
import type { NoticePerson } from '#model/notice.ts';

const MAX_LINE = 300;
const MAX_LINES = 60;
/** Controls, what breaks lines, what turns or hides text, and halves of characters. */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** One line of what somebody wrote; never more than 300 characters. May be empty. */
export function oneLine(text: string): string {
  const line = text.replace(UNSAFE, ' ').replace(/\s+/g, ' ').trim();
  return line.length > MAX_LINE ? `${line.slice(0, MAX_LINE)}…`.toWellFormed() : line;
}

/** The lines of what somebody wrote, each as above, at most 60; empty ones are left out. */
export function linesOf(text: string): readonly string[] {
  const lines = text
    .split(/\r\n|[\n\r\u2028\u2029]/)
    .map(oneLine)
    .filter((line) => line !== '');
  return lines.length > MAX_LINES ? [...lines.slice(0, MAX_LINES), '…'] : lines;
}

/** `Ada Admin (ada@acme.example)`; null where neither is known. */
export function personName(person: NoticePerson | null): string | null {
  // A name is no place for an address that a mail program would make a link of.
  const name = oneLine((person?.name ?? '').replace(/[:/\\<>]/g, ' '));
  const email = oneLine(person?.email ?? '');
  if (name !== '' && email !== '') return `${name} (${email})`;
  const known = name === '' ? email : name;
  return known === '' ? null : known;
}

/** `Tuesday, 15 January 2030 at 13:00 (Europe/Berlin, UTC+01:00)`. A zone that is unknown here reads as UTC. */
export function instantText(atMs: number, timeZone: string): string {
  const format = formatOf(timeZone) ?? formatOf('UTC');
  const instant = new Date(atMs);
  if (format === null || Number.isNaN(instant.getTime())) return 'an unknown time';
  const parts = new Map(format.formatToParts(instant).map(({ type, value }) => [type, value]));
  const part = (type: Intl.DateTimeFormatPartTypes): string => parts.get(type) ?? '';
  const zone = format.resolvedOptions().timeZone;
  const offset = part('timeZoneName').replace('GMT', 'UTC');
  const named = zone === 'UTC' ? zone : `${zone}, ${offset}`;
  return `${part('weekday')}, ${part('day')} ${part('month')} ${part('year')} at ${part('hour')}:${part('minute')} (${named})`;
}

function formatOf(timeZone: string): Intl.DateTimeFormat | null {
  try {
    return new Intl.DateTimeFormat('en-GB', {
      timeZone,
      weekday: 'long',
      day: 'numeric',
      month: 'long',
      year: 'numeric',
      hour: '2-digit',
      minute: '2-digit',
      hourCycle: 'h23',
      timeZoneName: 'longOffset',
    });
  } catch {
    return null;
  }
}

/** `2 h 5 min`, `40 s`; never negative. */
export function lengthText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (hours === 0) return `${minutes} min`;
  return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
}

/** `customer_initiated_support` → `customer initiated support`. */
export function spaced(word: string): string {
  return oneLine(word.replaceAll('_', ' '));
}
