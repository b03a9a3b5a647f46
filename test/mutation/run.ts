// Mutation testing of the code that decides (`npm run mutation`): every mutant must be noticed by a test, or stand in
// survivors.yaml with a reason; and every file must have 90 % of its mutants killed. Writes nothing but --json's file.
// Exit 1: a score, a survivor or a stale entry. Exit 2: usage, or tests that fail or cannot be run without any mutant.
import { readFileSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type Mutant, mutantsOf } from './mutants.ts';
import { holdAgainst, readAccepted } from './survivors.ts';
import { LEAST_SCORE, type Target, TARGETS } from './targets.ts';
import { createTrialPool, type Outcome, type TrialPool } from './trials.ts';

const USAGE = `usage: npm run mutation -- [--files TEXT]... [--sample N] [--jobs N] [--json FILE] [--list]
  --files TEXT   only files whose path contains TEXT; may be repeated
  --sample N     every mutant whose place among its file's is a multiple of N (a quick look; no score is demanded)
  --jobs N       processes at once; two at most unless told
  --json FILE    every mutant and its fate
  --list         prints survivors as entries for survivors.yaml, to be explained there
`;

interface Result extends Outcome {
  readonly mutant: Mutant;
}

interface Options {
  readonly targets: readonly Target[];
  readonly sample: number;
  readonly jobs: number;
  readonly json: string | null;
  readonly list: boolean;
}

const root = join(import.meta.dirname, '../..');
process.chdir(root);
const options = readOptions();
if (options === null) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  process.exitCode = await main(options).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 2;
  });
}

function readOptions(): Options | null {
  try {
    const { values } = parseArgs({
      options: {
        files: { type: 'string', multiple: true, default: [] },
        sample: { type: 'string', default: '1' },
        jobs: { type: 'string', default: String(Math.min(2, availableParallelism())) },
        json: { type: 'string' },
        list: { type: 'boolean', default: false },
      },
    });
    const { files, list, json = null } = values;
    const [sample, jobs] = [Number(values.sample), Number(values.jobs)];
    const targets = TARGETS.filter(
      ({ file }) => files.length === 0 || files.some((text) => file.includes(text)),
    );
    const sound = Number.isInteger(sample) && sample > 0 && Number.isInteger(jobs) && jobs > 0;
    return sound && targets.length > 0 ? { targets, sample, jobs, json, list } : null;
  } catch {
    return null;
  }
}

async function main({ targets, sample, jobs, json, list }: Options): Promise<number> {
  const pool = createTrialPool(jobs);
  const started = performance.now();
  try {
    const results: Result[] = [];
    let failed = false;
    for (const target of targets) {
      const found = await runTarget(pool, target, sample);
      if (found === null) return 2;
      results.push(...found);
      const killed = found.filter(({ fate }) => fate !== 'survived').length;
      const low = sample === 1 && killed < LEAST_SCORE * found.length;
      failed ||= low;
      process.stdout.write(scoreLine(target.file, found, low));
    }
    process.stdout.write(scoreLine('all', results, false));
    process.stdout.write(`${Math.round((performance.now() - started) / 1000)} s\n`);
    if (json !== null) writeFileSync(json, `${JSON.stringify(results, null, 1)}\n`);
    const problems = reportProblems(results, sample === 1, list);
    return failed || problems ? 1 : 0;
  } finally {
    pool.close();
  }
}

/** Null when the tests fail as they are. */
async function runTarget(pool: TrialPool, target: Target, sample: number): Promise<Result[] | null> {
  const file = join(root, target.file);
  const tests = target.tests.map((test) => join(root, test));
  const { mutants, codeOf } = mutantsOf(target.file, readFileSync(file, 'utf8'));
  const bare = await pool.run({ file, code: codeOf(null), tests });
  if (bare.fate !== 'survived') {
    process.stderr.write(`${target.file}: its tests fail without a mutant: ${bare.by ?? bare.fate}\n`);
    return null;
  }
  const sampled = mutants.filter((_, i) => i % sample === 0);
  return Promise.all(
    sampled.map(async (mutant) => {
      const { fate, by } = await pool.run({ file, code: codeOf(mutant), tests });
      return { mutant, fate, by };
    }),
  );
}

function scoreLine(name: string, results: readonly Result[], low: boolean): string {
  const count = (fate: Outcome['fate']): number => results.filter((result) => result.fate === fate).length;
  const alive = count('survived');
  const share = results.length === 0 ? 100 : (100 * (results.length - alive)) / results.length;
  const odd = count('timeout') + count('crash');
  return (
    `${name.padEnd(34)} ${share.toFixed(1).padStart(5)} %  ${results.length - alive} of ${results.length}` +
    `${odd > 0 ? `, ${odd} by time-out or crash` : ''}${low ? '  TOO LOW' : ''}\n`
  );
}

function reportProblems(results: readonly Result[], whole: boolean, list: boolean): boolean {
  const accepted = readAccepted(join(import.meta.dirname, 'survivors.yaml'));
  const judged = results.map(({ mutant, fate }) => ({ mutant, survived: fate === 'survived' }));
  const { unlisted, stale } = holdAgainst(accepted, judged, whole);
  for (const mutant of unlisted) process.stdout.write(list ? entryOf(mutant) : lineOf(mutant));
  for (const sentence of stale) process.stdout.write(`stale in survivors.yaml: ${sentence}\n`);
  return unlisted.length + stale.length > 0;
}

function lineOf({ file, line, within, change }: Mutant): string {
  return `survived: ${file}:${line} in ${within}: ${change}\n`;
}

function entryOf({ file, within, lineText, change }: Mutant): string {
  const fields = { file, within, line: lineText, changes: [change], why: '' };
  return Object.entries(fields)
    .map(([name, value], i) => `${i === 0 ? '- ' : '  '}${name}: ${JSON.stringify(value)}\n`)
    .join('');
}
