// The requests of a journal, for tools that judge them again: every intent and every refusal, in order of writing.
// Reads a journal in use without touching it; a torn last line is passed over. Cold, and made for millions.
import type { IntentLine, RefusedLine } from './journal-lines.ts';
import { nodeJournalFiles } from './journal-files.ts';
import { listSegments } from './segment-directory.ts';
import { SegmentTail } from './segment-tail.ts';

export type RequestLine = IntentLine | RefusedLine;

export interface RequestBatch {
  readonly lines: readonly RequestLine[];
  /** Of the whole journal as it was when the reading began. */
  readonly bytesRead: number;
  readonly bytesTotal: number;
  /** Lines of a request that are no JSON: a damaged journal. */
  readonly damaged: number;
}

/** A batch for each chunk that was read. Throws the errors of node:fs. */
export function* recordedRequests(directory: string): Generator<RequestBatch> {
  const segments = listSegments(nodeJournalFiles, directory);
  const [first] = segments;
  const last = segments.at(-1);
  if (first === undefined || last === undefined) return;
  const tail = new SegmentTail(directory, { segment: first.number, offset: 0 });
  const end = { segment: last.number, offset: last.bytes };
  const bytesTotal = segments.reduce((sum, { bytes }) => sum + bytes, 0);
  let bytesRead = 0;
  for (let chunk = tail.next(end); chunk !== null; chunk = tail.next(end)) {
    bytesRead += chunk.bytes.length;
    yield { ...requestsIn(chunk.bytes), bytesRead, bytesTotal };
  }
}

/** What a line of a request begins with: others need not be parsed. */
const INTENT = '{"k":"intent"';
const REFUSED = '{"k":"refused"';

function requestsIn(bytes: Buffer): Pick<RequestBatch, 'lines' | 'damaged'> {
  const lines: RequestLine[] = [];
  let damaged = 0;
  // The journal is ASCII throughout.
  const text = bytes.toString('latin1');
  for (
    let start = 0, end = text.indexOf('\n');
    end !== -1;
    start = end + 1, end = text.indexOf('\n', start)
  ) {
    if (!text.startsWith(INTENT, start) && !text.startsWith(REFUSED, start)) continue;
    const line = parsed(text.slice(start, end));
    if (line === null) damaged += 1;
    else lines.push(line);
  }
  return { lines, damaged };
}

function parsed(text: string): RequestLine | null {
  try {
    return JSON.parse(text) as RequestLine;
  } catch {
    return null;
  }
}
