// The program: hands the command line what it needs from above the rooms, and runs `serve` until it is told to stop.
// Loads the gateway only for the command that runs it.
import { readFileSync } from 'node:fs';
import { runCli } from './cli/cli.ts';
import type { ServeStart } from './cli/serve.ts';
import { parseTarget } from './gateway/request-target.ts';

const DRAIN_MS = 10_000;

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

async function serve(start: ServeStart): Promise<number> {
  // Told to stop while it starts, it starts stopped: Node's own answer to this signal is to end the process, and
  // whoever started it would start it again.
  let isStopped = false;
  let stop = (): void => {
    isStopped = true;
  };
  process.on('SIGUSR2', () => stop());
  const { startPostern } = await import('./compose.ts');
  const { PolicyRejected } = await import('./compose-rooms.ts');
  try {
    const postern = await startPostern({ ...start, version });
    stop = () => postern.stop();
    if (isStopped) stop();
    process.on('SIGHUP', () => void postern.reload());
    await new Promise<void>((resolve) => {
      process.once('SIGTERM', resolve);
      process.once('SIGINT', resolve);
    });
    await postern.drain(DRAIN_MS);
    return 0;
  } catch (error) {
    // The problems of a wrong policy were logged, each with its place, when it was refused.
    if (error instanceof PolicyRejected) return 2;
    process.stderr.write(`postern: ${error instanceof Error ? error.message : 'could not start'}\n`);
    return 1;
  }
}

process.exitCode = await runCli(process.argv.slice(2), {
  version,
  env: process.env,
  stdout: process.stdout,
  stderr: process.stderr,
  serve,
  parseTarget,
  doctorRooms: async () => (await import('./compose-doctor.ts')).doctorRooms,
});
