// Law 5: when a cut returns, the exchange is over on both sides. Cut in every state an exchange can be in, with the
// reset seen at both raw peers, over TLS too, and with a last word where the protocol has a place for one.
import { describe, expect, it } from 'vitest';
import { selfSigned } from '../support/upstream-certificate.ts';
import { startGate } from '../support/upstream-exchange.ts';
import { openClient, request, startRawUpstream } from '../support/upstream-wire.ts';

const STREAM_HEAD =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n';
/** Not a head: it only shows that the connection has settled, TLS session tickets and all. */
const INTERIM = 'HTTP/1.1 102 Processing\r\n\r\n';
const pair = selfSigned();

function chunk(text: string): string {
  return `${text.length.toString(16)}\r\n${text}\r\n`;
}

describe.each([
  ['plain', undefined],
  ['TLS', pair],
])('a cut over %s', (_name, tls) => {
  const trust = { tls: { ca: pair.cert, dangerouslySkipTlsVerify: false } };
  const gateOptions = tls === undefined ? trust : { ...trust, listenTls: tls };

  it('before the head leaves the answer to the gateway and resets the upstream', async () => {
    await using upstream = await startRawUpstream(undefined, tls);
    await using gate = await startGate(upstream.url, gateOptions);
    using client = await openClient(gate.port, tls !== undefined);
    client.send(request('/long-poll'));
    const wire = await upstream.next();
    await wire.seen('\r\n\r\n');
    wire.send(INTERIM);
    await client.seen('102');
    const x = await gate.next();
    x.cut('revoked');
    expect(await client.seen('grant_revoked')).toContain('HTTP/1.1 403 ');
    expect(await wire.closed).toBe('reset');
    expect(x.calls).toEqual({ handedOver: 1, started: [], failed: [], ended: [] });
  });

  it('of an event stream says why in a last event and resets both', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.send(`${STREAM_HEAD}${chunk('data: 1\n\n')}`);
    }, tls);
    await using gate = await startGate(upstream.url, gateOptions);
    using client = await openClient(gate.port, tls !== undefined);
    client.send(request('/events'));
    await client.seen('data: 1');
    const x = await gate.next();
    expect(x.kind).toBe('event_stream');
    x.transfer?.cut('revoked');
    expect(x.calls.ended).toEqual(['revoked']);
    expect(await client.closed).toBe('reset');
    expect(client.text).toMatch(/event: postern\.ended\ndata: \{"reason":"revoked"\}\n\n\r\n$/);
    expect(await (await upstream.next()).closed).toBe('reset');
  });

  it('of a download resets both sides, never a clean end', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.send('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\nbegin');
    }, tls);
    await using gate = await startGate(upstream.url, gateOptions);
    using client = await openClient(gate.port, tls !== undefined);
    client.send(request('/download'));
    await client.seen('begin');
    const x = await gate.next();
    x.transfer?.cut('expired');
    expect(await client.closed).toBe('reset');
    expect(await (await upstream.next()).closed).toBe('reset');
    expect(x.calls.ended).toEqual(['expired']);
  });

  it('of a download that the client does not take resets both sides', async () => {
    const block = Buffer.alloc(1024 * 1024);
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.send('HTTP/1.1 200 OK\r\nContent-Length: 1000000000\r\n\r\n');
      const more = (): void => {
        while (!wire.socket.destroyed && wire.socket.write(block));
      };
      wire.socket.on('drain', more);
      more();
    }, tls);
    await using gate = await startGate(upstream.url, gateOptions);
    using client = await openClient(gate.port, tls !== undefined);
    client.keep = false;
    client.send(request('/download'));
    await client.until(() => client.bytes > 0);
    client.socket.pause();
    const x = await gate.next();
    await expect.poll(() => x.res.writableNeedDrain, { timeout: 10_000 }).toBe(true);
    x.transfer?.cut('locked');
    expect(await (await upstream.next()).closed).toBe('reset');
    expect(x.rawSocket.destroyed).toBe(true);
    client.socket.resume();
    expect(await client.closed).toBe('reset');
  });

  it('of an upload resets the upstream, and nothing more of the body is read', async () => {
    await using upstream = await startRawUpstream(undefined, tls);
    await using gate = await startGate(upstream.url, gateOptions);
    using client = await openClient(gate.port, tls !== undefined);
    client.send(`${request('/upload', ['Content-Length: 1000000000'], 'POST')}begin`);
    const wire = await upstream.next();
    await wire.seen('begin');
    wire.send(INTERIM);
    await client.seen('102');
    const x = await gate.next();
    const before = x.bytesIn;
    x.cut('revoked');
    client.send('more');
    expect(await wire.closed).toBe('reset');
    expect(await client.seen('grant_revoked')).toContain('HTTP/1.1 403 ');
    expect(x.bytesIn).toBe(before);
    expect(wire.text).not.toContain('more');
  });

  it('of an upload whose response has begun resets both', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('begin');
      wire.send('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nearly\r\n');
    }, tls);
    await using gate = await startGate(upstream.url, gateOptions);
    using client = await openClient(gate.port, tls !== undefined);
    client.send(`${request('/echo', ['Transfer-Encoding: chunked'], 'POST')}5\r\nbegin\r\n`);
    await client.seen('early');
    const x = await gate.next();
    x.transfer?.cut('narrowed');
    expect(await client.closed).toBe('reset');
    expect(await (await upstream.next()).closed).toBe('reset');
  });
});

