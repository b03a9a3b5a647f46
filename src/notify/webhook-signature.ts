// Standard Webhooks 1.0.0, symmetric signatures: HMAC-SHA256 over `id.timestamp.body`. Pure and cold.
// The id is made from notice and recipient, so that a delivery that is sent twice can be told by its receiver.
import { createHmac, hash } from 'node:crypto';
import type { EpochMs } from '#model/clock.ts';
import type { DeliveryKey } from './notice-outbox.ts';

const SECRET_PREFIX = 'whsec_';
/** A shorter key is no key: a secret that cannot be read must not sign with nothing. */
const MIN_KEY_BYTES = 16;

/** `msg_` and 32 hex digits: no dot, which parts what is signed. */
export function messageIdOf({ noticeId, channel, recipient }: DeliveryKey): string {
  return `msg_${hash('sha256', JSON.stringify([noticeId, channel, recipient]), 'hex').slice(0, 32)}`;
}

/** Null for a secret that holds no key: `whsec_` and base64, or any other text. */
export function signatureKeyOf(secret: string): Buffer | null {
  const isPrefixed = secret.startsWith(SECRET_PREFIX);
  const text = isPrefixed ? secret.slice(SECRET_PREFIX.length) : secret;
  if (isPrefixed && !/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return null;
  const key = Buffer.from(text, isPrefixed ? 'base64' : 'utf8');
  return key.length < MIN_KEY_BYTES ? null : key;
}

export function signedHeaders(
  key: Buffer,
  id: string,
  { body, now }: { readonly body: Buffer; readonly now: EpochMs },
): Readonly<Record<string, string>> {
  const timestamp = String(Math.floor(now / 1000));
  const signature = createHmac('sha256', key).update(`${id}.${timestamp}.`).update(body).digest('base64');
  return { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': `v1,${signature}` };
}
