// What an upstream says of its gate, checked once, at construction: a wrong option is a TypeError that names it, so that an
// application does not start with a check that checks nothing. Nothing is assumed of the types: whoever writes plain
// JavaScript has none. Values are not repeated: an address may hold a password. Cold.
import type { Clock, EpochMs, MonotonicMs } from '#model/clock.ts';
import type { GateKeysOptions } from './gate-keys.ts';
import { ASSERTION_ALGORITHMS, type AssertionAlgorithm, MAX_KEYS } from './key-fetch.ts';

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

/** `Request` is the framework's own, as `tenantOf` gets it. */
export interface SupportOptions<Request> extends AssertionVerifierOptions {
  /**
   * `required`: for routes that support alone uses; without a valid assertion 401 or 403. `optional`: customers' own requests
   * come without the header and have `support` null; whoever sends one that does not hold is refused all the same.
   */
  readonly mode: 'required' | 'optional';
  /** As in the gate's configuration. Default `X-Support-Assertion`. */
  readonly header?: string;
  /**
   * Which customer's account the request is about, by the application's own reading; null is refused. Asked only where
   * there is an assertion.
   */
  readonly tenantOf?: (request: Request) => string | null | Promise<string | null>;
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

/** Names, not values: a compiler finds the one that was added above and is missing here. */
const VERIFIER_OPTIONS: Readonly<Record<keyof AssertionVerifierOptions, true>> = {
  issuer: true,
  audience: true,
  keys: true,
  keysHost: true,
  algorithms: true,
  clockToleranceSeconds: true,
  refreshMs: true,
  lastKnownGoodMs: true,
  unknownKeyIntervalMs: true,
  dangerouslyAllowHttp: true,
  clock: true,
};
const SUPPORT_OPTIONS: Readonly<Record<keyof SupportOptions<never>, true>> = {
  ...VERIFIER_OPTIONS,
  mode: true,
  header: true,
  tenantOf: true,
};

/** RFC 9110 section 5.6.2. Under any other name no request has a header, and each would pass for a customer's own. */
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]+$/;
/** As the gate reads `Host`: a name, an IPv4 address or an IPv6 one in brackets; a port or none. */
const HOST = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::([0-9]{1,5}))?$/;

/** For `createAssertionVerifier`. Throws a TypeError. */
export function checkVerifierOptions(given: AssertionVerifierOptions): CheckedOptions {
  checkNames(given, VERIFIER_OPTIONS);
  return checkGate(given);
}

export interface CheckedSupport<Request> {
  readonly isRequired: boolean;
  /** In lower case. */
  readonly headerName: string;
  readonly tenantOf: SupportOptions<Request>['tenantOf'];
  readonly gate: CheckedOptions;
}

/** For the middleware. Throws a TypeError. */
export function checkSupportOptions<Request>(given: SupportOptions<Request>): CheckedSupport<Request> {
  checkNames(given, SUPPORT_OPTIONS);
  const { mode, header = 'X-Support-Assertion', tenantOf } = given;
  need(mode === 'required' || mode === 'optional', 'mode must be required or optional');
  need(typeof header === 'string' && TOKEN.test(header), 'header must be the name of a header');
  need(tenantOf === undefined || typeof tenantOf === 'function', 'tenantOf must be a function');
  return {
    isRequired: mode === 'required',
    headerName: header.toLowerCase(),
    tenantOf,
    gate: checkGate(given),
  };
}

/**
 * A misspelt `tenantOf` binds to no tenant, and one that is there as undefined, such as an import that is not exported,
 * neither: both would pass for an option that was left out.
 */
function checkNames(given: object, known: Readonly<Record<string, true>>): void {
  need(typeof given === 'object' && given !== null, 'the options must be an object');
  // Inherited ones count too: they are read.
  for (const name in given) {
    need(Object.hasOwn(known, name), `there is no option ${name} here`);
    need(given[name as keyof typeof given] !== undefined, `${name} must not be undefined`);
  }
}