describe('a cut', () => {
  it('of a request that waits for a connection never sends it', async () => {
    await using upstream = await startRawUpstream();
    await using gate = await startGate(upstream.url, { connections: 1 });
    using first = await openClient(gate.port);
    first.send(request('/first'));
    const wire = await upstream.next();
    await wire.seen('/first');
    await gate.next();
    using second = await openClient(gate.port);
    second.send(request('/second'));
    const x = await gate.next();
    x.cut('revoked');
    await second.seen('grant_revoked');
    wire.send('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst');
    await first.seen('first');
    // The connection is free and serves the next one: the cut one is not in between.
    using third = await openClient(gate.port);
    third.send(request('/third'));
    await wire.seen('/third');
    expect(wire.text).not.toContain('/second');
    expect(x.calls.handedOver).toBe(0);
  });

  it('of a request that waits for the connection to be made never sends it', async () => {
    await using upstream = await startRawUpstream();
    await using gate = await startGate(upstream.url, {
      configure: (x) => {
        // As a revoke between the record and the connection.
        queueMicrotask(() => queueMicrotask(() => x.cut('revoked')));
      },
    });
    using client = await openClient(gate.port);
    client.send(request('/parked'));
    await client.seen('grant_revoked');
    const wire = await upstream.next();
    await wire.closed;
    expect(wire.text).toBe('');
  });

  it('is made when the authority ended while the request waited, before a byte is written', async () => {
    await using upstream = await startRawUpstream();
    await using gate = await startGate(upstream.url, {
      configure: (x) => {
        x.lost = 'expired';
      },
    });
    using client = await openClient(gate.port);
    client.send(request('/late'));
    await client.seen('grant_expired');
    const x = await gate.next();
    expect(x.calls).toEqual({
      handedOver: 0,
      started: [],
      failed: [{ reason: 'grant_expired', endedBy: 'expired' }],
      ended: [],
    });
    const wire = await upstream.next();
    await wire.closed;
    expect(wire.text).toBe('');
  });

  it('says no last event within an event, nor on an encoded stream', async () => {
    let head = STREAM_HEAD;
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.send(head);
      wire.send(chunk(head === STREAM_HEAD ? 'data: half' : 'data: 1\n\n'));
    });
    await using gate = await startGate(upstream.url);
    for (const body of ['data: half', 'data: 1']) {
      using client = await openClient(gate.port);
      client.send(request('/events'));
      await client.seen(body);
      (await gate.next()).transfer?.cut('revoked');
      expect(await client.closed).toBe('reset');
      expect(client.text).not.toContain('postern.ended');
      head = STREAM_HEAD.replace('\r\n\r\n', '\r\nContent-Encoding: gzip\r\n\r\n');
    }
  });

  it('of an exchange that is over is ignored', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.send('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
    });
    await using gate = await startGate(upstream.url);
    using client = await openClient(gate.port);
    client.send(request('/'));
    await client.seen('ok');
    const x = await gate.next();
    await x.over;
    x.transfer?.cut('revoked');
    x.transfer?.clientGone();
    expect(x.calls.ended).toEqual(['upstream']);
    expect(x.rawSocket.destroyed).toBe(false);
  });
});
