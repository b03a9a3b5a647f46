// A hostile or broken upstream (class 21, FR16, HB04, HS07): splitting, two lengths, floods, truncation, bytes after
// the end. Whatever it sends, no byte of one answer reaches another's client and no truncated body ends cleanly.
import { describe, expect, it } from 'vitest';
import { createResponseCleaner } from '#upstream/response-headers.ts';
import { startGate } from '../support/upstream-exchange.ts';
import { exchange, openClient, request, startAnswering, startRawUpstream } from '../support/upstream-wire.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

describe('a response that is not one', () => {
  it.each([
    ['both framings', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    [
      'both framings, the other way round',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n',
    ],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello'],
    ['two equal lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello'],
    ['a list of lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello'],
    ['a signed length', 'HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello'],
    ['gzip, chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n'],
    [
      'chunked twice',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'chunked hidden by a nomination',
      'HTTP/1.1 200 OK\r\nConnection: Transfer-Encoding\r\nTransfer-Encoding: gzip\r\n\r\n',
    ],
    ['an unasked 100', `HTTP/1.1 100 Continue\r\n\r\n${OK}`],
    [
      'an unasked 101',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ],
    ['a 101 to nothing', 'HTTP/1.1 101 Switching Protocols\r\n\r\n'],
    ['a flood of interim responses', 'HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(100) + OK],
    ['a bare CR in a header', 'HTTP/1.1 200 OK\r\nX-A: a\rb\r\nContent-Length: 2\r\n\r\nok'],
    ['a NUL in a header', 'HTTP/1.1 200 OK\r\nX-A: a\0b\r\nContent-Length: 2\r\n\r\nok'],
    ['a header without a colon', 'HTTP/1.1 200 OK\r\nX-A\r\nContent-Length: 2\r\n\r\nok'],
    ['a head without end', `HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(70_000)}\r\n\r\n`],
    ['no HTTP', 'SSH-2.0-OpenSSH_9\r\n'],
  ])('%s is a 502 and the connection is not used again', async (_name, response) => {
    await using upstream = await startAnswering(response);
    await using gate = await startGate(upstream.url);
    const text = await exchange(gate.port, request('/'), 'upstream_bad_response');
    expect(text).toMatch(/HTTP\/1\.1 502 [^]*\{"reason":"upstream_bad_response"\}$/);
    const x = await gate.next();
    expect(x.calls.failed).toEqual([{ reason: 'upstream_bad_response', endedBy: 'fault' }]);
    expect(x.upstreamError).toMatch(/^[A-Z_]+$/);
    await upstream.wires[0]?.closed;
  });

  it.each([
    ['a known length', 'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf', 'end'],
    ['chunked', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n', 'end'],
    ['a malformed chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nzz\r\n', 'stay'],
    ['until the end', 'HTTP/1.1 200 OK\r\n\r\nhalf', 'reset'],
  ])('truncated, with %s: the client\u2019s connection is reset', async (_name, response, how) => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.send(response);
    });
    await using gate = await startGate(upstream.url);
    using client = await openClient(gate.port);
    client.send(request('/'));
    const wire = await upstream.next();
    if (how !== 'stay') {
      await client.seen('half');
      if (how === 'end') wire.socket.end();
      else wire.socket.resetAndDestroy();
    }
    expect(await client.closed).toBe('reset');
    expect(client.text).not.toMatch(/\r\n0\r\n\r\n$/);
    const x = await gate.next();
    expect(x.calls.ended).toEqual(['fault']);
    expect(x.upstreamError).not.toBeNull();
  });

  it('bytes after the end destroy the connection and reach nobody', async () => {
    let first = true;
    await using upstream = await startAnswering(() => {
      const evil = first ? 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil' : '';
      first = false;
      return OK + evil;
    });
    await using gate = await startGate(upstream.url);
    expect(await exchange(gate.port, request('/1'), 'ok')).toContain('ok');
    await upstream.wires[0]?.closed;
    const second = await exchange(gate.port, request('/2'), 'ok');
    expect(second).toContain('ok');
    expect(second).not.toContain('evil');
    expect(upstream.wires).toHaveLength(2);
  });

  it('an unsolicited response on an idle connection destroys it', async () => {
    await using upstream = await startAnswering(OK);
    await using gate = await startGate(upstream.url);
    await exchange(gate.port, request('/1'), 'ok');
    const wire = await upstream.next();
    wire.send('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil');
    await wire.closed;
    expect(await exchange(gate.port, request('/2'), 'ok')).not.toContain('evil');
  });

  it('a body of a HEAD, 204 or 304 reaches nobody', async () => {
    await using upstream = await startAnswering((head) => {
      if (head.startsWith('HEAD')) return 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil';
      if (head.includes('/204')) return 'HTTP/1.1 204 No Content\r\nContent-Length: 4\r\n\r\nevil';
      if (head.includes('/304')) return 'HTTP/1.1 304 Not Modified\r\n\r\nevil';
      return OK;
    });
    await using gate = await startGate(upstream.url);
    for (const [method, target] of [
      ['HEAD', '/h'],
      ['GET', '/204'],
      ['GET', '/304'],
    ] as const) {
      expect(await exchange(gate.port, request(target, [], method), '\r\n\r\n')).not.toContain('evil');
      expect(await exchange(gate.port, request('/ok'), 'ok')).not.toContain('evil');
    }
  });

  it('is a 504 when its head does not come, and a reset when its body stops', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      if (wire.text.includes('/body')) wire.send('HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf');
    });
    await using gate = await startGate(upstream.url, {
      configure: (x) => {
        x.headersTimeoutMs = 300;
        x.idleTimeoutMs = 300;
      },
    });
    expect(await exchange(gate.port, request('/head'), 'reason')).toMatch(
      /^HTTP\/1\.1 504 [^]*upstream_timeout/,
    );
    expect((await gate.next()).calls.failed).toEqual([{ reason: 'upstream_timeout', endedBy: 'timeout' }]);
    using client = await openClient(gate.port);
    client.send(request('/body'));
    expect(await client.closed).toBe('reset');
    expect((await gate.next()).calls.ended).toEqual(['timeout']);
  });

  it('is a 502 when nobody listens and when the connection closes without an answer', async () => {
    const closing = await startRawUpstream((wire) => {
      wire.socket.once('data', () => wire.socket.end());
    });
    await using gate = await startGate(closing.url);
    expect(await exchange(gate.port, request('/'), 'reason')).toMatch(
      /^HTTP\/1\.1 502 [^]*upstream_unreachable/,
    );
    await closing[Symbol.asyncDispose]();
    expect(await exchange(gate.port, request('/'), 'reason')).toMatch(
      /^HTTP\/1\.1 502 [^]*upstream_unreachable/,
    );
    expect(gate.exchanges.map((x) => x.upstreamError)).toEqual(['SOCKET_CLOSED', 'ECONNREFUSED']);
  });
});

