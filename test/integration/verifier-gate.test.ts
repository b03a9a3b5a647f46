// `postern/upstream` behind a real gate, in a real Express and a real Fastify: what comes through the gate is known by name,
// what comes around it is refused or, where customers use the same routes, is a customer's.
import fastify from 'fastify';
import { describe, expect, it } from 'vitest';
import { fastifySupport } from '../../src/verifier/upstream.ts';
import { ask } from '../support/gate-traffic.ts';
import { rawRequest } from '../support/raw-client.ts';
import { type Framework, type GuardedGate, startGuardedGate } from '../support/support-upstream.ts';

const FRAMEWORKS: readonly Framework[] = ['express', 'fastify'];

function around({ upstream }: GuardedGate, headers: readonly string[] = []) {
  return rawRequest(upstream.port, `${['GET /who HTTP/1.1', 'Host: app', ...headers].join('\r\n')}\r\n\r\n`);
}

describe.each(FRAMEWORKS)('an application on %s behind the gate', (framework) => {
  it('knows who acts, for whom and under which grant', async () => {
    await using guarded = await startGuardedGate();
    const { gate, upstream, trust } = guarded;
    await upstream.protect(framework, { ...trust, mode: 'required' });
    const answer = await ask(gate, 'GET /who');
    expect(answer.status).toBe(200);
    expect(upstream.served).toMatchObject([
      {
        principal: {
          id: 'sam',
          issuer: gate.workforce.issuer,
          org: 'vendor',
          email: 'sam@vendor.test',
          name: 'Sam',
        },
        tenant: 'acme',
        grant: { id: expect.stringMatching(/^grt_/), revision: 1 },
        access: 'write',
        roles: ['agent'],
        workspaces: [],
        actAs: 'u-ada',
        session: null,
        caseRef: 'CASE-1',
      },
    ]);
    expect(Object.isFrozen(upstream.served[0])).toBe(true);
    expect(JSON.parse(answer.body)).toEqual({ support: upstream.served[0] });
  });

  it('refuses a request that did not come through it, and says nothing more', async () => {
    await using guarded = await startGuardedGate();
    const { upstream, trust } = guarded;
    await upstream.protect(framework, { ...trust, mode: 'required' });
    const { status, headers, body } = await around(guarded);
    expect(status).toBe(401);
    expect(headers).toMatchObject({
      'content-type': expect.stringMatching(/^application\/problem\+json/),
      'cache-control': 'no-store',
      'www-authenticate': 'Postern-Assertion',
    });
    expect(JSON.parse(body)).toEqual({
      type: 'urn:postern:problem:assertion_required',
      title: 'This route is for requests that come through the support gate',
      status: 401,
      reason: 'assertion_required',
    });
    expect(upstream.served).toEqual([]);
  });

  it('lets customers’ own requests pass where it says so, but never a header that does not hold', async () => {
    await using guarded = await startGuardedGate();
    const { gate, upstream, trust } = guarded;
    await upstream.protect(framework, { ...trust, mode: 'optional' });
    expect((await around(guarded)).status).toBe(200);
    expect(upstream.served).toEqual([null]);
    for (const value of ['', 'x', 'a.b.c']) {
      expect((await around(guarded, [`X-Support-Assertion: ${value}`])).status).toBe(401);
    }
    expect((await ask(gate, 'GET /who')).status).toBe(200);
    expect(upstream.served.map((support) => support?.principal.id ?? null)).toEqual([null, 'sam']);
  });

  it('reads the header that the gate is configured with, and no other', async () => {
    const assertion = { audience: 'app', issuer: 'https://gate.test', header: 'X-Support-Who' };
    await using guarded = await startGuardedGate({
      upstream: {
        url: 'http://127.0.0.1:9',
        assertion: { ...assertion, key: { fromFile: 'keys/assertion.pem' } },
      },
    });
    const { upstream, trust, assert } = guarded;
    await upstream.protect(framework, { ...trust, mode: 'required', header: 'X-Support-Who' });
    expect((await around(guarded, [`x-support-who: ${await assert()}`])).status).toBe(200);
    expect((await around(guarded, [`X-Support-Assertion: ${await assert()}`])).status).toBe(401);
  });

  it('refuses an assertion for another customer than the request is about', async () => {
    await using guarded = await startGuardedGate();
    const { gate, upstream, trust, assert } = guarded;
    await upstream.protect(framework, { ...trust, mode: 'optional', isBound: true });
    expect((await ask(gate, 'GET /who', ['X-Tenant: acme'])).status).toBe(200);
    const other = await ask(gate, 'GET /who', ['X-Tenant: globex']);
    expect([other.status, other.reason]).toEqual([403, 'assertion_tenant']);
    const unnamed = await ask(gate, 'GET /who');
    expect([unnamed.status, unnamed.reason]).toEqual([403, 'assertion_tenant']);
    const foreign = `X-Support-Assertion: ${await assert({ tenant: 'globex' })}`;
    expect((await around(guarded, [foreign, 'X-Tenant: acme'])).status).toBe(403);
    expect((await around(guarded, ['X-Tenant: globex'])).status).toBe(200);
    expect(upstream.served.map((support) => support?.tenant ?? null)).toEqual(['acme', null]);
  });
});

describe('the plugin of Fastify', () => {
  it('holds for its scope and those within, whatever was registered first, and may be stricter within', async () => {
    const trust = { issuer: 'https://gate.test', audience: 'app', keys: { keys: [] } };
    await using app = fastify();
    app.get('/early', () => 'early');
    app.register(fastifySupport, { ...trust, mode: 'optional' });
    app.register(async (scope) => {
      await scope.register(fastifySupport, { ...trust, mode: 'required' });
      scope.get('/inner', () => 'inner');
    });
    app.get('/late', () => 'late');
    const statusOf = async (url: string, headers: Record<string, string> = {}) =>
      (await app.inject({ url, headers })).statusCode;
    const forged = { 'x-support-assertion': 'a.b.c' };
    expect([await statusOf('/early'), await statusOf('/late'), await statusOf('/inner')]).toEqual([
      200, 200, 401,
    ]);
    expect([await statusOf('/early', forged), await statusOf('/late', forged)]).toEqual([401, 401]);
    expect([await statusOf('/inner', forged), await statusOf('/none', forged)]).toEqual([401, 401]);
  });
});
