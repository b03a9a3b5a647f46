// ST02: the wall clock jumps while a stream is open. Backwards it must not lengthen the stream's authority, forwards
// it must not be overlooked; and until the store was read again nothing new is forwarded.
import { describe, expect, it } from 'vitest';
import { type Clock, type EpochMs, systemClock } from '#model/clock.ts';
import { startGate } from '../support/gate.ts';
import { ask, chunk, dial, EVENT_STREAM, headFor, HELLO } from '../support/gate-traffic.ts';
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
    await gate.grant({ duration: '2s' });
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
});
