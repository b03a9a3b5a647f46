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

/** A power of two. */
const RECENT = 256;

const sizeCalculation = (_: object, token: string): number => token.length + 1;

export class TokenCache {
  readonly #known: LRUCache<string, Known>;
  readonly #refused: LRUCache<string, Refused>;
  /**
   * The last token of each place: hashing a token costs more than comparing it (npm run bench). Holds nothing that
   * was taken out of `#known` for being wrong; what was only pushed out of it is no less true.
   */
  readonly #recentTokens: string[] = Array.from<string>({ length: RECENT }).fill('');
  readonly #recent: (Known | undefined)[] = Array.from<Known | undefined>({ length: RECENT }).fill(undefined);

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
    const place = placeOf(token);
    if (this.#recentTokens[place] === token) return this.#recent[place];
    const known = this.#known.get(token);
    if (known === undefined) return undefined;
    this.#recentTokens[place] = token;
    this.#recent[place] = known;
    return known;
  }

  set(token: string, known: Known): void {
    this.#forgetRecent();
    this.#known.set(token, known);
  }

  delete(token: string): void {
    this.#forgetRecent();
    this.#known.delete(token);
  }

  #forgetRecent(): void {
    this.#recentTokens.fill('');
    this.#recent.fill(undefined);
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
    this.#forgetRecent();
    for (const [token, known] of this.#known.entries()) {
      if (known.keys === keys && known.credential.keyId === keyId) this.#known.delete(token);
    }
  }
}

/** A token ends with its signature, and a few characters of that spread well. */
function placeOf(token: string): number {
  const end = token.length;
  if (end < 4) return 0;
  return (
    (token.charCodeAt(end - 2) * 31 + token.charCodeAt(end - 3) * 7 + token.charCodeAt(end - 4)) &
    (RECENT - 1)
  );
}
