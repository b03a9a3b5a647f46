// Events of a policy directory and of its packs, so that a change is looked at at once. Guarantees nothing: losing a
// watch loses speed, not changes, since whoever uses it polls as well and opens it again then. Cold.
// A directory that was removed and made again, or mounted over, is another one; its old watch would stay silent.
import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { PolicyDirectory } from './load-directory.ts';

export interface PolicyWatch {
  /** Opens what is not open or watches what is gone; never rejects. */
  open(): Promise<void>;
  close(): void;
}

interface Watch {
  readonly watcher: FSWatcher;
  /** Of the directory that is watched: another one of the same name needs a watch of its own. */
  readonly identity: string;
}

export function createPolicyWatch(
  { directory, packs }: Pick<PolicyDirectory, 'directory' | 'packs'>,
  onEvent: () => void,
): PolicyWatch {
  const watches = new Map<string, Watch>();
  const paths = packs.length === 0 ? [directory] : [directory, join(directory, 'packs')];
  let isClosed = false;
  function drop(path: string): void {
    watches.get(path)?.watcher.close();
    watches.delete(path);
  }
  async function openOne(path: string): Promise<void> {
    const identity = await identityOf(path);
    if (watches.get(path)?.identity === identity) return;
    drop(path);
    if (identity === null || isClosed) return;
    try {
      const watcher = watch(path, { persistent: false }, onEvent);
      watcher.on('error', () => drop(path));
      watches.set(path, { watcher, identity });
    } catch {
      // Gone in between, or no watches left; tried again at the next poll.
    }
  }
  return {
    async open() {
      for (const path of paths) await openOne(path);
    },
    close() {
      isClosed = true;
      for (const path of watches.keys()) drop(path);
    },
  };
}

async function identityOf(path: string): Promise<string | null> {
  try {
    const { dev, ino, birthtimeNs } = await stat(path, { bigint: true });
    return `${dev} ${ino} ${birthtimeNs}`;
  } catch {
    return null;
  }
}
