// A journal's groups in order, for those who make a bundle of it: numbers without gaps from a segment's first group on.
// Reads beside a running gateway: what stands there when it begins is what it reads. Not hot, but made for 20 GiB.
import { nodeJournalFiles } from '../journal-files.ts';
import type { JournalLine, SegmentLine } from '../journal-lines.ts';
import { beginsSegment, type Group, GroupReader } from '../chain/group-reader.ts';
import { listSegments } from '../segment-directory.ts';
import type { Position } from '../segment-tail.ts';

/** The journal is not what a journal is: no bundle can be made of it, `audit verify` says more. */
export class JournalDamage extends Error {
  override readonly name = 'JournalDamage';
}

/** Where a journal begins and ends at this moment; null where there is none. Throws the errors of node:fs. */
export function extentOf(directory: string): { readonly first: number; readonly end: Position } | null {
  const segments = listSegments(nodeJournalFiles, directory).filter(({ bytes }) => bytes > 0);
  const [first, last] = [segments[0], segments.at(-1)];
  if (first === undefined || last === undefined) return null;
  return { first: first.number, end: { segment: last.number, offset: last.bytes } };
}

/** Each is valid until the next one is asked for. Throws JournalDamage, and the errors of node:fs. */
export function* groupsOf(directory: string, segment: number, end: Position): Generator<Group> {
  const reader = new GroupReader(directory, { segment, offset: 0 });
  try {
    let expected = -1;
    for (let group = reader.next(end); group !== null; group = reader.next(end)) {
      const begins = segmentLineOf(group);
      if (expected === -1 && begins === null)
        throw new JournalDamage(`segment ${group.segment} has no first line`);
      if (expected === -1) expected = begins?.group ?? -1;
      if (group.number !== expected || reader.unsealedBytes > 0) {
        throw new JournalDamage(
          `segment ${group.segment}: group ${expected} should follow, group ${group.number} does`,
        );
      }
      expected += 1;
      yield group;
    }
  } finally {
    reader.close();
  }
}

/** Of the group that begins a segment; null for any other. Throws JournalDamage. */
export function segmentLineOf({ lines, segment }: Group): SegmentLine | null {
  if (!beginsSegment(lines)) return null;
  const line = lineOf(lines.toString('latin1', 0, lines.indexOf(0x0a))) as SegmentLine;
  if (line.segment !== segment) throw new JournalDamage(`segment ${segment} says that it is another one`);
  return line;
}

/** Throws JournalDamage. */
export function lineOf(text: string): JournalLine {
  try {
    return JSON.parse(text) as JournalLine;
  } catch {
    throw new JournalDamage('a line is no JSON');
  }
}

/** As leaves are told apart: the key right after a line's kind. Group 1 is JSON text. */
const TENANT = /^\{"k":"[a-z]+","tenant":("(?:[^"\\]|\\.)*")/;

/** The lines of one tenant among a group's, without their newlines; usually none. `tenant`: JSON text, quotes included. */
export function tenantLines(lines: Buffer, tenant: string): string[] {
  const key = `"tenant":${tenant}`;
  const found: string[] = [];
  for (let hit = lines.indexOf(key, 0, 'latin1'); hit !== -1; ) {
    const start = lines.lastIndexOf(0x0a, hit) + 1;
    const newline = lines.indexOf(0x0a, hit);
    const end = newline === -1 ? lines.length : newline;
    const text = lines.toString('latin1', start, end);
    if (TENANT.exec(text)?.[1] === tenant) found.push(text);
    hit = lines.indexOf(key, end, 'latin1');
  }
  return found;
}
