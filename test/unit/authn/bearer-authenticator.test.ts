// The bearer authenticator as the gateway sees it: who is let through, for how long, at what cost, and when not.
import { describe, expect, test, vi } from 'vitest';
import type { Credential, Principal } from '#model/principal.ts';
import type { Algorithm } from '#authn/options.ts';
import { createBearerAuthenticator } from '#authn/bearer-authenticator.ts';
import {
  authnBench,
  controlledSource,
  ISSUER,
  issuerOptions,
  noteOf,
  outcome,
} from '../../support/authn-bench.ts';
import { keySetOf, makeKey, signToken } from '../../support/authn-keys.ts';

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a good token', () => {
  test.each<Algorithm>(['ES256', 'RS256', 'PS256', 'EdDSA'])(
    'becomes a frozen credential under %s',
    async (algorithm) => {
      using bench = await authnBench({ algorithm });
      const credential = (await bench.authenticator.authenticate(bench.token())) as Credential;
      expect(credential).toEqual({
        principal: {
          id: 'user-1',
          issuer: ISSUER,
          email: 'anna@vendor.example',
          name: 'Anna Field',
          groups: ['support'],
          org: 'vendor',
        },
        keyId: 'key-1',
        expiresAt: bench.clock.now() + 330_000,
      });
      expect(Object.isFrozen(credential)).toBe(true);
      expect(Object.isFrozen(credential.principal)).toBe(true);
      expect(Object.isFrozen(credential.principal.groups)).toBe(true);
    },
  );

  test('is answered synchronously and with the same object the second time', async () => {
    using bench = await authnBench();
    const token = bench.token();
    const first = await bench.authenticator.authenticate(token);
    expect(bench.authenticator.authenticate(token)).toBe(first);
  });

  test('is verified once when it is first seen by several requests at the same time', async () => {
    using bench = await authnBench();
    const token = bench.token();
    const results = await Promise.all([1, 2, 3].map(() => bench.authenticator.authenticate(token)));
    expect(new Set(results).size).toBe(1);
    expect(bench.authenticator.cacheSize).toBe(1);
  });

  test('says whose it is when it is met, and not at each use; a bad one says nothing', async () => {
    const seen: Principal[] = [];
    using bench = await authnBench({ onPrincipal: (principal) => seen.push(principal) });
    const token = bench.token();
    const { principal } = (await bench.authenticator.authenticate(token)) as Credential;
    await bench.authenticator.authenticate(token);
    await bench.authenticator.authenticate(`${token.slice(0, -4)}AAAA`);
    expect(seen).toEqual([principal]);
  });

  test('without a kid is accepted when the issuer has exactly one key of its algorithm', async () => {
    using bench = await authnBench();
    const other = makeKey('RS256', 'key-2');
    bench.source.document = keySetOf(bench.key, other);
    await bench.keys.refresh();
    expect(await outcome(bench.authenticator.authenticate(bench.token({}, { alg: 'ES256' })))).toBe('ok');
    bench.source.document = keySetOf(bench.key, makeKey('ES256', 'key-3'));
    await bench.keys.refresh();
    const ambiguous = bench.token({ jti: '2' }, { alg: 'ES256' });
    expect(await noteOf(bench.authenticator.authenticate(ambiguous))).toBe('the issuer has no such key');
  });

  test.each(['JWT', 'jwt', 'at+jwt', 'application/at+jwt'])('may have the type %s', async (typ) => {
    using bench = await authnBench();
    const token = bench.token({}, { alg: 'ES256', kid: 'key-1', typ });
    expect(await outcome(bench.authenticator.authenticate(token))).toBe('ok');
  });

  test('may carry a claim that is called reason', async () => {
    using bench = await authnBench();
    expect(await outcome(bench.authenticator.authenticate(bench.token({ reason: 'x' })))).toBe('ok');
  });
});

