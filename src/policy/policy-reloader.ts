// The policy in force, as one atomic reference: loaded at start, replaced between requests when the directory
// changes, kept when what it changed to is bad. Reading `current` is hot; everything else is cold.
// A directory counts as changed once it has held still, so that a file half written is not taken for a short one.
import { setTimeout as delay } from 'node:timers/promises';
import type { CompileOutcome } from './compile.ts';
import type { CompiledPolicy } from './compiled-policy.ts';
import { fingerprintDirectory, loadPolicyDirectory, type PolicyDirectory } from './load-directory.ts';
import type { PolicySource } from './policy-source.ts';
import { createPolicyWatch } from './policy-watch.ts';
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
  const watchers = createPolicyWatch(deps, () => void check());
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
        let state = await look(deps, settleMs, holder, stop.signal);
        for (; state === 'changed'; state = await look(deps, settleMs, holder, stop.signal)) {
          await queue.add(holder.load);
        }
        if (state === 'restless') holder.tellRestless();
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
      await watchers.open();
      if (stop.signal.aborted) return outcome;
      poll = setInterval(() => void watchers.open().then(check), pollMs).unref();
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
  /** Something writes without a pause: the last good set stays, and that is said once. */
  tellRestless(): void;
  onSwap(listener: SwapListener): Disposable;
}

function createHolder(deps: PolicyReloaderDeps): Holder {
  const listeners = new Set<SwapListener>();
  let isRestless = false;
  function tell(loaded: CompileOutcome): ReloadOutcome {
    const { policy, problems } = loaded;
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
  }
  const holder: Holder = {
    current: null,
    fingerprint: null,
    async load() {
      const { fingerprint, loaded } = await loadInOnePiece(deps);
      holder.fingerprint = fingerprint;
      isRestless = false;
      return tell(loaded);
    },
    tellRestless() {
      if (isRestless) return;
      isRestless = true;
      // What it calms down to is loaded, even if that is what was loaded before.
      holder.fingerprint = UNSETTLED;
      tell(failed(deps, 'changes without a pause: it cannot be read'));
    },
    onSwap(listener) {
      listeners.add(listener);
      return { [Symbol.dispose]: () => void listeners.delete(listener) };
    },
  };
  return holder;
}

/** Files are read one after the other: a set is only one that nobody touched from the first to the last. */
async function loadInOnePiece(
  deps: PolicyReloaderDeps,
): Promise<{ readonly fingerprint: string; readonly loaded: CompileOutcome }> {
  let fingerprint = await fingerprintDirectory(deps);
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    if (attempt > 0) await delay(RETRY_MS, undefined, { ref: false });
    const loaded = await loadOrReport(deps);
    const after = await fingerprintDirectory(deps);
    if (after === fingerprint) return { fingerprint, loaded };
    fingerprint = after;
  }
  return { fingerprint: UNSETTLED, loaded: failed(deps, 'changed again and again while it was read') };
}

/** Between readings of a directory that changed under the last one. */
const RETRY_MS = 40;
/** Of no directory: the next look finds a change. */
const UNSETTLED = '';

function failed({ directory }: PolicyDirectory, message: string): CompileOutcome {
  return { policy: null, problems: [problemOfFile(directory, message)] };
}

type Look = 'same' | 'changed' | 'restless';

/** Whether the directory differs from what was loaded, told only once it has held still. */
async function look(
  directory: PolicyDirectory,
  settleMs: number,
  holder: Holder,
  stop: AbortSignal,
): Promise<Look> {
  let seen = await fingerprintDirectory(directory);
  if (seen === holder.fingerprint) return 'same';
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    await delay(settleMs, undefined, { ref: false });
    if (stop.aborted) return 'same';
    const again = await fingerprintDirectory(directory);
    if (again === seen) return again === holder.fingerprint ? 'same' : 'changed';
    seen = again;
  }
  // The next event or poll begins anew.
  return 'restless';
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
    return failed(directory, `cannot be loaded (${name})`);
  }
}
