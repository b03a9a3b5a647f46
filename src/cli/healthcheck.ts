// `postern healthcheck`: one GET that must be answered 200 in time; for containers that have no other client.
// Loads nothing of the gateway, follows no redirect, never waits for a body. Not hot.
import { request } from 'node:http';
import { COULD_NOT_BE_ASKED, DID_NOT_HOLD, HELD } from './exit-codes.ts';
import type { Terminal } from './terminal.ts';

export const DEFAULT_HEALTH_URL = 'http://127.0.0.1:9090/readyz';
const TIMEOUT_MS = 2000;

export interface HealthcheckDeps {
  readonly terminal: Terminal;
  /** For the whole exchange. Default 2,000. */
  readonly timeoutMs?: number;
}

/** Resolves with 0 for a 200, 1 for anything else or nothing in time, 2 for an address that cannot be asked. */
export async function healthcheck(address: string, deps: HealthcheckDeps): Promise<number> {
  const { terminal, timeoutMs = TIMEOUT_MS } = deps;
  const url = URL.parse(address);
  if (url === null || url.protocol !== 'http:') {
    terminal.err(`${terminal.red('error: ')}--url must be an http:// address`);
    return COULD_NOT_BE_ASKED;
  }
  const answer = await statusOf(url, timeoutMs);
  if (answer === 200) return HELD;
  terminal.err(typeof answer === 'number' ? `answered ${answer}` : answer);
  return DID_NOT_HOLD;
}

/** The status, or why there was none. Never rejects. */
function statusOf(url: URL, timeoutMs: number): Promise<number | string> {
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(timeoutMs);
    const outgoing = request(url, { agent: false, signal }, (response) => {
      resolve(response.statusCode ?? 0);
      // The body says nothing that the status does not, and may never end.
      response.destroy();
    });
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      resolve(
        signal.aborted ? `no answer within ${timeoutMs} ms` : `no answer (${error.code ?? 'unknown error'})`,
      );
    });
    outgoing.end();
  });
}
