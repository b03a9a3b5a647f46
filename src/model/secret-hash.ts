// Secrets that Postern hands out (launch tokens, session cookies): 256 random bits, of which only the SHA-256 is kept.
// No salt and no slow hash: nobody guesses 256 bits. Warm: one hash per request of a browser.
import { hash, randomBytes } from 'node:crypto';

const SECRET = /^[A-Za-z0-9_-]{43}$/;

/** 43 characters of base64url. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url');
}

/** Whether `text` has the form of one, so that what never was one costs no look into the store. */
export function isSecret(text: string): boolean {
  return text.length === 43 && SECRET.test(text);
}

/** SHA-256, 43 characters of base64url. */
export function secretHash(secret: string): string {
  return hash('sha256', secret, 'base64url');
}
