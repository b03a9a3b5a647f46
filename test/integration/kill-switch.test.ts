// While the kill-switch file exists nothing is forwarded and nothing runs on; when it is gone the gate recovers.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startGate } from '../support/gate.ts';
import { answerOn, ask, chunk, dial, EVENT_STREAM, headFor, HELLO } from '../support/gate-traffic.ts';
import { keysFrom, slowKeyServer } from '../support/slow-key-server.ts';
import { startAnswering, startRawUpstream } from '../support/upstream-wire.ts';

describe('the kill switch', () => {
  it('refuses with 503 stopped, fails readiness, and lets go again without a restart', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port });
    await gate.grant({});
    const ready = async () => (await fetch(`http://127.0.0.1:${gate.opsPort}/readyz`)).status;
    expect(await ask(gate, 'GET /before')).toMatchObject({ status: 200 });
    writeFileSync(join(gate.folder, 'STOP'), '');
    await expect.poll(() => gate.postern.gateway.state.stopped, { timeout: 10_000 }).toBe(true);
    expect(await ask(gate, 'GET /during')).toMatchObject({ status: 503, reason: 'stopped' });
    expect(await ready()).toBe(503);
    rmSync(join(gate.folder, 'STOP'));
    await expect.poll(() => gate.postern.gateway.state.stopped, { timeout: 10_000 }).toBe(false);
    expect(await ask(gate, 'GET /after')).toMatchObject({ status: 200 });
    expect(await ready()).toBe(200);
    expect(
      upstream.wires
        .map((wire) => wire.text)
        .join('')
        .match(/GET \S+/g),
    ).toEqual(['GET /before', 'GET /after']);
  });

  it('cuts what is in flight when it appears', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.send(`${EVENT_STREAM}${chunk('data: 1\n\n')}`);
    });
    await using gate = await startGate({ upstreamPort: upstream.port });
    await gate.grant({});
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /events'));
    await client.seen('data: 1');
    writeFileSync(join(gate.folder, 'STOP'), '');
    expect(await client.closed).toBe('reset');
    expect(client.text).toContain('event: postern.ended');
    expect(await (await upstream.next()).closed).toBe('reset');
  });

  it('holds for a request that was waiting for keys when it appeared', async () => {
    await using upstream = await startAnswering(HELLO);
    await using keys = await slowKeyServer();
    await using gate = await startGate({ upstreamPort: upstream.port, support: keysFrom(keys) });
    await gate.grant({});
    keys.keys = [gate.workforce.publicJwk];
    keys.hold = true;
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /waited'));
    await keys.asked();
    writeFileSync(join(gate.folder, 'STOP'), '');
    await expect.poll(() => gate.postern.gateway.state.stopped, { timeout: 10_000 }).toBe(true);
    rmSync(join(gate.folder, 'STOP'));
    await expect.poll(() => gate.postern.gateway.state.stopped, { timeout: 10_000 }).toBe(false);
    keys.release();
    expect((await answerOn(client)).status).toBe(403);
    expect(upstream.wires).toEqual([]);
  });
});
