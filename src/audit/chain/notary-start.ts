// Finds where the checkpoints of a journal left off, from the journal alone. Reads backwards, usually one segment or
// two; without any checkpoint everything is still to be signed. Runs in the sink worker, at its start.
import { nodeJournalFiles } from '../journal-files.ts';
import type { CheckpointLine, SegmentLine } from '../journal-lines.ts';
import { listSegments, type Segment } from '../segment-directory.ts';
import { segmentLines } from '../segment-lines.ts';
import type { Position } from '../segment-tail.ts';
import type { NotaryStart } from './notary.ts';
import { readSeal } from './seal.ts';

/**
 * `knownTo`: the last group under a checkpoint that is known of besides; 0 for none. Null for a journal without a whole
 * group. Throws the errors of node:fs.
 */
export function findNotaryStart(directory: string, knownTo = 0): NotaryStart | null {
  const newer: SegmentSeals[] = [];
  let coveredTo = knownTo;
  for (const segment of listSegments(nodeJournalFiles, directory).toReversed()) {
    const seals = sealsOf(segment);
    if (seals === null) continue;
    newer.unshift(seals);
    coveredTo = Math.max(coveredTo, seals.coveredTo);
    if (coveredTo + 1 >= seals.first) break;
  }
  const [oldest] = newer;
  if (oldest === undefined) return null;
  // Groups of segments that are gone need no checkpoint any more.
  coveredTo = Math.max(coveredTo, oldest.first - 1);
  return { chain: oldest.chain, coveredTo, from: startOf(coveredTo + 1, newer) };
}

interface SegmentSeals {
  readonly chain: string;
  readonly segment: number;
  /** Its first group, and where each of its groups ends. */
  readonly first: number;
  readonly ends: readonly number[];
  /** The last group that a checkpoint in it covers; 0 for none. */
  readonly coveredTo: number;
}

function sealsOf(segment: Segment): SegmentSeals | null {
  const ends: number[] = [];
  let header: SegmentLine | null = null;
  let coveredTo = 0;
  for (const { text, end } of segmentLines(nodeJournalFiles, segment)) {
    if (header === null) header = JSON.parse(text) as SegmentLine;
    else if (readSeal(text) !== null) ends.push(end);
    else if (text.startsWith('{"k":"checkpoint"')) coveredTo = (JSON.parse(text) as CheckpointLine).to;
  }
  if (header === null || ends.length === 0) return null;
  return { chain: header.chain, segment: segment.number, first: header.group, ends, coveredTo };
}

function startOf(group: number, segments: readonly SegmentSeals[]): Position {
  for (const { segment, first, ends } of segments) {
    if (group <= first) return { segment, offset: 0 };
    const end = ends[group - first - 1];
    // The group after a segment's last one begins the next segment, or will.
    if (end !== undefined && (group - first < ends.length || segment === segments.at(-1)?.segment)) {
      return { segment, offset: end };
    }
  }
  const last = segments.at(-1);
  return { segment: last?.segment ?? 1, offset: last?.ends.at(-1) ?? 0 };
}
