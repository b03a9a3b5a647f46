// Secrets that Postern hands out (launch tokens, session cookies): 256 random bits, and behind them a tag by a key of the
// store's own, so that what somebody made up is known without a look into the store. Only the SHA-256 of the whole is kept;
// the tag is no secret of its own: whoever knows the key still has to guess 256 bits. No salt and no slow hash for the same
// reason. Warm: one hash per request of a browser, one tag for each cookie that is not known yet.
import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto';

const SECRET_LENGTH = 43;
/** 128 bits. */
const TAG_BYTES = 16;
const SEALED = /^[A-Za-z0-9_-]{65}$/;

/** 256 random bits, 43 characters of base64url. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Whether `text` has the form of what a seal makes; nothing is known of its tag. */
export function isSealedSecret(text: string): boolean {
  return text.length === 65 && SEALED.test(text);
}

/** SHA-256, 43 characters of base64url. */
export function secretHash(secret: string): string {
  return hash('sha256', secret, 'base64url');
}

/** What a secret is for: one of one kind is none of the other. */
export type SecretKind = 'launch' | 'cookie';

export interface SecretSeal {
  /** 65 characters of base64url: 43 of secret, 22 of tag. */
  make(kind: SecretKind): string;
  /** Whether this text was made with this key; whether it is still worth anything the store alone knows. */
  holds(kind: SecretKind, text: string): boolean;
}

/** `key`: as `newSecret` makes one. */
export function createSecretSeal(key: string): SecretSeal {
  function tagOf(kind: SecretKind, secret: string): string {
    const digest = createHmac('sha256', key).update(`${kind} ${secret}`).digest();
    return digest.toString('base64url', 0, TAG_BYTES);
  }

  return {
    make(kind) {
      const secret = newSecret();
      return secret + tagOf(kind, secret);
    },
    holds(kind, text) {
      if (!isSealedSecret(text)) return false;
      const expected = tagOf(kind, text.slice(0, SECRET_LENGTH));
      return timingSafeEqual(Buffer.from(text.slice(SECRET_LENGTH)), Buffer.from(expected));
    },
  };
}
