// A block of the index: a span of a segment and the sum of what stands in it, by tenant, subject line and grant line.
// Sums alone, so that the index costs a request far less than a row of its own would.
// Hot: one look-up per request. Assumes that whoever fills it reads the lines in the order of the journal.

/** After so long without a request a visit is over; sums are parted there too. */
export const VISIT_GAP_MS = 30 * 60 * 1000;
/** Completions away from their intents are found by the time of the intent, in steps of so long. */
const LATE_STEP_MS = 128;

export interface Tenant {
  readonly id: number;
  /** JSON text, quotes included; `null` of lines without a tenant. */
  readonly raw: Buffer;
  /** The same. */
  readonly text: string;
  /** Null of lines without a tenant. */
  readonly name: string | null;
}

/** Requests of one subject line under one grant line. */
export class Cell {
  readonly tenant: Tenant;
  readonly s: number;
  readonly g: number;
  /** Counts up where nothing was asked for longer than `VISIT_GAP_MS`. */
  readonly part: number;
  firstAt: number;
  lastAt: number;
  /** When something was last let through; 0: never. */
  usedAt = 0;
  reads = 0;
  writes = 0;
  denied = 0;
  /** By a rule's id or a reason code. */
  reasons: Map<string, number> | null = null;
  isDirty = false;
  /** Another of the same subject line. */
  readonly next: Cell | null;

  constructor(key: { tenant: Tenant; s: number; g: number; part: number }, t: number, next: Cell | null) {
    this.tenant = key.tenant;
    this.s = key.s;
    this.g = key.g;
    this.part = key.part;
    this.firstAt = t;
    this.lastAt = t;
    this.next = next;
  }

  isOf(tenant: Tenant, g: number): boolean {
    return this.g === g && this.tenant === tenant;
  }

  /** Whether a request of that time belongs to it. */
  reaches(t: number): boolean {
    return t <= this.lastAt + VISIT_GAP_MS && t >= this.firstAt - VISIT_GAP_MS;
  }

  deny(what: string): void {
    this.denied += 1;
    this.reasons ??= new Map();
    this.reasons.set(what, (this.reasons.get(what) ?? 0) + 1);
    this.isDirty = true;
  }
}

/** Lines that are no request of anybody. */
export interface Others {
  readonly tenant: Tenant;
  readonly s: number;
  readonly kind: 'event' | 'gap' | 'checkpoint' | 'summed';
  lines: number;
  /** Requests that gaps and summed refusals speak of. */
  requests: number;
}

export class Block {
  readonly id: number;
  readonly segment: number;
  readonly start: number;
  end: number;
  /** Of the lines' times, epoch milliseconds; Infinity and 0 while there is none. */
  firstAt = Number.POSITIVE_INFINITY;
  lastAt = 0;
  /** Of the times in the identifiers of intents and refusals. */
  firstIdMs = Number.POSITIVE_INFINITY;
  lastIdMs = 0;
  readonly cells: Cell[] = [];
  readonly others: Others[] = [];
  readonly late = new Set<number>();
  readonly #bySubject = new Map<number, Cell>();
  #lastLate = -1;

  constructor(id: number, segment: number, start: number) {
    this.id = id;
    this.segment = segment;
    this.start = start;
    this.end = start;
  }

  /** The sum that a request of that time counts in. */
  cell(tenant: Tenant, s: number, g: number, t: number): Cell {
    const head = this.#bySubject.get(s) ?? null;
    let part = 0;
    for (let cell = head; cell !== null; cell = cell.next) {
      if (!cell.isOf(tenant, g)) continue;
      if (cell.reaches(t)) {
        if (t > cell.lastAt) cell.lastAt = t;
        else if (t < cell.firstAt) cell.firstAt = t;
        return cell;
      }
      part += 1;
    }
    const made = new Cell({ tenant, s, g, part }, t, head);
    this.#bySubject.set(s, made);
    this.cells.push(made);
    return made;
  }

  time(t: number): void {
    if (t < this.firstAt) this.firstAt = t;
    if (t > this.lastAt) this.lastAt = t;
  }

  idTime(ms: number): void {
    if (ms < this.firstIdMs) this.firstIdMs = ms;
    if (ms > this.lastIdMs) this.lastIdMs = ms;
  }

  /** Here stands the other half of an intent of that time, which may stand in an earlier block. */
  ended(idMs: number): void {
    const step = lateStepOf(idMs);
    if (step === this.#lastLate) return;
    this.#lastLate = step;
    this.late.add(step);
  }

  other(tenant: Tenant, s: number, kind: Others['kind'], requests: number): void {
    let one = this.others.find((known) => known.tenant === tenant && known.s === s && known.kind === kind);
    if (one === undefined) {
      one = { tenant, s, kind, lines: 0, requests: 0 };
      this.others.push(one);
    }
    one.lines += 1;
    one.requests += requests;
  }
}

export function lateStepOf(idMs: number): number {
  return Math.floor(idMs / LATE_STEP_MS);
}
