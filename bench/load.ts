// Load on one candidate as fast as it goes: what a request costs in processor time, and how many there are a second.
// A refused request is an error: an answer of the gate's own would be much too cheap.
import autocannon from 'autocannon';
import type { Candidate } from './candidate.ts';

const CONNECTIONS = 64;
/** Until then the engine is still compiling, on threads whose time counts too. */
export const WARM_UP_SECONDS = 10;

export interface FullLoad {
  readonly cpuMicrosPerRequest: number;
  readonly requestsPerSecond: number;
  readonly rssMiB: number;
}

export async function fullLoad(candidate: Candidate, seconds: number): Promise<FullLoad> {
  const before = await candidate.usage();
  const total = await run(candidate, seconds);
  const after = await candidate.usage();
  return {
    cpuMicrosPerRequest: (after.cpuMicros - before.cpuMicros) / total,
    requestsPerSecond: total / seconds,
    rssMiB: after.rssMiB,
  };
}

async function run(candidate: Candidate, duration: number): Promise<number> {
  const result = await autocannon({
    url: `http://127.0.0.1:${candidate.port}/api/v1/tickets?page=1`,
    connections: CONNECTIONS,
    headers: candidate.headers,
    duration,
  });
  if (result.non2xx + result.errors + result.timeouts > 0) {
    throw new Error(
      `${candidate.name}: ${result.non2xx} refused, ${result.errors} errors, ${result.timeouts} timeouts`,
    );
  }
  return result.requests.total;
}
