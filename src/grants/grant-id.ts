// Grant ids: `grt_` and 26 characters of Crockford base 32, 48 bits of time before 80 random ones.
// Ids of one process only grow, even within a millisecond or when the clock goes back; others differ by chance.
// Cold: one per grant.
import { randomFillSync } from 'node:crypto';
import type { EpochMs } from '#model/clock.ts';
import type { GrantId } from '#model/ids.ts';

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const GRANT_ID = /^grt_[0-7][0-9A-HJKMNP-TV-Z]{25}$/;
const TIME_CHARS = 10;
const RANDOM_CHARS = 16;

export interface GrantIdSource {
  next(now: EpochMs): GrantId;
}

export function isGrantId(text: string): text is GrantId {
  return GRANT_ID.test(text);
}

export function createGrantIdSource(): GrantIdSource {
  let lastMs = -1;
  /** Sixteen digits of base 32: eighty bits. */
  const digits = new Uint8Array(RANDOM_CHARS);
  return {
    next(now) {
      if (now > lastMs) {
        lastMs = now;
        randomFillSync(digits);
        for (let i = 0; i < RANDOM_CHARS; i++) digits[i] = (digits[i] as number) & 31;
      } else if (!increment(digits)) {
        lastMs += 1;
      }
      return `grt_${timeChars(lastMs)}${randomChars(digits)}` as GrantId;
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
