// Where a journal left off: the last seal, tenants' numbers, and what is torn behind it. Read once, at start.
// Guarantees: what stands up to the last seal is left as it is, damaged or not: judging it is what verification is for.
// A group without its seal was never acknowledged, so nothing that was forwarded is lost by cutting it off.
import { randomUUID } from 'node:crypto';
import { PosternError } from '#model/fault.ts';
import type { JournalFiles } from '../journal-files.ts';
import type { SegmentLine, TenantsLine, UnusedLine } from '../journal-lines.ts';
import type { Segment } from '../segment-directory.ts';
import { segmentLines } from '../segment-lines.ts';
import { NUMBERED } from '../tenant-numbers.ts';
import { GENESIS, readSeal } from './seal.ts';

export interface ChainStart {
  readonly chain: string;
  /** Of the last group; 0 and GENESIS in a new chain. */
  readonly group: number;
  readonly head: string;
  /** The next number of each tenant, by its name. */
  readonly tenants: ReadonlyMap<string, number>;
  /** How much of each segment that was looked at is whole groups: only the last ones, newest first. */
  readonly wholeBytes: ReadonlyMap<number, number>;
}

/** `segments` oldest first. Throws AUDIT_UNAVAILABLE for a journal that another version wrote. */
export function readChainStart(files: JournalFiles, segments: readonly Segment[]): ChainStart {
  const wholeBytes = new Map<number, number>();
  for (const segment of segments.toReversed()) {
    const found = readSegment(files, segment);
    wholeBytes.set(segment.number, found?.wholeBytes ?? 0);
    if (found !== null) return { ...found, wholeBytes };
  }
  return { chain: randomUUID(), group: 0, head: GENESIS, tenants: new Map(), wholeBytes };
}

interface Found extends Omit<ChainStart, 'wholeBytes'> {
  readonly wholeBytes: number;
}

/** Null when it holds no whole group. */
function readSegment(files: JournalFiles, segment: Segment): Found | null {
  const tenants = new Map<string, number>();
  /** Of the group being read: they count once its seal is there. */
  let pending: (readonly [string, number])[] = [];
  let header: SegmentLine | null = null;
  let group = 0;
  let head = '';
  let wholeBytes = 0;
  for (const { text, end } of segmentLines(files, segment)) {
    // After a loss of power a file may be longer than what was filled of it: the rest was never synced.
    if (text.includes('\0')) break;
    const seal = readSeal(text);
    if (header === null) {
      header = segmentLineOf(text, segment);
    } else if (seal !== null) {
      ({ n: group, h: head } = seal);
      wholeBytes = end;
      for (const [tenant, next] of pending) tenants.set(tenant, Math.max(next, tenants.get(tenant) ?? 1));
      pending = [];
    } else {
      pending.push(...numbersAfter(text));
    }
  }
  return header === null || group === 0 ? null : { chain: header.chain, group, head, tenants, wholeBytes };
}

/** The next numbers of tenants that a line implies: usually of one. */
function numbersAfter(line: string): (readonly [string, number])[] {
  const match = NUMBERED.exec(line);
  if (match !== null) return [[JSON.parse(match[1] as string) as string, Number(match[2]) + 1]];
  try {
    if (line.startsWith('{"k":"tenants"')) return Object.entries((JSON.parse(line) as TenantsLine).next);
    if (line.startsWith('{"k":"unused"')) {
      const { tenant, ranges } = JSON.parse(line) as UnusedLine;
      return ranges.map(([, last]) => [tenant, last + 1] as const);
    }
  } catch {
    // Damaged: verification says so, and the gate starts all the same.
  }
  return [];
}

function segmentLineOf(text: string, { path }: Segment): SegmentLine {
  try {
    if (text.startsWith('{"k":"segment","v":1,')) return JSON.parse(text) as SegmentLine;
  } catch {
    // Damaged, and so none: told like one of another version.
  }
  throw new PosternError(
    'AUDIT_UNAVAILABLE',
    `${path} does not begin as a segment of this version does: move it away, or name another audit.directory`,
  );
}
