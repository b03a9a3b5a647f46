// How much of a string a line of the journal keeps: enough for every honest value, and a bound for the rest.
// In UTF-16 units, before escaping. Read on the hot path; constants alone.

/** UTF-16 units kept of a string; nothing that is shorter is ever cut. */
export const CAPS = {
  id: 256,
  method: 32,
  host: 260,
  path: 2048,
  query: 1024,
  /** Pairs that a rule reads. */
  pairs: 4096,
  address: 64,
  agent: 512,
  note: 256,
  detail: 1024,
} as const;
