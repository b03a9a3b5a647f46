// The assertion tells the upstream who is acting. It verifies against the key set that the gate serves, and nobody
// ever carries another's: not over one connection, not from a cache, not by sending one (class 13).
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify, type JWTPayload } from 'jose';
import { describe, expect, it } from 'vitest';
import { type Gate, startGate } from '../support/gate.ts';
import { ask, dial, headFor, HELLO } from '../support/gate-traffic.ts';
import { startAnswering, type RawUpstream } from '../support/upstream-wire.ts';

async function verifier(gate: Gate): Promise<(token: string) => Promise<JWTPayload>> {
  const { status, body } = await ask(gate, 'GET /-/postern/jwks.json', [], null);
  expect(status).toBe(200);
  const keys = createLocalJWKSet(JSON.parse(body) as JSONWebKeySet);
  const expected = { issuer: 'https://gate.test', audience: 'app', typ: 'postern-assertion+jwt' };
  return async (token) => (await jwtVerify(token, keys, expected)).payload;
}

/** Of each request that arrived, in order of arrival per connection: its target and its assertions. */
function arrived(upstream: RawUpstream): { target: string; assertions: string[] }[] {
  const heads = upstream.wires.flatMap((wire) => wire.text.split('\r\n\r\n').slice(0, -1));
  return heads.map((head) => ({
    target: head.split(' ')[1] ?? '',
    assertions: Array.from(head.matchAll(/\r\nx-support-assertion: (\S+)/gi), (match) => match[1] as string),
  }));
}

describe('the assertion', () => {
  it('verifies against the key set of the gate and says who acts under which grant', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port });
    const verify = await verifier(gate);
    const grant = await gate.grant({ roles: ['agent'], actAs: 'u-ada' });
    await ask(gate, 'GET /');
    const [first] = arrived(upstream);
    expect(first?.assertions).toHaveLength(1);
    const claims = await verify(first?.assertions[0] ?? '');
    expect(claims).toMatchObject({
      sub: 'sam',
      idp: gate.workforce.issuer,
      email: 'sam@vendor.test',
      org: 'vendor',
      tenant: 'acme',
      grant: { id: grant.id, revision: 1 },
      access: 'write',
      roles: ['agent'],
      actAs: 'u-ada',
      caseRef: 'CASE-1',
    });
    expect((claims.exp ?? 0) - (claims.iat ?? 0)).toBeLessThanOrEqual(60);
  });

  it('is each principal’s own, even when two share one connection and pipeline on it', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port });
    const verify = await verifier(gate);
    await gate.grant({});
    const tokens = {
      sam: await gate.staffToken(),
      lena: await gate.staffToken({ sub: 'lena', email: 'lena@vendor.test' }),
    };
    using client = await dial(gate);
    const turns = ['sam', 'lena', 'sam', 'lena', 'lena', 'sam'] as const;
    const heads = await Promise.all(
      turns.map((who, turn) => headFor(gate, `GET /${turn}/${who}`, [], tokens[who])),
    );
    client.send(heads.join(''));
    await client.until(() => client.text.split('hello').length > turns.length || client.ending !== null);
    const requests = arrived(upstream);
    expect(requests).toHaveLength(turns.length);
    for (const { target, assertions } of requests) {
      expect(assertions).toHaveLength(1);
      expect((await verify(assertions[0] ?? '')).sub).toBe(target.split('/')[2]);
    }
    expect(new Set(requests.map(({ assertions }) => assertions[0]))).toHaveLength(2);
  });

  it('is another one for the next grant, and for the next revision of the same', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port });
    const verify = await verifier(gate);
    const first = await gate.grant({});
    await ask(gate, 'GET /');
    await gate.control('PATCH', `/v1/grants/${first.id}`, { access: 'read' });
    await ask(gate, 'GET /');
    await gate.revoke(first.id);
    const second = await gate.grant({ caseRef: 'CASE-2' });
    await ask(gate, 'GET /');
    const claims = await Promise.all(arrived(upstream).map(({ assertions }) => verify(assertions[0] ?? '')));
    expect(claims).toMatchObject([
      { grant: { id: first.id, revision: 1 }, access: 'write', caseRef: 'CASE-1' },
      { grant: { id: first.id, revision: 2 }, access: 'read' },
      { grant: { id: second.id, revision: 1 }, access: 'write', caseRef: 'CASE-2' },
    ]);
  });

  it('that a client sends never arrives, nor does the credential', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port });
    const verify = await verifier(gate);
    await gate.grant({});
    const token = await gate.staffToken();
    await ask(gate, 'GET /', ['X-Support-Assertion: forged', 'x-support-assertion: forged'], token);
    const [request] = arrived(upstream);
    expect(request?.assertions).toHaveLength(1);
    expect((await verify(request?.assertions[0] ?? '')).sub).toBe('sam');
    const sent = upstream.wires.map((wire) => wire.text).join('');
    expect(sent).not.toContain('forged');
    expect(sent).not.toContain(token);
    expect(sent.toLowerCase()).not.toContain('authorization:');
  });
});
