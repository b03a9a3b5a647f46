// The pump of the outbox: plans whom each notice goes to, and sends what is due. Guarantees: at least once, with the same
// ids each time, over crashes and restarts; one recipient that hangs or fails holds up no other; a notice that cannot be
// planned holds up no other; neither addresses nor anything of a notice in the log. Off the forwarding path.
import type { Clock } from '#model/clock.ts';
import type { Log } from '#model/log.ts';
import { type AttemptDeps, attemptDelivery, type Outcome } from './attempt.ts';
import {
  type Backlog,
  type Channel,
  CHANNELS,
  type ChangeWatch,
  type ClaimedDelivery,
  type NoticeOutbox,
  type UnplannedNotice,
} from './notice-outbox.ts';
import { type RecipientDeps, recipientsOf } from './recipients.ts';
import { failedWith } from './send-result.ts';
import type { Send } from './webhook-sender.ts';

export interface NotifierDeps extends Omit<RecipientDeps, 'hasEmail'> {
  readonly outbox: NoticeOutbox;
  readonly changes: ChangeWatch;
  /** `email` null: there is no mail server, and nothing is planned for it. */
  readonly send: { readonly email: Send | null; readonly webhook: Send };
  readonly clock: Clock;
  readonly log: Log;
  /** How often the outbox is looked at though nothing was said to have changed. Default 5 s. */
  readonly pollMs?: number;
  /** How long one attempt may take. Default 45 s. A lease is twice as long. */
  readonly attemptMs?: number;
  /** How long a stop waits for attempts under way before it breaks them off. Default 5 s. */
  readonly drainMs?: number;
  /** Of tests: the jitter. */
  readonly random?: () => number;
}

export interface NoticeCount {
  readonly channel: Channel;
  /** `sent`; `failed` is tried again, `given_up` is not. */
  readonly result: Outcome;
  readonly count: number;
}

export interface Notifier {
  /** Looks now. */
  wake(): void;
  /** Since the start, for the metric; every channel and result, zeros too. */
  counts(): readonly NoticeCount[];
  /** What waits, for the metric. Rejects with STORE_UNAVAILABLE. */
  backlog(): Promise<Backlog>;
  /** Takes nothing more, waits for what is under way, and leaves the rest due. */
  close(): Promise<void>;
}

/** At a time: of e-mail no more than the mail server's connections, of webhooks more, since each has its own receiver. */
const WIDTH: Readonly<Record<Channel, number>> = { email: 4, webhook: 8, operator_webhook: 4 };
const PLAN_BATCH = 100;
const FORGET_BATCH = 200;
/** Addresses and names are not kept longer than it takes to find out why a notice did not come. */
const KEPT_MS = 30 * 86_400_000;
const FORGET_EVERY_MS = 3_600_000;
const POLL_MS = 5000;
const ATTEMPT_MS = 45_000;
const DRAIN_MS = 5000;

interface State {
  readonly running: Record<Channel, number>;
  readonly attempts: Set<Promise<void>>;
  readonly counts: Map<string, number>;
  readonly stop: AbortController;
  isStopping: boolean;
  isFailing: boolean;
  forgotAt: number;
}

/** Looks at once, then at each change, at each delivery's time and every few seconds. */
export function startNotifier(deps: NotifierDeps): Notifier {
  const state = initialState();
  let timer: NodeJS.Timeout | undefined;
  let round: Promise<void> | null = null;
  let again = false;

  function wake(): void {
    if (state.isStopping) return;
    if (round !== null) {
      again = true;
      return;
    }
    again = false;
    round = look();
  }

  async function look(): Promise<void> {
    const waitMs = await lookAround(deps, state, wake);
    round = null;
    rest(again ? 0 : waitMs);
  }

  function rest(waitMs: number): void {
    clearTimeout(timer);
    if (state.isStopping) return;
    timer = setTimeout(wake, waitMs);
    timer.unref();
  }

  const watching = deps.changes.watch(wake, wake);
  wake();
  return {
    wake,
    counts: () => countsOf(state),
    backlog: () => deps.outbox.backlog(),
    async close() {
      state.isStopping = true;
      clearTimeout(timer);
      watching[Symbol.dispose]();
      await round;
      await drained(state, deps.drainMs ?? DRAIN_MS);
    },
  };
}

function initialState(): State {
  return {
    running: { email: 0, webhook: 0, operator_webhook: 0 },
    attempts: new Set(),
    counts: new Map(),
    stop: new AbortController(),
    isStopping: false,
    isFailing: false,
    forgotAt: Number.NEGATIVE_INFINITY,
  };
}

