// Shutdown: not ready, nothing new, what runs may finish until the deadline, and the journal has all of it.
import { describe, expect, it } from 'vitest';
import { startGate } from '../support/gate.ts';
import { answerOn, chunk, dial, EVENT_STREAM, headFor, HELLO } from '../support/gate-traffic.ts';
import { startRawUpstream } from '../support/upstream-wire.ts';

describe('a drain', () => {
  it('fails readiness, refuses what comes on kept connections, and lets finish what runs', async () => {
    await using upstream = await startRawUpstream();
    await using gate = await startGate({ upstreamPort: upstream.port });
    await gate.grant({});
    using client = await dial(gate);
    client.send((await headFor(gate, 'GET /running')) + (await headFor(gate, 'GET /pipelined')));
    const wire = await upstream.next();
    await wire.seen('/running');
    const drained = gate.postern.drain(5000);
    const ready = await fetch(`http://127.0.0.1:${gate.opsPort}/readyz`);
    expect(ready.status).toBe(503);
    expect(await ready.json()).toMatchObject({ reasons: ['draining'] });
    await expect(dial(gate)).rejects.toThrow('ECONNREFUSED');
    wire.send(HELLO);
    await client.closed;
    expect(client.text).toMatch(/^HTTP\/1\.1 200 [^]*helloHTTP\/1\.1 503 [^]*"reason":"draining"/);
    await drained;
    expect(upstream.wires.map((one) => one.text).join('')).not.toContain('/pipelined');
    expect(gate.journal().filter((line) => line['k'] === 'done')).toMatchObject([
      { code: 'ok', status: 200 },
    ]);
    expect(gate.journal().filter((line) => line['k'] === 'refused')).toMatchObject([{ code: 'draining' }]);
    expect(gate.journal().findLast(({ k }) => k === 'event')).toMatchObject({ event: 'gateway.stopped' });
  });

  it('cuts what has not ended by the deadline, and says so to whoever can hear it', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      if ((await wire.seen('\r\n\r\n')).includes('/events'))
        wire.send(`${EVENT_STREAM}${chunk('data: 1\n\n')}`);
    });
    await using gate = await startGate({ upstreamPort: upstream.port });
    await gate.grant({});
    using events = await dial(gate);
    using waiting = await dial(gate);
    events.send(await headFor(gate, 'GET /events'));
    await events.seen('data: 1');
    waiting.send(await headFor(gate, 'GET /waiting'));
    await (await upstream.next()).seen('/events');
    await (await upstream.next()).seen('/waiting');
    await gate.postern.drain(50);
    expect(await events.closed).toBe('reset');
    expect(events.text).toContain('data: {"reason":"drain"}');
    expect(await answerOn(waiting)).toMatchObject({ status: 503, reason: 'draining' });
    const ends = gate.journal().filter((line) => line['k'] === 'done');
    expect(ends).toMatchObject([{ endedBy: 'drain' }, { endedBy: 'drain' }]);
    for (const wire of upstream.wires) expect(await wire.closed).toBe('reset');
  });
});
