// What is committed survives the end of the process at once; a loss of power only when the log is on the device. SQLite
// would wait for the device inside of the commit (`synchronous = FULL`) and hold up every request meanwhile, for tens of
// milliseconds on a busy disk; this waits in Node's own threads, after the commit, once for all who wait. Off the warm path.
import { open } from 'node:fs/promises';
import { PosternError } from '#model/fault.ts';

export interface LogSync {
  /** To be called after a commit that must not be lost, before `synced`. */
  committed(): void;
  /**
   * Resolves when all that was `committed` before the call is on the device, by whoever; at once when it is already.
   * STORE_UNAVAILABLE when it may not be: then it stays so for every later call until one succeeds, or the repetition
   * of a revoke, which has nothing left to commit, would be told that it is safe.
   */
  synced(): Promise<void>;
  /** To be called before the store's connection is closed: closing one copies the log into the file and syncs that. */
  close(): void;
}

/** `path` is the store's file. */
export function createLogSync(path: string): LogSync {
  let isDirty = false;
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  let closed = false;

  async function sync(): Promise<void> {
    isDirty = false;
    try {
      // Opened each time: the connection may have been given up, and another log made, in between.
      await using log = await open(`${path}-wal`, 'r+');
      await log.datasync();
    } catch (error) {
      if (closed && error instanceof Error && 'code' in error && error.code === 'ENOENT') return;
      isDirty = true;
      throw new PosternError('STORE_UNAVAILABLE', 'what was committed may not be on the device', error);
    } finally {
      running = null;
    }
  }

  function started(): Promise<void> {
    next = null;
    running = sync();
    return running;
  }

  return {
    committed() {
      isDirty = true;
    },
    async synced() {
      if (!isDirty) return running ?? undefined;
      // One that runs may have begun before this commit: the next one, for all who ask until it begins.
      if (running !== null) next ??= running.then(started, started);
      return next ?? started();
    },
    close() {
      closed = true;
    },
  };
}
