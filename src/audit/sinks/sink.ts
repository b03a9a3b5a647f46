// The contract of a sink: a place the records are shipped to. It runs in the worker, never on the forwarding
// loop; the pump around it keeps the order, retries and remembers how far it is. A new kind is one more file.

export interface Sink {
  /**
   * Takes bytes of `lines` (whole lines of NDJSON) from `from` on and says how many it took, which may be 0
   * when it is busy. Rejects when it cannot; the same bytes are then offered again.
   */
  write(lines: Buffer, from: number): Promise<number>;
  /** Everything taken is as durable as the sink can make it: asked before the cursor moves on. */
  sync(): Promise<void>;
  /** Files were rotated from outside: open them again, between two batches. */
  reopen(): void;
  close(): Promise<void>;
}
