// ST02: the wall clock jumps while a stream is open. Backwards it must not lengthen the stream's authority, forwards
// it must not be overlooked; and until the store was read again nothing new is forwarded.
import { describe, expect, it } from 'vitest';
import { type Clock, type EpochMs, systemClock } from '#model/clock.ts';
import { startGate } from '../support/gate.ts';
import { ask, chunk, dial, EVENT_STREAM, headFor, HELLO } from '../support/gate-traffic.ts';
import { startSecurityGate } from '../support/security-gate.ts';
import { startAnswering, startRawUpstream } from '../support/upstream-wire.ts';

const HOUR_MS = 3_600_000;

function jumpyClock(): Clock & { jumpedMs: number } {
  const clock = {
    jumpedMs: 0,
    now: () => (systemClock.now() + clock.jumpedMs) as EpochMs,
    monotonic: () => systemClock.monotonic(),
  };
  return clock;
}

describe('a jump of the wall clock', () => {
  it('of an hour back does not keep a stream beyond the time its grant had left', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.send(`${EVENT_STREAM}${chunk('data: 1\n\n')}`);
    });
    const clock = jumpyClock();
    await using gate = await startGate({ upstreamPort: upstream.port, clock });
    await gate.grant({ duration: '3s' });
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /events'));
    await client.seen('data: 1');
    clock.jumpedMs = -HOUR_MS;
    expect(await client.closed).toBe('reset');
    expect(client.text).toContain('data: {"reason":"expired"}');
  });

  it('refuses what comes until the store was read again', async () => {
    await using upstream = await startAnswering(HELLO);
    const clock = jumpyClock();
    await using gate = await startGate({ upstreamPort: upstream.port, clock });
    await gate.grant({ duration: '8h' });
    const token = await gate.staffToken();
    expect(await ask(gate, 'GET /before', [], token)).toMatchObject({ status: 200 });
    clock.jumpedMs = 6000;
    expect(await ask(gate, 'GET /during', [], token)).toMatchObject({
      status: 503,
      reason: 'clock_unreliable',
    });
    expect(await ask(gate, 'GET /after', [], token)).toMatchObject({ status: 200 });
    const sent = upstream.wires.map((wire) => wire.text).join('');
    expect(sent.match(/GET \S+/g)).toEqual(['GET /before', 'GET /after']);
  });

  it('forth and back lets nobody past a lock that had ended by the wrong clock alone', async () => {
    await using upstream = await startAnswering(HELLO);
    const clock = jumpyClock();
    await using gate = await startSecurityGate({ upstreamPort: upstream.port, clock });
    await gate.grant({ duration: '8h' });
    const token = await gate.staffToken();
    const quinn = await gate.controlToken('quinn', { exp: Math.floor(Date.now() / 1000) + 86_400 });
    const set = (id: string) =>
      gate.security(
        'POST',
        '/v1/locks',
        { target: { kind: 'principal', issuer: 'https://idp.test', id }, duration: '1h' },
        quinn,
      );
    expect((await set('sam')).status).toBe(201);
    expect(await ask(gate, 'GET /before', [], token)).toMatchObject({ status: 403, reason: 'locked' });
    clock.jumpedMs = 2 * HOUR_MS;
    expect(await ask(gate, 'GET /jump', [], token)).toMatchObject({ status: 503 });
    // Makes the locks be read by the wrong clock.
    expect((await set('sue')).status).toBe(201);
    clock.jumpedMs = 0;
    expect(await ask(gate, 'GET /back', [], token)).toMatchObject({ status: 503 });
    await expect
      .poll(async () => (await ask(gate, 'GET /after', [], token)).reason, { timeout: 10_000 })
      .toBe('locked');
    expect(upstream.wires).toEqual([]);
  });
});
