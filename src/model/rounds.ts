// Work that is done in rounds: one at a time, again when something changed meanwhile, and after a while by itself. Guarantees
// that no wish for a round is lost or put off by a later one, and that its timer keeps no process alive. Cold.

export interface Rounds extends Disposable {
  /** As soon as possible: once more after the round that is under way. */
  wake(): void;
  /** In so many milliseconds at the latest; after a round that is under way, counted from its end. */
  wakeIn(waitMs: number): void;
  /** True once disposed of: a long round ends early. */
  readonly stopped: boolean;
}

/** `round` never rejects; it says in how many milliseconds to go on, null: not before somebody asks. */
export function startRounds(round: () => Promise<number | null>): Rounds {
  let timer: NodeJS.Timeout | undefined;
  /** By the monotonic clock. */
  let dueAt = Number.POSITIVE_INFINITY;
  let isRunning = false;
  let againInMs = Number.POSITIVE_INFINITY;
  let stopped = false;

  /** Attack on a debounce: what changes all the time would never be looked at. The earlier wish stands. */
  function schedule(waitMs: number): void {
    const at = performance.now() + waitMs;
    if (stopped || at >= dueAt) return;
    clearTimeout(timer);
    dueAt = at;
    timer = setTimeout(() => void run(), waitMs);
    timer.unref();
  }

  async function run(): Promise<void> {
    dueAt = Number.POSITIVE_INFINITY;
    isRunning = true;
    againInMs = Number.POSITIVE_INFINITY;
    const waitMs = (await round()) ?? Number.POSITIVE_INFINITY;
    isRunning = false;
    const nextMs = Math.min(againInMs, waitMs);
    if (nextMs !== Number.POSITIVE_INFINITY) schedule(nextMs);
  }

  function wakeIn(waitMs: number): void {
    if (isRunning) againInMs = Math.min(againInMs, waitMs);
    else schedule(waitMs);
  }

  return {
    wake: () => wakeIn(0),
    wakeIn,
    get stopped() {
      return stopped;
    },
    [Symbol.dispose]() {
      stopped = true;
      clearTimeout(timer);
    },
  };
}
