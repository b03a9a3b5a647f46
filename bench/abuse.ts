// `npm run bench:abuse`: what attackers cost those who have work to do. A gate, an upstream, the load and the attackers,
// each a process of its own; interleaved rounds, alone and beside the attack, and the median of each. Fails when the 99th
// percentile of the load rises by more than a tenth and by more than half a millisecond beside slow connections, or when
// the gate's memory passes its bounds. `--slow --idle --heads --readers --churn --rounds --seconds --rate` make it smaller.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Attack, Attacked } from './abuse-clients.ts';
import { type Candidate, startCandidate } from './candidate.ts';
import { fixedRate } from './fixed-rate.ts';
import { fullLoad, WARM_UP_SECONDS } from './load.ts';
import { takePrecedence } from './precedence.ts';
import { median } from './statistics.ts';

const MOST_RISE = 0.1;
const MOST_RISE_MS = 0.5;
/** Of the gate, above what it had when the attack began. */
const IDLE_KIB_EACH = 24;
const READER_KIB_EACH = 1024;
/** A head may be 32 KiB before the parser gives it up. */
const HEAD_KIB_EACH = 64;
/** What the garbage of a few seconds at full speed may add. */
const SLACK_MIB = 96;

const given = parseArgs({
  options: {
    slow: { type: 'string', default: '2000' },
    idle: { type: 'string', default: '10000' },
    readers: { type: 'string', default: '64' },
    heads: { type: 'string', default: '1000' },
    churn: { type: 'string', default: '500' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '5' },
    rate: { type: 'string', default: '1500' },
    warm: { type: 'string', default: String(WARM_UP_SECONDS) },
  },
}).values;
const numberOf = (name: keyof typeof given): number => {
  const value = Number(given[name]);
  if (!Number.isSafeInteger(value) || value < 1) throw new TypeError(`--${name} must be a whole number`);
  return value;
};

interface Attackers extends Disposable {
  /** Resolves a second after the last connection was opened. */
  launch(kind: Attack['kind'], count: number): Promise<Attacked>;
}

/**
 * Attackers are elsewhere: they get what processor time the load leaves on its core, and none of the gate's. Where the
 * system can do that; the niceness they give themselves has to do otherwise.
 */
const ELSEWHERE = ['/usr/bin/chrt', '--idle', '0', '/usr/bin/taskset', '-c', '0'];
/**
 * The load, the upstream and the attackers collect no garbage within a round: their helper threads would take the cores
 * from the gate, and from whoever measures it. The load has the same on its command line.
 */
const NO_COLLECTIONS = [
  '--min-semi-space-size=256',
  '--max-semi-space-size=256',
  '--initial-old-space-size=1024',
  '--no-memory-reducer',
];
/** What only an attack brings about is compiled in one: rounds before the first that counts. */
const WARM_UP_ROUNDS = 3;
/** Of the slow connections: those that the gate has just ended are opened anew a moment later. */
const MOST_OF = 0.9;

async function startAttackers(gate: Candidate): Promise<Attackers> {
  const script = fileURLToPath(new URL('./abuse-clients.ts', import.meta.url));
  const canSetApart = ELSEWHERE.filter((word) => word.startsWith('/')).every((file) => existsSync(file));
  const node = [process.execPath, ...NO_COLLECTIONS, '--conditions=source', script];
  const [command = '', ...args] = canSetApart ? [...ELSEWHERE, ...node] : node;
  const child: ChildProcess = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  await once(child, 'message');
  return {
    async launch(kind, count) {
      const attack: Attack = { kind, count, port: gate.port, headers: gate.otherHeaders ?? {} };
      child.send(attack);
      const [said] = (await once(child, 'message')) as [Attacked];
      return said;
    },
    [Symbol.dispose]() {
      child.disconnect();
    },
  };
}

/** Each connection is a file in the process that opens it, and in the gate. */
function enoughFiles(needed: number): boolean {
  const report = process.report.getReport() as {
    userLimits?: { open_files?: { soft: number | 'unlimited' } };
  };
  const soft = report.userLimits?.open_files?.soft ?? 'unlimited';
  if (soft === 'unlimited' || soft >= needed) return true;
  console.error(
    `${needed} open files are needed, and ${soft} allowed: raise it with \`ulimit -n ${needed}\``,
  );
  return false;
}

const held: boolean[] = [];

function check(what: string, holds: boolean, bound: string): void {
  held.push(holds);
  console.log(`${holds ? 'holds' : 'FAILS'}: ${what} (${bound})`);
}

interface Scene {
  readonly gate: Candidate;
  readonly attackers: Attackers;
}

async function p99(gate: Candidate): Promise<number> {
  return (await fixedRate(gate, numberOf('rate'), numberOf('seconds'))).p99Ms;
}

interface Round {
  readonly aloneMs: number;
  readonly besideMs: number;
  /** Slow connections, and bytes a second of theirs, that there were beside the load. */
  readonly open: number;
  readonly perSecond: number;
  readonly closed: number;
  readonly rssMiB: number;
}

async function slowRound({ gate, attackers }: Scene): Promise<Round> {
  await attackers.launch('none', 0);
  const aloneMs = await p99(gate);
  const { open } = await attackers.launch('slow', numberOf('slow'));
  const besideMs = await p99(gate);
  const { rssMiB } = await gate.usage();
  const { closed, drippedPerSecond } = (await attackers.launch('none', 0)).before;
  return { aloneMs, besideMs, open, perSecond: drippedPerSecond, closed, rssMiB };
}

