// Every tenant's own numbers, without a gap: a line left out of the journal would show even to a reader who is given one
// tenant's lines alone. Numbers declared unused are no gap. Numbers are read by text search, never by parsing the line.
// Hot for `audit verify`: one look-up per tenant and group, a short walk over characters per line.
import type { Findings } from './verify-report.ts';

/** Where a finding belongs. */
export interface Place {
  readonly segment: number;
  readonly group: number;
  readonly offset: number;
}

interface Hole extends Place {
  from: number;
  readonly to: number;
}

export class TenantNumbers {
  /** The number that follows; 0 where it is not known. */
  next: number;
  /** Damage before this line may have taken numbers: those are not asked for again. */
  epoch: number;
  /** Numbers passed over, which a later line may declare unused. */
  holes: Hole[] = [];

  constructor(next: number, epoch: number) {
    this.next = next;
    this.epoch = epoch;
  }
}

export class TenantLedger {
  readonly #tenants = new Map<string, TenantNumbers>();
  readonly #findings: Findings;
  #epoch = 0;
  /** Every line since the beginning of the chain was seen. */
  #isComplete: boolean;
  /** Tenants not seen yet begin at 1: so they do behind the `tenants` lines of a segment. */
  #beginsAtOne: boolean;

  constructor(findings: Findings, startsChain: boolean) {
    this.#findings = findings;
    this.#isComplete = startsChain;
    this.#beginsAtOne = startsChain;
  }

  /** Groups are damaged or missing here: their numbers are not asked for. */
  lose(): void {
    this.#epoch += 1;
    this.#isComplete = false;
    this.#beginsAtOne = false;
  }

  /** `tenant`: raw JSON text. */
  of(tenant: string): TenantNumbers {
    return this.#known(tenant, this.#beginsAtOne);
  }

  #known(tenant: string, beginsAtOne: boolean): TenantNumbers {
    let numbers = this.#tenants.get(tenant);
    if (numbers === undefined) {
      numbers = new TenantNumbers(beginsAtOne ? 1 : 0, this.#epoch);
      // Copied: a part of a text holds on to all of it.
      this.#tenants.set(Buffer.from(tenant, 'latin1').toString('latin1'), numbers);
    }
    if (numbers.epoch !== this.#epoch) {
      numbers.epoch = this.#epoch;
      numbers.next = 0;
    }
    return numbers;
  }

  /** One line of the tenant has the number `n`; -1 where it has none. */
  take(numbers: TenantNumbers, n: number, place: Place): void {
    if (n === numbers.next || (numbers.next === 0 && n > 0)) {
      numbers.next = n + 1;
    } else if (n < 1) {
      this.#findings.add({ ...place, what: 'a line of a tenant has no number' });
    } else if (n > numbers.next) {
      numbers.holes.push({ ...place, from: numbers.next, to: n - 1 });
      numbers.next = n + 1;
    } else if (!fillHole(numbers, n, n)) {
      this.#findings.add({ ...place, what: `the number ${n} of a tenant is there twice` });
    }
  }

  /** An `unused` line: the numbers `first` to `last` belong to no line. */
  declareUnused(numbers: TenantNumbers, [first, last]: readonly [number, number], place: Place): void {
    if (numbers.next === 0 || first >= numbers.next) {
      if (numbers.next > 0 && first > numbers.next) {
        numbers.holes.push({ ...place, from: numbers.next, to: first - 1 });
      }
      numbers.next = last + 1;
    } else if (!fillHole(numbers, first, last)) {
      this.#findings.add({
        ...place,
        what: `the numbers ${first} to ${last} of a tenant are declared unused and are not`,
      });
    }
  }

  /** Of a `tenants` line, at the start of a segment: the number that the tenant's next line gets. */
  declareNext(tenant: string, number: number, place: Place): void {
    const numbers = this.#known(tenant, this.#isComplete);
    if (numbers.next !== 0 && numbers.next !== number) {
      const what = `a tenant's next number is given as ${number} where ${numbers.next} follows`;
      this.#findings.add({ ...place, what });
    }
    numbers.next = number;
  }

  /** A segment begins: whoever is in none of its `tenants` lines begins at 1. */
  declaredAll(): void {
    this.#beginsAtOne = true;
  }

  /** At the end of the journal: what is still missing. */
  finish(): void {
    for (const { holes } of this.#tenants.values()) {
      for (const { from, to, ...place } of holes) {
        const numbers = from === to ? `the number ${from}` : `the numbers ${from} to ${to}`;
        this.#findings.add({
          ...place,
          what: `${numbers} of a tenant ${from === to ? 'is' : 'are'} missing before this`,
        });
      }
    }
  }
}

/** False when not all of the numbers are in one hole. */
function fillHole(numbers: TenantNumbers, first: number, last: number): boolean {
  const at = numbers.holes.findIndex(({ from, to }) => from <= first && last <= to);
  const hole = numbers.holes[at];
  if (hole === undefined) return false;
  const rest = [
    { ...hole, to: first - 1 },
    { ...hole, from: last + 1 },
  ].filter(({ from, to }) => from <= to);
  numbers.holes.splice(at, 1, ...rest);
  return true;
}

const COMMA = 0x2c;
const QUOTE = 0x22;
const COLON = 0x3a;
const LETTER_N = 0x6e;
/** `n` is the fifth key behind the tenant at the latest; what stands between is three short numbers. */
const WITHIN = 96;

/** The value of the key `n` behind `from`, where the tenant ends; -1 when there is none. */
export function numberAfter(text: string, from: number): number {
  const end = Math.min(text.length, from + WITHIN);
  for (let at = from; at < end; at++) {
    if (
      text.charCodeAt(at) === COMMA &&
      text.charCodeAt(at + 2) === LETTER_N &&
      text.charCodeAt(at + 3) === QUOTE &&
      text.charCodeAt(at + 4) === COLON
    ) {
      return digitsAt(text, at + 5);
    }
  }
  return -1;
}

function digitsAt(text: string, from: number): number {
  let value = 0;
  let at = from;
  for (;;) {
    const digit = text.charCodeAt(at) - 0x30;
    // NaN behind the end of the text.
    if (!(digit >= 0 && digit <= 9)) break;
    value = value * 10 + digit;
    at += 1;
  }
  return at === from ? -1 : value;
}
