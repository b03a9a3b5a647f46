// The journal's file system with faults that a test plants: a full disk, an I/O error, short writes, slow syncs.
import { type JournalFiles, nodeJournalFiles } from '#audit/journal-files.ts';

export interface FaultyFiles extends JournalFiles {
  /** Bytes that can still be written before ENOSPC. */
  roomBytes: number;
  /** The most that one write takes. */
  maxWriteBytes: number;
  failWrites: string | null;
  failTruncate: boolean;
  failSync: string | null;
  /** While true, syncs wait until `releaseSyncs` is called. */
  holdSyncs: boolean;
  syncs: number;
  writes: number;
  releaseSyncs(): void;
}

export function faultyFiles(): FaultyFiles {
  const held: (() => void)[] = [];
  const files: FaultyFiles = {
    ...nodeJournalFiles,
    roomBytes: Number.MAX_SAFE_INTEGER,
    maxWriteBytes: Number.MAX_SAFE_INTEGER,
    failWrites: null,
    failTruncate: false,
    failSync: null,
    holdSyncs: false,
    syncs: 0,
    writes: 0,
    write(fd, from, offset, length) {
      files.writes += 1;
      if (files.failWrites !== null) throw errorOf(files.failWrites);
      const room = Math.min(length, files.maxWriteBytes, files.roomBytes);
      if (room === 0) throw errorOf('ENOSPC');
      const written = nodeJournalFiles.write(fd, from, offset, room);
      files.roomBytes -= written;
      return written;
    },
    truncate(fd, bytes) {
      if (files.failTruncate) throw errorOf('EIO');
      nodeJournalFiles.truncate(fd, bytes);
    },
    sync(fd, done) {
      files.syncs += 1;
      const run = (): void => {
        const code = files.failSync;
        if (code === null) nodeJournalFiles.sync(fd, done);
        else setImmediate(() => done(errorOf(code)));
      };
      if (files.holdSyncs) held.push(run);
      else run();
    },
    syncNow(fd) {
      if (files.failSync !== null) throw errorOf(files.failSync);
      nodeJournalFiles.syncNow(fd);
    },
    releaseSyncs() {
      files.holdSyncs = false;
      for (const run of held.splice(0)) run();
    },
  };
  return files;
}

function errorOf(code: string): Error {
  return Object.assign(new Error(`${code}: planted`), { code });
}
