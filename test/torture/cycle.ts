// One life of a gateway: started on what the last one left, loaded, killed in one of several manners. Guarantees: the
// process is dead when this returns, and every connection to it has ended.
import { watch } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../support/torture-random.ts';
import type { Ledger } from './ledger.ts';
import { FLOOD_PER_SECOND, type Load, startLoad } from './load.ts';
import type { Plant } from './plants.ts';
import type { GatewayProcess, Ports } from './process.ts';
import { HOSTS, type Site } from './site.ts';

/** Where the kill strikes. Some more often: those in which more happens. */
const MANNERS = [
  'under load',
  'under load',
  'under load',
  'as soon as it serves',
  'while it starts',
  'while it starts',
  'as a segment begins',
  'as a segment begins',
  'around a checkpoint',
  'while the policy is read again',
  'while grants change',
  'while it stops',
] as const;
type Manner = (typeof MANNERS)[number];

/** What a start may take before somebody would have to look after it. */
const READY_MS = 20_000;
const STOPPED_MS = 20_000;
const LANES = 10;
const SEGMENT_BYTES = [48 * 1024, 256 * 1024, 1024 * 1024, 4 * 1024 * 1024] as const;

export interface CycleDeps {
  readonly site: Site;
  readonly ledger: Ledger;
  readonly random: Random;
  readonly plant: Plant | null;
  /** Refusals without a principal come in so many that the gateway sums them. */
  readonly flood: boolean;
}

export interface CycleEnd {
  readonly manner: Manner | 'none';
  /** SIGKILL struck before the process had ended by itself. */
  readonly killed: boolean;
  /** From the word to go until it was ready; null when it was killed before. */
  readonly startMs: number | null;
  /** It did not come up, or ended by itself: what it said. */
  readonly stuck: string | null;
}

/** `startMs`: what a start takes here, roughly. */
export async function killOnce(gateway: GatewayProcess, startMs: number, deps: CycleDeps): Promise<CycleEnd> {
  const { site, ledger, random, plant } = deps;
  const manner = ledger.kill === 1 ? 'under load' : random.pick(MANNERS);
  ledger.manners[ledger.kill] = manner;
  const segmentBytes = manner === 'as a segment begins' ? SEGMENT_BYTES[0] : random.pick(SEGMENT_BYTES);
  await gateway.start({ config: site.config, segmentBytes, plant });
  const startedAt = performance.now();
  if (manner === 'while it starts') {
    await Promise.race([sleep(random.next() * startMs * 1.1), gateway.exited]);
    return strike(gateway, { manner, ledger, startMs: null });
  }
  const ports = await readyPorts(gateway);
  if (ports === null) return stuck(gateway, manner);
  const tookMs = performance.now() - startedAt;
  if (ledger.kill === 1) await site.grants(ports);
  const load = await loadOn(ports, deps);
  await moment(manner, { gateway, ports, ...deps });
  const end = await strike(gateway, { manner, ledger, startMs: tookMs });
  await load.stop();
  return end;
}

/** The last life: everything that was begun is finished, and the process ends by itself. */
export async function stopOnce(gateway: GatewayProcess, deps: CycleDeps): Promise<CycleEnd> {
  const { site, plant } = deps;
  await gateway.start({ config: site.config, segmentBytes: 64 * 1024 * 1024, plant });
  const ports = await readyPorts(gateway);
  if (ports === null) return stuck(gateway, 'none');
  const load = await loadOn(ports, deps);
  await sleep(300);
  await load.finish();
  gateway.signal('SIGTERM');
  const [code] = (await Promise.race([gateway.exited, sleep(STOPPED_MS, null, { ref: false })])) ?? [null];
  if (code !== 0) return stuck(gateway, 'none');
  return { manner: 'none', killed: false, startMs: null, stuck: null };
}

async function loadOn(ports: Ports, { site, ledger, random, flood }: CycleDeps): Promise<Load> {
  const tokens = await site.tokens();
  const anonymousPerSecond = flood ? 1000 * FLOOD_PER_SECOND : FLOOD_PER_SECOND * 0.45;
  return startLoad(
    { port: ports.data, tokens, hosts: HOSTS, lanes: LANES, anonymousPerSecond },
    ledger,
    random.fork(),
  );
}

/** Ready for traffic as an orchestrator sees it; null when that did not come by itself. */
async function readyPorts(gateway: GatewayProcess): Promise<Ports | null> {
  const until = performance.now() + READY_MS;
  const ports = await Promise.race([gateway.ready, sleep(READY_MS, null, { ref: false })]);
  if (ports === null) return null;
  while (performance.now() < until) {
    try {
      const response = await fetch(`http://127.0.0.1:${ports.ops}/readyz`, {
        headers: { connection: 'close' },
      });
      await response.arrayBuffer();
      if (response.status === 200) return ports;
    } catch {
      // It ended.
    }
    await sleep(10);
  }
  return null;
}

interface Scene extends CycleDeps {
  readonly gateway: GatewayProcess;
  readonly ports: Ports;
}

/** Resolves at the instant at which the kill is to strike. */
async function moment(manner: Manner, { gateway, ports, site, random }: Scene): Promise<void> {
  if (manner === 'as soon as it serves') {
    await sleep(random.whole(0, 40));
    return;
  }
  if (manner === 'as a segment begins') {
    await segmentBegan(site.journal);
    await sleep(random.whole(0, 2));
    return;
  }
  if (manner === 'around a checkpoint') {
    await sleep(random.whole(850, 1150));
    return;
  }
  await sleep(random.whole(20, 500));
  if (manner === 'while the policy is read again') {
    site.writePolicy();
    gateway.signal('SIGHUP');
    await sleep(random.whole(0, 50));
  } else if (manner === 'while grants change') {
    const changing = Promise.allSettled([1, 2, 3].map(() => site.grantAndRevoke(ports)));
    await Promise.race([changing, sleep(random.whole(0, 60))]);
  } else if (manner === 'while it stops') {
    gateway.signal('SIGTERM');
    await sleep(random.whole(0, 100));
  }
}

/** At the latest after a second and a half: with little traffic a segment lasts. */
function segmentBegan(directory: string): Promise<void> {
  return new Promise((resolve) => {
    const watcher = watch(directory, (event, name) => {
      if (event === 'rename' && name?.startsWith('journal-') === true) over();
    });
    const timer = setTimeout(() => over(), 1500);
    const over = (): void => {
      clearTimeout(timer);
      watcher.close();
      resolve();
    };
  });
}

interface Strike {
  readonly manner: Manner;
  readonly ledger: Ledger;
  readonly startMs: number | null;
}

async function strike(gateway: GatewayProcess, { manner, ledger, startMs }: Strike): Promise<CycleEnd> {
  ledger.struckAtMs[ledger.kill] = performance.now();
  gateway.signal('SIGKILL');
  const [code, signal] = await gateway.exited;
  const byItself = signal !== 'SIGKILL';
  const asAsked = byItself && manner === 'while it stops' && code === 0;
  return {
    manner,
    killed: !byItself,
    startMs,
    stuck: byItself && !asAsked ? `ended by itself with ${code}: ${gateway.said()}` : null,
  };
}

async function stuck(gateway: GatewayProcess, manner: Manner | 'none'): Promise<CycleEnd> {
  gateway.signal('SIGKILL');
  const [code, signal] = await gateway.exited;
  const why = `not ready or not stopped in time (${code ?? signal}): ${gateway.said()}`;
  return { manner, killed: false, startMs: null, stuck: why };
}
