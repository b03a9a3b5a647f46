// Class 20, UP01 and UP05 to UP07: what an upgrade can smuggle. Bytes before the 101 in either direction, a 101 that
// answers another key, an upstream that refuses; and that an open tunnel is cut with 4403 and a reset on both sides.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { acceptKeyOf } from '#upstream/upgrade-response.ts';
import { selfSigned } from '../support/upstream-certificate.ts';
import { startGate } from '../support/upstream-exchange.ts';
import { openClient, request, startRawUpstream, type Wire } from '../support/upstream-wire.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const HANDSHAKE = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  `Sec-WebSocket-Key: ${KEY}`,
];
const SWITCH = `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${acceptKeyOf(KEY)}\r\n`;
const pair = selfSigned();

async function accept(wire: Wire, more = ''): Promise<void> {
  await wire.seen('\r\n\r\n');
  wire.send(`${SWITCH}\r\n${more}`);
}

describe('the handshake', () => {
  it('reaches the upstream as judged: canonical path, managed headers ours, nothing of the hop but the upgrade', async () => {
    await using upstream = await startRawUpstream((wire) => accept(wire));
    await using gate = await startGate(upstream.url, {
      inject: [{ name: 'X-Support-User', template: '{principal.id}' }],
      configure: (x) => {
        x.upstreamPath = "/ws/a%7Cb?q='%41'";
      },
    });
    using client = await openClient(gate.port);
    client.send(
      request('/ws', [...HANDSHAKE, 'X-Support-User: root', 'HTTP2-Settings: x', 'Origin: https://app.test']),
    );
    expect(await client.seen('\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 101 Switching Protocols\r\nConnection: Upgrade\r\n/,
    );
    const sent = (upstream.wires[0]?.text ?? '').trim().split('\r\n');
    expect(sent[0]).toBe("GET /ws/a%7Cb?q='%41' HTTP/1.1");
    const headers = sent.slice(1).map((line) => line.toLowerCase());
    expect(headers.toSorted()).toEqual(
      [
        'host: app.test',
        'connection: upgrade',
        'upgrade: websocket',
        'sec-websocket-version: 13',
        `sec-websocket-key: ${KEY.toLowerCase()}`,
        'origin: https://app.test',
        'x-request-id: 0190a000-0000-7000-8000-000000000001',
        'x-forwarded-for: 127.0.0.1',
        'x-forwarded-proto: http',
        'x-forwarded-host: app.test',
        'via: 1.1 postern',
        'x-support-user: alice',
      ].toSorted(),
    );
    const x = await gate.next();
    expect(x.kind).toBe('websocket');
    expect(x.calls).toEqual({ handedOver: 1, started: [101], failed: [], ended: [] });
  });

  it('answers with what was checked and nothing of the upstream\u2019s hop', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.send(`${SWITCH}Alt-Svc: h3\r\nSet-Cookie: __Host-postern=x\r\nSec-WebSocket-Protocol: v1\r\n\r\n`);
    });
    await using gate = await startGate(upstream.url);
    using client = await openClient(gate.port);
    client.send(request('/ws', HANDSHAKE));
    expect(await client.seen('\r\n\r\n')).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        `sec-websocket-accept: ${acceptKeyOf(KEY)}\r\nsec-websocket-protocol: v1\r\n\r\n`,
    );
  });

  it.each([
    ['another key', SWITCH.replace(/Accept: .*/, `Accept: ${acceptKeyOf('another')}`)],
    ['no accept key', SWITCH.replace(/Sec-WebSocket-Accept: .*\r\n/, '')],
    ['another protocol', SWITCH.replace('Upgrade: websocket', 'Upgrade: h2c')],
    ['two accept keys', `${SWITCH}Sec-WebSocket-Accept: x\r\n`],
    ['a transfer coding', `${SWITCH}Transfer-Encoding: gzip\r\n`],
  ])('that the upstream answers with %s is a 502, and its bytes go nowhere', async (_name, head) => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.send(`${head}\r\nsecret`);
    });
    await using gate = await startGate(upstream.url);
    using client = await openClient(gate.port);
    client.send(request('/ws', HANDSHAKE));
    await client.closed;
    expect(client.text).toMatch(/^HTTP\/1\.1 502 [^]*upstream_bad_response/);
    expect(client.text).not.toContain('secret');
    const x = await gate.next();
    expect(x.calls.failed).toEqual([{ reason: 'upstream_bad_response', endedBy: 'fault' }]);
    await upstream.wires[0]?.closed;
  });

  it('followed by bytes before the 101 is refused, and they do not reach the upstream', async () => {
    await using upstream = await startRawUpstream();
    await using gate = await startGate(upstream.url);
    using client = await openClient(gate.port);
    client.send(request('/ws', HANDSHAKE));
    const wire = await upstream.next();
    await wire.seen('\r\n\r\n');
    client.send(request('/exports'));
    await client.closed;
    expect(client.text).toMatch(/^HTTP\/1\.1 400 [^]*bad_framing/);
    await wire.closed;
    expect(wire.text).not.toContain('/exports');
    expect((await gate.next()).calls.failed).toEqual([{ reason: 'bad_framing', endedBy: 'client' }]);
  });

  it.each([
    ['200', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-Postern-A: 1\r\n\r\nplain'],
    [
      '401',
      'HTTP/1.1 401 Unauthorized\r\nTransfer-Encoding: chunked\r\nAlt-Svc: h3\r\n\r\n5\r\nplain\r\n0\r\n\r\n',
    ],
    ['426', 'HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\n\r\nplain'],
  ])('refused with %s is relayed as HTTP and the connection ends', async (status, response) => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      if (status === '426') wire.socket.end(response);
      else wire.send(response);
    });
    await using gate = await startGate(upstream.url);
    using client = await openClient(gate.port);
    client.send(request('/ws', HANDSHAKE));
    expect(await client.closed).toBe('end');
    expect(client.text).toMatch(
      new RegExp(`^HTTP/1\\.1 ${status} .*\\r\\nConnection: close\\r\\n[^]*\\r\\nplain$`),
    );
    expect(client.text.toLowerCase()).not.toMatch(/alt-svc|x-postern|transfer-encoding/);
    const x = await gate.next();
    await x.over;
    expect(x.calls).toEqual({ handedOver: 1, started: [Number(status)], failed: [], ended: ['upstream'] });
    expect(x.kind).toBe('http');
  });

  it('refused with a truncated answer resets the client', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      await wire.seen('\r\n\r\n');
      wire.socket.end('HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf');
    });
    await using gate = await startGate(upstream.url);
    using client = await openClient(gate.port);
    client.send(request('/ws', HANDSHAKE));
    expect(await client.closed).toBe('reset');
  });

  it('that nobody answers is a 504, and one that nobody hears a 502', async () => {
    const silent = await startRawUpstream();
    await using gate = await startGate(silent.url, {
      configure: (x) => {
        x.headersTimeoutMs = 300;
      },
    });
    for (const expected of [
      /^HTTP\/1\.1 504 [^]*upstream_timeout/,
      /^HTTP\/1\.1 502 [^]*upstream_unreachable/,
    ]) {
      using client = await openClient(gate.port);
      client.send(request('/ws', HANDSHAKE));
      await client.closed;
      expect(client.text).toMatch(expected);
      await silent[Symbol.asyncDispose]();
    }
  });

  it('whose authority ended before the connection was made is not sent', async () => {
    await using upstream = await startRawUpstream();
    await using gate = await startGate(upstream.url, {
      configure: (x) => {
        x.lost = 'revoked';
      },
    });
    using client = await openClient(gate.port);
    client.send(request('/ws', HANDSHAKE));
    await client.closed;
    expect(client.text).toMatch(/^HTTP\/1\.1 403 /);
    const wire = await upstream.next();
    await wire.closed;
    expect(wire.text).toBe('');
  });
});

