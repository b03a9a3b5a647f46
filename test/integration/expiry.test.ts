// Authority ends by the clock at every use: a grant's end, a credential's end, whatever a cache still holds.
import { describe, expect, it } from 'vitest';
import { startGate } from '../support/gate.ts';
import {
  answerOn,
  ask,
  chunk,
  dial,
  ENDLESS,
  EVENT_STREAM,
  headFor,
  HELLO,
} from '../support/gate-traffic.ts';
import { startAnswering, startRawUpstream } from '../support/upstream-wire.ts';

describe('the end of a grant', () => {
  it('cuts an event stream, a download and a waiting request at that moment', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      const head = await wire.seen('\r\n\r\n');
      if (head.includes('/events')) wire.send(`${EVENT_STREAM}${chunk('data: 1\n\n')}`);
      if (head.includes('/download')) wire.send(`${ENDLESS}begin`);
    });
    await using gate = await startGate({ upstreamPort: upstream.port });
    const end = Date.now() + 3000;
    await gate.grant({ duration: '3s' });
    using events = await dial(gate);
    using download = await dial(gate);
    using waiting = await dial(gate);
    events.send(await headFor(gate, 'GET /events'));
    download.send(await headFor(gate, 'GET /download'));
    waiting.send(await headFor(gate, 'GET /waiting'));
    await events.seen('data: 1');
    await download.seen('begin');
    expect(await events.closed).toBe('reset');
    expect(await download.closed).toBe('reset');
    expect(await answerOn(waiting)).toMatchObject({ status: 403, reason: 'grant_expired' });
    expect(Date.now()).toBeGreaterThanOrEqual(end);
    expect(events.text).toContain('data: {"reason":"expired"}');
    for (const wire of upstream.wires) expect(await wire.closed).toBe('reset');
  });

  it('holds for new requests although the grant is still cached', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port });
    await gate.grant({ duration: '2s' });
    const end = Date.now() + 2000;
    expect(await ask(gate, 'GET /now')).toMatchObject({ status: 200 });
    await new Promise((resolve) => setTimeout(resolve, end - Date.now()));
    expect(await ask(gate, 'GET /later')).toMatchObject({ status: 403, reason: 'grant_expired' });
    expect(upstream.wires.map((wire) => wire.text).join('')).not.toContain('/later');
    expect(gate.journal().filter((line) => line['k'] === 'refused')).toMatchObject([
      { code: 'grant_expired' },
    ]);
  });
});

describe('the end of a credential', () => {
  it('cuts a stream with its own reason, and the token is refused from then on', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.send(`${EVENT_STREAM}${chunk('data: 1\n\n')}`);
    });
    await using gate = await startGate({ upstreamPort: upstream.port, support: { clockTolerance: '0s' } });
    await gate.grant({});
    const token = await gate.staffToken({}, 3);
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /events', [], token));
    await client.seen('data: 1');
    expect(await client.closed).toBe('reset');
    expect(client.text).toContain('data: {"reason":"credential_expired"}');
    expect(await ask(gate, 'GET /later', [], token)).toMatchObject({
      status: 401,
      reason: 'credential_expired',
    });
  });
});
