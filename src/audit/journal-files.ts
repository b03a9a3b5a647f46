// The file system as the journal needs it: synchronous and small, so that tests can plant a full disk, an
// I/O error, a short write or a slow disk. Errors are those of node:fs; the segment writer maps them.
import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readdirSync,
  readSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';

export interface JournalFiles {
  /** With its parents, for the owner alone. */
  makeDirectory(path: string): void;
  names(directory: string): readonly string[];
  stat(path: string): { readonly bytes: number; readonly modifiedAtMs: number };
  /** Appending; created for the owner alone when absent. */
  openForAppend(path: string): number;
  openForRepair(path: string): number;
  /** May write less than asked. */
  write(fd: number, from: Buffer, offset: number, length: number): number;
  read(fd: number, into: Buffer, position: number): number;
  truncate(fd: number, bytes: number): void;
  /** Data on the device, off the event loop; `done` is never called synchronously. */
  sync(fd: number, done: (error: Error | null) => void): void;
  syncNow(fd: number): void;
  /** So that a new segment's name survives a power failure. */
  syncDirectory(path: string): void;
  close(fd: number): void;
  remove(path: string): void;
}

export const nodeJournalFiles: JournalFiles = {
  makeDirectory: (path) => {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  },
  names: (directory) => readdirSync(directory),
  stat: (path) => {
    const { size, mtimeMs } = statSync(path);
    return { bytes: size, modifiedAtMs: mtimeMs };
  },
  openForAppend: (path) => openSync(path, 'a', 0o600),
  openForRepair: (path) => openSync(path, 'r+'),
  write: (fd, from, offset, length) => writeSync(fd, from, offset, length, null),
  read: (fd, into, position) => readSync(fd, into, 0, into.length, position),
  truncate: (fd, bytes) => ftruncateSync(fd, bytes),
  sync: (fd, done) => fdatasync(fd, done),
  syncNow: (fd) => fdatasyncSync(fd),
  syncDirectory: (path) => {
    const fd = openSync(path, 'r');
    try {
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
  },
  close: (fd) => closeSync(fd),
  remove: (path) => rmSync(path, { force: true }),
};
