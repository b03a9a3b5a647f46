// Fills a context from the journal's files, for whoever starts to read in the middle of a segment.
// Looks at the beginnings of lines alone and parses those that others refer to: a segment is searched at the speed
// of its disk. Assumes nothing of the journal: what does not parse is passed over. Cold.
import { closeSync, openSync, readSync } from 'node:fs';
import type { ContextLine } from './journal-lines.ts';
import type { LineContext } from './line-context.ts';
import { segmentPath } from './segment-directory.ts';

const CHUNK_BYTES = 1024 * 1024;

/** What the lines begin with that others refer to; with the newline before, since none is the first of a segment. */
const STARTS = ['\n{"k":"subject"', '\n{"k":"grant"', '\n{"k":"policy"'] as const;

/**
 * Feeds the context lines of `segment` that stand before the byte `end`. Numbers are unique within a segment, so it
 * does no harm to feed more of it than is read, up to all (`end` beyond the file). Throws the errors of node:fs.
 */
export function feedContext(
  context: LineContext,
  from: { readonly directory: string; readonly segment: number; readonly end: number },
): void {
  const { directory, segment, end } = from;
  context.enter(segment);
  const fd = openSync(segmentPath(directory, segment), 'r');
  try {
    let buffer = Buffer.allocUnsafe(CHUNK_BYTES);
    for (let offset = 0; offset < end; ) {
      const read = readSync(fd, buffer, 0, Math.min(buffer.length, end - offset), offset);
      if (read === 0) return;
      const last = buffer.subarray(0, read).lastIndexOf(0x0a);
      feedFrom(context, buffer.subarray(0, last + 1), segment);
      // The newline is read once more: it begins the next line.
      if (last > 0) offset += last;
      else if (read < buffer.length) return;
      else buffer = Buffer.allocUnsafe(2 * buffer.length);
    }
  } finally {
    closeSync(fd);
  }
}

/** Feeds the context lines of a piece of a segment: whole lines, with the newline before the first of them. */
function feedFrom(context: LineContext, bytes: Buffer, segment: number): void {
  // Subjects first: grants refer to them.
  for (const start of STARTS) {
    for (let at = bytes.indexOf(start, 0, 'latin1'); at !== -1; ) {
      const end = bytes.indexOf(0x0a, at + 1);
      if (end === -1) break;
      takeText(context, bytes.toString('latin1', at + 1, end), segment);
      at = bytes.indexOf(start, end, 'latin1');
    }
  }
}

function takeText(context: LineContext, text: string, segment: number): void {
  try {
    context.take(JSON.parse(text) as ContextLine, segment);
  } catch {
    // A damaged line: whatever refers to it finds nothing.
  }
}
