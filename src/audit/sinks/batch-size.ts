// How many records go into one request, for the sinks that post: bounded by count and by bytes, halved when the receiver
// finds a request too large, and found again record by record. One per sink.
// Guarantees: a request is never empty, and a record larger than the bound is sent alone rather than dropped.

/** Of one request, before it is compressed: receivers take this by default, and proxies before them. */
const MAX_BYTES = 1024 * 1024;
/** RFC 9110 section 15.5.14. */
const TOO_LARGE = 413;

export class BatchSize {
  readonly #most: number;
  #records: number;

  /** `most`: what the configuration allows; 1 or more. */
  constructor(most: number) {
    this.#most = most;
    this.#records = most;
  }

  /** Where the request that begins with the element `from` of `batch` ends. */
  endOf(batch: readonly { readonly bytes: number }[], from: number): number {
    let bytes = 0;
    let end = from;
    for (; end < batch.length && end - from < this.#records; end++) {
      bytes += (batch[end] as { readonly bytes: number }).bytes;
      if (end > from && bytes > MAX_BYTES) break;
    }
    return end;
  }

  /** Whether the answer asks for less in one request, which the next `endOf` then gives. Of one record there is no less. */
  isTooLarge(status: number, count: number): boolean {
    if (status !== TOO_LARGE || count === 1) return false;
    this.#records = Math.floor(count / 2);
    return true;
  }

  /** A request was taken. */
  grow(): void {
    this.#records = Math.min(this.#most, this.#records + 1);
  }
}
