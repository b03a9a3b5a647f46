// FR15: pipelined requests are judged one by one, each when the one before it has ended, and only so many wait.
import { describe, expect, it } from 'vitest';
import { startGate } from '../support/gate.ts';
import { dial, headFor, HELLO } from '../support/gate-traffic.ts';
import { startAnswering, startRawUpstream } from '../support/upstream-wire.ts';

describe('pipelined requests', () => {
  it('are answered in order, each by its own verdict', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await startGate({ upstreamPort: upstream.port });
    await gate.grant({});
    using client = await dial(gate);
    const paths = ['/a', '/exports/1', '/b', '/exports/2', '/c'];
    const heads = await Promise.all(
      paths.map((path, index) => headFor(gate, `GET ${path}`, index === 4 ? ['Connection: close'] : [])),
    );
    client.send(heads.join(''));
    await client.closed;
    expect(client.text.match(/HTTP\/1\.1 \d+/g)).toEqual(
      [200, 403, 200, 403, 200].map((status) => `HTTP/1.1 ${status}`),
    );
    const sent = upstream.wires.map((wire) => wire.text).join('');
    expect(sent.match(/GET \S+/g)).toEqual(['GET /a', 'GET /b', 'GET /c']);
  });

  it('are judged after the one before them has ended, so that a revoke in between holds', async () => {
    await using upstream = await startRawUpstream();
    await using gate = await startGate({ upstreamPort: upstream.port });
    const only = (id: string) => ({ audience: { principals: [{ issuer: gate.workforce.issuer, id }] } });
    await gate.grant(only('sam'));
    const revoked = await gate.grant(only('lena'));
    const lena = await gate.staffToken({ sub: 'lena' });
    using client = await dial(gate);
    client.send(
      (await headFor(gate, 'GET /first')) +
        (await headFor(gate, 'GET /second', [], lena)) +
        (await headFor(gate, 'GET /third')),
    );
    const wire = await upstream.next();
    await wire.seen('/first');
    await gate.revoke(revoked.id);
    wire.send(HELLO);
    await wire.seen('/third');
    wire.send(HELLO);
    await client.until(() => client.text.split('hello').length === 3 || client.ending !== null);
    expect(client.text.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 403', 'HTTP/1.1 200']);
    expect(wire.text).not.toContain('/second');
  });

  it('end with the connection that a revoke resets, and are not forwarded after it', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.send('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegin');
    });
    await using gate = await startGate({ upstreamPort: upstream.port });
    const only = (id: string) => ({ audience: { principals: [{ issuer: gate.workforce.issuer, id }] } });
    const revoked = await gate.grant(only('sam'));
    await gate.grant(only('lena'));
    using client = await dial(gate);
    client.send(
      (await headFor(gate, 'GET /first')) +
        (await headFor(gate, 'DELETE /second', [], await gate.staffToken({ sub: 'lena' }))),
    );
    await client.seen('begin');
    await gate.revoke(revoked.id);
    expect(await client.closed).toBe('reset');
    expect(await (await upstream.next()).closed).toBe('reset');
    expect(upstream.wires).toHaveLength(1);
    const ends = () => gate.journal().filter((line) => line['k'] === 'done' || line['k'] === 'refused');
    await expect.poll(() => ends().length, { timeout: 10_000 }).toBe(2);
    expect(ends().map((line) => line['endedBy'])).toEqual(expect.arrayContaining(['revoked', 'client']));
    expect(upstream.wires[0]?.text).not.toContain('/second');
  });

  it('past a bounded number close the connection; each has its record, and one reached the upstream', async () => {
    await using upstream = await startRawUpstream();
    await using gate = await startGate({ upstreamPort: upstream.port });
    await gate.grant({});
    using client = await dial(gate);
    const head = await headFor(gate, 'GET /deep');
    client.send(await headFor(gate, 'GET /deep'));
    await (await upstream.next()).seen('\r\n\r\n');
    client.send(head.repeat(99));
    expect(['end', 'reset']).toContain(await client.closed);
    const recorded = () =>
      gate
        .journal()
        .filter((line) => line['k'] === 'intent' || line['k'] === 'refused' || line['k'] === 'summed');
    await expect
      .poll(
        () => recorded().reduce((sum, line) => sum + (line['k'] === 'summed' ? Number(line['count']) : 1), 0),
        { timeout: 10_000 },
      )
      .toBe(100);
    expect(upstream.wires).toHaveLength(1);
    expect(upstream.wires[0]?.text.match(/GET \/deep/g)).toHaveLength(1);
  });
});
