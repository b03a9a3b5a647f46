// Where an application has the gate's keys from: the gate itself. Rotation is followed at once, a flood of unknown key ids
// is one fetch, a gate that is away is outlived for a bounded time, and what it withdrew is not believed for long.
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http';
import fastify from 'fastify';
import { type CryptoKey, exportJWK, generateKeyPair, type JWK } from 'jose';
import { describe, expect, it } from 'vitest';
import { listen } from '../support/listen.ts';
import { manualClock } from '../support/manual-clock.ts';
import { assertedClaims, signAssertion, startGuardedGate } from '../support/support-upstream.ts';
import {
  type AssertionVerifierOptions,
  createAssertionVerifier,
  expressSupport,
  fastifySupport,
  type SupportOptions,
} from '../../src/verifier/upstream.ts';

interface TestKey {
  readonly kid: string;
  readonly key: CryptoKey;
  readonly jwk: JWK;
}

async function newKey(kid: string): Promise<TestKey> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  return { kid, key: privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256', use: 'sig' } };
}

/** A key set in the test's hands, an application that trusts it, and a clock that moves both. */
async function trusting(more: Partial<AssertionVerifierOptions> = {}) {
  const clock = manualClock(Date.now());
  const state = { keys: [] as JWK[], fetches: 0, answer: null as RequestListener | null };
  const server = createServer((request, response) => {
    state.fetches++;
    if (state.answer !== null) state.answer(request, response);
    else response.end(JSON.stringify({ keys: state.keys }));
  });
  const { port, close } = await listen(server);
  const verifier = createAssertionVerifier({
    issuer: 'https://gate.test',
    audience: 'app',
    keys: `http://127.0.0.1:${port}/-/postern/jwks.json`,
    clock,
    ...more,
  });
  return {
    clock,
    state,
    /** The code of the refusal, or the principal. */
    async says(by: TestKey, header: object = {}): Promise<string> {
      const token = await signAssertion(by, assertedClaims(clock.now()), header);
      return verifier.verify(token).then(
        ({ principal }) => principal.id,
        (error: { readonly code: string }) => error.code,
      );
    },
    [Symbol.asyncDispose]: close,
  };
}

