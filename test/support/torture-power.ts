// A model of a device that loses power: bytes are durable once synced, a file's name once its directory was. What is
// left after a loss is chosen at random among all that may be: of the bytes behind the last sync none, some, all, or
// some with a page of zeros in them, as file systems leave that grow a file before they fill it.
// Everything goes to the real file system as well, for those who read the journal while it runs.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { type JournalFiles, nodeJournalFiles } from '#audit/journal-files.ts';
import { segmentFiles } from './torture-journal.ts';
import type { Random } from './torture-random.ts';

/** Of a sector, so that a small journal has several of them. */
const PAGE_BYTES = 512;

/** A file as the kernel and the device know it at one instant. Buffers are never changed once they are here. */
interface FileState {
  readonly name: string;
  /** What a reader sees. */
  readonly content: Buffer;
  /** What stands on the device for certain: as of the last sync. */
  readonly durable: Buffer;
  /** Whether its directory was synced since it was made. */
  readonly named: boolean;
}

export type DeviceState = readonly FileState[];

export interface PowerModel extends JournalFiles {
  /** Called after everything that changes what would survive, and before it in the case of a sync. */
  onChange: () => void;
  state(): DeviceState;
}

interface Inode {
  readonly path: string;
  content: Buffer;
  durable: Buffer;
  named: boolean;
}

export interface PowerOptions {
  /** Whose files have survived a loss already: all of them are durable. */
  readonly directory?: string;
  /** How long each sync takes; asked for every one. */
  readonly syncMs: () => number;
}

export function powerModel({ directory, syncMs }: PowerOptions): PowerModel {
  const inodes = new Inodes(directory);
  const model: PowerModel = {
    ...nodeJournalFiles,
    onChange: () => undefined,
    openForAppend(file) {
      const isNew = !existed(file);
      const fd = inodes.opened(file, nodeJournalFiles.openForAppend(file), isNew);
      model.onChange();
      return fd;
    },
    openForRepair: (file) => inodes.opened(file, nodeJournalFiles.openForRepair(file), false),
    write(fd, from, offset, length) {
      const written = nodeJournalFiles.write(fd, from, offset, length);
      const inode = inodes.of(fd);
      inode.content = Buffer.concat([inode.content, from.subarray(offset, offset + written)]);
      model.onChange();
      return written;
    },
    truncate(fd, bytes) {
      nodeJournalFiles.truncate(fd, bytes);
      const inode = inodes.of(fd);
      inode.content = inode.content.subarray(0, bytes);
      model.onChange();
    },
    sync(fd, done) {
      const inode = inodes.of(fd);
      const { content } = inode;
      setTimeout(() => {
        model.onChange();
        inode.durable = content;
        done(null);
        model.onChange();
      }, syncMs());
    },
    syncNow(fd) {
      model.onChange();
      const inode = inodes.of(fd);
      inode.durable = inode.content;
      model.onChange();
    },
    syncDirectory(synced) {
      model.onChange();
      inodes.named(synced);
      model.onChange();
    },
    close(fd) {
      inodes.closed(fd);
      nodeJournalFiles.close(fd);
    },
    remove(file) {
      inodes.removed(file);
      nodeJournalFiles.remove(file);
    },
    state: () => inodes.state(),
  };
  return model;
}

class Inodes {
  readonly #byPath = new Map<string, Inode>();
  readonly #byFd = new Map<number, Inode>();

  constructor(directory: string | undefined) {
    if (directory === undefined) return;
    for (const name of segmentFiles(directory)) this.#add(path.join(directory, name), false);
  }

  opened(file: string, fd: number, isNew: boolean): number {
    this.#byFd.set(fd, this.#byPath.get(file) ?? this.#add(file, isNew));
    return fd;
  }

  of(fd: number): Inode {
    const inode = this.#byFd.get(fd);
    if (inode === undefined) throw new Error(`${fd} is no file of the model`);
    return inode;
  }

  named(directory: string): void {
    for (const inode of this.#byPath.values()) if (path.dirname(inode.path) === directory) inode.named = true;
  }

  closed(fd: number): void {
    this.#byFd.delete(fd);
  }

  removed(file: string): void {
    this.#byPath.delete(file);
  }

  state(): DeviceState {
    return Array.from(this.#byPath.values(), ({ path: file, content, durable, named }) => ({
      name: path.basename(file),
      content,
      durable,
      named,
    }));
  }

  /** Whatever was there before the model began has survived already. */
  #add(file: string, isNew: boolean): Inode {
    const content = isNew ? Buffer.alloc(0) : readFileSync(file);
    const inode = { path: file, content, durable: content, named: !isNew };
    this.#byPath.set(file, inode);
    return inode;
  }
}

function existed(file: string): boolean {
  try {
    return nodeJournalFiles.stat(file).bytes >= 0;
  } catch {
    return false;
  }
}

export interface Loss {
  /** Whether a page of what was not synced may be left as zeros. */
  readonly zeros: boolean;
}

/** Writes into `directory` what is left of it, by chance. */
export function afterPowerLoss(state: DeviceState, directory: string, random: Random, loss: Loss): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const file of state) {
    if (!file.named && random.next() < 0.5) continue;
    writeFileSync(path.join(directory, file.name), survivors(file, random, loss), { mode: 0o600 });
  }
}

function survivors({ content, durable }: FileState, random: Random, { zeros }: Loss): Buffer {
  const isExtended = content.length >= durable.length && content.subarray(0, durable.length).equals(durable);
  // A cut that was not synced: the file is as it was, or the cut has happened and all that came after it may be there.
  if (!isExtended && random.next() < 0.5) return durable;
  const from = isExtended ? durable.length : commonBytes(content, durable);
  const unsynced = content.length - from;
  const kept = random.pick([0, unsynced, random.whole(0, unsynced)]);
  const left = Buffer.from(content.subarray(0, from + kept));
  if (zeros && kept > 0 && random.next() < 0.5) {
    const page = Math.floor(random.whole(from, from + kept - 1) / PAGE_BYTES) * PAGE_BYTES;
    left.fill(0, Math.max(from, page), Math.min(left.length, page + PAGE_BYTES));
  }
  return left;
}

function commonBytes(a: Buffer, b: Buffer): number {
  const most = Math.min(a.length, b.length);
  let same = 0;
  while (same < most && a[same] === b[same]) same += 1;
  return same;
}
