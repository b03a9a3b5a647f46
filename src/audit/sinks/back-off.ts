// How long a failed delivery waits: exponential with full jitter, and never less than the receiver asked for. Pure.
// Full jitter, so that a hundred gateways do not come back to a receiver in step.

const FIRST_MS = 50;
const MAX_MS = 30_000;
/** A receiver that asks for more is asked again all the same. */
const MAX_ASKED_MS = 300_000;

/** `failures`: in a row, 1 or more. `random`: from 0 up to 1. */
export function backOffMs(failures: number, error: unknown, random: () => number): number {
  const ceiling = Math.min(MAX_MS, FIRST_MS * 2 ** Math.min(failures - 1, 20));
  return Math.max(1, Math.ceil(random() * ceiling)) + askedMs(error);
}

function askedMs(error: unknown): number {
  const asked = (error as { readonly retryAfterMs?: unknown } | null)?.retryAfterMs;
  return typeof asked === 'number' && asked > 0 ? Math.min(MAX_ASKED_MS, asked) : 0;
}

/** A word that may be logged; `unknown` for whatever is none, since it might say more than it should. */
export function codeOf(error: unknown): string {
  const code = (error as { readonly code?: unknown } | null)?.code;
  return typeof code === 'string' && /^[A-Za-z][A-Za-z0-9_]{0,63}$/.test(code) ? code : 'unknown';
}