describe('time', () => {
  test('denies a cached token when it expired after it was cached', async () => {
    using bench = await authnBench();
    const token = bench.token();
    await bench.authenticator.authenticate(token);
    bench.clock.advance(329_999);
    expect(await outcome(bench.authenticator.authenticate(token))).toBe('ok');
    bench.clock.advance(1);
    expect(bench.authenticator.authenticate(token)).toMatchObject({ reason: 'credential_expired' });
    expect(await outcome(bench.authenticator.authenticate(token))).toBe('credential_expired');
  });

  test('ends a credential at the oldest age that its issuer is allowed, if that is earlier', async () => {
    using bench = await authnBench({ issuer: { maxTokenAgeMs: 60_000, clockToleranceMs: 0 } });
    const token = bench.token();
    expect(await bench.authenticator.authenticate(token)).toMatchObject({
      expiresAt: bench.clock.now() + 60_000,
    });
    bench.clock.advance(60_000);
    expect(await outcome(bench.authenticator.authenticate(token))).toBe('credential_expired');
    expect(await noteOf(bench.authenticator.authenticate(token))).toMatch('older than its issuer is allowed');
  });

  test('takes fractional dates', async () => {
    using bench = await authnBench({ issuer: { clockToleranceMs: 0 } });
    const token = bench.token({ exp: bench.clock.seconds() + 0.5 });
    expect(await outcome(bench.authenticator.authenticate(token))).toBe('ok');
    bench.clock.advance(500);
    expect(await outcome(bench.authenticator.authenticate(token))).toBe('credential_expired');
  });

  test('asks for no iat where the age is not limited', async () => {
    using bench = await authnBench({ issuer: { maxTokenAgeMs: null } });
    expect(await outcome(bench.authenticator.authenticate(bench.token({ iat: undefined })))).toBe('ok');
  });
});

describe('keys', () => {
  test('drops every credential of a withdrawn key and tells of it', async () => {
    using bench = await authnBench();
    const token = bench.token();
    await bench.authenticator.authenticate(token);
    const heard = vi.fn();
    bench.authenticator.onKeyWithdrawn(heard);
    bench.source.document = keySetOf(makeKey('ES256', 'key-2'));
    await bench.keys.refresh();
    expect(bench.authenticator.cacheSize).toBe(0);
    expect(await noteOf(bench.authenticator.authenticate(token))).toBe('the issuer has no such key');
    await nextTurn();
    expect(heard.mock.calls).toEqual([[ISSUER, 'key-1']]);
  });

  test('keeps credentials of keys that stay when another is withdrawn', async () => {
    using bench = await authnBench();
    const other = makeKey('ES256', 'key-2');
    bench.source.document = keySetOf(bench.key, other);
    await bench.keys.refresh();
    const staying = bench.token();
    await bench.authenticator.authenticate(staying);
    await bench.authenticator.authenticate(signToken(other, bench.claims()));
    bench.source.document = keySetOf(bench.key);
    await bench.keys.refresh();
    expect(bench.authenticator.cacheSize).toBe(1);
    expect(bench.authenticator.authenticate(staying)).not.toBeInstanceOf(Promise);
  });

  test('stops telling whoever no longer listens', async () => {
    using bench = await authnBench();
    const heard = vi.fn();
    bench.authenticator.onKeyWithdrawn(heard)[Symbol.dispose]();
    bench.source.document = { keys: [] };
    await bench.keys.refresh();
    await nextTurn();
    expect(heard).not.toHaveBeenCalled();
  });

  test('denies a token whose key was withdrawn while its signature was verified', async () => {
    using bench = await authnBench();
    const gate = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    const verify = crypto.subtle.verify.bind(crypto.subtle);
    using spy = vi.spyOn(crypto.subtle, 'verify').mockImplementationOnce(async (...args) => {
      begun.resolve();
      await gate.promise;
      return verify(...args);
    });
    const result = bench.authenticator.authenticate(bench.token());
    await begun.promise;
    bench.source.document = { keys: [] };
    await bench.keys.refresh();
    gate.resolve();
    expect(await noteOf(result)).toBe('the key was withdrawn while the token was verified');
    expect(bench.authenticator.cacheSize).toBe(0);
    expect(spy).toHaveBeenCalledOnce();
  });

  test('denies cached tokens once their keys went unconfirmed for too long', async () => {
    using bench = await authnBench({ keySet: { lastKnownGoodMs: 120_000, refreshMs: 60_000 } });
    const token = bench.token();
    await bench.authenticator.authenticate(token);
    bench.source.failure = new Error('down');
    bench.clock.advance(119_999);
    expect(await outcome(bench.authenticator.authenticate(token))).toBe('ok');
    bench.clock.advance(1);
    expect(await outcome(bench.authenticator.authenticate(token))).toBe('keys_unavailable');
  });

  test('answers keys_unavailable while none could ever be read, and recovers', async () => {
    using bench = await authnBench({
      source: (key) => Object.assign(controlledSource(keySetOf(key)), { failure: new Error('down') }),
    });
    const token = bench.token();
    expect(await outcome(bench.authenticator.authenticate(token))).toBe('keys_unavailable');
    bench.source.failure = null;
    await bench.keys.refresh();
    expect(await outcome(bench.authenticator.authenticate(token))).toBe('ok');
  });

  test('waits for the first load instead of denying', async () => {
    const gate = Promise.withResolvers<void>();
    using bench = await authnBench({
      source: (key) => Object.assign(controlledSource(keySetOf(key)), { gate: gate.promise }),
    });
    const result = bench.authenticator.authenticate(bench.token());
    gate.resolve();
    expect(await outcome(result)).toBe('ok');
  });
});

