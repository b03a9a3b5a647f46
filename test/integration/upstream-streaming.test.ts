import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startGate } from '../support/upstream-exchange.ts';
import { exchange, openClient, request, startAnswering, startRawUpstream } from '../support/upstream-wire.ts';

const MIB = 1024 * 1024;
const TOTAL = 256 * MIB;
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('streaming', () => {
  it('moves 256 MiB each way in memory that does not grow with them', async () => {
    const block = Buffer.alloc(MIB);
    let received = 0;
    const http = createServer((req, res) => {
      if (req.method === 'GET') {
        res.writeHead(200, { 'Content-Length': TOTAL });
        let left = TOTAL / MIB;
        const more = (): void => {
          while (left > 0) {
            left--;
            if (!res.write(block)) return void res.once('drain', more);
          }
          res.end();
        };
        more();
        return;
      }
      req.on('data', (chunk: Buffer) => {
        received += chunk.length;
      });
      req.on('end', () => res.end('done'));
    });
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    await using gate = await startGate(`http://127.0.0.1:${(http.address() as AddressInfo).port}`);
    let peak = 0;
    const sample = setInterval(() => {
      peak = Math.max(peak, process.memoryUsage().arrayBuffers);
    }, 5);
    using down = await openClient(gate.port);
    down.keep = false;
    down.send(request('/down'));
    await down.until(() => down.bytes > TOTAL);
    using up = await openClient(gate.port);
    up.send(request('/up', [`Content-Length: ${TOTAL}`], 'POST'));
    for (let sent = 0; sent < TOTAL; sent += MIB) {
      if (!up.socket.write(block)) await new Promise((resolve) => up.socket.once('drain', resolve));
    }
    await up.seen('done');
    clearInterval(sample);
    expect(received).toBe(TOTAL);
    expect(gate.exchanges.map((x) => [x.bytesIn, x.bytesOut])).toEqual([
      [0, TOTAL],
      [TOTAL, 4],
    ]);
    // Generous: what lies in Node's and the kernel's buffers of three parties in one process, garbage included.
    expect(peak).toBeLessThan(TOTAL / 2);
    await new Promise((resolve) => http.close(resolve));
  });

  it('does not read from the upstream what the client does not take', async () => {
    const block = Buffer.alloc(MIB);
    let written = 0;
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.send(`HTTP/1.1 200 OK\r\nContent-Length: ${TOTAL}\r\n\r\n`);
      const more = (): void => {
        while (written < TOTAL) {
          written += MIB;
          if (!wire.socket.write(block)) return void wire.socket.once('drain', more);
        }
      };
      more();
    });
    await using gate = await startGate(upstream.url);
    using client = await openClient(gate.port);
    client.keep = false;
    client.send(request('/down'));
    await client.until(() => client.bytes > 0);
    client.socket.pause();
    const x = await gate.next();
    await expect.poll(() => x.res.writableNeedDrain, { timeout: 10_000 }).toBe(true);
    const stuckAt = x.bytesOut;
    expect(stuckAt).toBeLessThan(TOTAL);
    client.socket.resume();
    await client.until(() => client.bytes > TOTAL);
    await x.over;
    expect(x.bytesOut).toBe(TOTAL);
  });

  it('hands events on as they come, without any idle limit', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.send('HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\n');
    });
    await using gate = await startGate(upstream.url, {
      configure: (x) => {
        x.idleTimeoutMs = 250;
        x.headersTimeoutMs = 250;
      },
    });
    using client = await openClient(gate.port);
    client.send(request('/events'));
    await client.seen('\r\n\r\n');
    const wire = await upstream.next();
    // Longer than both limits: what is awaited is the time itself.
    await new Promise((resolve) => setTimeout(resolve, 600));
    wire.send('data: 1\n\n');
    await client.seen('data: 1');
    const x = await gate.next();
    expect(x.kind).toBe('event_stream');
    expect(x.calls.started).toEqual([200]);
    wire.socket.end();
    await x.over;
    expect(x.calls.ended).toEqual(['upstream']);
  });
});

