// What was handed to a connection lately: kept because a connection without acknowledgements can lose it. Bounded by
// bytes and by age; what falls out of it is believed to have arrived.

interface Kept {
  readonly frame: Buffer;
  readonly atMs: number;
}

export interface WindowLimits {
  readonly maxBytes: number;
  readonly maxAgeMs: number;
}

export class ResendWindow {
  readonly #limits: WindowLimits;
  #kept: Kept[] = [];
  #first = 0;
  #bytes = 0;

  constructor(limits: WindowLimits) {
    this.#limits = limits;
  }

  get length(): number {
    return this.#kept.length - this.#first;
  }

  /** Monotonic milliseconds. A frame larger than the window is kept alone. */
  add(frame: Buffer, nowMs: number): void {
    this.#kept.push({ frame, atMs: nowMs });
    this.#bytes += frame.length;
    const { maxBytes, maxAgeMs } = this.#limits;
    while (this.length > 1) {
      const oldest = this.#kept[this.#first] as Kept;
      if (this.#bytes <= maxBytes && nowMs - oldest.atMs <= maxAgeMs) break;
      this.#bytes -= oldest.frame.length;
      this.#first += 1;
    }
    if (this.#first > 1024 && this.#first * 2 > this.#kept.length) {
      this.#kept = this.#kept.slice(this.#first);
      this.#first = 0;
    }
  }

  /** Oldest first. */
  frames(): Buffer[] {
    return this.#kept.slice(this.#first).map(({ frame }) => frame);
  }
}
