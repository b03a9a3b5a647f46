// `npm run bench:guard`: fails when the gate costs more of a bare relay's processor time, or adds more to the 99th
// percentile of a direct request at a moderate rate, than bench/thresholds.json allows. Median of interleaved
// rounds, one retry, since the machine has other things to do. `--plant slowdown=MICROS|stall` shows that it fails.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { type Candidate, startCandidate } from './candidate.ts';
import { fixedRate } from './fixed-rate.ts';
import { fullLoad, WARM_UP_SECONDS } from './load.ts';
import { median } from './statistics.ts';

interface Thresholds {
  readonly cpuRatio: { readonly 'postern/http-proxy-3': number };
  readonly addedP99Ms: number;
}

interface Figures {
  readonly cpuRatio: number;
  readonly addedP99Ms: number;
}

const ROUNDS = 5;
const SECONDS = 3;
/** Well below what any of them can do, so that a queue is nobody's fault. */
const MODERATE_RATE = 1500;

const thresholds = JSON.parse(
  readFileSync(new URL('./thresholds.json', import.meta.url), 'utf8'),
) as Thresholds;
const { values } = parseArgs({ options: { plant: { type: 'string' } } });

async function measure(): Promise<Figures> {
  await using upstream = await startCandidate('upstream', 0, { core: 0 });
  await using postern = await startCandidate('postern', upstream.port, { core: 1, plant: values.plant });
  await using control = await startCandidate('http-proxy-3', upstream.port, { core: 1 });
  const ratios: number[] = [];
  const added: number[] = [];
  await fullLoad(postern, WARM_UP_SECONDS);
  await fullLoad(control, WARM_UP_SECONDS);
  for (let round = 0; round < ROUNDS; round++) {
    const gate = await fullLoad(postern, SECONDS);
    const relay = await fullLoad(control, SECONDS);
    ratios.push(gate.cpuMicrosPerRequest / relay.cpuMicrosPerRequest);
    added.push((await p99(postern)) - (await p99(upstream)));
  }
  return { cpuRatio: median(ratios), addedP99Ms: median(added) };
}

async function p99(candidate: Candidate): Promise<number> {
  return (await fixedRate(candidate, MODERATE_RATE, SECONDS)).p99Ms;
}

function holds(figures: Figures): boolean {
  const limit = thresholds.cpuRatio['postern/http-proxy-3'];
  console.log(
    `processor time: ${figures.cpuRatio.toFixed(3)} of http-proxy-3 (at most ${limit}); ` +
      `added p99 at ${MODERATE_RATE}/s: ${figures.addedP99Ms.toFixed(2)} ms (at most ${thresholds.addedP99Ms})`,
  );
  return figures.cpuRatio <= limit && figures.addedP99Ms <= thresholds.addedP99Ms;
}

const held = holds(await measure()) || holds(await measure());
console.log(held ? 'the guard holds' : 'the guard does NOT hold');
process.exitCode = held ? 0 : 1;
