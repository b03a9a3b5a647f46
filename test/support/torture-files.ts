// The journal's file system in trouble, for whole gates: what `faultyFiles` plants, a segment that cannot be opened, a
// disk that takes its time. Whatever is not in trouble goes to the real file system.
import { nodeJournalFiles } from '#audit/journal-files.ts';
import { type FaultyFiles, faultyFiles } from './audit-files.ts';

export interface TroubledFiles extends FaultyFiles {
  /** A code with which opening a segment fails. */
  failOpen: string | null;
  /** How long each write holds up the process. */
  writeMs: number;
  /** How long each sync takes beyond its own time; asked for every one. */
  syncMs: () => number;
}

export function troubledFiles(): TroubledFiles {
  const faulty = faultyFiles();
  const { write, sync, syncNow } = faulty;
  const files: TroubledFiles = Object.assign(faulty, {
    failOpen: null,
    writeMs: 0,
    syncMs: () => 0,
  });
  files.openForAppend = (path) => {
    if (files.failOpen !== null)
      throw Object.assign(new Error(`${files.failOpen}: planted`), { code: files.failOpen });
    return nodeJournalFiles.openForAppend(path);
  };
  files.write = (fd, from, offset, length) => {
    hold(files.writeMs);
    return write(fd, from, offset, length);
  };
  files.sync = (fd, done) => {
    const ms = files.syncMs();
    if (ms === 0) sync(fd, done);
    else setTimeout(() => sync(fd, done), ms);
  };
  files.syncNow = (fd) => {
    hold(files.syncMs());
    syncNow(fd);
  };
  return files;
}

const NEVER = new Int32Array(new SharedArrayBuffer(4));

/** As a write does that waits for its device. */
function hold(ms: number): void {
  if (ms > 0) Atomics.wait(NEVER, 0, 0, ms);
}
