// The keys of one issuer, kept fresh in the background. Guarantees: a late older answer never replaces a newer
// one; keys serve while the provider is down, for a bounded time; a withdrawn key is gone at once and announced;
// unknown key ids cause at most one fetch per interval. Assumes checked options. `trustedUntil` and `find` are hot.
import { type Clock, type EpochMs, NEVER } from '#model/clock.ts';
import { PosternError } from '#model/fault.ts';
import type { Denial } from '#model/verdict.ts';
import { DENIED } from './denials.ts';
import {
  EMPTY_RING,
  importKeys,
  type KeyRing,
  mergeRing,
  type SigningKey,
  withdrawnIds,
} from './key-ring.ts';
import type { KeySource } from './key-source.ts';
import { announce, createListeners } from './listeners.ts';
import type { Algorithm } from './options.ts';

export interface KeySetOptions {
  /** Between successful loads. Default 5 min. */
  readonly refreshMs?: number | undefined;
  /** How long keys serve after the last successful load. Default 24 h. */
  readonly lastKnownGoodMs?: number | undefined;
  /** At most one fetch for unknown key ids in this time. Default 30 s. */
  readonly unknownKeyIntervalMs?: number | undefined;
}

/** What became of one attempt to load the keys of an issuer: for metrics and the operational log. */
export interface KeysRefreshed {
  /** The issuer's configured name. */
  readonly issuer: string;
  readonly result: 'ok' | 'error';
  readonly atMs: EpochMs;
  /** Usable keys after the attempt. */
  readonly keys: number;
  /** Why it failed; no address, no content. Null for `ok`. */
  readonly note: string | null;
}

export interface KeySetDeps {
  readonly name: string;
  readonly algorithms: readonly Algorithm[];
  readonly source: KeySource;
  readonly clock: Clock;
  readonly options?: KeySetOptions | undefined;
  readonly onRefreshed?: ((event: KeysRefreshed) => void) | undefined;
}

export interface KeySet {
  /** Past this instant nothing that these keys signed may be believed. 0 while none was ever loaded. */
  readonly trustedUntil: EpochMs;
  /** Grows whenever the keys change: what was refused before may be good now. */
  readonly version: number;
  /** The key, or `credential_invalid` (no such key), or `keys_unavailable` (cannot find out). Never rejects. */
  lookUp(algorithm: string, keyId: string | null): SigningKey | Denial | Promise<SigningKey | Denial>;
  /** True while this very key is in the set and trusted. */
  holds(key: SigningKey): boolean;
  /** True while a key of this id is in the set and trusted. */
  holdsId(keyId: string): boolean;
  /** Called after a key was dropped. */
  onWithdrawn(listener: (keyId: string) => void): Disposable;
  /** Loads now, or joins the load under way. Never rejects: failures go to `onRefreshed`. */
  refresh(): Promise<void>;
  /** Settles when the first attempt to load has ended, well or not. */
  readonly started: Promise<void>;
  close(): void;
}

const FIRST_RETRY_MS = 1000;
const MAX_RETRY_MS = 10_000;

/** Begins to load at once. Throws a TypeError for options out of range. */
export function createKeySet(deps: KeySetDeps): KeySet {
  return new LiveKeySet(deps, checkKeySetOptions(deps.options));
}