describe('refused tokens', () => {
  test('are remembered, so that a repeated one is answered without a verification', async () => {
    using bench = await authnBench();
    const forged = `${bench.token().slice(0, -4)}AAAA`;
    expect(await outcome(bench.authenticator.authenticate(forged))).toBe('credential_invalid');
    expect(bench.authenticator.authenticate(forged)).toMatchObject({ note: 'the signature does not verify' });
  });

  test('are forgotten after a few seconds', async () => {
    using bench = await authnBench();
    const forged = `${bench.token().slice(0, -4)}AAAA`;
    await bench.authenticator.authenticate(forged);
    bench.clock.advance(3000);
    expect(bench.authenticator.authenticate(forged)).toBeInstanceOf(Promise);
  });

  test('are forgotten as soon as the keys change', async () => {
    using bench = await authnBench();
    const next = makeKey('ES256', 'key-2');
    const token = signToken(next, bench.claims());
    expect(await outcome(bench.authenticator.authenticate(token))).toBe('credential_invalid');
    bench.source.document = keySetOf(bench.key, next);
    await bench.keys.refresh();
    expect(await outcome(bench.authenticator.authenticate(token))).toBe('ok');
  });

  test('are not remembered when the keys could not be had', async () => {
    using bench = await authnBench();
    const next = makeKey('ES256', 'key-2');
    const token = signToken(next, bench.claims());
    bench.source.failure = new Error('down');
    expect(await outcome(bench.authenticator.authenticate(token))).toBe('keys_unavailable');
    bench.source.failure = null;
    bench.source.document = keySetOf(bench.key, next);
    await bench.keys.refresh();
    expect(await outcome(bench.authenticator.authenticate(token))).toBe('ok');
  });
});

describe('bounds and construction', () => {
  test('remembers no more tokens than it may', async () => {
    using bench = await authnBench({ cacheEntries: 3 });
    for (let i = 0; i < 10; i++) await bench.authenticator.authenticate(bench.token({ jti: `${i}` }));
    expect(bench.authenticator.cacheSize).toBe(3);
  });

  test('refuses an issuer for which compose made no key set', async () => {
    using bench = await authnBench();
    const { keySets, clock } = bench;
    const issuers = [issuerOptions({ issuer: 'https://other.example' })];
    expect(() => createBearerAuthenticator({ issuers, keySets, clock })).toThrow(/workforce.*has no key set/);
  });

  test('refuses two issuers with one URL', async () => {
    using bench = await authnBench();
    const { keySets, clock } = bench;
    const issuers = [issuerOptions(), issuerOptions({ name: 'other' })];
    expect(() => createBearerAuthenticator({ issuers, keySets, clock })).toThrow(/"other".*same issuer/);
  });

  test('tells a support credential from other bearer tokens, however malformed', async () => {
    using bench = await authnBench();
    const { authenticator } = bench;
    expect(authenticator.isSupportCredential(bench.token())).toBe(true);
    expect(
      authenticator.isSupportCredential(`x.${Buffer.from(`{"iss":"${ISSUER}"}`).toString('base64')}`),
    ).toBe(true);
    expect(authenticator.isSupportCredential(bench.token({ iss: 'https://app.example' }))).toBe(false);
    for (const other of ['', 'opaque', '.', '..', 'a.b.c', 'a.bnVsbA.c', 'a.MTI.c']) {
      expect(authenticator.isSupportCredential(other)).toBe(false);
    }
  });
});
