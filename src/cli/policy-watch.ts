// `--watch`: runs a command again whenever the policies it is about change, until it is interrupted.
// Guarantees: a change during a run is seen after it; a directory counts as changed once it has held still, so that a
// file half written is not judged. Directories of tests and packs count, those that appear later too. Not hot.
import { watch } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fingerprintDirectory } from '#policy/load-directory.ts';
import type { PolicyPrinter } from './policy-print.ts';

/** Calls `onEvent` when something in the directory may have changed. Null: it cannot be watched now. */
export type WatchDirectory = (path: string, onEvent: () => void) => Disposable | null;

export interface WatchDeps {
  readonly printer: PolicyPrinter;
  /** Ends the watching. */
  readonly signal: AbortSignal;
  /** Default: the file system's own events. */
  readonly watch?: WatchDirectory;
  /** How long the directory must hold still. Default 100. */
  readonly settleMs?: number;
  /** How often it is looked at where no event comes (network mounts). Default 2000. */
  readonly pollMs?: number;
}

/** Runs at once, then after every change. Resolves, once interrupted, with the exit code of the last run. */
export async function rerunOnChange(
  directory: string,
  run: () => Promise<number>,
  deps: WatchDeps,
): Promise<number> {
  const { printer, signal, settleMs = 100, pollMs = 2000 } = deps;
  const bell = createBell(signal);
  using watchers = createWatchers(foldersOf(directory), deps.watch ?? watchWithEvents, bell.ring);
  watchers.open();
  let seen = await fingerprintOf(directory);
  let code = await run();
  printer.err(printer.dim(`watching ${directory}; interrupt to end`));
  for (;;) {
    await bell.wait(pollMs);
    if (signal.aborted) return code;
    watchers.open();
    const now = await settled(directory, seen, settleMs);
    if (signal.aborted) return code;
    if (now === seen) continue;
    seen = now;
    printer.clear();
    code = await run();
  }
}

function foldersOf(directory: string): readonly string[] {
  return [directory, join(directory, 'tests'), join(directory, 'packs'), join(directory, 'packs', 'tests')];
}

async function fingerprintOf(directory: string): Promise<string> {
  const marks = foldersOf(directory).map((folder) => fingerprintDirectory({ directory: folder, packs: [] }));
  return JSON.stringify(await Promise.all(marks));
}

/** The directory's fingerprint once two looks at it agree; `seen` at once where nothing changed. */
async function settled(directory: string, seen: string, settleMs: number): Promise<string> {
  let now = await fingerprintOf(directory);
  for (let before = seen; now !== before && now !== seen; ) {
    await delay(settleMs);
    before = now;
    now = await fingerprintOf(directory);
  }
  return now;
}

/** Rung by events, by the poll and by the interruption; a ring that nobody waited for is kept. */
function createBell(signal: AbortSignal): { ring(): void; wait(ms: number): Promise<void> } {
  let rung = false;
  let wake: (() => void) | null = null;
  const ring = (): void => {
    rung = true;
    wake?.();
  };
  signal.addEventListener('abort', ring, { once: true });
  return {
    ring,
    wait(ms) {
      if (rung || signal.aborted) {
        rung = false;
        return Promise.resolve();
      }
      return new Promise((resolve) => {
        const timer = setTimeout(ring, ms);
        wake = () => {
          clearTimeout(timer);
          wake = null;
          rung = false;
          resolve();
        };
      });
    },
  };
}

function createWatchers(
  folders: readonly string[],
  watchOne: WatchDirectory,
  onEvent: () => void,
): Disposable & { open(): void } {
  const open = new Map<string, Disposable>();
  return {
    open() {
      for (const folder of folders) {
        if (open.has(folder)) continue;
        const watcher = watchOne(folder, onEvent);
        if (watcher !== null) open.set(folder, watcher);
      }
    },
    [Symbol.dispose]() {
      for (const watcher of open.values()) watcher[Symbol.dispose]();
    },
  };
}

const watchWithEvents: WatchDirectory = (path, onEvent) => {
  try {
    const watcher = watch(path, { persistent: false }, onEvent);
    // Losing a watcher loses speed, not changes: the poll goes on.
    watcher.on('error', () => watcher.close());
    return { [Symbol.dispose]: () => watcher.close() };
  } catch {
    return null;
  }
};
