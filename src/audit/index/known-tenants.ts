// The tenants of an index, found by their raw text as it stands in a line. Numbers are given in the order in which they are
// made known, and never again. Hot: once per line of a request; a tenant seen lately is found without a string being made.
import type { Tenant } from './block.ts';

/** A power of two. Tenants that end alike share a place, and push each other out of it. */
const PLACES = 256;

export class KnownTenants {
  readonly #all = new Map<string, Tenant>();
  readonly #lately: (Tenant | null)[] = Array.from({ length: PLACES }, () => null);
  readonly #made: (tenant: Tenant) => void;

  /** `made`: called with each that was not among `known`. */
  constructor(known: readonly Tenant[], made: (tenant: Tenant) => void) {
    this.#made = made;
    for (const tenant of known) this.#all.set(tenant.text, tenant);
  }

  /** Whose raw text stands from `from` to `to`. Throws SyntaxError for what is no JSON. */
  at(bytes: Buffer, from: number, to: number): Tenant {
    const place = placeOf(bytes, from, to);
    const lately = this.#lately[place] as Tenant | null;
    if (lately !== null && isSame(lately.raw, bytes, from, to)) return lately;
    const tenant = this.of(bytes.toString('latin1', from, to));
    this.#lately[place] = tenant;
    return tenant;
  }

  /** The raw text that stands there; whoever it names is not made known by it. */
  textAt(bytes: Buffer, from: number, to: number): string {
    const lately = this.#lately[placeOf(bytes, from, to)] as Tenant | null;
    if (lately !== null && isSame(lately.raw, bytes, from, to)) return lately.text;
    return bytes.toString('latin1', from, to);
  }

  /** `raw`: JSON text. Throws SyntaxError. */
  of(raw: string): Tenant {
    const known = this.#all.get(raw);
    if (known !== undefined) return known;
    const name: unknown = JSON.parse(raw);
    const tenant = {
      id: this.#all.size,
      raw: Buffer.from(raw, 'latin1'),
      text: raw,
      name: typeof name === 'string' ? name : null,
    };
    this.#all.set(raw, tenant);
    this.#made(tenant);
    return tenant;
  }
}

/** By the length and the last two characters before the quote. */
function placeOf(bytes: Buffer, from: number, to: number): number {
  return (to - from + 31 * (bytes[to - 2] as number) + 7 * (bytes[to - 3] as number)) & (PLACES - 1);
}

function isSame(raw: Buffer, bytes: Buffer, from: number, to: number): boolean {
  if (to - from !== raw.length) return false;
  for (let i = 0; i < raw.length; i++) if (raw[i] !== bytes[from + i]) return false;
  return true;
}