function checkGate(given: AssertionVerifierOptions): CheckedOptions {
  const { issuer, audience, clockToleranceSeconds = 5, clock = systemClock } = given;
  const { refreshMs = 300_000, lastKnownGoodMs = 3_600_000, unknownKeyIntervalMs = 30_000 } = given;
  need(typeof issuer === 'string' && issuer !== '', 'issuer must be a text that is not empty');
  need(typeof audience === 'string' && audience !== '', 'audience must be a text that is not empty');
  need(isWithin(clockToleranceSeconds, 0, 30), 'clockToleranceSeconds must be 0 to 30');
  for (const [name, value] of Object.entries({ refreshMs, lastKnownGoodMs, unknownKeyIntervalMs })) {
    need(isWithin(value, 1000, DAY_MS), `${name} must be 1 s to 24 h`);
  }
  need(refreshMs < lastKnownGoodMs, 'refreshMs must be less than lastKnownGoodMs');
  need(isClock(clock), 'clock must have now and monotonic');
  return {
    issuer,
    audience,
    clockToleranceSeconds,
    algorithms: algorithmsOf(given),
    refreshMs,
    lastKnownGoodMs,
    unknownKeyIntervalMs,
    source: sourceOf(given),
    clock,
  };
}

function algorithmsOf({ algorithms = ASSERTION_ALGORITHMS }: AssertionVerifierOptions) {
  // A copy without holes, which `every` would leave out.
  const listed = Array.isArray(algorithms) ? Array.from<AssertionAlgorithm>(algorithms) : [];
  need(
    listed.length > 0 && listed.every((one) => ASSERTION_ALGORITHMS.includes(one)),
    `algorithms must be among ${ASSERTION_ALGORITHMS.join(', ')}`,
  );
  return listed;
}

function sourceOf(given: AssertionVerifierOptions): CheckedOptions['source'] {
  const { keys, keysHost: host = null, dangerouslyAllowHttp = false } = given;
  need(typeof dangerouslyAllowHttp === 'boolean', 'dangerouslyAllowHttp must be true or false');
  need(host === null ? !('keysHost' in given) : isHost(host), 'keysHost must be a host, with a port or none');
  if (typeof keys !== 'string' && !(keys instanceof URL)) {
    need(isKeySet(keys), `keys must be an address or a key set of at most ${MAX_KEYS}`);
    return { document: keys };
  }
  const url = URL.parse(keys);
  if (url === null) throw wrong('keys must be an address or a key set');
  need(url.username === '' && url.password === '', 'keys must not hold a user name or password');
  const isPlainAllowed = dangerouslyAllowHttp || isLoopback(url.hostname);
  need(
    url.protocol === 'https:' || (url.protocol === 'http:' && isPlainAllowed),
    'keys must be an https address',
  );
  return { url, host };
}

function isKeySet(value: unknown): boolean {
  const list: unknown = (value as { readonly keys?: unknown } | null | undefined)?.keys;
  if (!Array.isArray(list) || list.length > MAX_KEYS) return false;
  return Array.from<unknown>(list).every((one) => typeof one === 'object' && one !== null);
}

function isHost(value: unknown): boolean {
  const match = typeof value === 'string' ? HOST.exec(value) : null;
  return match !== null && (match[1] === undefined || isWithin(Number(match[1]), 1, 65_535));
}

function isClock(value: unknown): boolean {
  const { now, monotonic } = Object(value) as Readonly<Record<string, unknown>>;
  return typeof now === 'function' && typeof monotonic === 'function';
}

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

function isWithin(value: unknown, least: number, most: number): boolean {
  return typeof value === 'number' && value >= least && value <= most;
}

function need(holds: boolean, what: string): void {
  if (!holds) throw wrong(what);
}

function wrong(what: string): TypeError {
  return new TypeError(`postern/upstream: ${what}`);
}
