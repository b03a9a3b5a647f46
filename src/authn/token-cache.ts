// What is known about tokens, by their full string and nothing shorter, so that no two can be confused: verified
// credentials, and for a few seconds tokens that did not verify. Bounded by entries and by characters. Hot: `get`.
// Assumes that whoever reads an entry checks its time: nothing here expires by itself.
import { LRUCache } from 'lru-cache';
import type { EpochMs } from '#model/clock.ts';
import type { Credential } from '#model/principal.ts';
import type { Denial } from '#model/verdict.ts';
import type { KeySet } from './key-set.ts';

/** A verified token, and the keys that its truth hangs on. */
export interface Known {
  readonly credential: Credential;
  readonly keys: KeySet;
}

interface Refused {
  readonly denial: Denial;
  readonly keys: KeySet;
  /** Of the keys when the token was refused: others may verify it. */
  readonly version: number;
  readonly until: EpochMs;
}

const MAX_CHARACTERS = 64 * 1024 * 1024;
const MAX_REFUSED = 2000;
const MAX_REFUSED_CHARACTERS = 4 * 1024 * 1024;
/** Long enough to make a repeated bad token cheap, short enough that nobody waits for it to be forgotten. */
const REFUSED_MS = 3000;

const sizeCalculation = (_: object, token: string): number => token.length + 1;

export class TokenCache {
  readonly #known: LRUCache<string, Known>;
  readonly #refused: LRUCache<string, Refused>;

  constructor(maxEntries: number) {
    this.#known = new LRUCache<string, Known>({ max: maxEntries, maxSize: MAX_CHARACTERS, sizeCalculation });
    this.#refused = new LRUCache<string, Refused>({
      max: MAX_REFUSED,
      maxSize: MAX_REFUSED_CHARACTERS,
      sizeCalculation,
    });
  }

  get size(): number {
    return this.#known.size;
  }

  get(token: string): Known | undefined {
    return this.#known.get(token);
  }

  set(token: string, known: Known): void {
    this.#known.set(token, known);
  }

  delete(token: string): void {
    this.#known.delete(token);
  }

  refuse(token: string, denial: Denial, keys: KeySet, now: EpochMs): void {
    const until = (now + REFUSED_MS) as EpochMs;
    this.#refused.set(token, { denial, keys, version: keys.version, until });
  }

  refusalOf(token: string, now: EpochMs): Denial | undefined {
    const refused = this.#refused.get(token);
    if (refused === undefined) return undefined;
    // The second half holds when the wall clock went back.
    const holds = now < refused.until && now > refused.until - 2 * REFUSED_MS;
    if (holds && refused.version === refused.keys.version) return refused.denial;
    this.#refused.delete(token);
    return undefined;
  }

  /** Drops what a withdrawn key signed. Looks at every entry: keys are withdrawn a few times a year. */
  dropSignedBy(keys: KeySet, keyId: string): void {
    for (const [token, known] of this.#known.entries()) {
      if (known.keys === keys && known.credential.keyId === keyId) this.#known.delete(token);
    }
  }
}
