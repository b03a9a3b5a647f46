// npm run torture -- --kills N [--json FILE] [--seed S] [--durability os|disk] [--flood] [--plant FAULT] [--keep]
// Kills a gateway under load N times, starts it again on what is left, and holds its journal against what the upstream
// and the clients saw. Exit 0 when nothing is missing, 1 when something is, 2 when it could not be asked.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { randomFrom } from '../support/torture-random.ts';
import { type CycleDeps, type CycleEnd, killOnce, stopOnce } from './cycle.ts';
import { judge, type Judgement } from './judge.ts';
import { Ledger } from './ledger.ts';
import { type Plant, PLANTS } from './plants.ts';
import { spawnGateway } from './process.ts';
import { openSite } from './site.ts';

interface Options {
  readonly kills: number;
  readonly json: string | null;
  readonly seed: number;
  readonly durability: 'os' | 'disk';
  readonly plant: Plant | null;
  readonly flood: boolean;
  readonly keep: boolean;
}

interface Tally {
  kills: number;
  /** Starts of the gateway, those that a kill ended included. */
  restarts: number;
  manualRecoveries: number;
  readonly byManner: Record<string, number>;
  readonly startsMs: number[];
  readonly stuck: string[];
}

function optionsOf(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      kills: { type: 'string', default: '25' },
      json: { type: 'string' },
      seed: { type: 'string' },
      durability: { type: 'string', default: 'os' },
      plant: { type: 'string' },
      flood: { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
    },
  });
  const kills = Number(values.kills);
  const seed = values.seed === undefined ? Math.floor(Math.random() * 2 ** 32) : Number(values.seed);
  const plant = PLANTS.find((one) => one === values.plant) ?? null;
  if (!Number.isSafeInteger(kills) || kills < 1) throw new TypeError('--kills takes a number');
  if (!Number.isSafeInteger(seed) || seed < 0) throw new TypeError('--seed takes a number');
  if (values.plant !== undefined && plant === null) throw new TypeError(`--plant takes ${PLANTS.join(', ')}`);
  if (values.durability !== 'os' && values.durability !== 'disk')
    throw new TypeError('--durability takes os or disk');
  return {
    kills,
    json: values.json ?? null,
    seed,
    durability: values.durability,
    plant,
    flood: values.flood,
    keep: values.keep,
  };
}

async function torture(options: Options, tally: Tally): Promise<Judgement> {
  const random = randomFrom(options.seed);
  const ledger = new Ledger();
  await using site = await openSite(options.durability, ledger, random.fork());
  const deps: CycleDeps = { site, ledger, random, plant: options.plant, flood: options.flood };
  let next = spawnGateway();
  let startMs = 400;
  try {
    while (tally.kills < options.kills && tally.manualRecoveries === 0) {
      using gateway = next;
      ledger.kill = tally.kills + 1;
      // Loads while this one runs.
      next = spawnGateway();
      const end = await killOnce(gateway, startMs, deps);
      if (end.startMs !== null) startMs = startMs * 0.8 + end.startMs * 0.2;
      count(end, tally);
      progress(tally, options);
    }
    if (tally.manualRecoveries === 0) {
      ledger.kill = tally.kills + 1;
      count(await stopOnce(next, deps), tally);
    }
  } finally {
    next[Symbol.dispose]();
    await next.exited;
  }
  const judgement = await judge(site, ledger);
  if (options.keep && judgement.problems.length > 0) {
    site.keep();
    process.stdout.write(`kept: ${site.folder}\n`);
  }
  return judgement;
}

function count(end: CycleEnd, tally: Tally): void {
  tally.restarts += 1;
  tally.byManner[end.manner] = (tally.byManner[end.manner] ?? 0) + 1;
  if (end.killed) tally.kills += 1;
  if (end.startMs !== null) tally.startsMs.push(end.startMs);
  if (end.stuck === null) return;
  tally.manualRecoveries += 1;
  tally.stuck.push(`kill ${tally.kills}, ${end.manner}: ${end.stuck}`);
}

function progress({ kills }: Tally, options: Options): void {
  if (kills > 0 && kills % 25 === 0) process.stdout.write(`${kills} of ${options.kills} kills\n`);
}

function median(numbers: readonly number[]): number | null {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted[Math.floor(sorted.length / 2)];
  return middle === undefined ? null : Math.round(middle);
}

async function run(options: Options): Promise<number> {
  const { seed, durability, plant, flood } = options;
  process.stdout.write(
    `seed ${seed}, durability ${durability}${plant === null ? '' : `, planted: ${plant}`}\n`,
  );
  const tally: Tally = { kills: 0, restarts: 0, manualRecoveries: 0, byManner: {}, startsMs: [], stuck: [] };
  const startedAt = performance.now();
  const judgement = await torture(options, tally);
  const problems = [
    ...tally.stuck.map((text) => `a start that needs a hand: ${text}`),
    ...judgement.problems,
  ];
  const result = {
    kills: tally.kills,
    ...judgement,
    manualRecoveries: tally.manualRecoveries,
    restarts: tally.restarts,
    medianStartMs: median(tally.startsMs),
    byManner: tally.byManner,
    seed,
    durability,
    plant,
    flood,
    seconds: Math.round((performance.now() - startedAt) / 1000),
    problems,
  };
  const text = `${JSON.stringify(result, null, 2)}\n`;
  process.stdout.write(text);
  if (options.json !== null) {
    mkdirSync(dirname(options.json), { recursive: true });
    writeFileSync(options.json, text);
  }
  return problems.length === 0 && judgement.forwarded > 0 ? 0 : 1;
}

try {
  process.exitCode = await run(optionsOf(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`torture: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
