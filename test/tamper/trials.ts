// Makes random edits of one journal and has each verified: how many were found, and how many in the right group.
import { verifyJournal } from '#audit/chain/verify-journal.ts';
import type { KeptCheckpoint, VerifyReport } from '#audit/chain/verify-report.ts';
import { firstChanged, groupSpans, makeEdit } from './edits.ts';
import { type MemorySegment, memorySource, seeded } from './journal.ts';

export interface TamperCounts {
  edits: number;
  detected: number;
  located: number;
}

export interface Miss {
  readonly kind: string;
  readonly edit: number;
  /** The group where the first byte was changed. */
  readonly group: number;
  /** The group of the first finding; null where nothing was found. */
  readonly found: number | null;
  readonly what: string;
}

interface Victim {
  readonly segments: readonly MemorySegment[];
  readonly kept: readonly KeptCheckpoint[];
  readonly publicKey: string;
}

/** `onMiss` is told of every edit that was not found where it was made. */
export function tamper(
  { segments, kept, publicKey }: Victim,
  { edits, seed }: { readonly edits: number; readonly seed: number },
  onMiss: (miss: Miss) => void,
): TamperCounts {
  const spans = groupSpans(segments);
  const random = seeded(seed);
  const counts: TamperCounts = { edits: 0, detected: 0, located: 0 };
  for (let turn = 0; counts.edits < edits; turn++) {
    const edit = makeEdit({ before: segments, spans, random }, turn);
    const group = firstChanged(segments, edit.segments, spans);
    // Some edits put back what was there.
    if (group === null) continue;
    counts.edits += 1;
    const source = memorySource(edit.segments);
    const report = verifyJournal({ source, publicKeys: [publicKey], kept });
    const found = foundIn(report);
    if (found !== null) counts.detected += 1;
    if (found === group) counts.located += 1;
    else {
      const what = report.damage.findings[0]?.what ?? '';
      onMiss({ kind: edit.kind, edit: counts.edits, group, found, what });
    }
  }
  return counts;
}

/** Bytes behind the last group could be a group in the making: they are told as a tail, in the place after the last. */
function foundIn({ damage, tailBytes, groups }: VerifyReport): number | null {
  const first = damage.findings[0];
  if (first !== undefined) return first.group;
  return tailBytes > 0 ? groups.last + 1 : null;
}
