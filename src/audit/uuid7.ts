// Record identifiers: UUIDv7 (RFC 9562 section 5.7), fresh for events, derived for the second record of a stream.
// Not hot: requests bring their own identifier along.
import { createHash, randomBytes } from 'node:crypto';

/** A fresh UUIDv7 for `epochMs`. */
export function uuid7(epochMs: number): string {
  return uuidText(epochMs.toString(16).padStart(12, '0'), randomBytes(10));
}

/** A UUIDv7 with the time of `uuid` that is always the same for the same `uuid` and `purpose`. */
export function derivedUuid7(uuid: string, purpose: string): string {
  const digest = createHash('sha256').update(`${uuid}\n${purpose}`).digest();
  return uuidText(uuid.replaceAll('-', '').slice(0, 12), digest);
}

function uuidText(time: string, random: Buffer): string {
  random[0] = ((random[0] ?? 0) & 0x0f) | 0x70;
  random[2] = ((random[2] ?? 0) & 0x3f) | 0x80;
  const rest = random.toString('hex', 0, 10);
  return `${time.slice(0, 8)}-${time.slice(8)}-${rest.slice(0, 4)}-${rest.slice(4, 8)}-${rest.slice(8)}`;
}
