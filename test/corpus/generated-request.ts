// The one shape in which generators hand requests to the corpus runner: raw bytes and what a correct reader may see in
// them. Pure data; ids are stable, so that a failure is found again by `--only`.

/** A request made by a generator of `generate/`. */
export interface GeneratedRequest {
  /** Generator name and number, `spelling-17`. */
  readonly id: string;
  /** Of REQUEST-SAFETY.md, "Classes of bypass": 1 to 26. */
  readonly class: number;
  readonly about: string;
  /** One character per byte (latin1); may hold the placeholders of `corpus-cases.ts`. */
  readonly bytes: string;
  /** How many requests a correct reader may at most see in it. */
  readonly mostRequests: number;
  /** A control: exactly one request must reach the upstream, else it counts as an over-block. */
  readonly mustForward?: boolean;
}

/** What each file of `generate/` exports one of: the same seed gives the same requests in the same order. */
export type RequestGenerator = (seed: number) => Generator<GeneratedRequest>;
