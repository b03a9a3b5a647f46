// A bearer authenticator over keys that a test holds: its issuer, its claims, and a source of keys that can be
// changed, made to fail, or held back.
import { type BearerAuthenticator, createBearerAuthenticator } from '#authn/bearer-authenticator.ts';
import { createKeySet, type KeySet, type KeySetOptions, type KeysRefreshed } from '#authn/key-set.ts';
import type { KeySource } from '#authn/key-source.ts';
import type { KeySets } from '#authn/key-sets.ts';
import type { Algorithm, SupportIssuerOptions } from '#authn/options.ts';
import type { AuthenticationResult } from '#authn/authenticator.ts';
import type { Principal } from '#model/principal.ts';
import { type ManualClock, manualClock } from './authn-clock.ts';
import { keySetOf, makeKey, signToken, type TestKey } from './authn-keys.ts';

export const ISSUER = 'https://idp.vendor.example';
export const AUDIENCE = 'postern';

export function issuerOptions(more: Partial<SupportIssuerOptions> = {}): SupportIssuerOptions {
  return {
    name: 'workforce',
    issuer: ISSUER,
    audience: AUDIENCE,
    controlAudience: 'postern-control',
    keys: { kind: 'uri', uri: 'https://idp.vendor.example/jwks' },
    org: { value: 'vendor' },
    ...more,
  };
}

/** A source that gives what it is told to. `gate` holds loads back until it resolves. */
export interface ControlledSource extends KeySource {
  document: unknown;
  failure: Error | null;
  gate: Promise<void> | null;
  readonly loads: number;
  change(): void;
}

export function controlledSource(document: unknown): ControlledSource {
  let loads = 0;
  let onChange: (() => void) | null = null;
  return {
    fixed: false,
    document,
    failure: null,
    gate: null,
    get loads() {
      return loads;
    },
    async load() {
      loads++;
      const { document, failure, gate } = this;
      if (gate !== null) await gate;
      if (failure !== null) throw failure;
      return document;
    },
    watch(listener) {
      onChange = listener;
      return { [Symbol.dispose]: () => void (onChange = null) };
    },
    change: () => onChange?.(),
  };
}

export interface AuthnBench extends Disposable {
  readonly clock: ManualClock;
  readonly key: TestKey;
  readonly source: ControlledSource;
  readonly keys: KeySet;
  readonly keySets: KeySets;
  readonly authenticator: BearerAuthenticator;
  readonly refreshed: KeysRefreshed[];
  claims(more?: object): Record<string, unknown>;
  token(more?: object, header?: object | string): string;
}

export interface BenchOptions {
  readonly algorithm?: Algorithm;
  readonly issuer?: Partial<SupportIssuerOptions>;
  readonly keySet?: KeySetOptions;
  readonly cacheEntries?: number;
  readonly onPrincipal?: (principal: Principal) => void;
  readonly source?: (key: TestKey) => ControlledSource;
}

/** Keys are loaded when it resolves, if the source gives any. */
export async function authnBench(options: BenchOptions = {}): Promise<AuthnBench> {
  const clock = manualClock();
  const key = makeKey(options.algorithm ?? 'ES256', 'key-1');
  const source = options.source?.(key) ?? controlledSource(keySetOf(key));
  const issuer = issuerOptions({ algorithms: ['ES256', 'RS256', 'PS256', 'EdDSA'], ...options.issuer });
  const refreshed: KeysRefreshed[] = [];
  const keys = createKeySet({
    name: issuer.name,
    algorithms: issuer.algorithms ?? [],
    source,
    clock,
    options: options.keySet,
    onRefreshed: (event) => refreshed.push(event),
  });
  const keySets = keySetsOf(ISSUER, keys);
  const { cacheEntries, onPrincipal } = options;
  const authenticator = createBearerAuthenticator({
    issuers: [issuer],
    keySets,
    clock,
    cacheEntries,
    ...(onPrincipal === undefined ? {} : { onPrincipal }),
  });
  if (source.gate === null) await keys.started;
  const claims = (more: object = {}): Record<string, unknown> => ({ ...standardClaims(clock), ...more });
  return {
    clock,
    key,
    source,
    keys,
    keySets,
    authenticator,
    refreshed,
    claims,
    token: (more, header) => signToken(key, claims(more), header),
    [Symbol.dispose]() {
      authenticator.close();
      keys.close();
    },
  };
}

function keySetsOf(issuer: string, keys: KeySet): KeySets {
  return {
    byIssuer: new Map([[issuer, keys]]),
    ready: () => keys.started,
    missing: () => [],
    refresh: () => keys.refresh(),
    close: () => keys.close(),
  };
}

function standardClaims(clock: ManualClock): Record<string, unknown> {
  return {
    iss: ISSUER,
    aud: AUDIENCE,
    sub: 'user-1',
    iat: clock.seconds(),
    exp: clock.seconds() + 300,
    email: 'anna@vendor.example',
    name: 'Anna Field',
    groups: ['support'],
  };
}

/** `ok`, or the reason of the denial and its note. */
export async function outcome(result: AuthenticationResult | Promise<AuthenticationResult>): Promise<string> {
  const settled = await result;
  return 'reason' in settled ? settled.reason : 'ok';
}

/** The note of the denial; fails the test's expectation by its text when there is none. */
export async function noteOf(result: AuthenticationResult | Promise<AuthenticationResult>): Promise<string> {
  const settled = await result;
  return 'reason' in settled ? String(settled.note) : 'no denial';
}
