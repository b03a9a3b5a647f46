// The policy in force, as one atomic reference: loaded at start, replaced between requests when the directory
// changes, kept when what it changed to is bad. Reading `current` is hot; everything else is cold.
// A directory counts as changed once it has held still, so that a file half written is not taken for a short one.
import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { CompileOutcome } from './compile.ts';
import type { CompiledPolicy } from './compiled-policy.ts';
import { fingerprintDirectory, loadPolicyDirectory, type PolicyDirectory } from './load-directory.ts';
import type { PolicySource } from './policy-source.ts';
import { type PolicyProblem, problemOfFile } from './problem.ts';

export interface ReloadOutcome {
  readonly ok: boolean;
  /** Of the set in force after this load; null when there is none yet. */
  readonly digest: string | null;
  readonly ruleCount: number;
  /** Whether another set is in force than before. */
  readonly changed: boolean;
  /** Sorted; empty exactly when `ok`. */
  readonly problems: readonly PolicyProblem[];
}

export interface PolicyReloaderDeps extends PolicyDirectory {
  /** After every load, the first included: for the metric, the log and the record. Must not throw. */
  readonly onReload: (outcome: ReloadOutcome) => void;
  /** How long the directory must hold still before it is read. Default 200. */
  readonly settleMs?: number;
  /** How often it is looked at where no event comes (network mounts). Default 5000. */
  readonly pollMs?: number;
}

export interface PolicyReloader extends PolicySource, AsyncDisposable {
  /** Loads once and then watches, whether or not the load held. */
  start(): Promise<ReloadOutcome>;
  /** Loads now, unchanged or not (SIGHUP). */
  reload(): Promise<ReloadOutcome>;
  /** Stops watching; the set in force stays. */
  close(): Promise<void>;
}

type SwapListener = (next: CompiledPolicy) => void;

const MAX_ATTEMPTS = 25;

export function createPolicyReloader(deps: PolicyReloaderDeps): PolicyReloader {
  const { settleMs = 200, pollMs = 5000 } = deps;
  if (!(settleMs >= 0) || !(pollMs > 0)) throw new RangeError('settleMs and pollMs must be positive');
  const holder = createHolder(deps);
  const queue = createQueue();
  const watchers = createWatchers(deps, () => void check());
  const stop = new AbortController();
  let poll: NodeJS.Timeout | null = null;
  let checking = false;
  let asked = false;

  /** Many events come for one change: one check looks until the directory has held still. */
  async function check(): Promise<void> {
    // An event during a check may tell of what the check has just looked past.
    asked = true;
    if (checking) return;
    checking = true;
    try {
      while (asked && !stop.signal.aborted) {
        asked = false;
        while (await hasChanged(deps, settleMs, holder, stop.signal)) await queue.add(holder.load);
      }
    } finally {
      checking = false;
    }
  }

  return {
    get current() {
      return holder.current;
    },
    onSwap: holder.onSwap,
    async start() {
      const outcome = await queue.add(holder.load);
      if (stop.signal.aborted) return outcome;
      watchers.open();
      poll = setInterval(() => {
        watchers.open();
        void check();
      }, pollMs).unref();
      // What changed before the watchers were open brought no event.
      void check();
      return outcome;
    },
    reload: () => queue.add(holder.load),
    async close() {
      stop.abort();
      if (poll !== null) clearInterval(poll);
      watchers.close();
      await queue.idle();
    },
    async [Symbol.asyncDispose]() {
      await this.close();
    },
  };
}

interface Holder {
  current: CompiledPolicy | null;
  /** Of the directory as last loaded; null before that. */
  fingerprint: string | null;
  load(): Promise<ReloadOutcome>;
  onSwap(listener: SwapListener): Disposable;
}

function createHolder(deps: PolicyReloaderDeps): Holder {
  const listeners = new Set<SwapListener>();
  const holder: Holder = {
    current: null,
    fingerprint: null,
    async load() {
      holder.fingerprint = await fingerprintDirectory(deps);
      const { policy, problems } = await loadOrReport(deps);
      const changed = policy !== null && policy.digest !== holder.current?.digest;
      if (changed) holder.current = policy;
      const { current } = holder;
      const outcome: ReloadOutcome = {
        ok: policy !== null,
        digest: current?.digest ?? null,
        ruleCount: current?.ruleCount ?? 0,
        changed,
        problems,
      };
      deps.onReload(outcome);
      if (changed) for (const listener of listeners) listener(policy);
      return outcome;
    },
    onSwap(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
  };
  return holder;
}

/** Whether the directory differs from what was loaded, told only once it has held still. */
async function hasChanged(
  directory: PolicyDirectory,
  settleMs: number,
  holder: Holder,
  stop: AbortSignal,
): Promise<boolean> {
  let seen = await fingerprintDirectory(directory);
  if (seen === holder.fingerprint) return false;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    await delay(settleMs, undefined, { ref: false });
    if (stop.aborted) return false;
    const again = await fingerprintDirectory(directory);
    if (again === seen) return again !== holder.fingerprint;
    seen = again;
  }
  // It never held still; the next event or poll begins anew.
  return false;
}

interface Queue {
  add<T>(work: () => Promise<T>): Promise<T>;
  idle(): Promise<void>;
}

/** Loads run one after the other, so that a late older one cannot replace a newer one. */
function createQueue(): Queue {
  let tail: Promise<unknown> = Promise.resolve();
  return {
    add(work) {
      const result = tail.then(work);
      tail = result.catch(() => undefined);
      return result;
    },
    async idle() {
      await tail;
    },
  };
}

/** What nobody foresaw is a bad set too: the last good one stays. */
async function loadOrReport(directory: PolicyDirectory): Promise<CompileOutcome> {
  try {
    return await loadPolicyDirectory(directory);
  } catch (error) {
    const name = error instanceof Error ? error.name : 'unknown error';
    return { policy: null, problems: [problemOfFile(directory.directory, `cannot be loaded (${name})`)] };
  }
}

/** Watches the directory and its packs. Losing a watcher loses speed, not changes: the poll goes on. */
function createWatchers(
  { directory, packs }: PolicyDirectory,
  onEvent: () => void,
): { open(): void; close(): void } {
  const open = new Map<string, FSWatcher>();
  const paths = packs.length === 0 ? [directory] : [directory, join(directory, 'packs')];
  function drop(path: string): void {
    open.get(path)?.close();
    open.delete(path);
  }
  return {
    open() {
      for (const path of paths) {
        if (open.has(path)) continue;
        try {
          const watcher = watch(path, { persistent: false }, onEvent);
          watcher.on('error', () => drop(path));
          open.set(path, watcher);
        } catch {
          // Not there, or no watches left; tried again at the next poll.
          drop(path);
        }
      }
    },
    close() {
      for (const path of open.keys()) drop(path);
    },
  };
}
