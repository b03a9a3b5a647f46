// What subjects.db holds of a person besides the key: fields encrypted under that key, and keyed hashes to find them by.
// SQLite moves rows between pages and may leave old bytes behind, so that nothing may stand there in clear that an
// erasure must take away: once the key is overwritten, whatever was left says nothing. Warm.
import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

export interface StoredFields {
  readonly issuer: string;
  readonly id: string;
  readonly email: string | null;
  readonly name: string | null;
}

const IV_BYTES = 12;
const TAG_BYTES = 16;
const CIPHER = 'aes-256-gcm';
/** Enough that two people never meet. */
const HASH_BYTES = 16;

/** IV, ciphertext and tag. The subject's id is authenticated with them. */
export function sealedFields(
  fields: StoredFields,
  subject: { readonly id: string; readonly key: Buffer },
): Buffer {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, rowKeyOf(subject.key), iv);
  cipher.setAAD(Buffer.from(subject.id, 'utf8'));
  return Buffer.concat([
    iv,
    cipher.update(JSON.stringify(fields), 'utf8'),
    cipher.final(),
    cipher.getAuthTag(),
  ]);
}

/** Null when the key does not fit, or the row was changed. */
export function openedFields(
  sealed: Uint8Array,
  subject: { readonly id: string; readonly key: Buffer },
): StoredFields | null {
  try {
    const bytes = Buffer.from(sealed);
    const end = bytes.length - TAG_BYTES;
    const decipher = createDecipheriv(CIPHER, rowKeyOf(subject.key), bytes.subarray(0, IV_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(Buffer.from(subject.id, 'utf8'));
    decipher.setAuthTag(bytes.subarray(end));
    const text = decipher.update(bytes.subarray(IV_BYTES, end), undefined, 'utf8') + decipher.final('utf8');
    return JSON.parse(text) as StoredFields;
  } catch {
    return null;
  }
}

/** Another key than any line's of the journal. */
function rowKeyOf(subjectKey: Buffer): Buffer {
  return createHmac('sha256', subjectKey).update('postern subject row\n').digest();
}

/** To look for `text` in its column, without the column saying it. `pepper` is the store's own. */
export function lookupHash(pepper: Uint8Array, column: 'person' | 'id' | 'email', text: string): Buffer {
  return createHmac('sha256', pepper).update(`${column}\n`).update(text).digest().subarray(0, HASH_BYTES);
}
