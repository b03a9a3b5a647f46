// The private keys that the configuration points to: of the assertion and of the journal's checkpoints. Cold.
// Guarantees: a key that was read is one of the kinds allowed. One that is missing is made later, by the room it is for.
import { createPrivateKey, type KeyObject } from 'node:crypto';
import { existsSync } from 'node:fs';
import type { SigningKey } from './config.ts';
import type { Reader } from './reader.ts';

const NAMES = { 'P-256': 'P-256', ed25519: 'Ed25519' } as const;
type KeyKind = keyof typeof NAMES;

/** A file that does not exist is no problem: it is to be made. */
export function buildSigningKey(reader: Reader, pointer: string, kinds: readonly KeyKind[]): SigningKey {
  const file = reader.path(`${pointer}/fromFile`);
  if (file !== '' && !existsSync(file)) return { pem: null, file };
  const pem = reader.secret(pointer);
  const kind = pem === null ? null : kindOf(pem.reveal());
  if (pem !== null && (kind === null || !kinds.includes(kind))) {
    const names = kinds.map((one) => NAMES[one]).join(' or ');
    reader.problem(pointer, `the key must be a private key in PEM, ${names}`);
  }
  return { pem, file: file === '' ? null : file };
}

function kindOf(pem: string): KeyKind | null {
  let key: KeyObject;
  try {
    key = createPrivateKey(pem);
  } catch {
    return null;
  }
  if (key.asymmetricKeyType === 'ed25519') return 'ed25519';
  const isP256 = key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
  return isP256 ? 'P-256' : null;
}
