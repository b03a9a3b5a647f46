// npm run corpus -- [--json FILE] [--only ID] [--seed N] [--plant RULE]
// The bypass corpus against the real process: hand-written cases one by one, generated requests many at a time, then
// the same against a naive gate. Exit 0 when every law held and the control leaked, 1 when not, 2 when it could not be asked.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { type CorpusCase, corpusCases, corpusFiles } from '../support/corpus-cases.ts';
import { CORPUS_POLICY } from '../support/corpus-gate.ts';
import { type Control, runControl } from './control.ts';
import { GENERATORS } from './generate/all.ts';
import type { GeneratedRequest } from './generated-request.ts';
import { failuresOf, seenOf } from './judge.ts';
import { judgeKind } from './kinds.ts';
import { deniedRoutes, leaksOf, toldOf } from './oracle.ts';
import { withoutRule } from './plant.ts';
import { printed, type Result } from './report.ts';
import { type Shot, shootAll } from './shooter.ts';
import { balanceOf, type Failure, failuresOfShots, receivedIn } from './tally.ts';
import { openTargetGate, type TargetGate } from './target-gate.ts';

interface Options {
  readonly json: string | null;
  readonly only: string | null;
  readonly seed: number;
  readonly plant: string | null;
}

const FOLDER = new URL('../security/corpus', import.meta.url).pathname;
const DENIED = deniedRoutes(CORPUS_POLICY);

function optionsOf(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      json: { type: 'string' },
      only: { type: 'string' },
      seed: { type: 'string', default: '1' },
      plant: { type: 'string' },
    },
  });
  const seed = Number(values.seed);
  if (!Number.isSafeInteger(seed) || seed < 0) throw new TypeError('--seed takes a number');
  return { json: values.json ?? null, only: values.only ?? null, seed, plant: values.plant ?? null };
}

/** A row's id asks for its cases, a generator's name for its requests. */
function wantedBy(only: string | null): (id: string) => boolean {
  if (only === null) return () => true;
  return (id) => id === only || id.startsWith(`${only}.`) || id.startsWith(`${only}-`);
}

/** Distinct by their bytes. Throws when two have one id. */
function generated(seed: number): readonly GeneratedRequest[] {
  const ids = new Set<string>();
  const bytes = new Set<string>();
  const requests: GeneratedRequest[] = [];
  for (const request of GENERATORS.flatMap((generate) => Array.from(generate(seed)))) {
    if (ids.has(request.id)) throw new Error(`${request.id} is there twice`);
    ids.add(request.id);
    if (bytes.has(request.bytes)) continue;
    bytes.add(request.bytes);
    requests.push(request);
  }
  return requests;
}

async function judgeCases(gate: TargetGate, cases: readonly CorpusCase[]): Promise<Failure[]> {
  const failures: Failure[] = [];
  for (const one of cases) {
    const told = (kind: Failure['kind'], why: string) =>
      failures.push({ id: one.id, class: one.class, about: one.about, kind, why });
    const seen = await seenOf(gate, one).catch((error: unknown) => String(error));
    if (typeof seen === 'string') {
      told('crash', seen);
      continue;
    }
    const overBlocked = one.expect.forwarded !== undefined && seen.forwarded.length === 0;
    for (const why of failuresOf(one, seen)) told(overBlocked ? 'over-block' : 'law', why);
    for (const why of seen.forwarded.flatMap((request) => toldOf(leaksOf(request, DENIED))))
      told('leak', why);
  }
  return failures;
}

async function judgeKinds(wanted: (id: string) => boolean): Promise<{ cases: number; failures: Failure[] }> {
  const files = corpusFiles(FOLDER).filter(({ kind }) => kind !== 'requests');
  const failures: Failure[] = [];
  let cases = 0;
  for (const file of files) {
    for (const { id, row, failures: whys } of await judgeKind(file, wanted)) {
      cases += 1;
      for (const why of whys) failures.push({ id, class: row.class, about: row.about, kind: 'law', why });
    }
  }
  return { cases, failures };
}

interface GateRun {
  readonly failures: readonly Failure[];
  readonly upstreamRequests: number;
  readonly judgedRequests: number;
  readonly control: Control;
}

async function runGate(
  cases: readonly CorpusCase[],
  requests: readonly GeneratedRequest[],
  policy: string,
): Promise<GateRun> {
  await using gate = await openTargetGate(policy);
  const byHand = await judgeCases(gate, cases);
  const before = gate.upstream.requests.length;
  const shots: Shot[] = [];
  await shootAll(requests, gate, (shot) => void shots.push(shot));
  const crashes = await gate.finish();
  const { requests: recorded, bytes } = gate.upstream;
  const lines = gate.lines();
  const received = receivedIn(bytes);
  const balance = balanceOf(recorded, lines, received);
  const control = await runControl([...cases.map(asGenerated), ...requests], gate, DENIED);
  return {
    failures: [
      ...byHand,
      ...failuresOfShots({ shots, recorded, cut: received.cut, before, lines, denied: DENIED }),
      ...crashes.map((why) => ofTheRun('crash', why)),
      ...balance.failures.map((why) => ofTheRun('law', why)),
    ],
    upstreamRequests: balance.upstreamRequests,
    judgedRequests: balance.judgedRequests,
    control,
  };
}

function ofTheRun(kind: Failure['kind'], why: string): Failure {
  return { id: 'run', class: 0, about: 'the run as a whole', kind, why };
}

/** As the naive gate is sent it: whatever Postern owes to it does not matter there. */
function asGenerated({ id, class: number, about, bytes, expect }: CorpusCase): GeneratedRequest {
  return { id, class: number, about, bytes, mostRequests: expect.records ?? 1 };
}

async function run(options: Options): Promise<number> {
  const startedAt = performance.now();
  const wanted = wantedBy(options.only);
  const cases = corpusCases(FOLDER).filter(({ id }) => wanted(id));
  const requests = generated(options.seed).filter(({ id }) => wanted(id));
  const policy = options.plant === null ? CORPUS_POLICY : withoutRule(CORPUS_POLICY, options.plant);
  const kinds = await judgeKinds((id) => wanted(id) || options.only?.startsWith(`${id}.`) === true);
  if (cases.length + requests.length + kinds.cases === 0)
    throw new Error(`nothing is called ${options.only}`);
  const gateRun = await runGate(cases, requests, policy);
  const failures = [...gateRun.failures, ...kinds.failures];
  const countOf = (kind: Failure['kind']) =>
    new Set(failures.filter((one) => one.kind === kind).map(({ id, why }) => (id === 'run' ? why : id))).size;
  const result: Result = {
    cases: cases.length + kinds.cases,
    requests: cases.length + requests.length,
    leaks: countOf('leak'),
    overBlocks: countOf('over-block'),
    crashes: countOf('crash'),
    upstreamRequests: gateRun.upstreamRequests,
    judgedRequests: gateRun.judgedRequests,
    control: gateRun.control,
    seed: options.seed,
    seconds: Math.round((performance.now() - startedAt) / 100) / 10,
    failures,
  };
  process.stdout.write(printed(result, [...cases, ...requests]));
  if (options.json !== null) {
    mkdirSync(dirname(options.json), { recursive: true });
    writeFileSync(options.json, `${JSON.stringify(result, null, 2)}\n`);
  }
  // Of a few cases chosen by hand, none need leak at the naive gate.
  const controlled = options.only !== null || result.control.leaks > 0;
  return failures.length === 0 && controlled && result.upstreamRequests === result.judgedRequests ? 0 : 1;
}

try {
  process.exitCode = await run(optionsOf(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`corpus: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 2;
}