describe('a body on its way up', () => {
  it('that grows past its limit is refused with 413 and the upstream is reset', async () => {
    await using upstream = await startRawUpstream();
    await using gate = await startGate(upstream.url, {
      configure: (x) => {
        x.maxBodyBytes = 8;
      },
    });
    using client = await openClient(gate.port);
    client.send(`${request('/up', ['Transfer-Encoding: chunked'], 'POST')}5\r\nbegin\r\n`);
    const wire = await upstream.next();
    await wire.seen('begin');
    client.send('5\r\nmores\r\n');
    expect(await client.seen('reason')).toMatch(/^HTTP\/1\.1 413 [^]*body_too_large/);
    expect(await wire.closed).toBe('reset');
    expect(wire.text).not.toContain('mores');
    expect((await gate.next()).calls.failed).toEqual([{ reason: 'body_too_large', endedBy: 'limit' }]);
  });

  it('that stops half-way is refused with 408', async () => {
    await using upstream = await startRawUpstream();
    await using gate = await startGate(upstream.url, {
      configure: (x) => {
        x.idleTimeoutMs = 300;
      },
    });
    const text = await exchange(gate.port, `${request('/up', ['Content-Length: 10'], 'POST')}half`, 'reason');
    expect(text).toMatch(/^HTTP\/1\.1 408 [^]*request_timeout/);
    expect(await upstream.wires[0]?.closed).toBe('reset');
  });

  it('answered before it is complete ends with the answer and closes the client\u2019s connection', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('begin');
      wire.send('HTTP/1.1 401 Unauthorized\r\nContent-Length: 5\r\n\r\nearly');
    });
    await using gate = await startGate(upstream.url);
    using client = await openClient(gate.port);
    client.send(`${request('/up', ['Content-Length: 1000'], 'POST')}begin`);
    expect(await client.seen('early')).toMatch(/^HTTP\/1\.1 401 [^]*Connection: close\r\n/);
    await client.closed;
    expect((await gate.next()).calls.ended).toEqual(['upstream']);
    await upstream.wires[0]?.closed;
  });

  it('whose client goes away takes the upstream\u2019s connection with it', async () => {
    await using upstream = await startRawUpstream();
    await using gate = await startGate(upstream.url);
    using client = await openClient(gate.port);
    client.send(`${request('/up', ['Content-Length: 1000'], 'POST')}begin`);
    const wire = await upstream.next();
    await wire.seen('begin');
    client.socket.destroy();
    expect(await wire.closed).toBe('reset');
    expect((await gate.next()).calls).toEqual({ handedOver: 1, started: [], failed: [], ended: [] });
  });
});

describe('a client that goes away', () => {
  it('in the middle of a response takes the upstream\u2019s connection with it', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.send('HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nbegin');
    });
    await using gate = await startGate(upstream.url);
    using client = await openClient(gate.port);
    client.send(request('/down'));
    await client.seen('begin');
    client.socket.destroy();
    expect(await (await upstream.next()).closed).toBe('reset');
  });
});

describe('connections to the upstream', () => {
  it('are never more than configured; the rest waits its turn, a bounded number of it', async () => {
    await using upstream = await startAnswering(OK);
    await using gate = await startGate(upstream.url, { connections: 2 });
    const texts = await Promise.all(
      Array.from({ length: 20 }, (_, i) => exchange(gate.port, request(`/${i}`), 'ok')),
    );
    expect(texts.every((text) => text.startsWith('HTTP/1.1 200 '))).toBe(true);
    expect(upstream.wires.length).toBeLessThanOrEqual(2);
  });

  it('are made anew when the upstream has closed them', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.socket.end(OK.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n'));
    });
    await using gate = await startGate(upstream.url, { connections: 1 });
    for (let i = 0; i < 3; i++) expect(await exchange(gate.port, request('/'), 'ok')).toContain('ok');
    expect(upstream.wires).toHaveLength(3);
  });
});
