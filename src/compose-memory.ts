// How the process collects its garbage, where V8's own choice costs a gate its latency (ADR 12); measured by
// `npm run bench:abuse`. Sets V8's flags for the whole process, at once and once: settings that V8 reads each time it
// needs them. What changes with the connections is in gateway/young-generation.ts. Nothing here decides anything about a
// request, so that what a system cannot do is left as it is.
import { readdirSync, readFileSync } from 'node:fs';
import { availableParallelism, getPriority, setPriority } from 'node:os';
import { setFlagsFromString } from 'node:v8';

/**
 * Of what the last full collection left: the next one begins when so much was added. V8 takes far less for a heap that grows
 * slowly, so that slow connections, which outlive the young generation, brought one every few seconds. It stays
 * within `--max-old-space-size` whatever stands here.
 */
const HEAP_GROWTH_PERCENT = 100;
const THREADS = '/proc/self/task';
/** As Node names the threads that compile and collect. */
const HELPER_NAME = 'V8Worker';
/** Beside the loop's own. */
const MORE_NICENESS = 10;
const MOST_NICENESS = 19;

export function tuneMemory(): void {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`);
  if (availableParallelism() > 1) return;
  // On one core those that help take turns with the loop: four of them left it a fifth of the time while the heap was
  // marked. To copy, one task is enough; V8 mostly gives it to a helper all the same, and the loop waits.
  setFlagsFromString('--no-parallel-scavenge');
  helpersGiveWay();
}

/** Linux knows the niceness of a thread by its id. Elsewhere there is nothing to read. */
function helpersGiveWay(): void {
  const niceness = Math.min(getPriority() + MORE_NICENESS, MOST_NICENESS);
  try {
    for (const id of readdirSync(THREADS)) {
      const name = readFileSync(`${THREADS}/${id}/comm`, 'latin1');
      if (name.trimEnd().endsWith(HELPER_NAME)) setPriority(Number(id), niceness);
    }
  } catch {
    // Not Linux, or not allowed: they keep the priority they have.
  }
}
