// The requests of a journal, for tools that judge them again: every intent and every refusal, in order of writing.
// Reads a journal in use without touching it; a torn last line is passed over. Cold, and made for millions.
import type { ContextLine, GrantLine, IntentLine, RefusedLine, SubjectLine } from './journal-lines.ts';
import { nodeJournalFiles } from './journal-files.ts';
import { LineContext, NO_KEYS } from './line-context.ts';
import { listSegments } from './segment-directory.ts';
import { SegmentTail } from './segment-tail.ts';

/** A request and what it refers to. People stay as the chain names them: nobody's key is asked for. */
export interface RecordedLine {
  readonly line: IntentLine | RefusedLine;
  readonly subject: SubjectLine;
  /** Null where the request got no grant. */
  readonly grant: GrantLine | null;
}

export interface RequestBatch {
  readonly lines: readonly RecordedLine[];
  /** Of the whole journal as it was when the reading began. */
  readonly bytesRead: number;
  readonly bytesTotal: number;
  /** Requests that are no JSON, or refer to lines that are not there: a damaged journal. */
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
  const context = new LineContext(NO_KEYS);
  let bytesRead = 0;
  for (let chunk = tail.next(end); chunk !== null; chunk = tail.next(end)) {
    bytesRead += chunk.bytes.length;
    context.enter(chunk.segment);
    yield { ...requestsIn(chunk.bytes, chunk.segment, context), bytesRead, bytesTotal };
  }
}

/** What a line begins with that is needed here: others need not be parsed. */
const REQUESTS = ['{"k":"intent"', '{"k":"refused"'] as const;
const CONTEXT = ['{"k":"subject"', '{"k":"grant"'] as const;

function requestsIn(
  bytes: Buffer,
  segment: number,
  context: LineContext,
): Pick<RequestBatch, 'lines' | 'damaged'> {
  const lines: RecordedLine[] = [];
  let damaged = 0;
  // The journal is ASCII throughout.
  const text = bytes.toString('latin1');
  for (
    let start = 0, end = text.indexOf('\n');
    end !== -1;
    start = end + 1, end = text.indexOf('\n', start)
  ) {
    if (startsWithOneOf(REQUESTS, text, start)) {
      const line = recorded(text.slice(start, end), context);
      if (line === null) damaged += 1;
      else lines.push(line);
    } else if (startsWithOneOf(CONTEXT, text, start)) {
      if (!taken(text.slice(start, end), segment, context)) damaged += 1;
    }
  }
  return { lines, damaged };
}

function startsWithOneOf(starts: readonly [string, string], text: string, at: number): boolean {
  return text.startsWith(starts[0], at) || text.startsWith(starts[1], at);
}

function recorded(text: string, context: LineContext): RecordedLine | null {
  try {
    const line = JSON.parse(text) as IntentLine | RefusedLine;
    const subject = context.subjectLine(line.s);
    const grant = context.grantLine(line.g);
    return subject === null || (grant === null && line.g !== 0) ? null : { line, subject, grant };
  } catch {
    return null;
  }
}

function taken(text: string, segment: number, context: LineContext): boolean {
  try {
    context.take(JSON.parse(text) as ContextLine, segment);
    return true;
  } catch {
    return false;
  }
}
