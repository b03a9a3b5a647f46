// Ids of what the store keeps: a prefix and 26 characters of Crockford base 32, 48 bits of time before 80 random ones.
// Ids of one process only grow, even within a millisecond or when the clock goes back; others differ by chance.
// Cold: one per grant, request, session, lock or notice.
import { randomFillSync } from 'node:crypto';
import type { EpochMs } from '#model/clock.ts';
import type { GrantId } from '#model/ids.ts';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const CHARS = /^[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const TIME_CHARS = 10;
const RANDOM_CHARS = 16;

/** `grt` grants, `req` access requests, `ses` sessions, `lck` locks, `emg` emergencies, `ntc` notices, `hook` webhooks. */
export type IdPrefix = 'grt' | 'req' | 'ses' | 'lck' | 'emg' | 'ntc' | 'hook';

export interface IdSource {
  next(prefix: IdPrefix, now: EpochMs): string;
}

/** Whether `text` is an id of this kind; nothing is known about whether there is such a thing. */
export function isRecordId(prefix: IdPrefix, text: string): boolean {
  return text.startsWith(`${prefix}_`) && CHARS.test(text.slice(prefix.length + 1));
}

export function isGrantId(text: string): text is GrantId {
  return isRecordId('grt', text);
}

export function createIdSource(): IdSource {
  let lastMs = -1;
  /** Sixteen digits of base 32: eighty bits. */
  const digits = new Uint8Array(RANDOM_CHARS);
  return {
    next(prefix, now) {
      if (now > lastMs) {
        lastMs = now;
        randomFillSync(digits);
        for (let i = 0; i < RANDOM_CHARS; i++) digits[i] = (digits[i] as number) & 31;
      } else if (!increment(digits)) {
        lastMs += 1;
      }
      return `${prefix}_${timeChars(lastMs)}${randomChars(digits)}`;
    },
  };
}

/** False on overflow: all digits are then 0 and the time part must move on. */
function increment(digits: Uint8Array): boolean {
  for (let i = digits.length - 1; i >= 0; i--) {
    const digit = (digits[i] as number) + 1;
    if (digit < 32) {
      digits[i] = digit;
      return true;
    }
    digits[i] = 0;
  }
  return false;
}

function timeChars(ms: number): string {
  let text = '';
  let rest = ms;
  for (let i = 0; i < TIME_CHARS; i++) {
    text = ALPHABET.charAt(rest % 32) + text;
    rest = Math.floor(rest / 32);
  }
  return text;
}

function randomChars(digits: Uint8Array): string {
  let text = '';
  for (const digit of digits) text += ALPHABET.charAt(digit);
  return text;
}
