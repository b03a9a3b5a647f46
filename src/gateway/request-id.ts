// Request ids: UUIDv7 (RFC 9562 section 5.7), unique across instances and sorted by time of receipt.
// Hot: the random part comes from a pool filled and written out once per 1,024 ids; the time part once per millisecond.
import { randomFillSync } from 'node:crypto';
import type { EpochMs } from '#model/clock.ts';
import type { RequestId } from '#model/ids.ts';

/** 74 random bits: 18 hex digits and the two low bits of a 19th. */
const DIGITS_PER_ID = 20;
const pool = Buffer.alloc(1024 * (DIGITS_PER_ID / 2));
let digits = '';
let offset = 0;

const VARIANTS = '89ab';

let prefixMs = -1;
let prefix = '';

export function nextRequestId(now: EpochMs): RequestId {
  if (offset === digits.length) {
    digits = randomFillSync(pool).toString('hex');
    offset = 0;
  }
  if (now !== prefixMs) {
    prefixMs = now;
    const hex = now.toString(16).padStart(12, '0');
    prefix = `${hex.slice(0, 8)}-${hex.slice(8)}-7`;
  }
  const at = offset;
  offset += DIGITS_PER_ID;
  // RFC 9562 section 4.1: the variant is 8, 9, a or b.
  const variant = VARIANTS.charAt(digits.charCodeAt(at + 18) & 0x3);
  return `${prefix}${digits.slice(at, at + 3)}-${variant}${digits.slice(at + 3, at + 6)}-${digits.slice(at + 6, at + 18)}` as RequestId;
}
