// `npm run fuzz -- --minutes N`: fuzzes every target, or those that are named, each for its share of the time. Inputs
// that break a law are made short, written to a file and told with the command that runs them again. Exit 1: one was
// found, or a replayed input breaks a law. Exit 2: it could not be asked.
import { readFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseArgs } from 'node:util';
import { startCoverage } from './coverage.ts';
import { fuzz, type FuzzResult } from './engine.ts';
import { folderOf, keep, keptFiles } from './kept-files.ts';
import { loadTarget, TARGETS } from './target-list.ts';

const USAGE = `usage: npm run fuzz -- [--minutes N] [--target NAME]... [--seed N] [--json FILE]
       npm run fuzz -- --target NAME --replay FILE
  --minutes N     for all targets together; a fraction is allowed; 1 by default
  --target NAME   only this one; may be repeated
  --seed N        another run; the time's by default, and printed
  --json FILE     writes the result there as well
  --found FOLDER  where inputs that break a law are written; test/fuzz/seeds/<target> by default
  --replay FILE   executes the file's bytes once and says what became of them
`;

interface Options {
  readonly minutes: number;
  readonly targets: readonly string[];
  readonly seed: number;
  readonly json: string | null;
  readonly found: string | null;
  readonly replay: string | null;
}

const options = readOptions();
if (options === null) {
  process.stderr.write(USAGE);
  process.exitCode = 2;
} else {
  process.exitCode =
    options.replay === null ? await runAll(options) : await replay(options.targets[0] ?? '', options.replay);
}

function readOptions(): Options | null {
  try {
    const { values } = parseArgs({
      options: {
        minutes: { type: 'string', default: '1' },
        target: { type: 'string', multiple: true, default: [] },
        seed: { type: 'string', default: String(Date.now() % 1_000_000) },
        json: { type: 'string' },
        found: { type: 'string' },
        replay: { type: 'string' },
      },
    });
    const { target, json = null, found = null, replay: file = null } = values;
    const [minutes, seed] = [Number(values.minutes), Number(values.seed)];
    const isKnown = target.every((name) => Object.hasOwn(TARGETS, name));
    const sound = minutes > 0 && Number.isInteger(seed) && isKnown && (file === null || target.length === 1);
    return sound
      ? {
          minutes,
          seed,
          json,
          found,
          replay: file,
          targets: target.length > 0 ? target : Object.keys(TARGETS),
        }
      : null;
  } catch {
    return null;
  }
}

async function runAll({ minutes, targets, seed, json, found }: Options): Promise<number> {
  const seconds = (minutes * 60) / targets.length;
  process.stdout.write(`seed ${seed}\n`);
  using coverage = startCoverage();
  const results: FuzzResult[] = [];
  let failures = 0;
  for (const name of targets) {
    const target = await loadTarget(name);
    const start = keptFiles(name).map(({ input }) => input);
    const result = await fuzz({
      target,
      seed,
      seconds,
      executions: Infinity,
      start,
      coverage: coverage.view(TARGETS[name] ?? /src/),
    });
    results.push(result);
    process.stdout.write(lineOf(result));
    for (const one of result.found) {
      failures += 1;
      const file = relative(
        process.cwd(),
        keep(found === null ? folderOf(name) : join(found, name), 'found', one.input),
      );
      process.stdout.write(
        `  broken after ${one.after} runs: ${one.detail}\n  npm run fuzz -- --target ${name} --replay ${file}\n`,
      );
    }
  }
  const executions = results.reduce((sum, one) => sum + one.executions, 0);
  process.stdout.write(`executions ${executions}, failures ${failures}\n`);
  if (json !== null)
    writeFileSync(
      json,
      `${JSON.stringify({ seed, minutes, executions, failures, targets: results }, null, 1)}\n`,
    );
  return failures > 0 ? 1 : 0;
}

function lineOf({ target, executions, perSecond, blocks, kept, endings, found }: FuzzResult): string {
  const { covered, known } = blocks;
  return `${target}: ${executions} executions, ${perSecond}/s, blocks ${covered}/${known}, endings ${endings}, kept ${kept}, found ${found.length}\n`;
}

async function replay(name: string, file: string): Promise<number> {
  const target = await loadTarget(name);
  await using opened = await target.open();
  const { labels, failures } = await opened.execute([readFileSync(file, 'latin1')]);
  process.stdout.write(`${labels[0] ?? ''}\n`);
  for (const { detail } of failures) process.stdout.write(`broken: ${detail}\n`);
  return failures.length > 0 ? 1 : 0;
}
