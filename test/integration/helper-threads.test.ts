// On one core V8's helpers give way to the loop: seen in the niceness that the kernel has of each thread.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { availableParallelism, getPriority } from 'node:os';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const TASKSET = '/usr/bin/taskset';
const MEMORY = fileURLToPath(new URL('../../src/compose-memory.ts', import.meta.url));
/** Field 19 of proc_pid_stat(5), counted from behind the name, which may hold anything. */
const NICENESS = 16;

const SHOW = `
import { readdirSync, readFileSync } from 'node:fs';
import { tuneMemory } from ${JSON.stringify(MEMORY)};
tuneMemory();
const threads = readdirSync('/proc/self/task').map((id) => readFileSync('/proc/self/task/' + id + '/stat', 'latin1'));
console.log(JSON.stringify(threads.map((stat) => {
  const end = stat.lastIndexOf(')');
  return { name: stat.slice(stat.indexOf('(') + 1, end), nice: Number(stat.slice(end + 2).split(' ')[${NICENESS}]) };
})));`;

interface Thread {
  readonly name: string;
  readonly nice: number;
}

async function threadsOn(cores: string): Promise<{ helpers: Thread[]; others: Thread[] }> {
  const node = [process.execPath, '--conditions=source', '--input-type=module', '--eval', SHOW];
  const { stdout } = await promisify(execFile)(TASKSET, ['-c', cores, ...node]);
  const threads = JSON.parse(stdout) as Thread[];
  const isHelper = ({ name }: Thread) => name.endsWith('V8Worker');
  return { helpers: threads.filter(isHelper), others: threads.filter((thread) => !isHelper(thread)) };
}

describe.runIf(existsSync(TASKSET))('the helpers of V8', () => {
  it('give way to the loop on a single core, and nobody else does', async () => {
    const { helpers, others } = await threadsOn('0');
    expect(helpers.length).toBeGreaterThan(0);
    expect(new Set(helpers.map(({ nice }) => nice))).toEqual(new Set([Math.min(getPriority() + 10, 19)]));
    expect(new Set(others.map(({ nice }) => nice))).toEqual(new Set([getPriority()]));
  });

  it.runIf(availableParallelism() > 1)(
    'keep their priority where they have a core to themselves',
    async () => {
      const { helpers, others } = await threadsOn('0,1');
      expect(helpers.length).toBeGreaterThan(0);
      expect(new Set(helpers.map(({ nice }) => nice))).toEqual(new Set(others.map(({ nice }) => nice)));
    },
  );
});
