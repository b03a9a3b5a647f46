// The hash chain: every group of lines ends with a seal, the hash of the previous seal's hash and the group's bytes.
// Whoever changes, removes, adds or moves a byte breaks the seal of its group. Pure.
// Hot: one hash per group; the writer keeps `prev` in front of the group's bytes, so that nothing is copied for it.
import { hash } from 'node:crypto';

export const HASH_BYTES = 32;
/** What the first group of a chain follows on. */
export const GENESIS = '0'.repeat(2 * HASH_BYTES);

/** `bytes`: the previous group's hash (32 bytes), then the group's lines with their newlines. Hex. */
export function groupHash(bytes: Buffer): string {
  return hash('sha256', bytes, 'hex');
}

/** The line that closes a group, newline included. */
export function sealText(group: number, groupHashHex: string): string {
  return `{"k":"seal","n":${group},"h":"${groupHashHex}"}\n`;
}

const SEAL = /^\{"k":"seal","n":(\d{1,15}),"h":"([0-9a-f]{64})"\}$/;

/** Null for a line that is no seal; `line` without its newline. */
export function readSeal(line: string): { readonly n: number; readonly h: string } | null {
  if (!line.startsWith(SEAL_START)) return null;
  const match = SEAL.exec(line);
  return match === null ? null : { n: Number(match[1]), h: match[2] as string };
}

/** What every seal begins with, and nothing else does: no line's first key but `k` is written first. */
export const SEAL_START = '{"k":"seal","n":';
