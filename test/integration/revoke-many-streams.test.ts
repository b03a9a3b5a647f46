// Law 5 with a hundred live streams of four kinds: when the call that revokes has returned, Postern forwards not one
// byte more of them, and both ends of each are over. The bench (`bench/revoke.ts`) measures a thousand.
import { expect, it } from 'vitest';
import { startGate } from '../support/gate.ts';
import { startStreamMix } from '../support/stream-mix.ts';
import { saidBy, watchWrites } from '../support/written-bytes.ts';

it('forwards nothing of a hundred live streams once the revoke has returned', async () => {
  await using mix = await startStreamMix();
  const { upstreamPort } = mix;
  await using gate = await startGate({ upstreamPort });
  const { dataPort, controlPort, host } = gate;
  using written = watchWrites((socket, start) => {
    // The answer of the call itself: from now on nothing may be forwarded.
    if (socket.localPort === controlPort) written.clear();
    return saidBy({ dataPort, upstreamPort }, socket, start) === 'forwarded';
  });
  const { id } = await gate.grant({});
  await mix.open({ dataPort, host, token: await gate.staffToken() }, 100);
  await expect.poll(() => written.bytes, { timeout: 10_000 }).toBeGreaterThan(0);
  await gate.revoke(id);
  await mix.closed();
  await mix.turns(3);
  expect(written.bytes).toBe(0);
  expect(gate.postern.gateway.inFlight).toBe(0);
});