/** Name, value, name, value … as a parser reads them. */
function flat(headers: Record<string, string | string[]>): string[] {
  return Object.entries(headers).flatMap(([name, value]) => [value].flat().flatMap((line) => [name, line]));
}

describe('response headers', () => {
  const clean = createResponseCleaner({
    upstreamOrigin: 'http://10.0.0.1:3000',
    assertionHeader: 'X-Support-Assertion',
  });
  const client = { secure: true, host: 'app.test' };

  function cleaned(headers: Record<string, string | string[]>): readonly string[] {
    const head = clean(flat(headers), client);
    if (typeof head === 'string') throw new Error(head);
    return head.fields;
  }

  it('that frame the body twice are refused even where a parser let them through', () => {
    expect(clean(flat({ 'transfer-encoding': 'chunked', 'content-length': '5' }), client)).toBe(
      'BAD_CONTENT_LENGTH',
    );
    expect(clean(flat({ 'content-length': ['5', '5'] }), client)).toBe('BAD_CONTENT_LENGTH');
    expect(clean(flat({ 'transfer-encoding': ['chunked', 'chunked'] }), client)).toBe(
      'BAD_TRANSFER_ENCODING',
    );
  });

  it('that belong to the hop or were nominated are removed', () => {
    expect(
      cleaned({
        connection: 'close, Set-Cookie, X-Hop',
        'set-cookie': 'a=1',
        'x-hop': '1',
        'keep-alive': 'timeout=5',
        trailer: 'x',
        upgrade: 'h2c',
        'proxy-authenticate': 'Basic',
        'x-app': '1',
      }),
    ).toEqual(['x-app', '1']);
  });

  it('that lead around the gate, widen a worker or echo the assertion are removed', () => {
    expect(
      cleaned({
        'alt-svc': 'h3=":443"',
        'service-worker-allowed': '/',
        'x-support-assertion': 'eyJ',
        'x-postern-x': '1',
        etag: '"1"',
      }),
    ).toEqual(['etag', '"1"']);
  });

  it('set every cookie but ours, under every spelling of ours', () => {
    expect(
      cleaned({
        'set-cookie': [
          'sid=1; Path=/',
          '__Host-postern=x; Path=/',
          '__HOST-POSTERN=x',
          ' __Host-postern =x',
          '=__Host-postern=x',
          '__Host-other=1',
        ],
      }),
    ).toEqual(['set-cookie', 'sid=1; Path=/', 'set-cookie', '__Host-other=1']);
    expect(cleaned({ 'set-cookie': '__Host-postern=x' })).toEqual([]);
  });

  it('clear everything but the cookies', () => {
    expect(cleaned({ 'clear-site-data': '"cookies"' })).toEqual([]);
    expect(cleaned({ 'clear-site-data': '"cache", "cookies"' })).toEqual(['clear-site-data', '"cache"']);
    expect(cleaned({ 'clear-site-data': '"*"' })).toEqual(['clear-site-data', '"cache", "storage"']);
  });

  it.each([
    ['http://10.0.0.1:3000/a?b#c', 'https://app.test/a?b#c'],
    ['HTTP://10.0.0.1:3000', 'https://app.test/'],
    ['//10.0.0.1:3000/a', 'https://app.test/a'],
    ['http://user@10.0.0.1:3000/a', 'https://app.test/a'],
    ['/a', '/a'],
    ['a', 'a'],
    ['http://10.0.0.1:3001/a', 'http://10.0.0.1:3001/a'],
    ['http://10.0.0.1:3000.evil.test/', 'http://10.0.0.1:3000.evil.test/'],
    ['https://other.test/?u=http://10.0.0.1:3000/', 'https://other.test/?u=http://10.0.0.1:3000/'],
  ])('send %s to %s', (from, to) => {
    expect(cleaned({ location: from })).toEqual(['location', to]);
  });

  it('say whether a last word of ours may stand in the body: an event stream, of one type, not encoded', () => {
    const events = ['Content-Type', 'text/event-stream; charset=utf-8'];
    expect(clean(events, client)).toMatchObject({ eventStream: true, encoded: false });
    expect(clean([...events, 'Content-Encoding', 'gzip'], client)).toMatchObject({ encoded: true });
    expect(clean([...events, 'Content-Type', 'text/plain'], client)).toMatchObject({ eventStream: false });
    expect(clean(['content-type', 'text/plain', ...events], client)).toMatchObject({ eventStream: false });
  });

  it('send the client back by the scheme that it came by', () => {
    const plain = clean(['Location', 'http://10.0.0.1:3000/a'], { secure: false, host: 'app.test:8080' });
    expect(plain).toMatchObject({ fields: ['location', 'http://app.test:8080/a'] });
  });
});
