// The lines of one segment, read in bounded pieces: for those who start a journal, not for those who follow it.
// Assumes ASCII. Cold.
import type { JournalFiles } from './journal-files.ts';
import type { Segment } from './segment-directory.ts';

const CHUNK_BYTES = 1024 * 1024;

/** Whole lines without their newline, and where each ends. A torn last line is left out. */
export function* segmentLines(
  files: JournalFiles,
  segment: Segment,
): Generator<{ readonly text: string; readonly end: number }> {
  const fd = files.openForRepair(segment.path);
  const chunk = Buffer.allocUnsafe(CHUNK_BYTES);
  try {
    let rest = '';
    let end = 0;
    for (let position = 0; position < segment.bytes; ) {
      const read = files.read(fd, chunk, position);
      if (read === 0) return;
      position += read;
      const text = rest + chunk.toString('latin1', 0, read);
      let from = 0;
      for (let newline = text.indexOf('\n'); newline !== -1; newline = text.indexOf('\n', from)) {
        end += newline + 1 - from;
        yield { text: text.slice(from, newline), end };
        from = newline + 1;
      }
      rest = text.slice(from);
    }
  } finally {
    files.close(fd);
  }
}