describe('the keys of the gate', () => {
  it('are asked for once, however many requests wait for them', async () => {
    const key = await newKey('a');
    await using app = await trusting();
    app.state.keys = [key.jwk];
    const all = await Promise.all(Array.from({ length: 20 }, () => app.says(key)));
    expect([new Set(all), app.state.fetches]).toEqual([new Set(['sam']), 1]);
  });

  it('are asked for again when the gate signs with a new one, and the old one is then worth nothing', async () => {
    const [before, after] = [await newKey('a'), await newKey('b')];
    await using app = await trusting();
    app.state.keys = [before.jwk];
    expect(await app.says(before)).toBe('sam');
    app.state.keys = [after.jwk];
    expect(await app.says(after)).toBe('sam');
    expect(await app.says(before)).toBe('assertion_invalid');
    expect(app.state.fetches).toBe(2);
  });

  it('are asked for once per interval, whatever a flood of unknown key ids says', async () => {
    const key = await newKey('a');
    await using app = await trusting({ refreshMs: 600_000 });
    app.state.keys = [key.jwk];
    expect(await app.says(key)).toBe('sam');
    const flood = (round: number) =>
      Promise.all(Array.from({ length: 50 }, (_, i) => app.says(key, { kid: `x-${round}-${i}` })));
    expect(new Set(await flood(1))).toEqual(new Set(['assertion_invalid']));
    await flood(2);
    expect(app.state.fetches).toBe(2);
    app.clock.advance(29_000);
    await flood(3);
    expect(app.state.fetches).toBe(2);
    app.clock.advance(1000);
    await flood(4);
    expect(app.state.fetches).toBe(3);
    expect(await app.says(key)).toBe('sam');
  });

  it('are refreshed while they serve, so that a withdrawn one is not believed for longer', async () => {
    const key = await newKey('a');
    await using app = await trusting({ refreshMs: 60_000 });
    app.state.keys = [key.jwk];
    expect(await app.says(key)).toBe('sam');
    app.state.keys = [];
    app.clock.advance(59_000);
    expect(await app.says(key)).toBe('sam');
    expect(app.state.fetches).toBe(1);
    // Long unasked: nobody is let in by what is that old before it was asked for again.
    app.clock.advance(61_000);
    expect(await app.says(key)).toBe('assertion_invalid');
  });

  it.each<readonly [string, RequestListener]>([
    ['is away', (request) => void request.socket.destroy()],
    ['says that it is unwell', (_request, response) => void response.writeHead(503).end()],
    ['leads elsewhere', (_request, response) => void response.writeHead(302, { location: '/' }).end()],
    ['says something else', (_request, response) => void response.end('<html>')],
    ['says no key set', (_request, response) => void response.end('{"keys":{}}')],
    ['never stops', (_request, response) => void response.end(`"${'x'.repeat(100_000)}"`)],
  ])('serve for a bounded time while the gate %s', async (_what, answer) => {
    const key = await newKey('a');
    await using app = await trusting({ refreshMs: 60_000, lastKnownGoodMs: 600_000 });
    app.state.keys = [key.jwk];
    expect(await app.says(key)).toBe('sam');
    app.state.answer = answer;
    app.clock.advance(599_000);
    expect(await app.says(key)).toBe('sam');
    app.clock.advance(2000);
    expect(await app.says(key)).toBe('assertion_unverifiable');
    app.state.answer = null;
    app.clock.advance(2000);
    expect(await app.says(key)).toBe('sam');
  });

  it('are asked for once a second at most while there were never any, and nobody is let in', async () => {
    const key = await newKey('a');
    await using app = await trusting();
    app.state.answer = (request) => void request.socket.destroy();
    for (let i = 0; i < 10; i++) expect(await app.says(key)).toBe('assertion_unverifiable');
    expect(app.state.fetches).toBe(1);
    app.clock.advance(1000);
    expect(await app.says(key)).toBe('assertion_unverifiable');
    expect(app.state.fetches).toBe(2);
  });

  it('age while the wall clock is set back', async () => {
    const key = await newKey('a');
    await using app = await trusting({ refreshMs: 60_000, lastKnownGoodMs: 600_000 });
    app.state.keys = [key.jwk];
    expect(await app.says(key)).toBe('sam');
    app.state.answer = (request) => void request.socket.destroy();
    app.clock.advance(601_000);
    app.clock.jumpWallClock(-601_000);
    expect(await app.says(key)).toBe('assertion_unverifiable');
  });

  it('are only those that may verify: no private, symmetric or ambiguous ones', async () => {
    const [key, rival, shown] = [await newKey('a'), await newKey('b'), await newKey('c')];
    await using app = await trusting();
    const secret = { kty: 'oct', k: 'c2VjcmV0', kid: 'd', alg: 'HS256' };
    app.state.keys = [
      key.jwk,
      rival.jwk,
      { ...key.jwk, kid: 'b' },
      { ...shown.jwk, d: 'AAAA' },
      { ...shown.jwk, kid: 'e', use: 'enc' },
      secret,
    ];
    expect(await app.says(key)).toBe('sam');
    expect(await app.says(rival)).toBe('assertion_invalid');
    expect(await app.says({ ...key, kid: 'b' })).toBe('assertion_invalid');
    expect(await app.says(shown)).toBe('assertion_invalid');
    expect(await app.says({ ...shown, kid: 'e' })).toBe('assertion_invalid');
  });

  it('come from the gate itself, and are outlived by the last of its assertions alone', async () => {
    await using guarded = await startGuardedGate();
    const clock = manualClock(Date.now());
    const verifier = createAssertionVerifier({ ...guarded.trust, clock, lastKnownGoodMs: 600_000 });
    const token = await guarded.assert();
    expect((await verifier.verify(token)).tenant).toBe('acme');
    await guarded.gate.postern.drain(0);
    clock.advance(30_000);
    expect((await verifier.verify(token)).tenant).toBe('acme');
    clock.advance(36_000);
    await expect(verifier.verify(token)).rejects.toMatchObject({ code: 'assertion_expired', status: 401 });
  });
});

