// The key that signs checkpoints: Ed25519, read from PEM or made on first start. Cold.
// Guarantees: a key made here is readable by its owner alone, two processes starting at once end with one key, and the
// public key stands beside it in PEM for those who verify. Errors quote nothing of a key.
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomUUID,
} from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { PosternError } from '#model/fault.ts';

export interface SigningKey {
  readonly privateKey: KeyObject;
  /** The raw public key, 32 bytes, base64url without padding: as segment and checkpoint lines name it. */
  readonly publicKey: string;
}

/** `pem`: a PKCS #8 private key, Ed25519; anything else is a fault. */
export function importSigningKey(pem: string): SigningKey {
  let privateKey: KeyObject;
  try {
    privateKey = createPrivateKey(pem);
  } catch {
    // The cause may quote the key.
    throw new PosternError('INTERNAL', 'the audit signing key is not a private key in PEM');
  }
  if (privateKey.asymmetricKeyType !== 'ed25519') {
    throw new PosternError('INTERNAL', 'the audit signing key is not an Ed25519 key');
  }
  return { privateKey, publicKey: rawPublicKey(createPublicKey(privateKey)) };
}

/** The raw public key, base64url, of a public key in PEM (SPKI). Null for anything but an Ed25519 public key. */
export function readPublicKey(pem: string): string | null {
  // createPublicKey would take a private key as well: nobody should hand one about to verify with.
  if (pem.includes('PRIVATE KEY')) return null;
  try {
    const key = createPublicKey(pem);
    return key.asymmetricKeyType === 'ed25519' ? rawPublicKey(key) : null;
  } catch {
    return null;
  }
}

function rawPublicKey(key: KeyObject): string {
  return key.export({ format: 'jwk' }).x as string;
}

/** Reads the key at `file`; where there is none yet, makes one there (PKCS #8, mode 0600). Throws PosternError. */
export async function loadOrCreateSigningKey(file: string): Promise<SigningKey> {
  let pem = await readText(file);
  if (pem === null) {
    const { privateKey } = generateKeyPairSync('ed25519');
    await create(file, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600, link);
    pem = (await readText(file)) ?? '';
  }
  const key = importSigningKey(pem);
  await showPublicKey(file, key.privateKey);
  return key;
}

/** `audit-key.pem` has `audit-key.pub.pem` beside it. */
export function publicKeyPath(file: string): string {
  const { dir, name, ext, base } = path.parse(file);
  return path.join(dir, `${ext === '.pem' ? name : base}.pub.pem`);
}

/** Written again only where it is missing or another key's, so that a read-only mount of both files will do. */
async function showPublicKey(file: string, privateKey: KeyObject): Promise<void> {
  const pem = createPublicKey(privateKey).export({ type: 'spki', format: 'pem' }).toString();
  const shown = publicKeyPath(file);
  if ((await readText(shown)) !== pem) await create(shown, pem, 0o644, rename);
}

async function readText(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new PosternError('INTERNAL', 'the audit signing key cannot be read', error);
  }
}

/**
 * Written aside and put into place: nobody reads half a key. By `link` the first of two writers wins, by `rename` the
 * last.
 */
async function create(
  file: string,
  text: string,
  mode: number,
  place: (from: string, to: string) => Promise<void>,
): Promise<void> {
  const aside = `${file}.${randomUUID()}.new`;
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    const handle = await open(aside, 'wx', mode);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await place(aside, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') {
      throw new PosternError('INTERNAL', 'the audit signing key cannot be written', error);
    }
  } finally {
    await rm(aside, { force: true });
  }
}
