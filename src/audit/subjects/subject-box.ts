// The encrypted part of a subject line. Each line has a key of its own, derived from the subject's: a bundle for one
// tenant can open its lines without opening others. AES-256-GCM; the subject's id is authenticated with it. Warm.
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

/** What names or locates a person; nothing else of the chain does. */
export interface PersonFields {
  readonly id: string | null;
  readonly email: string | null;
  readonly name: string | null;
  /** Null where nobody came from anywhere: of whoever granted, and who is acted for. */
  readonly ip: string | null;
  readonly peer: string | null;
  readonly agent: string | null;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'aes-256-gcm';

export interface Box {
  /** Base64. */
  readonly iv: string;
  readonly box: string;
}

export function sealedBox(fields: PersonFields, subject: { readonly id: string; readonly key: Buffer }): Box {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, lineKeyOf(subject.key, iv), iv);
  cipher.setAAD(Buffer.from(subject.id, 'utf8'));
  const text = Buffer.concat([
    cipher.update(JSON.stringify(fields), 'utf8'),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
  return { iv: iv.toString('base64'), box: text.toString('base64') };
}

/** HMAC-SHA-256 of the line's iv under the subject's key. */
export function lineKeyOf(subjectKey: Buffer, iv: Buffer): Buffer {
  return createHmac('sha256', subjectKey).update('postern subject line\n').update(iv).digest();
}

/** Null when the key does not fit, or the line was changed. */
export function openedBox(box: Box, subjectId: string, lineKey: Buffer): PersonFields | null {
  try {
    const bytes = Buffer.from(box.box, 'base64');
    const decipher = createDecipheriv(CIPHER, lineKey, Buffer.from(box.iv, 'base64'), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(subjectId, 'utf8'));
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES));
    const text =
      decipher.update(bytes.subarray(0, bytes.length - TAG_BYTES), undefined, 'utf8') +
      decipher.final('utf8');
    return JSON.parse(text) as PersonFields;
  } catch {
    return null;
  }
}
