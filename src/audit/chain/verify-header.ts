// The first line of a segment, as verification needs it: what it says, whether that fits, and where the oldest segment
// begins. Cold: once per segment.
import { GENESIS, groupHash } from './seal.ts';
import type { GroupScanner, Seal } from './verify-scanner.ts';

/** A group that something may follow on: its number and its hash, hex. */
export interface Anchor {
  readonly group: number;
  readonly head: string;
}

export interface Header {
  readonly chain: string;
  readonly segment: number;
  readonly group: number;
  readonly prev: string;
  /** Empty where nothing is signed. */
  readonly key: string;
}

const START = '{"k":"segment","v":1,';
const HASH = /^[0-9a-f]{64}$/;

/** Of the group's first line; null when that is no segment line of this version. */
export function readHeader(lines: Buffer): Header | null {
  const newline = lines.indexOf(0x0a);
  const text = lines.toString('latin1', 0, newline === -1 ? 0 : newline);
  if (!text.startsWith(START)) return null;
  try {
    const { chain, segment, group, prev, key } = JSON.parse(text) as Record<keyof Header, unknown>;
    const hasTexts = typeof chain === 'string' && typeof prev === 'string' && typeof key === 'string';
    if (!hasTexts || !HASH.test(prev) || !isPositive(segment) || !isPositive(group)) return null;
    return { chain, segment, group, prev, key };
  } catch {
    return null;
  }
}

function isPositive(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 1;
}

/** What does not fit in the first line of the segment `segment`, whose first group follows on `previous`; or null. */
export function headerFault(
  header: Header | null,
  {
    chain,
    segment,
    previous,
  }: { readonly chain: string | null; readonly segment: number; readonly previous: Anchor },
): string | null {
  if (header === null) return 'the segment does not begin with a segment line of this version';
  if (chain !== null && header.chain !== chain) return 'the segment is of another chain';
  if (header.segment !== segment) return `the segment says that it is number ${header.segment}`;
  if (header.group !== previous.group + 1)
    return `the segment says that it begins with group ${header.group}`;
  if (header.prev !== previous.head) return 'the segment says that it follows on another group';
  return null;
}

export function headerAnchor(header: Header): Anchor {
  return { group: header.group - 1, head: header.prev };
}

/**
 * What the oldest segment's first group follows on, where older segments were removed. If its group is damaged, either
 * the header's number or the seal's may be the one that was changed.
 */
export function oldestAnchor(header: Header | null, scanner: GroupScanner, seal: Seal): Anchor {
  if (header === null) return { group: seal.n - 1, head: GENESIS };
  const anchor = headerAnchor(header);
  if (seal.n === header.group || scanner.hashAfter(header.prev) === seal.h) return anchor;
  const bySeal = { group: seal.n - 1, head: header.prev };
  return seal.n < header.group || holdsRenumbered(header, scanner, seal) ? bySeal : anchor;
}

function holdsRenumbered(header: Header, scanner: GroupScanner, seal: Seal): boolean {
  const text = scanner.lines().toString('latin1').replace(`"group":${header.group},`, `"group":${seal.n},`);
  return groupHash(Buffer.concat([Buffer.from(header.prev, 'hex'), Buffer.from(text, 'latin1')])) === seal.h;
}
