// A child process that the test owns: its last output is kept for the report of a failure, and it is ended by
// its own process id. Cold.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const KEPT_LINES = 200;
const KILL_AFTER_MS = 8_000;

export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  readonly cwd?: string;
  readonly account?: { readonly uid: number; readonly gid: number } | null;
  /** How the program is asked to end; `SIGTERM` unless it wants another. */
  readonly stopSignal?: NodeJS.Signals;
}

export interface Child extends AsyncDisposable {
  readonly name: string;
  /** Exit code, or the signal that ended it; null while it runs. */
  readonly ended: string | null;
  /** The last lines of both outputs, oldest first. */
  readonly output: readonly string[];
  /** Called for every later line of either output, and at once for those already kept. */
  onLine(listener: (line: string) => void): void;
  /** Rejects when the process ends or `timeoutMs` pass before `probe` says something other than null. */
  until<T>(what: string, timeoutMs: number, probe: (line: string) => T | null): Promise<T>;
  /** Asks it to end, kills it after 8 s, and returns when it is gone. Idempotent. Gives how it ended. */
  stop(): Promise<string>;
}

function describeEnd(child: ChildProcess): string | null {
  if (child.exitCode !== null) return `exit code ${child.exitCode}`;
  return child.signalCode;
}

function readLines(child: ChildProcess, take: (line: string) => void): void {
  for (const stream of [child.stdout, child.stderr]) {
    if (stream !== null) createInterface({ input: stream }).on('line', take);
  }
}

async function stopProcess(child: ChildProcess, signal: NodeJS.Signals): Promise<string> {
  if (describeEnd(child) === null && child.pid !== undefined) {
    const gone = once(child, 'exit');
    child.kill(signal);
    const killer = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
    await gone;
    clearTimeout(killer);
  }
  return describeEnd(child) ?? 'never started';
}

/** Starts the program without a shell and without its standard input. Throws nothing: a failed start is an end. */
export function startChild(options: ChildOptions): Child {
  const child = spawn(options.command, options.args, {
    env: options.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...options.account,
  });
  const output: string[] = [];
  const listeners = new Set<(line: string) => void>();
  readLines(child, (line) => {
    output.push(line);
    if (output.length > KEPT_LINES) output.shift();
    for (const listener of listeners) listener(line);
  });
  // Whatever becomes of this process, its children must not stay behind.
  const killNow = (): boolean => child.kill('SIGKILL');
  process.once('exit', killNow);
  child.once('exit', () => process.off('exit', killNow));
  let failure: string | null = null;
  child.on('error', (error: NodeJS.ErrnoException) => {
    failure = error.code ?? error.message;
  });

  const ended = (): string | null => failure ?? describeEnd(child);
  const until = async <T>(what: string, timeoutMs: number, probe: (line: string) => T | null): Promise<T> => {
    const found = Promise.withResolvers<T>();
    const fail = (why: string): void => {
      found.reject(new Error(`${options.name}: ${why} before ${what}\n${output.slice(-30).join('\n')}`));
    };
    const look = (line: string): void => {
      const value = probe(line);
      if (value !== null) found.resolve(value);
    };
    const onEnd = (): void => fail(`ended (${ended() ?? 'failed to start'})`);
    const timer = setTimeout(() => fail(`${timeoutMs} ms passed`), timeoutMs);
    output.forEach(look);
    listeners.add(look);
    child.once('close', onEnd);
    child.once('error', onEnd);
    if (ended() !== null) onEnd();
    try {
      return await found.promise;
    } finally {
      clearTimeout(timer);
      listeners.delete(look);
      child.off('close', onEnd);
      child.off('error', onEnd);
    }
  };
  const stop = (): Promise<string> => stopProcess(child, options.stopSignal ?? 'SIGTERM');
  return {
    name: options.name,
    get ended() {
      return ended();
    },
    output,
    onLine: (listener) => {
      output.forEach(listener);
      listeners.add(listener);
    },
    until,
    stop,
    [Symbol.asyncDispose]: async () => {
      await stop();
    },
  };
}
