// Intents without completion, found by reading every line's first keys; none is parsed. Reads at the speed of the disk,
// and so it is for commands alone. Errors are those of node:fs.
import { type Position, SegmentTail } from '../segment-tail.ts';
import type { JournalView } from './journal-view.ts';
import { ID_LENGTH, KIND, KIND_AT, LineHead, TENANT_AT } from './line-head.ts';

const NEWLINE = 0x0a;

export interface OpenPlace extends Position {
  /** Received at. */
  readonly t: number;
  /** Whether the head of a stream was sent on. */
  isStreaming: boolean;
}

export interface OpenIntents {
  /** Whose process ended first. */
  readonly abandoned: readonly OpenPlace[];
  readonly open: readonly OpenPlace[];
}

/** From the beginning of `fromSegment` to the end of the view. */
export function openIntents(
  { directory, end }: Pick<JournalView, 'directory' | 'end'>,
  fromSegment: number,
): OpenIntents {
  const open = new Map<string, OpenPlace>();
  const abandoned: OpenPlace[] = [];
  if (end === null) return { abandoned, open: [] };
  const head = new LineHead();
  const tail = new SegmentTail(directory, { segment: fromSegment, offset: 0 });
  try {
    for (let chunk = tail.next(end); chunk !== null; chunk = tail.next(end)) {
      const { bytes, segment, offset } = chunk;
      for (let from = 0; from < bytes.length; from = bytes.indexOf(NEWLINE, from) + 1) {
        const kind = bytes[from + KIND_AT];
        if (kind === KIND.i && head.request(bytes, from + TENANT_AT.intent)) {
          open.set(idAt(bytes, head), { segment, offset: offset + from, t: head.t, isStreaming: false });
        } else if (kind === KIND.d && head.end(bytes, from + TENANT_AT.done)) {
          open.delete(idAt(bytes, head));
        } else if (kind === KIND.s && bytes[from + KIND_AT + 1] === 0x74) {
          const one = head.end(bytes, from + TENANT_AT.started) ? open.get(idAt(bytes, head)) : undefined;
          if (one !== undefined) one.isStreaming = true;
        } else if (kind === KIND.o) {
          abandoned.push(...open.values());
          open.clear();
        }
      }
    }
  } finally {
    tail.close();
  }
  return { abandoned, open: [...open.values()] };
}

function idAt(bytes: Buffer, { idFrom }: LineHead): string {
  return bytes.toString('latin1', idFrom, idFrom + ID_LENGTH);
}
