// Waiting with an end: every wait in the demo names what it waits for and gives up in time.
import { setTimeout as delay } from 'node:timers/promises';

const POLL_MS = 25;

/** Asks again until there is an answer; throws once `deadlineMs` has passed. Errors of `ask` end the wait at once. */
export async function until<T>(
  what: string,
  deadlineMs: number,
  ask: () => Promise<T | undefined> | T | undefined,
): Promise<T> {
  const giveUpAt = performance.now() + deadlineMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > giveUpAt) throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    await delay(POLL_MS);
  }
}

/** The promise's value, or an error once `deadlineMs` has passed. */
export async function within<T>(what: string, deadlineMs: number, promise: Promise<T>): Promise<T> {
  const stop = new AbortController();
  const deadline = delay(deadlineMs, undefined, { signal: stop.signal }).then(
    () => {
      throw new Error(`waited ${deadlineMs} ms in vain for ${what}`);
    },
    () => undefined,
  );
  try {
    return (await Promise.race([promise, deadline])) as T;
  } finally {
    stop.abort();
  }
}