/** One round; resolves to how long to rest. Never rejects: a store that is away is asked again. */
async function lookAround(deps: NotifierDeps, state: State, wake: () => void): Promise<number> {
  const pollMs = deps.pollMs ?? POLL_MS;
  try {
    await planAll(deps, state);
    const now = deps.clock.now();
    const nextDue = await deps.outbox.nextDue();
    if (nextDue !== null && nextDue <= now) await startDue(deps, state, wake);
    await forgetOld(deps, state);
    state.isFailing = false;
    return nextDue === null || nextDue <= now ? pollMs : Math.min(pollMs, nextDue - now);
  } catch (error) {
    if (!state.isFailing) deps.log.error({ err: error }, 'notices cannot be sent: the outbox is away');
    state.isFailing = true;
    return pollMs;
  }
}

/** One that cannot be planned stays for the next round, and those after it are planned. */
async function planAll(deps: NotifierDeps, state: State): Promise<void> {
  const unplannable: { readonly notice: string; readonly err: unknown }[] = [];
  let after = '';
  while (!state.isStopping) {
    const batch = await deps.outbox.unplanned(after, PLAN_BATCH);
    for (const one of batch) {
      after = one.id;
      await planOne(one, deps).catch((err: unknown) => unplannable.push({ notice: one.id, err }));
    }
    if (batch.length < PLAN_BATCH) break;
  }
  const [first] = unplannable;
  if (first === undefined) return;
  const fields = { ...first, count: unplannable.length };
  deps.log.warn(fields, 'notices could not be planned; they are tried again');
}

async function planOne({ id, notice }: UnplannedNotice, deps: NotifierDeps): Promise<void> {
  if (notice === null) deps.log.error({ notice: id }, 'a notice cannot be read; nobody is told of it');
  const hasEmail = deps.send.email !== null;
  const deliveries =
    notice === null ? [] : await recipientsOf(notice, deps.clock.now(), { ...deps, hasEmail });
  await deps.outbox.plan(id, deliveries);
}

async function startDue(deps: NotifierDeps, state: State, wake: () => void): Promise<void> {
  const attemptMs = deps.attemptMs ?? ATTEMPT_MS;
  for (const channel of CHANNELS) {
    const send = channel === 'email' ? (deps.send.email ?? withoutServer) : deps.send.webhook;
    const limit = WIDTH[channel] - state.running[channel];
    if (limit <= 0 || state.isStopping) continue;
    const claimed = await deps.outbox.claim({ channel, limit, leaseMs: 2 * attemptMs });
    for (const delivery of claimed)
      start(delivery, { ...deps, send, attemptMs, stop: state.stop.signal }, { state, wake });
  }
}

/** What was planned while there was a mail server waits for one as long as the rest, and is then given up. */
const withoutServer: Send = async () => failedWith('no_mail_server');

interface Running {
  readonly state: State;
  readonly wake: () => void;
}

function start(delivery: ClaimedDelivery, deps: AttemptDeps, running: Running): void {
  const { state } = running;
  state.running[delivery.channel] += 1;
  const attempt = ran(delivery, deps, running).finally(() => state.attempts.delete(attempt));
  state.attempts.add(attempt);
}

async function ran(delivery: ClaimedDelivery, deps: AttemptDeps, { state, wake }: Running): Promise<void> {
  const { channel } = delivery;
  const outcome = await attemptDelivery(delivery, deps);
  state.running[channel] -= 1;
  if (outcome !== null) count(state, channel, outcome);
  wake();
}

async function forgetOld({ outbox, clock }: NotifierDeps, state: State): Promise<void> {
  const now = clock.now();
  if (now - state.forgotAt < FORGET_EVERY_MS) return;
  const before = (now - KEPT_MS) as typeof now;
  if ((await outbox.forget(before, FORGET_BATCH)) < FORGET_BATCH) state.forgotAt = now;
}

async function drained(state: State, drainMs: number): Promise<void> {
  const timer = setTimeout(() => state.stop.abort(), drainMs);
  await Promise.all(state.attempts);
  clearTimeout(timer);
}

function count(state: State, channel: Channel, result: Outcome): void {
  const key = `${channel} ${result}`;
  state.counts.set(key, (state.counts.get(key) ?? 0) + 1);
}

function countsOf(state: State): readonly NoticeCount[] {
  const results = ['sent', 'failed', 'given_up'] as const;
  return CHANNELS.flatMap((channel) =>
    results.map((result) => ({ channel, result, count: state.counts.get(`${channel} ${result}`) ?? 0 })),
  );
}
