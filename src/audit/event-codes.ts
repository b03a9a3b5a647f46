// Stable codes of published records, one per event: searched for and alerted on, so they are never reused.
// The last letter is the severity: I information, W warning, E error. Documented in docs/audit.md.
import type { LifecycleEvent } from './journal.ts';

export const EVENT_CODES = {
  'request.allowed': 'PSTN1001I',
  'request.denied': 'PSTN1002W',
  'request.error': 'PSTN1003E',
  'stream.ended': 'PSTN1004I',
  'grant.created': 'PSTN2001I',
  'grant.changed': 'PSTN2002I',
  'grant.revoked': 'PSTN2003I',
  'grant.expired': 'PSTN2004I',
  'settings.changed': 'PSTN2005I',
  'request.made': 'PSTN2201I',
  'request.approved': 'PSTN2202I',
  'request.decided': 'PSTN2203I',
  'session.started': 'PSTN2101I',
  'session.ended': 'PSTN2102I',
  'policy.reloaded': 'PSTN3001I',
  'policy.reload_failed': 'PSTN3002E',
  'keys.withdrawn': 'PSTN4001W',
  'gateway.started': 'PSTN5001I',
  'gateway.stopped': 'PSTN5002I',
  'audit.gap': 'PSTN6001E',
  'audit.checkpoint': 'PSTN6002I',
  'audit.dropped': 'PSTN6003E',
  'subject.erased': 'PSTN7001I',
  'audit.read': 'PSTN7002I',
  'lock.set': 'PSTN8001W',
  'lock.lifted': 'PSTN8002I',
  'break_glass.asked': 'PSTN8003W',
  'break_glass.used': 'PSTN8004W',
} as const satisfies Record<
  LifecycleEvent['event'] | RequestEvent | 'audit.gap' | 'audit.checkpoint',
  string
>;

export type AuditEvent = keyof typeof EVENT_CODES;
export type RequestEvent = 'request.allowed' | 'request.denied' | 'request.error' | 'stream.ended';

/** Requests refused beyond the rate for unidentified ones, counted in one record. */
export const SUMMED_CODE = 'PSTN1005W';
/** The process ended before the request did: what became of it is not known. */
export const UNKNOWN_CODE = 'PSTN1006E';
