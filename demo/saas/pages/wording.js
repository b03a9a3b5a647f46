// How a grant reads to a person: who, what, until when, and what ending it would cut.

const DATE = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'short' });
const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: 'always' });
const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

const GROUPS = { support: 'Support staff', 'support-leads': 'Support leads' };

export function whoMayEnter({ audience }) {
  if (audience.principals?.length > 0) return audience.principals.map(({ id }) => id).join(', ');
  if (audience.groups?.length > 0) return audience.groups.map((name) => GROUPS[name] ?? name).join(', ');
  return 'Our whole support team';
}

export function whatTheyMayDo({ access }) {
  return access === 'write' ? 'may look and change' : 'may look only';
}

/** The case that the switch names, which is for help of any kind. */
export const GENERAL_CASE = 'General help';

/** "until 29 Nov 2026, 14:00 (in 7 days)" */
export function untilWhen({ expiresAt }) {
  return expiresAt === null ? 'until you turn it off' : `until ${dateOf(expiresAt)} (${fromNow(expiresAt)})`;
}

export function howItEnded({ revokedAt, revokedBy, expiresAt }) {
  if (revokedAt === null) return `ended by itself on ${dateOf(expiresAt)}`;
  return `ended by ${revokedBy?.name ?? 'an admin'} on ${dateOf(revokedAt)}`;
}

export function dateOf(instant) {
  return DATE.format(new Date(instant));
}

/** What a revoke would cut, as the gate counts it; says the rule plainly where the count is not known. */
export function impactText(impact) {
  if (impact === null) return 'Whatever support has open is cut at once, live streams too.';
  const { principals, requests, streams } = impact;
  if (requests + streams === 0) return 'Nobody is in your account under this access right now.';
  const people = principals === 1 ? '1 person is' : `${principals} people are`;
  const open = [counted(streams, 'live stream'), counted(requests, 'request')].filter(Boolean).join(' and ');
  return `${people} in your account now, with ${open}. All of it is cut at once.`;
}

function counted(number, what) {
  if (number === 0) return '';
  return number === 1 ? `1 ${what}` : `${number} ${what}s`;
}

function fromNow(instant) {
  const ms = Date.parse(instant) - Date.now();
  if (ms >= 2 * DAY_MS) return RELATIVE.format(Math.round(ms / DAY_MS), 'day');
  if (ms >= 2 * HOUR_MS) return RELATIVE.format(Math.round(ms / HOUR_MS), 'hour');
  return RELATIVE.format(Math.max(1, Math.round(ms / MINUTE_MS)), 'minute');
}
