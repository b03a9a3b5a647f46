// Brings a joiner back to where a cursor was saved: the intents that were open there, with what they refer to, and the
// context of the segment in which the reading goes on. Depends on the segments alone. Cold: once per start of a sink.
import { feedContext } from './context-feed.ts';
import type { JournalLine } from './journal-lines.ts';
import type { LineContext } from './line-context.ts';
import type { RecordJoiner } from './record-joiner.ts';
import type { Position, SegmentTail } from './segment-tail.ts';

export interface ResumePoint extends Position {
  readonly directory: string;
  /** Intents before this place that have no completion yet: segment, offset, whether they are streaming. */
  readonly open: readonly (readonly [segment: number, offset: number, streaming: boolean])[];
}

/** How many of the intents could not be read again: their segment was removed or is damaged. Throws the errors of node:fs. */
export function resumeJoiner(joiner: RecordJoiner, tail: SegmentTail, point: ResumePoint): number {
  const contexts = new Map<number, LineContext>();
  let unreadable = 0;
  for (const [segment, offset, streaming] of point.open) {
    const line = intentAt(tail, { segment, offset });
    if (line === null) {
      unreadable += 1;
      continue;
    }
    let context = contexts.get(segment);
    if (context === undefined) {
      context = joiner.context.beside();
      // All of it: intents of one segment stand at several places.
      feedContext(context, { directory: point.directory, segment, end: Number.MAX_SAFE_INTEGER });
      contexts.set(segment, context);
    }
    joiner.openAgain(line, { segment, offset }, { streaming, context });
  }
  if (point.offset > 0) {
    const { directory, segment, offset } = point;
    feedIfThere(joiner.context, { directory, segment, end: offset });
  }
  return unreadable;
}

function intentAt(tail: SegmentTail, at: Position): Extract<JournalLine, { k: 'intent' }> | null {
  const text = tail.lineAt(at);
  if (text === null) return null;
  try {
    const line = JSON.parse(text) as JournalLine;
    return line.k === 'intent' ? line : null;
  } catch {
    return null;
  }
}

/** A segment that was removed meanwhile: the reading goes on in the next one, which needs nothing of it. */
function feedIfThere(context: LineContext, from: Parameters<typeof feedContext>[1]): void {
  try {
    feedContext(context, from);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
}
