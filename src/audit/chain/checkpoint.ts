// Checkpoints: lines that sign the chain's head and the Merkle root of the groups since the last one. Whoever forges
// the chain cannot forge these. One form alone is read, byte by byte the one that is written. Pure but for the key.
// Cold: one a second.
import { createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import type { CheckpointLine } from '../journal-lines.ts';

/** What a checkpoint says, before it is signed. */
export type CheckpointFacts = Omit<CheckpointLine, 'k' | 'key' | 'sig'>;

/** In front of what is signed: a signature of this key over anything else never passes for a checkpoint. */
const SIGNED_PREFIX = 'postern checkpoint v1\n';
const SIGNATURE_KEY = ',"sig":';

/** The whole line, newline included. `key`: of chain/signing-key.ts. */
export function checkpointText(
  facts: CheckpointFacts,
  key: { readonly privateKey: KeyObject; readonly publicKey: string },
): string {
  const signed = signedText(facts, key.publicKey);
  const sig = sign(null, Buffer.from(SIGNED_PREFIX + signed, 'latin1'), key.privateKey).toString('base64url');
  return `${signed}${SIGNATURE_KEY}"${sig}"}\n`;
}

/** The line again, from what it says, newline included: as records that were published elsewhere have it. */
export function checkpointTextOf(line: Omit<CheckpointLine, 'k'>): string {
  return `${signedText(line, line.key)}${SIGNATURE_KEY}"${line.sig}"}\n`;
}

function signedText(facts: CheckpointFacts, publicKey: string): string {
  return (
    `{"k":"checkpoint","id":"${facts.id}","t":${facts.t},"chain":"${facts.chain}","from":${facts.from},` +
    `"to":${facts.to},"head":"${facts.head}","leaves":${facts.leaves},"root":"${facts.root}","key":"${publicKey}"`
  );
}

const WHOLE_NUMBER = '(0|[1-9][0-9]{0,15})';
const IDENTIFIER = '([0-9A-Za-z_-]{1,64})';
const DIGEST = '([0-9a-f]{64})';
const FORM = new RegExp(
  `^\\{"k":"checkpoint","id":"${IDENTIFIER}","t":${WHOLE_NUMBER},"chain":"${IDENTIFIER}","from":${WHOLE_NUMBER},` +
    `"to":${WHOLE_NUMBER},"head":"${DIGEST}","leaves":${WHOLE_NUMBER},"root":"${DIGEST}",` +
    `"key":"([\\w-]{43})","sig":"([\\w-]{86})"\\}\\n?$`,
);

/** Null unless it is exactly what `checkpointText` writes, with or without its newline. Says nothing of the signature. */
export function readCheckpoint(text: string): CheckpointLine | null {
  const match = FORM.exec(text);
  if (match === null) return null;
  const [, id = '', t, chain = '', from, to, head = '', leaves, root = '', key = '', sig = ''] = match;
  const line: CheckpointLine = {
    k: 'checkpoint',
    id,
    t: Number(t),
    chain,
    from: Number(from),
    to: Number(to),
    head,
    leaves: Number(leaves),
    root,
    key,
    sig,
  };
  return line.from >= 1 && line.to >= line.from && Number.isSafeInteger(line.to) ? line : null;
}

/**
 * Whether the line is a checkpoint and the key that it names has signed it. `publicKeys`: those that may, 32 bytes
 * base64url each; null trusts whatever key the line names, which shows that it is whole and not who wrote it.
 */
export function checkpointHolds(lineText: string, publicKeys: readonly string[] | null): boolean {
  const line = readCheckpoint(lineText);
  if (line === null || (publicKeys !== null && !publicKeys.includes(line.key))) return false;
  const key = publicKeyOf(line.key);
  if (key === null) return false;
  const signed = SIGNED_PREFIX + lineText.slice(0, lineText.lastIndexOf(SIGNATURE_KEY));
  return verify(null, Buffer.from(signed, 'latin1'), key, Buffer.from(line.sig, 'base64url'));
}

let lastName = '';
let lastKey: KeyObject | null = null;

/** A journal has one key for years: the last one is kept. */
function publicKeyOf(raw: string): KeyObject | null {
  if (raw === lastName) return lastKey;
  lastName = raw;
  try {
    lastKey = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: raw }, format: 'jwk' });
  } catch {
    lastKey = null;
  }
  return lastKey;
}
