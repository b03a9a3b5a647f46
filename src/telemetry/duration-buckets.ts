// A histogram whose observation is a scan over a short array: no labels, no objects, no strings.
// Hot: three per request. Read at scrape.

/** One shape for all; `observe` is monomorphic. */
export class DurationBuckets {
  readonly boundsSeconds: readonly number[];
  readonly #boundsMs: Float64Array;
  readonly #counts: Float64Array;
  #sumMs = 0;

  /** `boundsSeconds` ascending; durations beyond the last are counted too. */
  constructor(boundsSeconds: readonly number[]) {
    this.boundsSeconds = boundsSeconds;
    this.#boundsMs = Float64Array.from(boundsSeconds, (seconds) => seconds * 1000);
    this.#counts = new Float64Array(boundsSeconds.length + 1);
  }

  observe(ms: number): void {
    const bounds = this.#boundsMs;
    let index = 0;
    while (index < bounds.length && ms > (bounds[index] as number)) index++;
    this.#counts[index] = (this.#counts[index] as number) + 1;
    this.#sumMs += ms;
  }

  /** Cumulative counts in the order of the bounds, and the whole. */
  read(): { readonly cumulative: readonly number[]; readonly count: number; readonly sumSeconds: number } {
    const cumulative: number[] = [];
    let count = 0;
    for (const one of this.#counts) {
      count += one;
      cumulative.push(count);
    }
    cumulative.pop();
    return { cumulative, count, sumSeconds: this.#sumMs / 1000 };
  }
}
