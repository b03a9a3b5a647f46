// Keys of services: long random strings that begin with `psk_`, kept only as SHA-256. Comparing takes the same
// time whichever key, and however much of it, is right. Assumes keys with enough randomness that a fast hash
// hides them. Not hot.
import { createHash, timingSafeEqual } from 'node:crypto';
import type { ServiceIdentity } from './control-authenticator.ts';

export interface ServiceOptions {
  readonly name: string;
  /** 64 hexadecimal digits: the SHA-256 of the whole key, `psk_` included. */
  readonly keyHash: string;
  readonly may: readonly string[];
}

/** Null for a key that no service has. */
export type ServiceKeys = (key: string) => ServiceIdentity | null;

export const SERVICE_KEY_PREFIX = 'psk_';
const MAX_KEY_LENGTH = 512;

/** Throws a TypeError that names the service for a wrong option. */
export function createServiceKeys(services: readonly ServiceOptions[]): ServiceKeys {
  const known = services.map(checkService);
  const hashes = new Set(known.map(({ hash }) => hash.toString('hex')));
  if (hashes.size !== known.length) throw new TypeError('two services have the same key');
  return (key) => {
    if (key.length > MAX_KEY_LENGTH) return null;
    const hash = createHash('sha256').update(key).digest();
    let found: ServiceIdentity | null = null;
    // To the end, though found: the time must not tell which.
    for (const service of known) {
      if (timingSafeEqual(service.hash, hash)) found = service.identity;
    }
    return found;
  };
}

function checkService(service: ServiceOptions): {
  readonly hash: Buffer;
  readonly identity: ServiceIdentity;
} {
  const { name, keyHash } = service;
  if (name.length === 0) throw new TypeError('a service has no name');
  if (!/^[0-9a-f]{64}$/i.test(keyHash)) {
    throw new TypeError(`service ${JSON.stringify(name)}: keyHash must be 64 hexadecimal digits`);
  }
  const may = Object.freeze([...service.may]);
  return { hash: Buffer.from(keyHash, 'hex'), identity: Object.freeze({ kind: 'service', name, may }) };
}
