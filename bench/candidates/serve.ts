// The child's side of a candidate: starts it, says where it listens, and reports what it has used when asked.
// The parent stops it by closing the channel.

import { subscribe } from 'node:diagnostics_channel';

export interface Usage {
  /** User and system time of the whole process, microseconds. */
  readonly cpuMicros: number;
  readonly rssMiB: number;
  /** The most it ever had. */
  readonly peakMiB: number;
}

export interface Ready {
  readonly port: number;
  /** Sent with each request, for whoever looks at it. */
  readonly headers: Readonly<Record<string, string>>;
  /** Of somebody else, who may do the same. */
  readonly otherHeaders?: Readonly<Record<string, string>>;
}

export async function serveCandidate(start: (upstreamPort: number) => Promise<Ready>): Promise<void> {
  const upstreamPort = Number(process.argv[2]);
  plant(process.env['POSTERN_BENCH_PLANT']);
  process.on('message', () => {
    const { user, system } = process.cpuUsage();
    const usage: Usage = {
      cpuMicros: user + system,
      rssMiB: process.memoryUsage.rss() / 1024 / 1024,
      peakMiB: process.resourceUsage().maxRSS / 1024,
    };
    process.send?.(usage);
  });
  process.on('disconnect', () => process.exit(0));
  process.send?.(await start(upstreamPort));
}

/**
 * Faults for the guard to find, so that it is known to find them: `slowdown` burns time in each request, `stall`
 * stops the loop for 5 ms many times a second.
 */
function plant(kind: string | undefined): void {
  if (kind === undefined) return;
  if (kind === 'stall') {
    setInterval(() => burn(5000), 100).unref();
    return;
  }
  const micros = Number(kind.replace('slowdown=', ''));
  subscribe('http.server.request.start', () => burn(micros));
}

function burn(micros: number): void {
  const until = process.hrtime.bigint() + BigInt(Math.round(micros * 1000));
  while (process.hrtime.bigint() < until);
}
