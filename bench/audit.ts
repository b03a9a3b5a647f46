// `npm run bench:audit`: what the audit costs the whole gate in its default durability, worker threads included: processor
// time per request at 64 connections, with and without it, interleaved rounds of one run. The control tells each
// exchange in the next turn of the loop as the journal would, and writes nothing.
import { readFileSync } from 'node:fs';
import { startCandidate } from './candidate.ts';
import { fullLoad, WARM_UP_SECONDS } from './load.ts';
import { median } from './statistics.ts';

const ROUNDS = 9;
const SECONDS = 3;

const thresholds = JSON.parse(readFileSync(new URL('./thresholds.json', import.meta.url), 'utf8')) as {
  readonly auditMicros: number;
};

await using upstream = await startCandidate('upstream', 0, { core: 0 });
await using recorded = await startCandidate('postern', upstream.port, { core: 1 });
await using unrecorded = await startCandidate('postern-unrecorded', upstream.port, { core: 1 });
await fullLoad(recorded, WARM_UP_SECONDS);
await fullLoad(unrecorded, WARM_UP_SECONDS);

const withAudit: number[] = [];
const without: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  withAudit.push((await fullLoad(recorded, SECONDS)).cpuMicrosPerRequest);
  without.push((await fullLoad(unrecorded, SECONDS)).cpuMicrosPerRequest);
}
const costs = withAudit.map((micros, round) => micros - (without[round] as number));
const cost = median(costs);
console.log(
  `processor time per request: ${median(withAudit).toFixed(2)} µs with the audit, ${median(without).toFixed(2)} µs without`,
);
console.log(
  `the audit costs ${cost.toFixed(2)} µs (${Math.min(...costs).toFixed(2)} to ${Math.max(...costs).toFixed(2)}; at most ${thresholds.auditMicros})`,
);
process.exitCode = cost <= thresholds.auditMicros ? 0 : 1;
