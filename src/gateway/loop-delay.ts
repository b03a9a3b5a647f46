// How late the event loop is, sampled by a timer of its own. Guarantees: one late sample, be it a collection of garbage or
// a policy that is compiled, refuses nobody; two in a row do, and one on time ends it. Not hot: ten samples a second.
// By the process's own time: a wall clock that is set, or a manual one, is no late loop.

const PERIOD_MS = 100;
const LATE_IN_A_ROW = 2;

export class LoopDelay {
  readonly #limitMs: number;
  #last: number;
  #late = 0;

  constructor(limitMs: number, nowMs: number) {
    this.#limitMs = limitMs;
    this.#last = nowMs;
  }

  /** Called once per period, or as soon after as the loop came to it: whether it is late now. */
  sample(nowMs: number): boolean {
    const delayMs = nowMs - this.#last - PERIOD_MS;
    this.#last = nowMs;
    this.#late = delayMs > this.#limitMs ? this.#late + 1 : 0;
    return this.#late >= LATE_IN_A_ROW;
  }
}

/** Runs until disposed of; its timer keeps no process alive. Without a limit nothing is sampled. */
export function watchLoopDelay(limitMs: number | null, overload: { isLate: boolean }): Disposable {
  if (limitMs === null) return { [Symbol.dispose]: () => undefined };
  const delay = new LoopDelay(limitMs, performance.now());
  const timer = setInterval(() => {
    overload.isLate = delay.sample(performance.now());
  }, PERIOD_MS);
  timer.unref();
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
    },
  };
}
