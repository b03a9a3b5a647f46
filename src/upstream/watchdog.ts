// One timer for all transfers: each says how long it may stay without progress, and is told when it did.
// Guarantees: a transfer is told at the latest one period after its limit; adding, removing and noting progress
// cost a few writes, no timer per request. Hot.

/** Linked into the list itself, so that nothing is allocated per transfer. */
export interface Watched {
  previous: Watched | null;
  next: Watched | null;
  /** The watchdog's tick at the last progress. */
  progressAt: number;
  /** Milliseconds without progress; how much is too much depends on where the transfer stands. */
  stalled(idleMs: number): void;
}

export interface Watchdog {
  /** Grows by one per period. Read it into `progressAt` whenever something moves. */
  readonly tick: number;
  add(watched: Watched): void;
  /** Ignored when it is not on the list. */
  remove(watched: Watched): void;
  /** How many are watched. */
  readonly size: number;
  close(): void;
}

export function createWatchdog(periodMs: number): Watchdog {
  return new PeriodicWatchdog(periodMs);
}

class PeriodicWatchdog implements Watchdog {
  tick = 0;
  size = 0;
  #first: Watched | null = null;
  readonly #periodMs: number;
  readonly #timer: NodeJS.Timeout;

  constructor(periodMs: number) {
    this.#periodMs = periodMs;
    this.#timer = setInterval(() => this.#sweep(), periodMs);
    this.#timer.unref();
  }

  add(watched: Watched): void {
    watched.progressAt = this.tick;
    watched.previous = null;
    watched.next = this.#first;
    if (this.#first !== null) this.#first.previous = watched;
    this.#first = watched;
    this.size++;
  }

  remove(watched: Watched): void {
    const { previous, next } = watched;
    if (previous === null && this.#first !== watched) return;
    if (previous === null) this.#first = next;
    else previous.next = next;
    if (next !== null) next.previous = previous;
    watched.previous = null;
    watched.next = null;
    this.size--;
  }

  #sweep(): void {
    this.tick++;
    let watched = this.#first;
    while (watched !== null) {
      // It may remove itself.
      const { next } = watched;
      // The period in which the progress fell does not count: a limit is never reached early.
      const periods = this.tick - watched.progressAt - 1;
      if (periods > 0) watched.stalled(periods * this.#periodMs);
      watched = next;
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
