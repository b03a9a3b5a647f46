// A revoke while the client goes on sending: the upload stops at once, and the client's connection is over. Whether the
// 403 is read before the reset depends on the client's own buffers.
import { describe, expect, it } from 'vitest';
import { startGate } from '../support/gate.ts';
import { dial, headFor } from '../support/gate-traffic.ts';
import { startRawUpstream } from '../support/upstream-wire.ts';

const BLOCK = Buffer.alloc(64 * 1024, 'x');

describe('a revoke with a client that goes on uploading', () => {
  it('forwards nothing more, and closes the connection', async () => {
    await using upstream = await startRawUpstream((wire) => {
      wire.keep = false;
    });
    await using gate = await startGate({ upstreamPort: upstream.port });
    const grant = await gate.grant({});
    using client = await dial(gate);
    client.send(await headFor(gate, 'POST /upload', ['Content-Length: 1000000000']));
    const more = (): void => {
      while (client.ending === null && !client.socket.destroyed && client.socket.write(BLOCK));
    };
    client.socket.on('drain', more);
    more();
    const wire = await upstream.next();
    await wire.until(() => wire.bytes > 1_000_000);
    await gate.revoke(grant.id);
    expect(await wire.closed).toBe('reset');
    const received = wire.bytes;
    expect(['end', 'reset']).toContain(await client.closed);
    expect(wire.bytes).toBe(received);
    expect(client.text).toMatch(/^(?:HTTP\/1\.1 403 |$)/);
  });
});
