// Request ids: UUIDv7 (RFC 9562 section 5.7), unique across instances and sorted by time of receipt.
// Hot: the random part comes from a pool filled once per 256 ids; the time part is formatted once per millisecond.
import { randomFillSync } from 'node:crypto';
import type { EpochMs } from '#model/clock.ts';
import type { RequestId } from '#model/ids.ts';

const BYTES_PER_ID = 10;
const pool = Buffer.alloc(256 * BYTES_PER_ID);
let offset = pool.length;

let prefixMs = -1;
let prefix = '';

export function nextRequestId(now: EpochMs): RequestId {
  if (offset === pool.length) {
    randomFillSync(pool);
    offset = 0;
  }
  if (now !== prefixMs) {
    prefixMs = now;
    const hex = now.toString(16).padStart(12, '0');
    prefix = `${hex.slice(0, 8)}-${hex.slice(8)}-7`;
  }
  const variant = (0x8 | ((pool[offset + 9] as number) & 0x3)).toString(16);
  const hex = pool.toString('hex', offset, offset + 9);
  offset += BYTES_PER_ID;
  return `${prefix}${hex.slice(0, 3)}-${variant}${hex.slice(3, 6)}-${hex.slice(6, 18)}` as RequestId;
}
