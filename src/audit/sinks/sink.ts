// The contract of a sink: a place the records are shipped to. It runs in the worker, never on the forwarding
// loop; the pump around it keeps the order, retries and remembers how far it is. A new kind is one more file.
import type { PublishedRecord } from '../published-record.ts';

/**
 * `Batch` is what records are encoded to, once per batch however often it is tried: bytes for a sink that may take a
 * part of them, items for one that takes whole records.
 */
export interface Sink<Batch extends { readonly length: number } = Buffer | readonly unknown[]> {
  encode(records: readonly PublishedRecord[]): Batch;
  /**
   * Takes elements of `batch` (bytes, or items) from `from` on and says how many it took, which may be 0 when it is
   * busy. Rejects when it cannot; the same elements are then offered again, so it may have taken them after all.
   * An error carries a short `code`, and `retryAfterMs` where the receiver asked for a pause; never a secret or an address.
   */
  write(batch: Batch, from: number): Promise<number>;
  /** Everything taken is as durable as the sink can make it: asked before the cursor moves on. */
  sync(): Promise<void>;
  /** Files were rotated from outside: open them again, between two batches. */
  reopen(): void;
  close(): Promise<void>;
}
