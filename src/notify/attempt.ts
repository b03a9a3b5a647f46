// One attempt to deliver, and what the outbox is told of it. Never rejects. Guarantees: it ends within its time whatever
// the other side does; when the stop breaks it off, the delivery is due again; the log names the notice, the channel and
// a short word, never an address. Cold.
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock, EpochMs } from '#model/clock.ts';
import type { Log } from '#model/log.ts';
import { backOffMs, isOverdue } from './back-off.ts';
import type { ClaimedDelivery, NoticeOutbox } from './notice-outbox.ts';
import { failedWith, problemOf, type SendResult } from './send-result.ts';
import type { Send } from './webhook-sender.ts';

export interface AttemptDeps {
  readonly outbox: Pick<NoticeOutbox, 'done' | 'failed' | 'givenUp' | 'release'>;
  readonly send: Send;
  readonly clock: Clock;
  readonly log: Log;
  readonly attemptMs: number;
  /** Breaks off what is under way. */
  readonly stop: AbortSignal;
  readonly random?: () => number;
}

export type Outcome = 'sent' | 'failed' | 'given_up';

/** The store may be away just when a delivery is done: saying so again is cheaper than sending it again. */
const SETTLE_TRIES = 5;
const SETTLE_PAUSE_MS = 1000;

/** Null when the stop broke it off. */
export async function attemptDelivery(delivery: ClaimedDelivery, deps: AttemptDeps): Promise<Outcome | null> {
  const result = await bounded(delivery, deps);
  const { outbox, log } = deps;
  if (result === null) {
    await settled(() => outbox.release([delivery]), deps);
    return null;
  }
  if (result.ok) {
    await settled(() => outbox.done(delivery), deps);
    return 'sent';
  }
  const { noticeId: notice, channel } = delivery;
  const attempts = delivery.attempts + 1;
  const { problem } = result;
  const now = deps.clock.now();
  if (result.isFinal || isOverdue(delivery.plannedAt, now)) {
    log.error({ notice, channel, attempts, problem }, 'a notice could not be delivered and was given up');
    await settled(() => outbox.givenUp(delivery, problem), deps);
    return 'given_up';
  }
  log.debug({ notice, channel, attempts, problem }, 'a notice was not delivered; it is tried again');
  const failures = Math.max(delivery.recipientAttempts, delivery.attempts) + 1;
  const waitMs = backOffMs(failures, result.retryAfterMs, deps.random ?? Math.random);
  await settled(() => outbox.failed(delivery, (now + waitMs) as EpochMs, problem), deps);
  return 'failed';
}

/** Whichever comes first: the answer, the end of its time, or the stop (null). */
async function bounded(delivery: ClaimedDelivery, deps: AttemptDeps): Promise<SendResult | null> {
  const { send, attemptMs, stop } = deps;
  if (stop.aborted) return null;
  const ended = new AbortController();
  const signal = AbortSignal.any([ended.signal, stop]);
  const timer = setTimeout(() => ended.abort(), attemptMs);
  const broken = new Promise<SendResult | null>((resolve) => {
    signal.addEventListener('abort', () => resolve(stop.aborted ? null : failedWith('timeout')), {
      once: true,
    });
  });
  try {
    const sending = send(delivery, signal).catch((error: unknown) => failedWith(problemOf(error)));
    return await Promise.race([sending, broken]);
  } finally {
    clearTimeout(timer);
  }
}

/** After the last try the lease runs out, and the delivery is sent again: twice is better than never. */
async function settled(write: () => Promise<void>, { log, stop }: AttemptDeps): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await write();
      return;
    } catch (error) {
      if (tries === SETTLE_TRIES || stop.aborted) {
        log.warn({ err: error }, 'the outbox could not be told of a delivery; it may be sent again');
        return;
      }
      await sleep(SETTLE_PAUSE_MS, undefined, { signal: stop }).catch(() => undefined);
    }
  }
}
