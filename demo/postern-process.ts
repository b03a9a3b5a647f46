// Postern as it is run in earnest: its own process, started from a configuration file, watched through its ops
// listener, ended with SIGTERM. What it logs goes to a file, which is shown when it fails to start.
import { type ChildProcess, spawn } from 'node:child_process';
import { openSync, readFileSync } from 'node:fs';
import { closeSync } from 'node:fs';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { call } from './http.ts';
import { until, within } from './waiting.ts';

const READY_WITHIN_MS = 15_000;
const STOP_WITHIN_MS = 10_000;
const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url));

export interface PosternProcess extends AsyncDisposable {
  /** Resolves with a sentence when the process has ended, asked to or not. */
  readonly ended: Promise<string>;
}

/** Resolves when `/readyz` says so. Throws, with the log, when the process ends or is not ready after 15 s. */
export async function startPostern(options: {
  readonly configFile: string;
  readonly logFile: string;
  readonly opsPort: number;
}): Promise<PosternProcess> {
  const log = openSync(options.logFile, 'a');
  const child = spawn(
    process.execPath,
    ['--conditions=source', MAIN, 'serve', '--config', options.configFile],
    {
      stdio: ['ignore', log, log],
    },
  );
  closeSync(log);
  // Whatever becomes of the demo itself, its child must not stay behind.
  const endChild = () => child.kill('SIGKILL');
  process.once('exit', endChild);
  const ended = once(child, 'exit').then(([code, signal]) => {
    process.off('exit', endChild);
    return `Postern ended with ${signal ?? `exit code ${code}`}`;
  });

  try {
    await until('Postern to be ready', READY_WITHIN_MS, async () => {
      if (child.exitCode !== null) throw new Error(`Postern ended with exit code ${child.exitCode}`);
      const answer = await call({ port: options.opsPort, path: '/readyz' }).catch(() => null);
      return answer?.status === 200 ? true : undefined;
    });
  } catch (error) {
    await stop(child, ended);
    throw new Error(`${(error as Error).message}\n${readFileSync(options.logFile, 'utf8')}`, {
      cause: error,
    });
  }
  return { ended, [Symbol.asyncDispose]: () => stop(child, ended) };
}

/** Asks first, insists after 10 s. */
async function stop(child: ChildProcess, ended: Promise<string>): Promise<void> {
  child.kill('SIGTERM');
  try {
    await within('Postern to end', STOP_WITHIN_MS, ended);
  } catch {
    child.kill('SIGKILL');
    await ended;
  }
}
