// Load on one candidate: as fast as it goes, for processor time per request; at a fixed rate, for latencies.
import autocannon from 'autocannon';
import type { Candidate } from './candidate.ts';

const CONNECTIONS = 64;

export interface FullLoad {
  readonly cpuMicrosPerRequest: number;
  readonly requestsPerSecond: number;
  readonly rssMiB: number;
}

export interface Latencies {
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly p999Ms: number;
}

export async function fullLoad(candidate: Candidate, seconds: number): Promise<FullLoad> {
  const before = await candidate.usage();
  const result = await run(candidate, { duration: seconds });
  const after = await candidate.usage();
  return {
    cpuMicrosPerRequest: (after.cpuMicros - before.cpuMicros) / result.total,
    requestsPerSecond: result.total / seconds,
    rssMiB: after.rssMiB,
  };
}

/** Latencies as each client saw them, so that a stall counts for every request it held up. */
export async function fixedRate(candidate: Candidate, rate: number, seconds: number): Promise<Latencies> {
  const { latencies } = await run(candidate, {
    duration: seconds,
    overallRate: Math.max(1, Math.round(rate)),
  });
  latencies.sort((a, b) => a - b);
  const at = (share: number) =>
    latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))] ?? 0;
  return { p50Ms: at(0.5), p99Ms: at(0.99), p999Ms: at(0.999) };
}

async function run(
  candidate: Candidate,
  options: { readonly duration: number; readonly overallRate?: number },
): Promise<{ total: number; latencies: number[] }> {
  const latencies: number[] = [];
  const instance = autocannon({
    url: `http://127.0.0.1:${candidate.port}/api/v1/tickets?page=1`,
    connections: CONNECTIONS,
    headers: candidate.headers,
    ...options,
  });
  instance.on('response', (_client, _status, _bytes, milliseconds) => latencies.push(milliseconds));
  const result = await instance;
  if (result.non2xx + result.errors + result.timeouts > 0) {
    throw new Error(
      `${candidate.name}: ${result.non2xx} refused, ${result.errors} errors, ${result.timeouts} timeouts`,
    );
  }
  return { total: result.requests.total, latencies };
}
