// Work that is done in rounds: one at a time, again when something changed meanwhile, and after a while by itself. Guarantees
// that no wish for a round is lost, and that its timer keeps no process alive. Cold.

export interface Rounds extends Disposable {
  /** As soon as possible: once more after the round that is under way. */
  wake(): void;
  /** In so many milliseconds, instead of whenever the last one said; at once after a round that is under way. */
  wakeIn(waitMs: number): void;
  /** True once disposed of: a long round ends early. */
  readonly stopped: boolean;
}

/** `round` never rejects; it says in how many milliseconds to go on, null: not before somebody asks. */
export function startRounds(round: () => Promise<number | null>): Rounds {
  let timer: NodeJS.Timeout | undefined;
  let isRunning = false;
  let againInMs: number | null = null;
  let stopped = false;

  function schedule(waitMs: number): void {
    clearTimeout(timer);
    if (stopped) return;
    timer = setTimeout(() => void run(), waitMs);
    timer.unref();
  }

  async function run(): Promise<void> {
    isRunning = true;
    againInMs = null;
    const waitMs = await round();
    isRunning = false;
    const nextMs = againInMs ?? waitMs;
    if (nextMs !== null) schedule(nextMs);
  }

  function wakeIn(waitMs: number): void {
    if (isRunning) againInMs = waitMs;
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
