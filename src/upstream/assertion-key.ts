// The key that signs assertions: read from PEM, or made on first start. Cold.
// Guarantees: a key made here is readable by its owner alone, and two processes starting at once end with one key.
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
} from 'node:crypto';
import { link, mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { calculateJwkThumbprint, exportJWK, type JWK } from 'jose';
import { PosternError } from '#model/fault.ts';

export interface AssertionKey {
  /** RFC 7518 section 3.4 or RFC 8037 section 3.1. */
  readonly alg: 'ES256' | 'EdDSA';
  /** The RFC 7638 thumbprint of the public key, SHA-256. */
  readonly kid: string;
  readonly privateKey: KeyObject;
  /** With `kid`, `alg` and `use`; no private member. */
  readonly publicJwk: JWK;
}

/** `pem` is a PKCS #8 or SEC 1 private key, P-256 or Ed25519; anything else is a fault that quotes nothing of it. */
export async function importAssertionKey(pem: string): Promise<AssertionKey> {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(pem);
  } catch {
    // The cause may quote the key.
    throw new PosternError('INTERNAL', 'the assertion key is not a private key in PEM');
  }
  const alg = algorithmOf(privateKey);
  if (alg === null) throw new PosternError('INTERNAL', 'the assertion key is neither P-256 nor Ed25519');
  const bare = await exportJWK(createPublicKey(privateKey));
  const kid = await calculateJwkThumbprint(bare, 'sha256');
  return { alg, kid, privateKey, publicJwk: { ...bare, kid, alg, use: 'sig' } };
}

function algorithmOf(key: KeyObject): AssertionKey['alg'] | null {
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA';
  const isP256 = key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1';
  return isP256 ? 'ES256' : null;
}

/** Reads the key at `path`; where there is none yet, makes an ES256 key there (PKCS #8, mode 0600). */
export async function loadOrCreateAssertionKey(path: string): Promise<AssertionKey> {
  const existing = await readPem(path);
  if (existing !== null) return importAssertionKey(existing);
  await createKeyFile(path);
  return importAssertionKey((await readPem(path)) ?? '');
}

async function readPem(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new PosternError('INTERNAL', 'the assertion key cannot be read', error);
  }
}

/** Written aside and linked into place: nobody reads half a key, and the first of two writers wins. */
async function createKeyFile(path: string): Promise<void> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const aside = `${path}.${randomUUID()}.new`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const file = await open(aside, 'wx', 0o600);
    try {
      await file.writeFile(privateKey.export({ type: 'pkcs8', format: 'pem' }));
      await file.sync();
    } finally {
      await file.close();
    }
    await link(aside, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new PosternError('INTERNAL', 'the assertion key cannot be written', error);
    }
  } finally {
    await rm(aside, { force: true });
  }
}
