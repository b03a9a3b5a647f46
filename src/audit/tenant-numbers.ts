// Each tenant's own numbering of its lines, without gaps over the whole chain: whoever is given one tenant's records
// can see that none is missing. Hot: one map lookup per line.
// Assumes that numbers of lines that could not be written are declared (`unusedIn`), since they are not given again.
import { randomBytes } from 'node:crypto';
import type { TenantsLine, UnusedLine } from './journal-lines.ts';
import { asciiJson, quoted } from './json-text.ts';

/** UTF-16 units kept of a tenant's name; nothing that is shorter is ever cut. */
const MAX_TENANT = 256;
const TENANTS_A_LINE = 100;

/** Of one shape; one per tenant. */
class TenantEntry {
  /** As it stands in a line. */
  readonly text: string;
  /** What a completion begins with. */
  readonly doneHead: string;
  next: number;
  #s = 0;
  #g = 0;
  #effect = '';
  #head = '';

  constructor(text: string, next: number) {
    this.text = text;
    this.doneHead = flat(`{"k":"done","tenant":${text},"n":`);
    this.next = next;
  }

  /**
   * What a request's line says of the tenant, and of whom and what it refers to. Mostly as in the line before, and one
   * piece instead of nine: `bench/journal.ts`.
   */
  head(s: number, g: number, effect: 'r' | 'w'): string {
    if (s === this.#s && g === this.#g && effect === this.#effect) return this.#head;
    this.#s = s;
    this.#g = g;
    this.#effect = effect;
    this.#head = flat(`"tenant":${this.text},"s":${s},"g":${g},"e":"${effect}","n":`);
    return this.#head;
  }

  /** A number that was never given before. */
  take(): number {
    this.next += 1;
    return this.next - 1;
  }
}

export class TenantNumbers {
  readonly #entries = new Map<string, TenantEntry>();

  /** `next`: as the journal left off, by the name as it is written there. */
  constructor(next: ReadonlyMap<string, number>) {
    for (const [name, number] of next) this.#entries.set(name, new TenantEntry(asciiJson(name), number));
  }

  /** The lines at the start of a segment. `unwritten`: numbers of lines that will follow, ascending, by tenant. */
  snapshot(unwritten: ReadonlyMap<string, readonly number[]>): string {
    const next = new Map<string, number>();
    for (const entry of this.#entries.values()) {
      const name = JSON.parse(entry.text) as string;
      next.set(name, unwritten.get(name)?.[0] ?? entry.next);
    }
    const all = [...next];
    let snapshot = '';
    for (let from = 0; from < all.length; from += TENANTS_A_LINE) {
      const line: TenantsLine = {
        k: 'tenants',
        next: Object.fromEntries(all.slice(from, from + TENANTS_A_LINE)),
        salt: saltText(),
      };
      snapshot += `${asciiJson(line)}\n`;
    }
    return snapshot;
  }

  /** Its name as JSON text, and its numbers. */
  of(tenant: string): TenantEntry {
    const known = this.#entries.get(tenant);
    if (known !== undefined) return known;
    const text = quoted(tenant, MAX_TENANT);
    // A name that was cut shares its numbers with whatever is cut to the same.
    const written = JSON.parse(text) as string;
    const entry = this.#entries.get(written) ?? new TenantEntry(text, 1);
    this.#entries.set(written, entry).set(tenant, entry);
    return entry;
  }
}

/** Of one piece: what is made of many is taken apart again each time that it is written. ASCII. */
function flat(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}

/** The tenant and number of a line: the keys that stand first. Group 1 is JSON text. */
export const NUMBERED =
  /^\{"k":"[a-z]+","tenant":("(?:[^"\\]|\\.)*"),(?:"s":\d+,"g":\d+,"e":"[rw]",)?"n":(\d+)/;

/** The numbers that lines of `text` carry, ascending, by tenant. Not hot. */
export function numbersIn(text: string): Map<string, number[]> {
  const numbers = new Map<string, number[]>();
  for (const line of text.split('\n')) {
    const match = NUMBERED.exec(line);
    if (match === null) continue;
    const tenant = JSON.parse(match[1] as string) as string;
    const known = numbers.get(tenant);
    if (known === undefined) numbers.set(tenant, [Number(match[2])]);
    else known.push(Number(match[2]));
  }
  for (const list of numbers.values()) list.sort((a, b) => a - b);
  return numbers;
}

/** Declares numbers that were given to lines which will never be written. Not hot. */
export function unusedText(unused: ReadonlyMap<string, readonly number[]>): string {
  let text = '';
  for (const [tenant, numbers] of unused) {
    if (numbers.length === 0) continue;
    const line: UnusedLine = { k: 'unused', tenant, ranges: rangesOf(numbers), salt: saltText() };
    text += `${asciiJson(line)}\n`;
  }
  return text;
}

/** So that nobody can confirm a guess of the line by its hash, which other tenants' proofs may hold. */
function saltText(): string {
  return randomBytes(12).toString('base64url');
}

function rangesOf(numbers: readonly number[]): readonly (readonly [number, number])[] {
  const ranges: [number, number][] = [];
  for (const number of numbers.toSorted((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && number <= last[1] + 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges;
}
