// Runs mutants in child processes, one at a time in each, and replaces a child that hangs or dies. Answers come in
// the order of the mutants, whichever child was first.
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { TrialAnswer, TrialRequest } from './trial-child.ts';

export type Fate = 'killed' | 'timeout' | 'crash' | 'survived';

export interface Outcome {
  readonly fate: Fate;
  /** The test that noticed; null where none did. */
  readonly by: string | null;
}

export interface TrialPool {
  run(request: TrialRequest): Promise<Outcome>;
  close(): void;
}

/** The guards of the loops make this rare: what is left is memory, recursion and machines under load. */
const TIMEOUT_MS = 60_000;
/** A fresh child now and then: every run leaves a little behind. */
const MAX_RUNS = 400;
const CHILD = fileURLToPath(new URL('./trial-child.ts', import.meta.url));

/** `jobs` children at most; started when they are needed. */
export function createTrialPool(jobs: number): TrialPool {
  const idle = Array.from({ length: jobs }, createSlot);
  const all = [...idle];
  const waiting: ((slot: Slot) => void)[] = [];
  return {
    async run(request) {
      const slot = idle.pop() ?? (await new Promise<Slot>((resolve) => waiting.push(resolve)));
      try {
        return await slot.run(request);
      } finally {
        const next = waiting.shift();
        if (next === undefined) idle.push(slot);
        else next(slot);
      }
    },
    close() {
      for (const slot of all) slot.stop();
    },
  };
}

interface Slot {
  run(request: TrialRequest): Promise<Outcome>;
  stop(): void;
}

function createSlot(): Slot {
  let child: ChildProcess | null = null;
  let runs = 0;
  const stop = (): void => {
    child?.kill('SIGKILL');
    child = null;
    runs = 0;
  };
  return {
    stop,
    async run(request) {
      if (runs++ >= MAX_RUNS) stop();
      for (let attempt = 0; attempt < 2; attempt++) {
        child ??= startChild();
        const outcome = await ask(child, request);
        if (outcome === null || outcome.fate === 'timeout' || outcome.fate === 'crash') stop();
        if (outcome !== null) return outcome;
      }
      throw new Error(`the tests of ${request.file} could not be run`);
    },
  };
}

function startChild(): ChildProcess {
  return fork(CHILD, { execArgv: ['--conditions=source'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
}

/** Null when the child could not tell. */
function ask(child: ChildProcess, request: TrialRequest): Promise<Outcome | null> {
  return new Promise((resolve) => {
    const settle = (outcome: Outcome | null): void => {
      clearTimeout(timer);
      child.removeAllListeners();
      resolve(outcome);
    };
    const timer = setTimeout(() => settle({ fate: 'timeout', by: null }), TIMEOUT_MS);
    child.once('exit', () => settle({ fate: 'crash', by: null }));
    child.once('error', () => settle({ fate: 'crash', by: null }));
    child.once('message', ({ ran, failure }: TrialAnswer) => {
      if (!ran) settle(null);
      else settle(failure === null ? { fate: 'survived', by: null } : { fate: 'killed', by: failure });
    });
    child.send(request);
  });
}
