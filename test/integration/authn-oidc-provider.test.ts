// The authn room against a real OpenID provider: discovery, rotation under load, withdrawal, and the provider's
// absence. Every token is one that the provider issued.
import { describe, expect, test, vi } from 'vitest';
import { systemClock } from '#model/clock.ts';
import type { Credential } from '#model/principal.ts';
import { type BearerAuthenticator, createBearerAuthenticator } from '#authn/bearer-authenticator.ts';
import type { KeySetOptions, KeysRefreshed } from '#authn/key-set.ts';
import { createKeySets, type KeySets } from '#authn/key-sets.ts';
import { issuerOptions, outcome } from '../support/authn-bench.ts';
import { makeKey, signToken } from '../support/authn-keys.ts';
import { startTestProvider, type TestProvider } from '../support/authn-provider.ts';

interface Rig extends AsyncDisposable {
  readonly provider: TestProvider;
  readonly keySets: KeySets;
  readonly authenticator: BearerAuthenticator;
  readonly events: KeysRefreshed[];
}

const first = makeKey('ES256', 'first');
const second = makeKey('ES256', 'second');

async function rig(options: KeySetOptions = {}, provider?: TestProvider): Promise<Rig> {
  const idp = provider ?? (await startTestProvider(first));
  const events: KeysRefreshed[] = [];
  const issuers = [issuerOptions({ issuer: idp.issuer, keys: { kind: 'discovery' } })];
  const clock = systemClock;
  const keySets = createKeySets({ issuers, clock, options, onRefreshed: (event) => events.push(event) });
  const authenticator = createBearerAuthenticator({ issuers, keySets, clock });
  await keySets.ready();
  return {
    provider: idp,
    keySets,
    authenticator,
    events,
    async [Symbol.asyncDispose]() {
      authenticator.close();
      keySets.close();
      await idp[Symbol.asyncDispose]();
    },
  };
}

test('finds the keys by discovery and takes the tokens of the provider', async () => {
  await using it = await rig();
  const credential = (await it.authenticator.authenticate(await it.provider.token())) as Credential;
  expect(credential).toMatchObject({
    keyId: 'first',
    principal: {
      id: 'support-tool',
      issuer: it.provider.issuer,
      email: 'anna@vendor.example',
      groups: ['support'],
    },
  });
  expect(it.events).toMatchObject([{ issuer: 'workforce', result: 'ok', keys: 1 }]);
  expect(it.keySets.missing()).toEqual([]);
});

test.each(['RS256', 'PS256', 'EdDSA'] as const)(
  'takes tokens that the provider signs with %s',
  async (algorithm) => {
    const provider = await startTestProvider(makeKey(algorithm, 'other'));
    const issuers = [
      issuerOptions({ issuer: provider.issuer, keys: { kind: 'discovery' }, algorithms: [algorithm] }),
    ];
    const keySets = createKeySets({ issuers, clock: systemClock });
    const authenticator = createBearerAuthenticator({ issuers, keySets, clock: systemClock });
    expect(await outcome(authenticator.authenticate(await provider.token()))).toBe('ok');
    authenticator.close();
    keySets.close();
    await provider[Symbol.asyncDispose]();
  },
);

describe('rotation', () => {
  test('under load loses no request, though keys are never refreshed but for the new key id', async () => {
    await using it = await rig();
    const old = await it.provider.token();
    await it.authenticator.authenticate(old);
    it.provider.rotate(second, first);
    const fresh = await Promise.all(Array.from({ length: 20 }, () => it.provider.token()));
    const load = Array.from({ length: 200 }, (_, i) => (i % 2 === 0 ? old : (fresh[i % 20] as string)));
    const results = await Promise.all(load.map((token) => outcome(it.authenticator.authenticate(token))));
    expect(new Set(results)).toEqual(new Set(['ok']));
    expect(it.provider.keySetReads).toBe(2);
  });

  test('is seen by the background refresh alone', async () => {
    await using it = await rig({ refreshMs: 50 });
    it.provider.rotate(second);
    await vi.waitFor(() => expect(it.events.length).toBeGreaterThan(2), { timeout: 10_000 });
    expect(await outcome(it.authenticator.authenticate(await it.provider.token()))).toBe('ok');
  });

  test('that withdraws a key kills its tokens at once, cached ones too, and tells of it', async () => {
    await using it = await rig();
    const old = await it.provider.token();
    expect(await outcome(it.authenticator.authenticate(old))).toBe('ok');
    const told = new Promise((resolve) => it.authenticator.onKeyWithdrawn((...args) => resolve(args)));
    it.provider.rotate(second);
    await it.keySets.refresh();
    expect(await outcome(it.authenticator.authenticate(old))).toBe('credential_invalid');
    expect(await told).toEqual([it.provider.issuer, 'first']);
    expect(await outcome(it.authenticator.authenticate(await it.provider.token()))).toBe('ok');
  });
});

describe('provider down', () => {
  test('serves cached and new tokens of known keys; nothing else passes; recovers by itself', async () => {
    await using it = await rig({ unknownKeyIntervalMs: 1 });
    const seen = await it.provider.token();
    const unseen = await it.provider.token();
    await it.authenticator.authenticate(seen);
    await it.provider.down();
    await it.keySets.refresh();
    expect(it.events.at(-1)).toMatchObject({
      result: 'error',
      note: expect.stringMatching(/^the request failed/),
    });
    expect(await outcome(it.authenticator.authenticate(seen))).toBe('ok');
    expect(await outcome(it.authenticator.authenticate(unseen))).toBe('ok');
    const now = Math.floor(Date.now() / 1000);
    const claims = { iss: it.provider.issuer, aud: 'postern', sub: 'x', iat: now, exp: now + 60 };
    const stranger = signToken(makeKey('ES256', 'second'), claims);
    expect(await outcome(it.authenticator.authenticate(stranger))).toBe('keys_unavailable');
    await it.provider.up();
    it.provider.rotate(second, first);
    await vi.waitFor(() => expect(it.events.at(-1)?.result).toBe('ok'), { timeout: 10_000 });
    expect(await outcome(it.authenticator.authenticate(await it.provider.token()))).toBe('ok');
    expect(await outcome(it.authenticator.authenticate(stranger))).toBe('credential_invalid');
  });

  test('at the start denies with keys_unavailable until it comes up', async () => {
    const provider = await startTestProvider(first);
    const token = await provider.token();
    await provider.down();
    await using it = await rig({}, provider);
    expect(it.keySets.missing()).toEqual(['workforce']);
    expect(await outcome(it.authenticator.authenticate(token))).toBe('keys_unavailable');
    await provider.up();
    await vi.waitFor(() => expect(it.keySets.missing()).toEqual([]), { timeout: 10_000 });
    expect(await outcome(it.authenticator.authenticate(token))).toBe('ok');
  });
});

test('a flood of unknown key ids reads the key set once in an interval', async () => {
  await using it = await rig();
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: it.provider.issuer, aud: 'postern', sub: 'x', iat: now, exp: now + 60 };
  const flood = Array.from({ length: 300 }, (_, i) =>
    signToken(first, claims, { alg: 'ES256', kid: `k-${i}` }),
  );
  for (let wave = 0; wave < 3; wave++) {
    const results = await Promise.all(flood.map((token) => outcome(it.authenticator.authenticate(token))));
    expect(new Set(results)).toEqual(new Set(['credential_invalid']));
  }
  expect(it.provider.keySetReads).toBe(2);
});