/** Interleaved and compared round by round, so that what else the machine does is in both. */
async function slowConnections(scene: Scene): Promise<boolean> {
  const before = (await scene.gate.usage()).rssMiB;
  const rounds: Round[] = [];
  for (let i = 0; i < numberOf('rounds'); i++) rounds.push(await slowRound(scene));
  const largest = Math.max(before, ...rounds.map(({ rssMiB }) => rssMiB));
  const mostMiB = SLACK_MIB + (numberOf('slow') * IDLE_KIB_EACH) / 1024;
  check(
    `beside slow connections the gate grew from ${before.toFixed(0)} to ${largest.toFixed(0)} MiB`,
    largest - before <= mostMiB,
    `at most ${mostMiB.toFixed(0)} MiB more`,
  );
  const alone = rounds.map(({ aloneMs }) => aloneMs);
  const beside = rounds.map(({ besideMs }) => besideMs);
  const open = Math.min(...rounds.map((round) => round.open));
  const perSecond = Math.min(...rounds.map((round) => round.perSecond));
  const closed = rounds.reduce((sum, round) => sum + round.closed, 0);
  const rise = median(rounds.map(({ aloneMs, besideMs }) => besideMs - aloneMs));
  const most = Math.max(median(alone) * MOST_RISE, MOST_RISE_MS);
  console.log(
    `p99 of each round, ms: alone ${figures(alone)}; beside ${figures(beside)}; at least ${open} open that sent ${perSecond.toFixed(0)} bytes/s, and the gate closed ${closed}`,
  );
  console.log(
    `p99 at ${numberOf('rate')}/s: ${median(alone).toFixed(2)} ms alone, ${rise.toFixed(2)} ms more beside ${numberOf('slow')} slow connections (at most ${most.toFixed(2)})`,
  );
  return rise <= most && Math.min(open, perSecond) >= numberOf('slow') * MOST_OF;
}

const figures = (values: readonly number[]): string => values.map((value) => value.toFixed(2)).join(' ');

/** Memory beside an attack, and the load's p99 for whoever reads. */
async function memoryBeside(
  scene: Scene,
  kind: 'idle' | 'readers' | 'heads',
  kibEach: number,
): Promise<void> {
  const { gate, attackers } = scene;
  const count = numberOf(kind);
  await attackers.launch('none', 0);
  const before = (await gate.usage()).rssMiB;
  const { open } = await attackers.launch(kind, count);
  const settled = (await gate.usage()).rssMiB;
  const latency = await p99(gate);
  const after = (await gate.usage()).rssMiB;
  const most = SLACK_MIB + (count * kibEach) / 1024;
  console.log(
    `${open} ${kind} connections: ${kib(settled - before, count)} KiB each at once, p99 ${latency.toFixed(2)} ms`,
  );
  check(
    `beside ${count} ${kind} connections the gate grew from ${before.toFixed(0)} to ${after.toFixed(0)} MiB, ${kib(after - before, count)} KiB each`,
    open === count && after - before <= most,
    `${count} open, at most ${most.toFixed(0)} MiB more`,
  );
}

const kib = (mib: number, count: number): string => ((mib * 1024) / count).toFixed(1);

async function churning({ gate, attackers }: Scene): Promise<void> {
  await attackers.launch('none', 0);
  const before = (await gate.usage()).rssMiB;
  const alone = await p99(gate);
  await attackers.launch('churn', numberOf('churn'));
  const beside = await p99(gate);
  const { closed } = (await attackers.launch('none', 0)).before;
  const after = (await gate.usage()).rssMiB;
  console.log(
    `${numberOf('churn')} connections a second come and go: p99 ${alone.toFixed(2)} and ${beside.toFixed(2)} ms`,
  );
  check(
    `after the churn (${closed} of its connections closed) the gate has ${(after - before).toFixed(0)} MiB more`,
    after - before <= SLACK_MIB,
    `at most ${SLACK_MIB}`,
  );
}

async function measure(): Promise<void> {
  await using upstream = await startCandidate('upstream', 0, { core: 0, flags: NO_COLLECTIONS });
  await using gate = await startCandidate('postern-limited', upstream.port, { core: 1 });
  using attackers = await startAttackers(gate);
  const scene: Scene = { gate, attackers };
  await fullLoad(gate, numberOf('warm'));
  // After the others were started: what is started by somebody with precedence has it, too.
  if (!takePrecedence([process.pid, upstream.pid])) {
    console.log('the load has no precedence here: it waits for the attackers, too');
  }
  for (let round = 0; round < WARM_UP_ROUNDS; round++) await slowRound(scene);
  // One retry, since the machine has other things to do.
  const calm = (await slowConnections(scene)) || (await slowConnections(scene));
  check('the latency of the load beside slow connections', calm, 'median of the rounds, one retry');
  await memoryBeside(scene, 'readers', READER_KIB_EACH);
  await memoryBeside(scene, 'heads', HEAD_KIB_EACH);
  await churning(scene);
  await memoryBeside(scene, 'idle', IDLE_KIB_EACH);
}

if (enoughFiles(Math.max(numberOf('idle'), numberOf('slow')) + 512)) {
  await measure();
  process.exitCode = held.every(Boolean) ? 0 : 1;
} else process.exitCode = 2;
