// Overload: how much the gate does at once, and from when on it refuses more (503 `overloaded`) rather than let memory
// and waiting grow. Guarantees: each bound holds for the whole process; what is shed is counted by cause, and the log
// says so at most once a second. Hot: two integers, counted up and down; one comparison says whether a request is shed.
import type { Log } from '#model/log.ts';
import type { ShedCause } from '#model/shed-cause.ts';
import { type Denial, deny } from '#model/verdict.ts';
import type { GatewayMetrics } from '#telemetry/gateway-metrics.ts';

export interface OverloadOptions {
  /** Client connections; those past it get one answer, which is a refusal. */
  readonly connections: number;
  /** Requests received and not yet ended, those that wait behind another one included. */
  readonly inFlight: number;
  /** Of all bodies held for a rule together. */
  readonly heldBodyBytes: number;
  /** How late the event loop may be twice in a row. Null: however late. */
  readonly eventLoopDelayMs: number | null;
}

export interface OverloadDeps {
  readonly options: OverloadOptions;
  readonly metrics: Pick<GatewayMetrics, 'shed'>;
  readonly log: Pick<Log, 'warn'>;
  /** Milliseconds; only differences count. */
  readonly now: () => number;
}

/** No request passes, however few there are. */
const NONE = -1;
const LOG_EVERY_MS = 1000;

/** One per gateway. A class, for its fields are read and written with every request. */
export class Overload {
  /** Counted up when an exchange is made and down when it is finished. */
  inFlight = 0;
  /** What `inFlight` may be for a request to pass: the configured number, or none while the loop is late. */
  bound: number;
  connections = 0;
  heldBytes = 0;
  readonly #deps: OverloadDeps;
  #silentUntil = Number.NEGATIVE_INFINITY;
  #unsaid = 0;

  constructor(deps: OverloadDeps) {
    this.#deps = deps;
    this.bound = deps.options.inFlight;
  }

  /** More requests than may be there: not even one that would wait for its turn is taken. */
  get isFull(): boolean {
    return this.inFlight > this.#deps.options.inFlight;
  }

  /** Told by the watch of the event loop. */
  set isLate(late: boolean) {
    this.bound = late ? NONE : this.#deps.options.inFlight;
  }

  /** Takes room for bytes of a body; false when there is none, and nothing is taken. Give it back with `release`. */
  hold(bytes: number): boolean {
    if (this.heldBytes + bytes > this.#deps.options.heldBodyBytes) return false;
    this.heldBytes += bytes;
    return true;
  }

  release(bytes: number): void {
    this.heldBytes -= bytes;
  }

  /** Why a request is shed that found `inFlight` above `bound`, or came over a surplus connection. */
  causeFor(isSurplus: boolean): ShedCause {
    if (isSurplus) return 'connections';
    return this.isFull ? 'in_flight' : 'event_loop';
  }

  /** Counts one, and says so. */
  shed(cause: ShedCause): void {
    const { metrics, log, now } = this.#deps;
    metrics.shed(cause);
    this.#unsaid += 1;
    const at = now();
    if (at < this.#silentUntil) return;
    this.#silentUntil = at + LOG_EVERY_MS;
    const { inFlight, connections, heldBytes } = this;
    log.warn({ cause, shed: this.#unsaid, inFlight, connections, heldBytes }, 'overloaded');
    this.#unsaid = 0;
  }

  refusal(cause: ShedCause): Denial {
    this.shed(cause);
    return deny('overloaded', cause);
  }
}