describe.each([
  ['plain', undefined],
  ['TLS', pair],
])('an open tunnel over %s', (_name, tls) => {
  const trust = { tls: { ca: pair.cert, dangerouslySkipTlsVerify: false } };
  const options = tls === undefined ? trust : { ...trust, listenTls: tls };

  it('carries bytes both ways, those that came with the 101 too, and counts them', async () => {
    await using upstream = await startRawUpstream((wire) => accept(wire, '\x81\x02hi'), tls);
    await using gate = await startGate(upstream.url, options);
    using client = await openClient(gate.port, tls !== undefined);
    client.send(request('/ws', HANDSHAKE));
    await client.seen('\x81\x02hi');
    client.send('\x81\x83mask\x00\x01\x02');
    const wire = await upstream.next();
    await wire.seen('\x81\x83mask\x00\x01\x02');
    const x = await gate.next();
    expect([x.bytesIn, x.bytesOut]).toEqual([9, 4]);
  });

  it('is cut with a close frame 4403 to both and reset on both sides', async () => {
    await using upstream = await startRawUpstream((wire) => accept(wire, '\x81\x02hi'), tls);
    await using gate = await startGate(upstream.url, options);
    using client = await openClient(gate.port, tls !== undefined);
    client.send(request('/ws', HANDSHAKE));
    await client.seen('hi');
    client.send('\x81\x80mask');
    const wire = await upstream.next();
    await wire.seen('mask');
    const x = await gate.next();
    x.transfer?.cut('revoked');
    expect(x.calls.ended).toEqual(['revoked']);
    expect(await client.closed).toBe('reset');
    expect(client.text.endsWith('hi\x88\x09\x11\x33revoked')).toBe(true);
    expect(await wire.closed).toBe('reset');
    expect(wire.text).toMatch(/mask\x88\x89/);
  });

  it('is cut without a close frame where it would land inside a frame', async () => {
    await using upstream = await startRawUpstream(
      (wire) => accept(wire, '\x82\x7e\x10\x00half of a frame'),
      tls,
    );
    await using gate = await startGate(upstream.url, options);
    using client = await openClient(gate.port, tls !== undefined);
    client.send(request('/ws', HANDSHAKE));
    await client.seen('half of a frame');
    (await gate.next()).transfer?.cut('revoked');
    expect(await client.closed).toBe('reset');
    expect(client.text.endsWith('half of a frame')).toBe(true);
  });

  it('ends cleanly with either side and is reset when either side resets', async () => {
    await using upstream = await startRawUpstream((wire) => accept(wire, '\x81\x02hi'), tls);
    await using gate = await startGate(upstream.url, options);
    const open = async () => {
      const client = await openClient(gate.port, tls !== undefined);
      client.send(request('/ws', HANDSHAKE));
      await client.seen('hi');
      return { client, wire: await upstream.next(), x: await gate.next() };
    };
    const byUpstream = await open();
    byUpstream.wire.socket.end('\x81\x03bye');
    expect(await byUpstream.client.closed).toBe('end');
    expect(byUpstream.client.text.endsWith('bye')).toBe(true);
    await byUpstream.x.over;
    expect(byUpstream.x.calls.ended).toEqual(['upstream']);

    const byClient = await open();
    byClient.client.socket.end();
    expect(await byClient.wire.closed).toBe('end');
    await byClient.client.closed;

    if (tls !== undefined) return;
    const resetByUpstream = await open();
    resetByUpstream.wire.socket.resetAndDestroy();
    expect(await resetByUpstream.client.closed).toBe('reset');
    expect(resetByUpstream.x.calls.ended).toEqual(['fault']);

    const resetByClient = await open();
    resetByClient.client.socket.resetAndDestroy();
    expect(await resetByClient.wire.closed).toBe('reset');
  });
});

describe('a real WebSocket client and server', () => {
  it('talk, in large messages, and the client learns of a cut by its close code', async () => {
    const http = createServer();
    const server = new WebSocketServer({ server: http });
    server.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    await using gate = await startGate(`http://127.0.0.1:${(http.address() as AddressInfo).port}`);
    const client = new WebSocket(`ws://127.0.0.1:${gate.port}/ws`);
    await new Promise((resolve) => client.once('open', resolve));
    const message = Buffer.alloc(3 * 1024 * 1024, 7);
    client.send(message);
    const [echo] = await new Promise<Buffer[]>((resolve) =>
      client.once('message', (data) => resolve([data as Buffer])),
    );
    expect(echo?.equals(message)).toBe(true);
    const closed = new Promise<unknown[]>((resolve) => {
      client.once('close', (code: number, reason: Buffer) => resolve([code, reason.toString()]));
    });
    client.on('error', () => undefined);
    (await gate.next()).transfer?.cut('locked');
    expect(await closed).toEqual([4403, 'locked']);
    server.close();
    await new Promise((resolve) => http.close(resolve));
  });
});
