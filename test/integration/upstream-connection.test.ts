// One connection to the upstream at a time: when it is used again, when it is not, and what happens while it is idle.
// Class 21: whatever comes over an idle connection is nobody's answer; nothing is ever sent twice.
import { describe, expect, it } from 'vitest';
import { startGate } from '../support/upstream-exchange.ts';
import { exchange, openClient, request, startAnswering, startRawUpstream } from '../support/upstream-wire.ts';

const HEAD = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n';
const OK = `${HEAD}\r\nok`;
const MIB = 1024 * 1024;

describe('a connection', () => {
  it.each([
    ['after a length', OK, 1],
    ['after chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n', 1],
    ['that stays open for 5 s', `${HEAD}Keep-Alive: timeout=5\r\n\r\nok`, 1],
    ['that stays open for 1 s', `${HEAD}Keep-Alive: timeout=1\r\n\r\nok`, 2],
    ['that is to be closed', `${HEAD}Connection: close\r\n\r\nok`, 2],
    ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\nConnection: keep-alive\r\n\r\nok', 2],
  ])('%s serves two requests over %#', async (_name, response, connections) => {
    await using upstream = await startAnswering(response);
    await using gate = await startGate(upstream.url);
    for (const path of ['/1', '/2']) {
      expect(await exchange(gate.port, request(path), 'ok')).toContain('ok');
      await (await gate.next()).over;
    }
    expect(upstream.wires).toHaveLength(connections);
  });

  it('is closed a second before the upstream said it would', async () => {
    await using upstream = await startAnswering(`${HEAD}Keep-Alive: timeout=2\r\n\r\nok`);
    await using gate = await startGate(upstream.url);
    await exchange(gate.port, request('/'), 'ok');
    const before = performance.now();
    expect(await (await upstream.next()).closed).toBe('end');
    expect(performance.now() - before).toBeLessThan(2000);
  });

  it('that the upstream ended or reset while it was idle is replaced, and nothing surfaces', async () => {
    await using upstream = await startAnswering(OK);
    await using gate = await startGate(upstream.url, { connections: 1 });
    for (const how of ['end', 'resetAndDestroy', 'destroy'] as const) {
      expect(await exchange(gate.port, request('/'), 'ok')).toContain('ok');
      const wire = await upstream.next();
      wire.socket[how]();
      await wire.closed;
    }
    expect(await exchange(gate.port, request('/'), 'ok')).toContain('ok');
    expect(gate.exchanges.map((x) => x.upstreamError)).toEqual([null, null, null, null]);
  });

  it('that breaks after the request was sent is no reason to send it again', async () => {
    const seen: string[] = [];
    await using upstream = await startRawUpstream((wire) => {
      wire.socket.on('data', (chunk: Buffer) => {
        seen.push(chunk.toString('latin1').split(' ')[1] as string);
        if (seen.length === 1) wire.send(OK);
        else wire.socket.resetAndDestroy();
      });
    });
    await using gate = await startGate(upstream.url);
    expect(await exchange(gate.port, request('/1'), 'ok')).toContain('ok');
    expect(await exchange(gate.port, request('/2'), 'reason')).toContain('upstream_unreachable');
    expect(seen).toEqual(['/1', '/2']);
  });

  it.each([
    ['bytes', 'x'],
    ['a response', 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil'],
    ['an interim response', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
  ])('that sends %s while idle is destroyed', async (_name, text) => {
    // Its own idle limit would close it too, in time.
    await using upstream = await startAnswering(`${HEAD}Keep-Alive: timeout=300\r\n\r\nok`);
    await using gate = await startGate(upstream.url);
    await exchange(gate.port, request('/1'), 'ok');
    const wire = await upstream.next();
    wire.send(text);
    await wire.closed;
    const second = await exchange(gate.port, request('/2'), 'ok');
    expect(second).not.toMatch(/evil|HTTP\/1\.1 103/);
    expect(upstream.wires).toHaveLength(2);
  });
});

describe('an upload', () => {
  it('answered in its middle is relayed, and its connection is not used again', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('/up');
      await wire.seen('begin');
      wire.send(OK);
    });
    await using gate = await startGate(upstream.url);
    using client = await openClient(gate.port);
    client.send(`${request('/up', ['Transfer-Encoding: chunked'], 'POST')}5\r\nbegin\r\n`);
    expect(await client.seen('ok')).toMatch(/^HTTP\/1\.1 200 /);
    const wire = await upstream.next();
    await wire.closed;
    expect(wire.text).not.toContain('0\r\n\r\n');
    const x = await gate.next();
    expect(x.calls).toMatchObject({ failed: [], ended: ['upstream'] });
  });

  it('is not read faster than the upstream takes it', async () => {
    const total = 128 * MIB;
    await using upstream = await startRawUpstream((wire) => {
      wire.keep = false;
      wire.socket.once('data', () => wire.socket.pause());
    });
    await using gate = await startGate(upstream.url);
    using client = await openClient(gate.port);
    client.send(request('/up', [`Content-Length: ${total}`], 'POST'));
    const wire = await upstream.next();
    const block = Buffer.alloc(MIB);
    let sent = 0;
    const more = (): void => {
      while (sent < total) {
        sent += MIB;
        if (!client.socket.write(block)) return void client.socket.once('drain', more);
      }
    };
    more();
    const x = await gate.next();
    await expect.poll(() => x.req.isPaused(), { timeout: 10_000 }).toBe(true);
    expect(x.bytesIn).toBeLessThan(total);
    wire.socket.resume();
    await wire.until(() => wire.bytes >= total);
    wire.send(OK);
    await client.seen('ok');
    expect(x.bytesIn).toBe(total);
  });
});
