// The lines of a bundle, `postern-bundle/v1`: NDJSON in which lines with `b` are the bundle's own and lines with `k` are
// lines of the journal, byte for byte. One form alone is read, the one that is written here. Pure; not hot.
//   header, then for each checkpoint that covers something of the tenant: the checkpoint line, its leaves, each a `leaf`
//   line followed by as many journal lines as it says, a subject line by its `key`; last the `end`, which signs it all.
import { createPublicKey, sign, verify } from 'node:crypto';
import type { SigningKey } from '../chain/signing-key.ts';
import { asciiJson } from '../json-text.ts';

export const BUNDLE_FORMAT = 'postern-bundle/v1';

export interface BundleHeader {
  readonly b: 'header';
  readonly format: typeof BUNDLE_FORMAT;
  readonly tenant: string;
  /** The chain it was taken from. */
  readonly chain: string;
  /** RFC 3339, UTC. */
  readonly made: string;
  /** What was asked for; null: from the beginning, to the end. */
  readonly since: string | null;
  readonly until: string | null;
  /** Public keys that sign the checkpoints in it, 32 bytes base64url each; ascending, no duplicates. */
  readonly keys: readonly string[];
}

/** `record`: the tenant's lines of one group. `context`: a line that these refer to or need in order to be read. */
export type LeafUse = 'record' | 'context';

/** The lines that follow are one leaf of the checkpoint above. */
export interface LeafHead {
  readonly b: 'leaf';
  readonly use: LeafUse;
  readonly group: number;
  /** From 0, among the leaves of the checkpoint. */
  readonly index: number;
  /** Lowest first, hex; the tree is that of RFC 6962 section 2.1. */
  readonly proof: readonly string[];
  /** Journal lines that follow. */
  readonly lines: number;
}

/** What the bundle holds. */
export interface BundleCounts {
  readonly checkpoints: number;
  readonly leaves: number;
  /** Lines of records, which each carry one of the tenant's numbers: a request has one or two. */
  readonly numbered: number;
  readonly keys: number;
  /** The tenant's own numbers; null where no record carries one. */
  readonly first: number | null;
  readonly last: number | null;
}

export interface BundleEnd extends BundleCounts {
  readonly b: 'end';
  /** Of every byte before this line, hex. */
  readonly sha256: string;
  /** Who signs, base64url. */
  readonly key: string;
  readonly sig: string;
}

const SIGNED_PREFIX = 'postern bundle v1\n';
const SIGNATURE_KEY = ',"sig":';

export function headerText(header: Omit<BundleHeader, 'b' | 'format'>): string {
  const { tenant, chain, made, since, until, keys } = header;
  return `${asciiJson({ b: 'header', format: BUNDLE_FORMAT, tenant, chain, made, since, until, keys })}\n`;
}

export function leafText({ use, group, index, proof, lines }: Omit<LeafHead, 'b'>): string {
  return `${JSON.stringify({ b: 'leaf', use, group, index, proof, lines })}\n`;
}

export function keyText(key: Buffer): string {
  return `{"b":"key","key":"${key.toString('base64')}"}\n`;
}

/** The last line, signed. `sha256`: of everything before it. */
export function endText(counts: BundleCounts, sha256: string, key: SigningKey): string {
  const { checkpoints, leaves, numbered, keys, first, last } = counts;
  const facts = { b: 'end', checkpoints, leaves, numbered, keys, first, last, sha256, key: key.publicKey };
  const signed = JSON.stringify(facts).slice(0, -1);
  const sig = sign(null, Buffer.from(SIGNED_PREFIX + signed, 'latin1'), key.privateKey);
  return `${signed}${SIGNATURE_KEY}"${sig.toString('base64url')}"}\n`;
}

/** Null unless `text` (without its newline) is exactly what `headerText` writes. */
export function readHeader(text: string): BundleHeader | null {
  const header = parsed(text) as BundleHeader | null;
  if (header?.b !== 'header' || header.format !== BUNDLE_FORMAT) return null;
  const { tenant, chain, made, since, until, keys } = header;
  const isWhole =
    [tenant, chain, made].every(isText) &&
    [since, until].every((instant) => instant === null || isText(instant)) &&
    Array.isArray(keys) &&
    keys.every(isText);
  return isWhole && headerText(header) === `${text}\n` ? header : null;
}

/** Null unless it is exactly what `leafText` writes. */
export function readLeaf(text: string): LeafHead | null {
  const leaf = parsed(text) as LeafHead | null;
  if (leaf?.b !== 'leaf' || (leaf.use !== 'record' && leaf.use !== 'context')) return null;
  const { group, index, proof, lines } = leaf;
  const isWhole =
    [group, index, lines].every(isCount) &&
    lines > 0 &&
    Array.isArray(proof) &&
    proof.every((node) => isText(node) && HASH.test(node));
  return isWhole && leafText(leaf) === `${text}\n` ? leaf : null;
}

const HASH = /^[0-9a-f]{64}$/;
const KEY = /^\{"b":"key","key":"([A-Za-z0-9+/]{43}=)"\}$/;

/** Null unless it is exactly what `keyText` writes. */
export function readKey(text: string): Buffer | null {
  const match = KEY.exec(text);
  if (match === null) return null;
  const key = Buffer.from(match[1] as string, 'base64');
  return keyText(key) === `${text}\n` ? key : null;
}

const END =
  /^\{"b":"end","checkpoints":\d+,"leaves":\d+,"numbered":\d+,"keys":\d+,"first":(?:\d+|null),"last":(?:\d+|null),"sha256":"[0-9a-f]{64}","key":"[\w-]{43}","sig":"[\w-]{86}"\}$/;

/** Null unless it is exactly what `endText` writes. Says nothing of the signature. */
export function readEnd(text: string): BundleEnd | null {
  if (!END.test(text)) return null;
  const end = parsed(text) as BundleEnd;
  const isOneForm =
    JSON.stringify(end) === text && Buffer.from(end.sig, 'base64url').toString('base64url') === end.sig;
  return isOneForm ? end : null;
}

/** Whether the key that the line names has signed it. */
export function endHolds(text: string, end: BundleEnd): boolean {
  try {
    const key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: end.key }, format: 'jwk' });
    const signed = SIGNED_PREFIX + text.slice(0, text.lastIndexOf(SIGNATURE_KEY));
    return verify(null, Buffer.from(signed, 'latin1'), key, Buffer.from(end.sig, 'base64url'));
  } catch {
    return false;
  }
}

/** Any JSON object; null for what is none. */
export function parsed(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}

function isText(value: unknown): value is string {
  return typeof value === 'string';
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
