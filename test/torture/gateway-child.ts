// A whole gateway in a process of its own, to be killed at any instant. Loads everything first and then waits for the
// word: the next one stands ready while this one still runs, so that a kill costs no more than a start of the gateway.
// Line by line: reads its orders on standard input, says `loaded`, `ready` and what failed on standard output.
import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { loadConfig } from '#config/load-config.ts';
import { startPostern } from '../../src/compose.ts';
import { plantedFiles } from './plants.ts';
import type { ChildOrders, ChildWord } from './process.ts';

const DRAIN_MS = 5000;

/** Whole, whatever the pipe's mode: a worker thread makes it non-blocking. */
function say(word: ChildWord): void {
  const text = `${JSON.stringify(word)}\n`;
  for (let done = 0; done < text.length; ) {
    try {
      done += writeSync(1, text.slice(done));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
  }
}

async function run(orders: ChildOrders): Promise<void> {
  const result = loadConfig({ file: orders.config, env: {} });
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join('; '));
  const { segmentBytes, plant } = orders;
  const files = plant === null ? {} : { files: plantedFiles(plant) };
  const postern = await startPostern({
    config: result.config,
    warnings: [],
    version: 'torture',
    journal: { options: { segmentBytes }, ...files },
  });
  process.on('SIGHUP', () => void postern.reload());
  process.once('SIGTERM', () => {
    void postern.drain(DRAIN_MS).then(() => process.exit(0));
  });
  say({ word: 'ready', ...postern.addresses });
}

say({ word: 'loaded' });
const [line] = (await once(process.stdin, 'data')) as [Buffer];
process.stdin.destroy();
try {
  await run(JSON.parse(line.toString('utf8')) as ChildOrders);
} catch (error) {
  say({ word: 'failed', why: error instanceof Error ? (error.stack ?? error.message) : String(error) });
  process.exit(1);
}
