// Keeps the store's write-ahead log short without a commit having to wait for it: a worker thread copies the log into the
// file while the store goes on. Started when enough was committed, ended when nothing was for a while; holds up no exit. A
// worker that is slow, dead or cannot be started costs nothing but time: at `BACKSTOP_PAGES` SQLite copies in a commit.
import { Worker } from 'node:worker_threads';

/** Of log, 4 KiB each, before a commit does it itself: 64 MiB. */
export const BACKSTOP_PAGES = 16_000;
/** A commit of a grant is about twelve pages; each pass makes one later commit sync the log's new head. */
const PASS_COMMITS = 256;
const IDLE_MS = 60_000;
const HEAP_MB = 32;

export interface CheckpointerDeps {
  /** Of the store's file. */
  readonly path: string;
  /** Default: 256. */
  readonly passCommits?: number;
}

/** What the worker is started with. */
export interface CheckpointerStart {
  readonly path: string;
}

export interface Checkpointer {
  /** To be called after each commit; costs an addition most times, and never throws. */
  committed(): void;
  /** Resolves when the worker is gone. */
  close(): Promise<void>;
}

export function createCheckpointer({ path, passCommits = PASS_COMMITS }: CheckpointerDeps): Checkpointer {
  let worker: Worker | null = null;
  let waiting = 0;
  let isBusy = false;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  function start(): Worker {
    const started = startWorker({ path });
    started.on('message', () => {
      isBusy = false;
      passIfDue();
    });
    // What went wrong says it to nobody: the backstop holds, and the next pass starts another.
    started.on('error', () => undefined);
    started.on('exit', () => ended(started));
    started.unref();
    return started;
  }

  function ended(one: Worker): void {
    if (worker !== one) return;
    worker = null;
    isBusy = false;
    clearTimeout(timer);
  }

  async function stop(): Promise<void> {
    const running = worker;
    if (running === null) return;
    ended(running);
    await running.terminate();
  }

  function passIfDue(): void {
    if (closed || isBusy || waiting < passCommits) return;
    waiting = 0;
    try {
      worker ??= start();
    } catch {
      return;
    }
    isBusy = true;
    worker.postMessage(null, []);
    clearTimeout(timer);
    timer = setTimeout(() => void stop(), IDLE_MS);
    timer.unref();
  }

  return {
    committed() {
      waiting += 1;
      passIfDue();
    },
    close() {
      closed = true;
      return stop();
    },
  };
}

function startWorker(start: CheckpointerStart): Worker {
  const fromSource = import.meta.filename.endsWith('.ts');
  const url = fromSource
    ? new URL('./checkpoint-worker.ts', import.meta.url)
    : new URL('./checkpoint-worker.js', import.meta.url);
  return new Worker(url, {
    workerData: start,
    execArgv: fromSource ? ['--conditions=source'] : [],
    resourceLimits: { maxOldGenerationSizeMb: HEAP_MB },
  });
}
