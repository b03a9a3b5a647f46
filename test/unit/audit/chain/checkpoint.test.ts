// Checkpoints: what is signed, what is read, and what holds.
import { createPublicKey, generateKeyPairSync, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  type CheckpointFacts,
  checkpointHolds,
  checkpointText,
  checkpointTextOf,
  readCheckpoint,
} from '#audit/chain/checkpoint.ts';
import { importSigningKey, type SigningKey } from '#audit/chain/signing-key.ts';

function newKey(): SigningKey {
  const { privateKey } = generateKeyPairSync('ed25519');
  return importSigningKey(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
}

const key = newKey();
const facts: CheckpointFacts = {
  id: '0198f2a0-0000-7000-8000-00000000beef',
  t: 1_760_000_000_123,
  chain: '0198f2a0-0000-7000-8000-00000000c0de',
  from: 4,
  to: 19,
  head: 'ab'.repeat(32),
  leaves: 31,
  root: 'cd'.repeat(32),
};
const text = checkpointText(facts, key);

describe('a checkpoint', () => {
  it('is one line of JSON that reads back as what was said', () => {
    expect(text.endsWith('}\n')).toBe(true);
    expect(readCheckpoint(text)).toEqual(JSON.parse(text));
    expect(readCheckpoint(text)).toMatchObject({ k: 'checkpoint', ...facts, key: key.publicKey });
    expect(readCheckpoint(text.trimEnd())).toEqual(JSON.parse(text));
    const line = readCheckpoint(text);
    expect(line && checkpointTextOf(line)).toBe(text);
  });

  it('signs its text up to the signature, with a prefix of its own', () => {
    const signed = Buffer.from(`postern checkpoint v1\n${text.slice(0, text.indexOf(',"sig":'))}`);
    const publicKey = createPublicKey(key.privateKey);
    expect(publicKey.export({ format: 'jwk' }).x).toBe(key.publicKey);
    const sig = Buffer.from((JSON.parse(text) as { sig: string }).sig, 'base64url');
    expect(verify(null, signed, publicKey, sig)).toBe(true);
  });

  it('holds for the keys that may sign, and for whatever key it names when none is given', () => {
    expect(checkpointHolds(text, [newKey().publicKey, key.publicKey])).toBe(true);
    expect(checkpointHolds(text.trimEnd(), null)).toBe(true);
    expect(checkpointHolds(text, [])).toBe(false);
    expect(checkpointHolds(text, [newKey().publicKey])).toBe(false);
  });

  it('does not hold when any one byte of it is another', () => {
    for (let at = 0; at < text.length; at++) {
      for (const by of [1, 32]) {
        const changed = String.fromCharCode(text.charCodeAt(at) ^ by);
        const edited = text.slice(0, at) + changed + text.slice(at + 1);
        expect(checkpointHolds(edited, null), `byte ${at}`).toBe(false);
      }
    }
  });

  it('is read in its one form alone', () => {
    const line = JSON.parse(text) as Record<string, unknown>;
    const { k, ...rest } = line;
    for (const other of [
      JSON.stringify({ ...rest, k }),
      JSON.stringify({ ...line, more: 1 }),
      JSON.stringify({ ...line, from: 20 }),
      JSON.stringify({ ...line, from: 0 }),
      text.replace('"from":4', '"from":04'),
      text.replace('"from":4', '"from": 4'),
      ` ${text}`,
      `${text}\n`,
      '',
    ]) {
      expect(readCheckpoint(other)).toBeNull();
      expect(checkpointHolds(other, null)).toBe(false);
    }
  });

  it('of a key that is no point of the curve does not hold, and does not throw', () => {
    expect(checkpointHolds(text.replace(key.publicKey, '_'.repeat(43)), null)).toBe(false);
  });
});
