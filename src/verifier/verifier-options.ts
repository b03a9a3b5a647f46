// What an upstream says of its gate, checked once, at construction: a wrong option is a TypeError that names it, so that an
// application does not start with a check that checks nothing. Cold.
import type { Clock, EpochMs, MonotonicMs } from '#model/clock.ts';
import type { GateKeysOptions } from './gate-keys.ts';
import { ASSERTION_ALGORITHMS, type AssertionAlgorithm } from './key-fetch.ts';

export interface AssertionVerifierOptions {
  /** The gate's `upstream.assertion.issuer`, byte for byte. */
  readonly issuer: string;
  /** The gate's `upstream.assertion.audience`. */
  readonly audience: string;
  /** The address of the gate's key set, `https://…/-/postern/jwks.json`, or the set itself, which is then never asked for again. */
  readonly keys: string | URL | { readonly keys: readonly object[] };
  /** The `Host` to ask for the keys, where the address is not a host that the gate serves; that of whichever tenant will do. */
  readonly keysHost?: string;
  /** Default ES256 and EdDSA. */
  readonly algorithms?: readonly AssertionAlgorithm[];
  /** 0 to 30; default 5. */
  readonly clockToleranceSeconds?: number;
  /** How old the keys may be before they are asked for again. Default 5 min. */
  readonly refreshMs?: number;
  /** How long they serve while the gate does not give them. Default 1 h. */
  readonly lastKnownGoodMs?: number;
  /** At most one fetch for unknown key ids in this time. Default 30 s. */
  readonly unknownKeyIntervalMs?: number;
  /** Keys over plain HTTP from another machine: whoever sits between can sign anything. */
  readonly dangerouslyAllowHttp?: boolean;
  /** For tests. */
  readonly clock?: Clock;
}

export interface CheckedOptions extends GateKeysOptions {
  readonly issuer: string;
  readonly audience: string;
  readonly clockToleranceSeconds: number;
}

const DAY_MS = 86_400_000;
const systemClock: Clock = {
  now: () => Date.now() as EpochMs,
  monotonic: () => performance.now() as MonotonicMs,
};

/** Throws a TypeError. */
export function checkVerifierOptions(given: AssertionVerifierOptions): CheckedOptions {
  const { issuer, audience, clockToleranceSeconds = 5, algorithms = ASSERTION_ALGORITHMS } = given;
  const { refreshMs = 300_000, lastKnownGoodMs = 3_600_000, unknownKeyIntervalMs = 30_000 } = given;
  need(typeof issuer === 'string' && issuer !== '', 'issuer must not be empty');
  need(typeof audience === 'string' && audience !== '', 'audience must not be empty');
  need(
    algorithms.length > 0 && algorithms.every((one) => ASSERTION_ALGORITHMS.includes(one)),
    `algorithms must be among ${ASSERTION_ALGORITHMS.join(', ')}`,
  );
  need(isWithin(clockToleranceSeconds, 0, 30), 'clockToleranceSeconds must be 0 to 30');
  for (const [name, value] of Object.entries({ refreshMs, lastKnownGoodMs, unknownKeyIntervalMs })) {
    need(isWithin(value, 1000, DAY_MS), `${name} must be 1 s to 24 h`);
  }
  need(refreshMs < lastKnownGoodMs, 'refreshMs must be less than lastKnownGoodMs');
  return {
    issuer,
    audience,
    clockToleranceSeconds,
    algorithms: [...algorithms],
    refreshMs,
    lastKnownGoodMs,
    unknownKeyIntervalMs,
    source: sourceOf(given),
    clock: given.clock ?? systemClock,
  };
}

function sourceOf({
  keys,
  keysHost,
  dangerouslyAllowHttp,
}: AssertionVerifierOptions): CheckedOptions['source'] {
  if (typeof keys !== 'string' && !(keys instanceof URL)) {
    need(
      Array.isArray((keys as { keys?: unknown } | undefined)?.keys),
      'keys must be an address or a key set',
    );
    return { document: keys };
  }
  const url = URL.parse(keys);
  if (url === null) throw new TypeError('keys must be an address or a key set');
  need(url.username === '' && url.password === '', 'keys must not hold a user name or password');
  const isPlainAllowed = dangerouslyAllowHttp === true || isLoopback(url.hostname);
  need(
    url.protocol === 'https:' || (url.protocol === 'http:' && isPlainAllowed),
    'keys must be an https address',
  );
  return { url, host: keysHost ?? null };
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function isWithin(value: unknown, least: number, most: number): boolean {
  return typeof value === 'number' && value >= least && value <= most;
}

function need(holds: boolean, what: string): void {
  if (!holds) throw new TypeError(`postern/upstream: ${what}`);
}
