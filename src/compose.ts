// The one place that constructs: every room from its options, every wire between them (with compose-*.ts beside it).
// Guarantees: nothing listens before a policy is loaded and the journal is open; `drain` ends everything that was
// begun here, in the reverse order; a failure on the way up closes what was already open. Cold.
import type { Config } from '#config/config.ts';
import type { Gateway } from '#gateway/gateway.ts';
import { type Clock, systemClock } from '#model/clock.ts';
import type { Log } from '#telemetry/log.ts';
import type { JournalTrial } from './compose-audit.ts';
import { tuneMemory } from './compose-memory.ts';
import { openRooms, type Rooms } from './compose-rooms.ts';
import { openServers, type Servers } from './compose-servers.ts';
import { openTraffic, type Traffic } from './compose-traffic.ts';

export interface PosternStart {
  readonly config: Config;
  /** One sentence each: unsafe choices that are allowed. */
  readonly warnings: readonly string[];
  readonly version: string;
  /** Of tests; the system's otherwise. */
  readonly clock?: Clock;
  /** Of tests: faults planted under the journal, and what no configuration says. */
  readonly journal?: JournalTrial;
}

export interface Postern {
  readonly addresses: Servers['addresses'];
  readonly log: Log;
  readonly gateway: Gateway;
  /** Reads the policies again and opens the sinks' files anew (SIGHUP). */
  reload(): Promise<void>;
  /** The kill switch (SIGUSR2): nothing is forwarded and nothing runs on when it returns, here and after a restart. */
  stop(): void;
  /** Fails ready, finishes what runs, cuts what has not ended within `deadlineMs`, flushes the journal. */
  drain(deadlineMs: number): Promise<void>;
}

/** Throws PolicyRejected, or the fault of the room or listener that could not be opened. */
export async function startPostern(start: PosternStart): Promise<Postern> {
  const { config, version, clock = systemClock, journal = {} } = start;
  tuneMemory();
  await using opened = new AsyncDisposableStack();
  const rooms = await openRooms({ config, version, clock, trial: journal }, opened);
  const traffic = openTraffic(rooms, opened);
  await traffic.security.board.firstRead;
  const servers = await openServers(rooms, traffic, opened);
  for (const warning of start.warnings) rooms.log.warn({}, warning);
  announce(rooms, 'gateway.started');
  rooms.log.info({ version, node: process.version }, 'started');
  return running(rooms, traffic, { servers, opened: opened.move() });
}

function announce({ journal, version }: Rooms, event: 'gateway.started' | 'gateway.stopped'): void {
  journal.event({ event, tenant: null, grant: null, actor: null, details: { version } });
}

interface Running {
  readonly servers: Servers;
  readonly opened: AsyncDisposableStack;
}

function running(rooms: Rooms, { gateway, killSwitch }: Traffic, { servers, opened }: Running): Postern {
  const { log, policies, journal } = rooms;
  let draining: Promise<void> | null = null;

  async function drain(deadlineMs: number): Promise<void> {
    log.info({ inFlight: gateway.inFlight }, 'draining');
    gateway.state.draining = true;
    const closed = servers.data.close();
    await Promise.race([closed, idle(gateway, deadlineMs)]);
    const cut = gateway.cutAll('drain');
    // Those without an answer yet get one, once it is recorded.
    if (cut > 0) await idle(gateway, LAST_ANSWERS_MS);
    announce(rooms, 'gateway.stopped');
    await opened.disposeAsync();
    log.info({ cut }, 'stopped');
  }

  return {
    addresses: servers.addresses,
    log,
    gateway,
    async reload() {
      journal.reopenSinks();
      await policies.reload();
    },
    stop: () => killSwitch.stop(),
    drain(deadlineMs) {
      draining ??= drain(deadlineMs);
      return draining;
    },
  };
}

const IDLE_CHECK_MS = 20;
const LAST_ANSWERS_MS = 1000;

/** Resolves when nothing is in flight, at the latest after `deadlineMs`. */
function idle(gateway: Gateway, deadlineMs: number): Promise<void> {
  const until = performance.now() + deadlineMs;
  return new Promise((resolve) => {
    const timer = setInterval(() => {
      if (gateway.inFlight > 0 && performance.now() < until) return;
      clearInterval(timer);
      resolve();
    }, IDLE_CHECK_MS);
  });
}
