// A key that its issuer withdraws is worth nothing from then on: what it signed is refused, what runs on it is cut.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startGate } from '../support/gate.ts';
import { ask, chunk, dial, EVENT_STREAM, headFor, HELLO } from '../support/gate-traffic.ts';
import { testIssuer } from '../support/signing.ts';
import { startAnswering } from '../support/upstream-wire.ts';

describe('a withdrawn key', () => {
  it('cuts a stream, refuses the token, and says so in the journal', async () => {
    await using upstream = await startAnswering((head) =>
      head.includes('/hello') ? HELLO : `${EVENT_STREAM}${chunk('data: 1\n\n')}`,
    );
    await using gate = await startGate({ upstreamPort: upstream.port });
    await gate.grant({});
    const successor = await testIssuer(gate.workforce.issuer, 'postern', 'k2');
    const file = join(gate.folder, 'workforce.jwks.json');
    const token = await gate.staffToken();
    const other = await successor.sign({ sub: 'lena', email: 'lena@vendor.test', groups: ['support'] });
    writeFileSync(file, JSON.stringify({ keys: [gate.workforce.publicJwk, successor.publicJwk] }));
    await expect
      .poll(async () => (await ask(gate, 'GET /hello', [], other)).status, { timeout: 10_000 })
      .toBe(200);
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /events', [], token));
    await client.seen('data: 1');
    successor.writeKeySet(file);
    expect(await client.closed).toBe('reset');
    expect(client.text).toContain('data: {"reason":"credential_expired"}');
    expect(await upstream.wires.at(-1)?.closed).toBe('reset');
    expect(await ask(gate, 'GET /later', [], token)).toMatchObject({
      status: 401,
      reason: 'credential_invalid',
    });
    await expect
      .poll(() => gate.journal().find((line) => line['event'] === 'keys.withdrawn'), { timeout: 10_000 })
      .toMatchObject({ details: { keyId: 'k1' } });
    // The other key goes on working.
    using survivor = await dial(gate);
    survivor.send(await headFor(gate, 'GET /events', [], other));
    await survivor.seen('data: 1');
  });
});
