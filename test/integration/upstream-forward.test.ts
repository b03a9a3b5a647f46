import { describe, expect, it } from 'vitest';
import { selfSigned } from '../support/upstream-certificate.ts';
import { startGate } from '../support/upstream-exchange.ts';
import { exchange, openClient, request, startAnswering, startRawUpstream } from '../support/upstream-wire.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello';

describe('a request with its response', () => {
  it('is relayed with the judged path, and the connection to the upstream is used again', async () => {
    await using upstream = await startAnswering(OK);
    await using gate = await startGate(upstream.url);
    using client = await openClient(gate.port);
    for (const path of ['/a', '/b?x=1']) {
      client.clear();
      client.send(request(path));
      expect(await client.seen('hello')).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
      await (await gate.next()).over;
    }
    expect(upstream.wires).toHaveLength(1);
    expect(upstream.wires[0]?.text).toContain('GET /b?x=1 HTTP/1.1\r\nhost: app.test\r\n');
    expect(gate.exchanges.map((x) => x.calls)).toEqual([
      { handedOver: 1, started: [200], failed: [], ended: ['upstream'] },
      { handedOver: 1, started: [200], failed: [], ended: ['upstream'] },
    ]);
    expect(gate.exchanges[0]?.bytesOut).toBe(5);
  });

  it('carries a body of known length with that length, and a chunked one chunked', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('hello');
      wire.send(OK);
      await wire.seen('0\r\n\r\n');
      wire.send(OK);
    });
    await using gate = await startGate(upstream.url);
    using client = await openClient(gate.port);
    client.send(`${request('/a', ['Content-Length: 5'], 'POST')}hello`);
    await client.seen('hello');
    client.clear();
    client.send(`${request('/b', ['Transfer-Encoding: chunked'], 'DELETE')}3;ext=1\r\nabc\r\n`);
    // Not before it is under way: a body that is all there gets a length.
    await upstream.wires[0]?.seen('abc');
    client.send('0\r\nX-Trailer: 1\r\n\r\n');
    await client.seen('hello');
    const sent = upstream.wires[0]?.text ?? '';
    expect(sent).toContain('POST /a HTTP/1.1');
    expect(sent).toMatch(/content-length: 5\r\n/);
    expect(sent).toMatch(/DELETE \/b HTTP\/1\.1[^]*transfer-encoding: chunked\r\n/);
    expect(sent).not.toMatch(/ext=1|X-Trailer/);
    expect(gate.exchanges.map((x) => x.bytesIn)).toEqual([5, 3]);
  });

  it('relays a chunked response chunk by chunk and one without a length until the connection ends', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n');
      wire.send('2\r\nde\r\n0\r\nX-Trailer: 1\r\n\r\n');
      await wire.seen('/open');
      wire.socket.end('HTTP/1.1 200 OK\r\n\r\nuntil the end');
    });
    await using gate = await startGate(upstream.url);
    const chunked = await exchange(gate.port, request('/chunked', ['Connection: close']), 'never');
    expect(chunked).toContain('0\r\n\r\n');
    expect(chunked).not.toContain('X-Trailer');
    expect(chunked.replaceAll(/\r\n[0-9a-f]+\r\n/g, '')).toContain('abcde');
    const open = await exchange(gate.port, request('/open', ['Connection: close']), 'never');
    expect(open).toContain('until the end\r\n0\r\n\r\n');
  });

  it('keeps HEAD, 204 and 304 without a body, lengths and all', async () => {
    await using upstream = await startAnswering((head) => {
      if (head.startsWith('HEAD')) return 'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n';
      if (head.includes('/204')) return 'HTTP/1.1 204 No Content\r\n\r\n';
      return 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\nContent-Length: 500\r\n\r\n';
    });
    await using gate = await startGate(upstream.url);
    const head = await exchange(gate.port, request('/h', ['Connection: close'], 'HEAD'), 'never');
    expect(head.toLowerCase()).toContain('content-length: 500');
    expect(head.endsWith('\r\n\r\n')).toBe(true);
    expect(await exchange(gate.port, request('/204', ['Connection: close']), 'never')).toMatch(
      /^HTTP\/1\.1 204 /,
    );
    const notModified = await exchange(gate.port, request('/304', ['Connection: close']), 'never');
    expect(notModified).toMatch(/^HTTP\/1\.1 304 /);
    expect(notModified.endsWith('\r\n\r\n')).toBe(true);
  });

  it('passes ranges and partial responses on', async () => {
    await using upstream = await startAnswering(
      'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-4/10\r\nContent-Length: 5\r\n\r\nhello',
    );
    await using gate = await startGate(upstream.url);
    const text = await exchange(gate.port, request('/f', ['Range: bytes=0-4']), 'hello');
    expect(text).toMatch(/^HTTP\/1\.1 206 [^]*content-range: bytes 0-4\/10\r\n/);
    expect(upstream.wires[0]?.text).toContain('Range: bytes=0-4\r\n');
  });

  it('relays interim responses to a client of HTTP/1.1 and keeps them from one of HTTP/1.0', async () => {
    await using upstream = await startAnswering(
      `HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\n\r\n${OK}`,
    );
    await using gate = await startGate(upstream.url);
    const modern = await exchange(gate.port, request('/'), 'hello');
    expect(modern).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nlink: <\/a\.css>; rel=preload\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
    );
    const old = await exchange(gate.port, 'GET / HTTP/1.0\r\nHost: app.test\r\n\r\n', 'hello');
    expect(old).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });

  it('sends the head of a slow body at once', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n');
    });
    await using gate = await startGate(upstream.url);
    using client = await openClient(gate.port);
    client.send(request('/slow'));
    await client.seen('\r\n\r\n');
    (await upstream.next()).send('hello');
    await client.seen('hello');
  });

  it('sends a body that was held for judging byte for byte', async () => {
    await using upstream = await startAnswering(OK);
    await using gate = await startGate(upstream.url, {
      configure: (x) => {
        x.heldBody = Buffer.from('a=1&b=2');
      },
    });
    await exchange(gate.port, request('/form', ['Content-Length: 7'], 'POST'), 'hello');
    expect(upstream.wires[0]?.text).toMatch(/content-length: 7\r\n\r\na=1&b=2$/);
  });

  it('reaches an upstream over TLS by its configured name, whatever the client calls it', async () => {
    const pair = selfSigned();
    await using secure = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.send(OK);
    }, pair);
    await using trusting = await startGate(secure.url, {
      tls: { ca: pair.cert, dangerouslySkipTlsVerify: false },
    });
    expect(await exchange(trusting.port, request('/'), 'hello')).toMatch(/^HTTP\/1\.1 200 /);
    await using doubting = await startGate(secure.url);
    expect(await exchange(doubting.port, request('/'), 'reason')).toMatch(/^HTTP\/1\.1 502 /);
    expect(doubting.exchanges[0]?.upstreamError).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    await using skipping = await startGate(secure.url, { tls: { ca: null, dangerouslySkipTlsVerify: true } });
    expect(await exchange(skipping.port, request('/'), 'hello')).toMatch(/^HTTP\/1\.1 200 /);
  });
});
