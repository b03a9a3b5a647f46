// The signing key's files: who may read them, and that there is one key however many start at once.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempDisposable, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  importSigningKey,
  loadOrCreateSigningKey,
  publicKeyPath,
  readPublicKey,
} from '#audit/chain/signing-key.ts';

describe('the audit signing key', () => {
  it('is made on first start, for its owner alone, with the public key beside it for everybody', async () => {
    await using directory = await mkdtempDisposable(path.join(tmpdir(), 'postern-key-'));
    const file = path.join(directory.path, 'keys', 'audit-key.pem');
    const key = await loadOrCreateSigningKey(file);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await stat(path.dirname(file))).mode & 0o777).toBe(0o700);
    const shown = path.join(directory.path, 'keys', 'audit-key.pub.pem');
    expect((await stat(shown)).mode & 0o777).toBe(0o644);
    expect(readPublicKey(await readFile(shown, 'utf8'))).toBe(key.publicKey);
    expect(Buffer.from(key.publicKey, 'base64url')).toHaveLength(32);
    expect((await loadOrCreateSigningKey(file)).publicKey).toBe(key.publicKey);
    expect((await readdir(path.dirname(file))).toSorted()).toEqual(['audit-key.pem', 'audit-key.pub.pem']);
  });

  it('is one key when several start at once', async () => {
    await using directory = await mkdtempDisposable(path.join(tmpdir(), 'postern-key-'));
    const file = path.join(directory.path, 'key');
    const keys = await Promise.all(Array.from({ length: 8 }, () => loadOrCreateSigningKey(file)));
    expect(new Set(keys.map(({ publicKey }) => publicKey)).size).toBe(1);
    expect((await readdir(directory.path)).toSorted()).toEqual(['key', 'key.pub.pem']);
  });

  it('shows its own public key where another stood', async () => {
    await using directory = await mkdtempDisposable(path.join(tmpdir(), 'postern-key-'));
    const file = path.join(directory.path, 'key.pem');
    const { privateKey } = generateKeyPairSync('ed25519');
    await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
    await writeFile(publicKeyPath(file), 'something else');
    const key = await loadOrCreateSigningKey(file);
    expect(readPublicKey(await readFile(publicKeyPath(file), 'utf8'))).toBe(key.publicKey);
  });

  it('is Ed25519 and nothing else, and errors quote nothing of it', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const ec = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    expect(() => importSigningKey(ec)).toThrow('not an Ed25519 key');
    expect(() => importSigningKey('s3cret')).toThrow('not a private key in PEM');
    expect(readPublicKey(publicKey.export({ type: 'spki', format: 'pem' }).toString())).toBeNull();
    expect(readPublicKey('s3cret')).toBeNull();
    await using directory = await mkdtempDisposable(path.join(tmpdir(), 'postern-key-'));
    const file = path.join(directory.path, 'key.pem');
    await writeFile(file, 's3cret');
    await expect(loadOrCreateSigningKey(file)).rejects.toThrow(
      /^the audit signing key is not a private key in PEM$/,
    );
    await expect(loadOrCreateSigningKey(directory.path)).rejects.toThrow('cannot be read');
  });

  it('is not taken as a public key to verify with', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    expect(readPublicKey(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())).toBeNull();
  });
});
