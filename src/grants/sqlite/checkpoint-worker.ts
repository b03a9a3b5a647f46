// Entry of the worker thread that copies the store's write-ahead log into its file. Started by `checkpointer.ts` alone.
// Opens the file anew each time: a file that was put in place of another is met as it is, and none is ever made.
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { parentPort, workerData } from 'node:worker_threads';
import type { CheckpointerStart } from './checkpointer.ts';

const { path } = workerData as CheckpointerStart;

function pass(): void {
  let db: DatabaseSync | undefined;
  try {
    db = new DatabaseSync(`${pathToFileURL(path).href}?mode=rw`);
    // Passive: waits for nobody, and nobody waits for it.
    db.exec('PRAGMA wal_checkpoint(PASSIVE)');
  } catch {
    // A file that is away or busy: the store says so itself where it matters, and the next pass tries again.
  } finally {
    if (db?.isOpen === true) db.close();
  }
}

parentPort?.on('message', () => {
  pass();
  parentPort?.postMessage(null, []);
});