describe('what an application says of its gate', () => {
  const good = { issuer: 'i', audience: 'a', keys: 'https://gate.example/-/postern/jwks.json' };

  it.each<readonly [string, object]>([
    ['issuer', { issuer: '' }],
    ['audience', { audience: '' }],
    ['keys', { keys: 'gate' }],
    ['keys', { keys: undefined }],
    ['keys', { keys: 'http://gate.example/-/postern/jwks.json' }],
    ['keys', { keys: 'https://user:secret@gate.example/' }],
    ['algorithms', { algorithms: ['HS256'] }],
    ['algorithms', { algorithms: ['none'] }],
    ['algorithms', { algorithms: [] }],
    ['clockToleranceSeconds', { clockToleranceSeconds: 3600 }],
    ['unknownKeyIntervalMs', { unknownKeyIntervalMs: 0 }],
    ['refreshMs', { refreshMs: 3_600_000, lastKnownGoodMs: 60_000 }],
    ['refreshMs', { refreshMs: '60000' }],
    ['lastKnownGoodMs', { lastKnownGoodMs: Number.NaN }],
    ['clockToleranceSeconds', { clockToleranceSeconds: '5' }],
    ['issuer', { issuer: ['i'] }],
    ['audience', { audience: undefined }],
    ['algorithms', { algorithms: 'ES256' }],
    // What is not there is nobody's algorithm, and `every` leaves it out.
    ['algorithms', { algorithms: Array(1) }],
    ['keys', { keys: { keys: [null] } }],
    ['keys', { keys: { keys: Array.from({ length: 21 }, () => ({})) } }],
    ['keys', { keys: { keys: {} } }],
    ['keys', { keys: null }],
    ['keys', { keys: 'ftp://gate.example/' }],
    ['keysHost', { keysHost: '' }],
    ['keysHost', { keysHost: 'a\r\nb' }],
    ['keysHost', { keysHost: 'acme.app.test\n' }],
    ['keysHost', { keysHost: 'https://acme.app.test' }],
    ['keysHost', { keysHost: 'user:secret@acme.app.test' }],
    ['keysHost', { keysHost: 'acme.app.test:0' }],
    ['keysHost', { keysHost: 'acme.app.test:65536' }],
    ['keysHost', { keysHost: ['acme.app.test'] }],
    ['dangerouslyAllowHttp', { dangerouslyAllowHttp: 'false' }],
    ['clock', { clock: Date }],
    ['refreshMs', { refreshMs: undefined }],
    ['keyHost', { keyHost: 'acme.app.test' }],
    // Of the frameworks alone: nobody would ask for the tenant here.
    ['tenantOf', { tenantOf: () => 'acme' }],
    ['mode', { mode: 'required' }],
  ])('is refused at construction where %s is wrong: %j', (name, wrong) => {
    const make = () => createAssertionVerifier({ ...good, ...wrong } as AssertionVerifierOptions);
    expect(make).toThrow(TypeError);
    expect(make).toThrow(name);
    expect(make).not.toThrow('secret');
  });

  it.each<readonly [string, unknown]>([
    ['mode', { mode: undefined }],
    ['mode', { mode: 'Required' }],
    // A name that no header has: what comes with an assertion would pass for a customer's own.
    ['header', { header: '' }],
    ['header', { header: 'X-Support-Assertion ' }],
    ['header', { header: 'X-Support-Assertion\n' }],
    ['header', { header: 'X Support' }],
    ['header', { header: 'x:y' }],
    ['header', { header: 'X-\u0130' }],
    ['header', { header: null }],
    ['header', { header: undefined }],
    ['header', { header: ['X-Support-Assertion'] }],
    // A binding to the tenant that binds nothing.
    ['tenantOf', { tenantOf: 'x' }],
    ['tenantOf', { tenantOf: null }],
    ['tenantOf', { tenantOf: undefined }],
    ['tenantof', { tenantof: () => 'acme' }],
    ['issuer', { issuer: '' }],
    ['keysHost', { keysHost: 'a\r\nb' }],
  ])('is refused by the middleware of either framework where %s is wrong: %j', async (name, wrong) => {
    const options = { ...good, mode: 'optional', ...(wrong as object) } as SupportOptions<unknown>;
    expect(() => expressSupport(options)).toThrow(TypeError);
    expect(() => expressSupport(options)).toThrow(name);
    await using app = fastify();
    await expect(app.register(fastifySupport, options)).rejects.toThrow(name);
  });

  it.each([undefined, null, 'required', 7])('is refused where it is no object of options: %j', (options) => {
    expect(() => createAssertionVerifier(options as never)).toThrow('postern/upstream: ');
    expect(() => expressSupport(options as never)).toThrow('postern/upstream: ');
  });

  it.each(['acme.app.test', 'ACME.app.test:8443', '127.0.0.1:80', '[::1]', '[::1]:65535', 'a_b'])(
    'is accepted with keys asked for by the host %s',
    (keysHost) => {
      expect(() => createAssertionVerifier({ ...good, keysHost })).not.toThrow();
    },
  );

  it.each(['X-Support-Assertion', 'support', "!#$%&'*+-.^_`|~09aZ"])(
    'is accepted with the header %s, and what holds in it alone is let through',
    async (header) => {
      const key = await newKey('a');
      const judge = expressSupport({
        ...good,
        issuer: 'https://gate.test',
        audience: 'app',
        keys: { keys: [key.jwk] },
        mode: 'optional',
        header,
      });
      const request = { rawHeaders: [header.toUpperCase(), await signAssertion(key)] };
      const { promise, resolve } = Promise.withResolvers<unknown>();
      judge(request as IncomingMessage, {} as ServerResponse, resolve);
      expect(await promise).toBeUndefined();
      expect(request).toMatchObject({ support: { tenant: 'acme' } });
    },
  );

  it('is accepted where keys come in the clear and it says so', () => {
    const keys = 'http://gate.example/-/postern/jwks.json';
    expect(() => createAssertionVerifier({ ...good, keys, dangerouslyAllowHttp: true })).not.toThrow();
  });
});
