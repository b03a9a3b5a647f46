// The key sets of all issuers, by issuer: made once and shared by the data and the control listener, so that a
// withdrawal is seen by both and a provider is asked once. Cold.
import type { Clock } from '#model/clock.ts';
import { createKeySet, type KeySet, type KeySetOptions, type KeysRefreshed } from './key-set.ts';
import { createKeySource } from './key-source.ts';
import { byIssuer, checkIssuer, type IssuerOptions } from './options.ts';

export interface KeySetsDeps {
  /** Support and customers' issuers together; no two with the same URL. */
  readonly issuers: readonly IssuerOptions[];
  readonly clock: Clock;
  readonly options?: KeySetOptions | undefined;
  /** Told of every attempt to load, of every issuer. */
  readonly onRefreshed?: ((event: KeysRefreshed) => void) | undefined;
}

export interface KeySets {
  /** By the issuer's URL. */
  readonly byIssuer: ReadonlyMap<string, KeySet>;
  /** Settles when each issuer was asked once, whatever came of it: a provider that is down stops no start. */
  ready(): Promise<void>;
  /** Names of the issuers that have no trusted keys now: their tokens get `keys_unavailable`. */
  missing(): readonly string[];
  /** Asks every provider now, or joins what is under way. Never rejects. */
  refresh(): Promise<void>;
  /** Ends what is under way; no timer and no watch is left. */
  close(): void;
}

/** Begins to load at once. Throws a TypeError that names the issuer for a wrong option. */
export function createKeySets(deps: KeySetsDeps): KeySets {
  const { clock } = deps;
  const issuers = [...byIssuer(deps.issuers.map(checkIssuer)).values()];
  const sources = issuers.map((issuer) => createKeySource(issuer, clock));
  const sets = new Map<string, KeySet>();
  for (const [i, issuer] of issuers.entries()) {
    const source = sources[i];
    if (source === undefined) continue;
    const { name, algorithms } = issuer;
    const { options, onRefreshed } = deps;
    sets.set(issuer.issuer, createKeySet({ name, algorithms, source, clock, options, onRefreshed }));
  }
  return {
    byIssuer: sets,
    async ready() {
      await Promise.all(Array.from(sets.values(), (set) => set.started));
    },
    missing() {
      const now = clock.now();
      return issuers
        .filter(({ issuer }) => now >= (sets.get(issuer)?.trustedUntil ?? 0))
        .map(({ name }) => name);
    },
    async refresh() {
      await Promise.all(Array.from(sets.values(), (set) => set.refresh()));
    },
    close() {
      for (const set of sets.values()) set.close();
    },
  };
}

/** The set of an issuer that an authenticator was given. Throws a TypeError when compose forgot it. */
export function keySetOf(
  keySets: KeySets,
  issuer: { readonly name: string; readonly issuer: string },
): KeySet {
  const keys = keySets.byIssuer.get(issuer.issuer);
  if (keys === undefined) throw new TypeError(`issuer ${JSON.stringify(issuer.name)}: has no key set`);
  return keys;
}
