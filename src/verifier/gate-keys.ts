// The gate's keys, as an upstream keeps them. Guarantees: one fetch at a time; unknown key ids cause at most one fetch per
// interval, a gate that is away one a second; keys serve while it is away, for a bounded time; a key it no longer names is
// gone with the next answer. No timers: nothing to close. Assumes checked options. Runs once per request with an assertion.
import type { CryptoKey } from 'jose';
import type { Clock } from '#model/clock.ts';
import {
  type AssertionAlgorithm,
  type AssertionKeys,
  fetchKeySet,
  importKeySet,
  type KeyAddress,
} from './key-fetch.ts';
import { AssertionRefused } from './refusal.ts';

export interface GateKeysOptions {
  /** An address, or the set itself, which is then never asked for again. */
  readonly source: KeyAddress | { readonly document: unknown };
  readonly algorithms: readonly AssertionAlgorithm[];
  readonly refreshMs: number;
  readonly lastKnownGoodMs: number;
  readonly unknownKeyIntervalMs: number;
  readonly clock: Clock;
}

export interface GateKeys {
  /** Rejects with AssertionRefused: `assertion_invalid` (no such key), `assertion_unverifiable` (cannot find out). */
  keyFor(algorithm: string, keyId: string): Promise<CryptoKey>;
}

const RETRY_MS = 1000;

interface Instant {
  readonly wall: number;
  readonly monotonic: number;
}

export function createGateKeys(options: GateKeysOptions): GateKeys {
  return new LiveKeys(options);
}

class LiveKeys implements GateKeys {
  readonly #options: GateKeysOptions;
  #keys: AssertionKeys = new Map();
  #loadedAt: Instant | null = null;
  #triedAt = Number.NEGATIVE_INFINITY;
  #unknownAskedAt = Number.NEGATIVE_INFINITY;
  #hasFailed = false;
  #inFlight: Promise<void> | null = null;

  constructor(options: GateKeysOptions) {
    this.#options = options;
  }

  async keyFor(algorithm: string, keyId: string): Promise<CryptoKey> {
    await this.#freshen();
    let key = this.#find(algorithm, keyId);
    // What is under way may bring it.
    if (key === undefined && this.#inFlight !== null) {
      await this.#inFlight;
      key = this.#find(algorithm, keyId);
    }
    if (key === undefined && this.#mayAskForUnknown()) {
      await this.#load();
      key = this.#find(algorithm, keyId);
    }
    if (key !== undefined) return key;
    const knows = this.#isTrusted() && !this.#hasFailed;
    throw new AssertionRefused(knows ? 'assertion_invalid' : 'assertion_unverifiable');
  }

  #find(algorithm: string, keyId: string): CryptoKey | undefined {
    return this.#isTrusted() ? this.#keys.get(keyId)?.get(algorithm) : undefined;
  }

  /** In the background while the keys are young enough, so that nobody waits; before anything else when they are not. */
  async #freshen(): Promise<void> {
    const { refreshMs, clock } = this.#options;
    const age = this.#age();
    if (age < refreshMs) return;
    if (this.#inFlight === null && clock.monotonic() - this.#triedAt >= RETRY_MS) void this.#load();
    if (age >= 2 * refreshMs && this.#inFlight !== null) await this.#inFlight;
  }

  #mayAskForUnknown(): boolean {
    const { source, unknownKeyIntervalMs, clock } = this.#options;
    if ('document' in source || !this.#isTrusted()) return false;
    const now = clock.monotonic();
    if (now - this.#unknownAskedAt < unknownKeyIntervalMs) return false;
    this.#unknownAskedAt = now;
    return true;
  }

  #isTrusted(): boolean {
    return this.#age() < this.#options.lastKnownGoodMs;
  }

  /** By the clock that says more: one stands still while a machine sleeps, the other may be set back. */
  #age(): number {
    const { source, clock } = this.#options;
    if (this.#loadedAt === null) return Number.POSITIVE_INFINITY;
    if ('document' in source) return 0;
    const { wall, monotonic } = this.#loadedAt;
    return Math.max(clock.now() - wall, clock.monotonic() - monotonic);
  }

  /** Joins the one under way. Never rejects. */
  #load(): Promise<void> {
    this.#inFlight ??= this.#loadOnce().finally(() => {
      this.#inFlight = null;
    });
    return this.#inFlight;
  }

  async #loadOnce(): Promise<void> {
    const { source, algorithms, clock } = this.#options;
    // Counted from when it was asked: what was withdrawn while the answer was on its way is not younger for that.
    const askedAt = { wall: clock.now(), monotonic: clock.monotonic() };
    this.#triedAt = askedAt.monotonic;
    try {
      const document = 'document' in source ? source.document : await fetchKeySet(source);
      this.#keys = await importKeySet(document, algorithms);
      this.#loadedAt = askedAt;
      this.#hasFailed = false;
    } catch {
      this.#hasFailed = true;
    }
  }
}
