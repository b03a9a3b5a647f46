// Who stands for the world outside, the load and the upstream, is not to wait for the attackers on the same core: what is
// measured is the gate. A kernel that preempts lazily leaves a core to whoever has it until the next tick, 4 ms, whatever
// the niceness; real-time priority is what it does not keep waiting (sched(7)). Needs Linux, chrt and the right to do so.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';

const CHRT = '/usr/bin/chrt';
const TASKSET = '/usr/bin/taskset';

/**
 * The helpers of an engine stand above its loop: a loop that waits for one of them busily, and has precedence over it,
 * waits until the kernel takes pity, which is up to a second.
 */
const PRIORITY = { loop: '1', helper: '2' } as const;

/** All threads that there are now, on core 0; false where the system cannot do that. Those made later are as their makers. */
export function takePrecedence(processes: readonly number[]): boolean {
  if (!existsSync(CHRT) || !existsSync(TASKSET)) return false;
  try {
    for (const pid of processes) {
      execFileSync(TASKSET, ['-a', '-c', '-p', '0', String(pid)], { stdio: ['ignore', 'ignore', 'pipe'] });
      for (const thread of readdirSync(`/proc/${pid}/task`)) {
        const priority = thread === String(pid) ? PRIORITY.loop : PRIORITY.helper;
        execFileSync(CHRT, ['--rr', '-p', priority, thread], { stdio: ['ignore', 'ignore', 'pipe'] });
      }
    }
    return true;
  } catch {
    return false;
  }
}
