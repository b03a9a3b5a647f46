// A changed grant reaches what runs under it: what the new revision no longer allows is cut, what it still allows
// goes on until its new end.
import { describe, expect, it } from 'vitest';
import { type Gate, startGate } from '../support/gate.ts';
import { answerOn, chunk, dial, EVENT_STREAM, headFor } from '../support/gate-traffic.ts';
import { startRawUpstream, type Wire } from '../support/upstream-wire.ts';

async function change(gate: Gate, id: string, patch: Record<string, unknown>): Promise<void> {
  const { status, body } = await gate.control('PATCH', `/v1/grants/${id}`, patch);
  if (status !== 200) throw new Error(`not changed: ${status} ${JSON.stringify(body)}`);
}

async function stream(wire: Wire): Promise<void> {
  await wire.seen('\r\n\r\n');
  wire.send(`${EVENT_STREAM}${chunk('data: 1\n\n')}`);
}

describe('a change of a grant in use', () => {
  it('from write to read cuts a request that writes', async () => {
    await using upstream = await startRawUpstream();
    await using gate = await startGate({ upstreamPort: upstream.port });
    const grant = await gate.grant({ access: 'write' });
    using client = await dial(gate);
    client.send(`${await headFor(gate, 'POST /upload', ['Content-Length: 1000'])}before`);
    const wire = await upstream.next();
    await wire.seen('before');
    await change(gate, grant.id, { access: 'read' });
    client.send('after');
    expect(await answerOn(client)).toMatchObject({ status: 403 });
    expect(await wire.closed).toBe('reset');
    expect(wire.text).not.toContain('after');
    await expect
      .poll(() => gate.journal().find((line) => line['k'] === 'done'), { timeout: 10_000 })
      .toMatchObject({ endedBy: 'narrowed' });
  });

  it('to other people cuts those it no longer covers', async () => {
    await using upstream = await startRawUpstream(stream);
    await using gate = await startGate({ upstreamPort: upstream.port });
    const grant = await gate.grant({});
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /events'));
    await client.seen('data: 1');
    await change(gate, grant.id, {
      audience: { principals: [{ issuer: gate.workforce.issuer, id: 'lena' }] },
    });
    expect(await client.closed).toBe('reset');
    expect(client.text).toContain('data: {"reason":"narrowed"}');
  });

  it('to another first role cuts, whose credential was injected; one more role behind it does not', async () => {
    await using upstream = await startRawUpstream(stream);
    await using gate = await startGate({ upstreamPort: upstream.port });
    const grant = await gate.grant({ roles: ['viewer'] });
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /events'));
    await client.seen('data: 1');
    await change(gate, grant.id, { roles: ['viewer', 'agent'] });
    (await upstream.next()).send(chunk('data: 2\n\n'));
    await client.seen('data: 2');
    await change(gate, grant.id, { roles: ['agent', 'viewer'] });
    expect(await client.closed).toBe('reset');
    expect(client.text).toContain('data: {"reason":"narrowed"}');
  });

  it('to an earlier end cuts at that end', async () => {
    await using upstream = await startRawUpstream(stream);
    await using gate = await startGate({ upstreamPort: upstream.port });
    const grant = await gate.grant({});
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /events'));
    await client.seen('data: 1');
    const end = Date.now() + 2500;
    await change(gate, grant.id, { expiresAt: new Date(end).toISOString() });
    (await upstream.next()).send(chunk('data: 2\n\n'));
    await client.seen('data: 2');
    expect(await client.closed).toBe('reset');
    expect(Date.now()).toBeGreaterThanOrEqual(end);
    expect(client.text).toContain('data: {"reason":"expired"}');
  });

  it('that extends it cuts nothing, and the old end no longer counts', async () => {
    await using upstream = await startRawUpstream(stream);
    await using gate = await startGate({ upstreamPort: upstream.port });
    const grant = await gate.grant({ duration: '3s' });
    const oldEnd = Date.now() + 3000;
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /events'));
    await client.seen('data: 1');
    await change(gate, grant.id, { expiresAt: new Date(Date.now() + 3_600_000).toISOString() });
    await new Promise((resolve) => setTimeout(resolve, oldEnd + 100 - Date.now()));
    (await upstream.next()).send(chunk('data: 2\n\n'));
    await client.seen('data: 2');
    expect(client.ending).toBeNull();
  });
});