class LiveKeySet implements KeySet {
  trustedUntil = 0 as EpochMs;
  version = 0;
  readonly started: Promise<void>;
  readonly #deps: KeySetDeps;
  readonly #options: CheckedOptions;
  readonly #withdrawn = createListeners<[keyId: string]>();
  readonly #refreshed = createListeners<[event: KeysRefreshed]>();
  readonly #closing = new AbortController();
  readonly #watching: Disposable | undefined;
  #ring: KeyRing = EMPTY_RING;
  #begun = 0;
  #applied = 0;
  #failures = 0;
  #inFlight: Promise<void> | null = null;
  #unknownAskedAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(deps: KeySetDeps, options: CheckedOptions) {
    this.#deps = deps;
    this.#options = options;
    if (deps.onRefreshed !== undefined) this.#refreshed.add(deps.onRefreshed);
    this.#watching = deps.source.watch?.(() => void this.#begin());
    this.started = this.#begin();
  }

  lookUp(algorithm: string, keyId: string | null): SigningKey | Denial | Promise<SigningKey | Denial> {
    this.#dropStale();
    return this.#ring.find(algorithm, keyId) ?? this.#lookUpLate(algorithm, keyId);
  }

  holds(key: SigningKey): boolean {
    return this.#isTrusted() && this.#ring.keys.includes(key);
  }

  holdsId(keyId: string): boolean {
    if (!this.#isTrusted()) return false;
    const { keys } = this.#ring;
    for (let i = 0; i < keys.length; i++) if ((keys[i] as SigningKey).keyId === keyId) return true;
    return false;
  }

  onWithdrawn(listener: (keyId: string) => void): Disposable {
    return this.#withdrawn.add(listener);
  }

  refresh(): Promise<void> {
    return this.#inFlight ?? this.#begin();
  }

  close(): void {
    this.#closing.abort();
    clearTimeout(this.#timer);
    this.#watching?.[Symbol.dispose]();
  }

  async #lookUpLate(algorithm: string, keyId: string | null): Promise<SigningKey | Denial> {
    // What is under way may bring the key, so it is awaited before anything is asked.
    if (this.#inFlight !== null) await this.#inFlight;
    // Keys that went stale without a load having failed (the machine slept: its timers did too) are asked for as well.
    const mayHelp = this.#isTrusted() || this.#failures === 0;
    if (mayHelp && !this.#deps.source.fixed && this.#ring.find(algorithm, keyId) === undefined) {
      await this.#askForUnknown();
    }
    const isTrusted = this.#isTrusted();
    const found = isTrusted ? this.#ring.find(algorithm, keyId) : undefined;
    if (found !== undefined) return found;
    return isTrusted && this.#failures === 0 ? DENIED.unknownKey : DENIED.keysUnavailable;
  }

  async #askForUnknown(): Promise<void> {
    const now = this.#deps.clock.monotonic();
    if (now - this.#unknownAskedAt >= this.#options.unknownKeyIntervalMs) {
      this.#unknownAskedAt = now;
      await this.refresh();
    } else if (this.#inFlight !== null) {
      await this.#inFlight;
    }
  }

  /** Starts a load even beside one under way, whose answer may be older than what we were just told of. */
  #begin(): Promise<void> {
    clearTimeout(this.#timer);
    const run = this.#load(++this.#begun).finally(() => {
      if (this.#inFlight !== run) return;
      this.#inFlight = null;
      this.#arm();
    });
    this.#inFlight = run;
    return run;
  }

  async #load(sequence: number): Promise<void> {
    let keys: readonly SigningKey[] = [];
    let note: string | null = null;
    try {
      keys = await importKeys(await this.#deps.source.load(this.#closing.signal), this.#deps.algorithms);
    } catch (error) {
      note = error instanceof PosternError ? error.message : 'the keys could not be read';
    }
    if (sequence < this.#applied || this.#closing.signal.aborted) return;
    if (note === null) this.#apply(sequence, keys);
    else this.#failed();
    announce(this.#refreshed, {
      issuer: this.#deps.name,
      result: note === null ? 'ok' : 'error',
      atMs: this.#deps.clock.now(),
      keys: this.#ring.keys.length,
      note,
    });
  }

  #apply(sequence: number, keys: readonly SigningKey[]): void {
    const { source, clock } = this.#deps;
    this.#applied = sequence;
    this.#failures = 0;
    this.trustedUntil = source.fixed ? NEVER : ((clock.now() + this.#options.lastKnownGoodMs) as EpochMs);
    this.#replaceRing(mergeRing(this.#ring, keys));
  }

  #failed(): void {
    this.#failures++;
    this.#dropStale();
  }

  #replaceRing(next: KeyRing): void {
    const gone = withdrawnIds(this.#ring, next);
    const isChanged = gone.size > 0 || next.keys.length !== this.#ring.keys.length;
    // Gone before anybody hears of it: a listener that verifies again must not find it.
    this.#ring = next;
    if (isChanged) this.version++;
    for (const keyId of gone) announce(this.#withdrawn, keyId);
  }

  /** Keys that nobody confirmed for too long are as good as withdrawn. */
  #dropStale(): void {
    if (this.#ring !== EMPTY_RING && !this.#isTrusted()) this.#replaceRing(EMPTY_RING);
  }

  #isTrusted(): boolean {
    return this.#deps.clock.now() < this.trustedUntil;
  }

  #arm(): void {
    if (this.#closing.signal.aborted || this.#deps.source.fixed) return;
    const { refreshMs } = this.#options;
    const retryMs = Math.min(FIRST_RETRY_MS * 2 ** Math.min(this.#failures - 1, 10), MAX_RETRY_MS, refreshMs);
    this.#timer = setTimeout(() => void this.#begin(), this.#failures === 0 ? refreshMs : retryMs);
    this.#timer.unref();
  }
}

type CheckedOptions = { readonly [K in keyof KeySetOptions]-?: number };

function checkKeySetOptions(options: KeySetOptions | undefined): CheckedOptions {
  const checked = {
    refreshMs: options?.refreshMs ?? 300_000,
    lastKnownGoodMs: options?.lastKnownGoodMs ?? 86_400_000,
    unknownKeyIntervalMs: options?.unknownKeyIntervalMs ?? 30_000,
  };
  for (const [name, value] of Object.entries(checked)) {
    // Timers that are longer than 24 h would need re-arming, and no key should go unasked for so long.
    if (!Number.isSafeInteger(value) || value < 1 || value > 86_400_000) {
      throw new TypeError(`${name} must be 1 ms to 24 h`);
    }
  }
  if (checked.refreshMs >= checked.lastKnownGoodMs)
    throw new TypeError('refreshMs must be less than lastKnownGoodMs');
  return checked;
}
