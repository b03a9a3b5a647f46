// How the process collects its garbage, where V8's own choice costs a gate its latency; measured by `npm run bench:abuse`.
// Sets V8's flags for the whole process, at once and once: two settings that V8 reads each time it needs them.
import { availableParallelism } from 'node:os';
import { setFlagsFromString } from 'node:v8';

/**
 * Of what the last full collection left: the next one begins when so much was added. V8 takes far less for a heap that grows
 * slowly, so that slow connections, which outlive the young generation, brought one every few seconds (ADR 12). It stays
 * within `--max-old-space-size` whatever stands here.
 */
const HEAP_GROWTH_PERCENT = 100;

export function tuneMemory(): void {
  setFlagsFromString(`--heap-growing-percent=${HEAP_GROWTH_PERCENT}`);
  // On one core the threads that help to copy take turns with the loop that waits for them.
  if (availableParallelism() === 1) setFlagsFromString('--no-parallel-scavenge');
}
