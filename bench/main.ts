// `npm run bench -- [--quick] [--json FILE]`: processor time per request and latencies of the gate and its controls,
// in interleaved rounds, each in a process of its own. Figures are comparable within one run only.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { type Candidate, type CandidateName, startCandidate } from './candidate.ts';
import { fixedRate, type Latencies } from './fixed-rate.ts';
import { type FullLoad, fullLoad, WARM_UP_SECONDS } from './load.ts';
import { median } from './statistics.ts';

interface Result extends FullLoad, Latencies {
  readonly name: CandidateName;
}

const NAMES: readonly CandidateName[] = ['postern', 'http-proxy-3', 'undici'];
/** Latencies are read where there is room: at the limit they say how long the queue is. */
const RATE_SHARE = 0.85;

const { values } = parseArgs({ options: { quick: { type: 'boolean' }, json: { type: 'string' } } });
const plan = values.quick === true ? { rounds: 5, seconds: 2 } : { rounds: 9, seconds: 5 };

/** Of each candidate, its rounds in order; round n of one is beside round n of the others. */
async function measure(): Promise<Result[][]> {
  await using upstream = await startCandidate('upstream', 0, { core: 0 });
  await using candidates = new AsyncDisposableStack();
  const started: Candidate[] = [];
  for (const name of NAMES)
    started.push(candidates.use(await startCandidate(name, upstream.port, { core: 1 })));
  for (const one of started) await fullLoad(one, WARM_UP_SECONDS);
  const rounds: Result[][] = started.map(() => []);
  for (let round = 0; round < plan.rounds; round++) {
    for (const [index, one] of started.entries()) rounds[index]?.push(await oneRound(one));
  }
  return rounds;
}

async function oneRound(candidate: Candidate): Promise<Result> {
  const load = await fullLoad(candidate, plan.seconds);
  const latencies = await fixedRate(candidate, load.requestsPerSecond * RATE_SHARE, plan.seconds);
  return { name: candidate.name, ...load, ...latencies };
}

function summary(rounds: readonly Result[]): Result {
  const of = (key: Exclude<keyof Result, 'name'>) => round(median(rounds.map((result) => result[key])));
  return {
    name: (rounds[0] as Result).name,
    cpuMicrosPerRequest: of('cpuMicrosPerRequest'),
    requestsPerSecond: of('requestsPerSecond'),
    p50Ms: of('p50Ms'),
    p99Ms: of('p99Ms'),
    p999Ms: of('p999Ms'),
    rssMiB: of('rssMiB'),
  };
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}

/** The median of the rounds' own ratios: the machine's speed drifts, and neighbours share it. */
function ratiosOf([gate = [], ...controls]: readonly (readonly Result[])[]): Record<string, number> {
  return Object.fromEntries(
    controls.map((control) => {
      const ratios = control.map(
        (result, round) => (gate[round] as Result).cpuMicrosPerRequest / result.cpuMicrosPerRequest,
      );
      return [`postern/${control[0]?.name}`, round(median(ratios))];
    }),
  );
}

function commitOf(): string {
  return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim();
}

const rounds = await measure();
const results = rounds.map(summary);
const report = {
  commit: commitOf(),
  node: process.version,
  cpu: cpus()[0]?.model ?? 'unknown',
  results,
  ratios: ratiosOf(rounds),
};
console.table(results);
console.log(report.ratios);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
