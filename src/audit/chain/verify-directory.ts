// A journal's bytes from its directory. What is behind the sizes found at the start is not read, so that it works beside
// a running gateway: what is written meanwhile is for the next time. Not hot: one read per chunk.
import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs';
import { segmentNumberOf, segmentPath } from '../segment-directory.ts';
import type { JournalSource } from './verify-report.ts';

/** Errors of node:fs are thrown through; disposing closes the open segment. */
export function directorySource(directory: string): JournalSource & Disposable {
  let open = -1;
  let fd = -1;
  const close = () => {
    if (fd !== -1) closeSync(fd);
    fd = -1;
  };
  return {
    segments() {
      return readdirSync(directory)
        .map(segmentNumberOf)
        .filter((number) => number !== null)
        .toSorted((a, b) => a - b)
        .map((number) => ({ number, bytes: statSync(segmentPath(directory, number)).size }));
    },
    read(segment, into, position) {
      if (fd === -1 || segment !== open) {
        close();
        fd = openSync(segmentPath(directory, segment), 'r');
        open = segment;
      }
      return readSync(fd, into, 0, into.length, position);
    },
    [Symbol.dispose]: close,
  };
}
