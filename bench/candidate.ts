// A candidate as the bench sees it: a process of its own on one core, its address, and what it has used so far.
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { Ready, Usage } from './candidates/serve.ts';

export type CandidateName =
  | 'upstream'
  | 'http-proxy-3'
  | 'undici'
  | 'postern'
  | 'postern-limited'
  | 'postern-unrecorded';

export interface Candidate extends AsyncDisposable, Ready {
  readonly name: CandidateName;
  readonly pid: number;
  usage(): Promise<Usage>;
}

const TASKSET = '/usr/bin/taskset';

export interface CandidateOptions {
  /** The processor it is pinned to where the system can do that; the load runs beside it. */
  readonly core: number;
  readonly plant?: string | undefined;
  /** Of V8, on its command line. */
  readonly flags?: readonly string[];
}

export async function startCandidate(
  name: CandidateName,
  upstreamPort: number,
  options: CandidateOptions,
): Promise<Candidate> {
  const script = fileURLToPath(new URL(`./candidates/${name}.ts`, import.meta.url));
  const flags = ['--conditions=source', ...(options.flags ?? [])];
  const node = [process.execPath, ...flags, script, String(upstreamPort)];
  const [command = '', ...args] = existsSync(TASKSET) ? [TASKSET, '-c', String(options.core), ...node] : node;
  const env =
    options.plant === undefined ? process.env : { ...process.env, POSTERN_BENCH_PLANT: options.plant };
  const child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], env });
  const ready = (await firstMessage(child)) as Ready;
  return {
    name,
    pid: child.pid as number,
    ...ready,
    async usage() {
      child.send('usage');
      return (await firstMessage(child)) as Usage;
    },
    async [Symbol.asyncDispose]() {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}

async function firstMessage(child: ChildProcess): Promise<unknown> {
  const race = new AbortController();
  const options = { signal: race.signal };
  try {
    const [message] = await Promise.race([
      once(child, 'message', options),
      once(child, 'exit', options).then(() => {
        throw new Error('the candidate ended before it answered');
      }),
    ]);
    return message;
  } finally {
    race.abort();
  }
}
