// An upstream that is away, silent or talks nonsense: each has its status and reason, and one record.
import { describe, expect, it } from 'vitest';
import { type Gate, startGate } from '../support/gate.ts';
import { ask, dial, headFor, HELLO } from '../support/gate-traffic.ts';
import { startAnswering, startRawUpstream } from '../support/upstream-wire.ts';

function upstreamWith(port: number, more: Record<string, unknown>): Record<string, unknown> {
  const assertion = { audience: 'app', key: { fromFile: 'keys/assertion.pem' } };
  return { upstream: { url: `http://127.0.0.1:${port}`, assertion, ...more } };
}

/** Of the only request so far. */
async function lastEnd(gate: Gate): Promise<Record<string, unknown>> {
  await expect
    .poll(() => gate.journal().filter((line) => line['k'] === 'done'), { timeout: 10_000 })
    .toHaveLength(1);
  return gate.journal().find((line) => line['k'] === 'done') ?? {};
}

describe('an upstream', () => {
  it('that refuses connections is 502 upstream_unreachable, and the answer does not say where it is', async () => {
    const gone = await startAnswering(HELLO);
    const { port } = gone;
    await gone[Symbol.asyncDispose]();
    await using gate = await startGate({ upstreamPort: port });
    await gate.grant({});
    const refused = await ask(gate, 'GET /');
    expect(refused).toMatchObject({ status: 502, reason: 'upstream_unreachable' });
    expect(refused.body).not.toMatch(/127\.0\.0\.1|ECONN/);
    expect(await lastEnd(gate)).toMatchObject({
      code: 'upstream_unreachable',
      upstreamError: 'ECONNREFUSED',
      endedBy: 'fault',
    });
  });

  it('that does not answer in time is 504 upstream_timeout, and its connection is reset', async () => {
    await using upstream = await startRawUpstream();
    const timeouts = { connect: '1s', headers: '1s', idle: '1s' };
    await using gate = await startGate({
      upstreamPort: upstream.port,
      config: upstreamWith(upstream.port, { timeouts }),
    });
    await gate.grant({});
    expect(await ask(gate, 'GET /')).toMatchObject({ status: 504, reason: 'upstream_timeout' });
    expect(await (await upstream.next()).closed).toBe('reset');
    expect(await lastEnd(gate)).toMatchObject({ code: 'upstream_timeout', endedBy: 'timeout' });
  });

  it('that falls silent within a body is cut off on both sides', async () => {
    await using upstream = await startAnswering('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nbegin');
    const timeouts = { connect: '1s', headers: '1s', idle: '1s' };
    await using gate = await startGate({
      upstreamPort: upstream.port,
      config: upstreamWith(upstream.port, { timeouts }),
    });
    await gate.grant({});
    using client = await dial(gate);
    client.send(await headFor(gate, 'GET /'));
    await client.seen('begin');
    expect(await client.closed).toBe('reset');
    expect(await lastEnd(gate)).toMatchObject({ code: 'ok', endedBy: 'timeout' });
  });

  it.each([
    ['garbage', 'SSH-2.0-OpenSSH_9.9\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
    ['a head that ends early', 'HTTP/1.1 200 OK\r\nContent-Le'],
  ])('that answers with %s is 502 upstream_bad_response', async (_what, bytes) => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.socket.end(bytes, 'latin1');
    });
    await using gate = await startGate({ upstreamPort: upstream.port });
    await gate.grant({});
    expect(await ask(gate, 'GET /')).toMatchObject({ status: 502, reason: 'upstream_bad_response' });
    expect(await lastEnd(gate)).toMatchObject({ code: 'upstream_bad_response', endedBy: 'fault' });
  });
});
