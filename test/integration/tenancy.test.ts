// The tenant comes from one source, and its grants alone count: by path (stripped or not) and by header.
import { describe, expect, it } from 'vitest';
import { type Gate, startGate } from '../support/gate.ts';
import { type Answer, answerOn, dial, HELLO } from '../support/gate-traffic.ts';
import { startAnswering } from '../support/upstream-wire.ts';

async function send(gate: Gate, path: string, headers: readonly string[] = []): Promise<Answer> {
  using client = await dial(gate);
  const lines = [
    `GET ${path} HTTP/1.1`,
    'Host: gate.test',
    `Authorization: Bearer ${await gate.staffToken()}`,
    'Connection: close',
    ...headers,
  ];
  client.send(`${lines.join('\r\n')}\r\n\r\n`);
  return await answerOn(client);
}

const traffic = { traffic: { hosts: ['gate.test'] } };
const NO_EXPORTS = { status: 403, reason: 'rule_denied' };

describe('tenancy by path', () => {
  it.each([
    ['and stripped, names the tenant and shows the upstream and the rules the rest', true, '/tickets'],
    ['and kept, shows the rules the rest and the upstream all of it', false, '/t/acme/tickets'],
  ])('%s', async (_what, strip, forwarded) => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({
      upstreamPort: upstream.port,
      config: { ...traffic, tenancy: { from: 'path', pattern: '/t/{tenant}', strip } },
    });
    await gate.grant({});
    expect(await send(gate, '/t/acme/tickets')).toMatchObject({ status: 200 });
    expect(await send(gate, '/t/acme/exports/1')).toMatchObject(NO_EXPORTS);
    expect(await send(gate, '/t/globex/tickets')).toMatchObject({ status: 403, reason: 'no_grant' });
    expect(await send(gate, '/tickets')).toMatchObject({ status: 404, reason: 'tenant_unresolved' });
    expect(await send(gate, '/t/acme/-/postern/jwks')).toMatchObject({ status: 404, reason: 'not_found' });
    expect(
      upstream.wires
        .map((wire) => wire.text)
        .join('')
        .match(/GET \S+/g),
    ).toEqual([`GET ${forwarded}`]);
  });
});

describe('tenancy by header', () => {
  it('takes one value of one header, and the path says nothing of tenants', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({
      upstreamPort: upstream.port,
      config: { ...traffic, tenancy: { from: 'header', header: 'X-Tenant' } },
    });
    await gate.grant({});
    expect(await send(gate, '/tickets', ['X-Tenant: acme'])).toMatchObject({ status: 200 });
    expect(await send(gate, '/t/acme/tickets', ['X-Tenant: globex'])).toMatchObject({
      status: 403,
      reason: 'no_grant',
    });
    expect(await send(gate, '/exports/1', ['X-Tenant: acme'])).toMatchObject(NO_EXPORTS);
    expect(await send(gate, '/tickets')).toMatchObject({ status: 404, reason: 'tenant_unresolved' });
    for (const twice of [
      ['X-Tenant: acme', 'X-Tenant: globex'],
      ['X-Tenant: globex', 'X-Tenant: acme'],
      ['X-Tenant: acme, globex'],
    ]) {
      const { status } = await send(gate, '/tickets', twice);
      expect([400, 404]).toContain(status);
    }
    for (const alias of ['X_Tenant: acme', 'x.tenant: acme']) {
      const { status } = await send(gate, '/tickets', ['X-Tenant: globex', alias]);
      expect([400, 403]).toContain(status);
    }
    expect(
      upstream.wires
        .map((wire) => wire.text)
        .join('')
        .match(/GET \S+/g),
    ).toEqual(['GET /tickets']);
  });

  it('of a host that is not listed is 421', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({
      upstreamPort: upstream.port,
      config: { traffic: { hosts: ['other.test'] }, tenancy: { from: 'header', header: 'X-Tenant' } },
    });
    await gate.grant({});
    expect(await send(gate, '/tickets', ['X-Tenant: acme'])).toMatchObject({
      status: 421,
      reason: 'host_unknown',
    });
    expect(upstream.wires).toEqual([]);
  });
});
