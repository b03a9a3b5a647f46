// Slowness as an attack: heads, bodies and handshakes that never end, readers that take nothing, connections that come and
// go. Each has a deadline, holds neither memory nor a connection to the upstream beyond it, is recorded once where it was a
// request, and whoever else comes is served meanwhile.
import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { type Gate, startGate } from '../support/gate.ts';
import { overTls, writeTlsPair } from '../support/gate-tls.ts';
import {
  ask,
  dial,
  ENDLESS,
  EVENT_STREAM,
  HANDSHAKE,
  headFor,
  HELLO,
  untilPublished,
} from '../support/gate-traffic.ts';
import { rulesText } from '../support/policy-sets.ts';
import { type RawConnection, rawConnect } from '../support/raw-client.ts';
import { startSessionGate } from '../support/session-gate.ts';
import { type RawUpstream, startAnswering, startRawUpstream, type Wire } from '../support/upstream-wire.ts';

const MANY = 200;
/** A second, on every route. */
const HASTY = `${rulesText([{ id: 'export.all', match: '{ paths: ["/exports/**"] }' }])}---
apiVersion: postern/v1
kind: RouteSettings
metadata: { name: hasty }
spec: { paths: ["/**"], timeouts: { idle: 1s } }
`;
const SWITCHING =
  'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n';
const FILLING = 'x'.repeat(64 * 1024);

function hastyGate(upstreamPort: number): Promise<Gate> {
  const perPrincipal = { concurrent: 'off', perSecond: 'off' };
  return startGate({
    upstreamPort,
    policy: HASTY,
    published: true,
    config: { limits: { headerTimeout: '1s', perPrincipal } },
  });
}

/** Writes as long as it is taken. */
async function pour(wire: Wire, head: string, piece: string): Promise<void> {
  await wire.seen('\r\n\r\n');
  wire.send(head);
  while (wire.ending === null) {
    if (!wire.socket.write(piece, 'latin1')) await Promise.race([once(wire.socket, 'drain'), wire.closed]);
  }
}

/** A client that sends its request, and from then on takes nothing. */
async function deafClient(
  gate: Gate,
  line: string,
  headers: readonly string[] = [],
): Promise<Wire & Disposable> {
  const client = await dial(gate);
  client.socket.pause();
  client.send(await headFor(gate, line, headers));
  return client;
}

/** How the gate took its leave of the one upstream connection that there was, and of the client. */
async function expectLetGo(gate: Gate, upstream: RawUpstream, path: string): Promise<void> {
  const wire = await upstream.next();
  expect(await wire.closed).toBe('reset');
  const records = await untilPublished(gate, (all) => endOf(all, path) !== undefined);
  const record = endOf(records, path);
  expect(record).toMatchObject({ endedBy: 'timeout' });
  // What the kernels of three sockets hold, and no more: had it been read on, it would have been without end.
  expect(record).toHaveProperty('http.bytesOut');
  expect((record as { http: { bytesOut: number } } | undefined)?.http.bytesOut).toBeLessThan(64 << 20);
}

function endOf(
  records: readonly Record<string, unknown>[],
  path: string,
): Record<string, unknown> | undefined {
  return records.find(
    (record) =>
      (record['http'] as { path?: string } | undefined)?.path === path &&
      record['endedBy'] !== undefined &&
      record['endedBy'] !== null,
  );
}

describe('a client that reads nothing', () => {
  it('of a download loses it, and the upstream its reader, once it has taken nothing for the idle time', async () => {
    await using upstream = await startRawUpstream((wire) => pour(wire, ENDLESS, FILLING));
    await using gate = await hastyGate(upstream.port);
    await gate.grant({});
    using _client = await deafClient(gate, 'GET /big');
    await expectLetGo(gate, upstream, '/big');
  });

  it('of an event stream loses it too, though a stream may be silent for as long as it likes', async () => {
    const event = `${FILLING.length.toString(16)}\r\n${FILLING}\r\n`;
    await using upstream = await startRawUpstream(async (wire) => {
      if ((await wire.seen('\r\n\r\n')).includes('/quiet')) wire.send(`${EVENT_STREAM}5\r\n: hi\n\r\n`);
      else await pour(wire, EVENT_STREAM, event);
    });
    await using gate = await hastyGate(upstream.port);
    await gate.grant({});
    using quiet = await dial(gate);
    quiet.send(await headFor(gate, 'GET /quiet'));
    await quiet.seen(': hi');
    const silent = await upstream.next();
    using _client = await deafClient(gate, 'GET /events');
    await expectLetGo(gate, upstream, '/events');
    expect([quiet.ending, silent.ending]).toEqual([null, null]);
    silent.send('6\r\n: you\n\r\n');
    await quiet.seen(': you');
  });

  it('of a WebSocket loses it too, though it may be silent for as long as it likes', async () => {
    const frame = `\x82\x7e\xff\xff${'x'.repeat(65_535)}`;
    await using upstream = await startRawUpstream(async (wire) => {
      if ((await wire.seen('\r\n\r\n')).includes('/quiet')) wire.send(SWITCHING);
      else await pour(wire, SWITCHING, frame);
    });
    await using gate = await hastyGate(upstream.port);
    await gate.grant({});
    using quiet = await dial(gate);
    quiet.send(await headFor(gate, 'GET /quiet', HANDSHAKE));
    await quiet.seen(' 101 ');
    const silent = await upstream.next();
    using _client = await deafClient(gate, 'GET /feed', HANDSHAKE);
    await expectLetGo(gate, upstream, '/feed');
    expect([quiet.ending, silent.ending]).toEqual([null, null]);
    silent.send('\x81\x02ho');
    await quiet.seen('\x81\x02ho');
  });

  it('of the gate’s own answers is closed once one has waited for the idle time', async () => {
    const closes: number[] = [];
    const metrics = { connectionClosed: () => void closes.push(1) };
    await using gate = await startSessionGate({ idleTimeoutMs: 1000, metrics });
    await using client = await rawConnect(gate.port);
    client.socket.pause();
    // Fewer at a time than may wait, again and again until the kernels are full of answers and one has to wait.
    const request = gate.bytes('GET /nobody', ['Accept: text/html']);
    for (let sent = 8; closes.length === 0; sent += 8) {
      client.write(request.repeat(8));
      while (gate.records.length < sent && closes.length === 0) await setImmediate();
    }
    expect(gate.records.length).toBeGreaterThan(100);
    expect(gate.upstream.requests).toEqual([]);
  }, 30_000);
});

async function gaugesOf(gate: Gate): Promise<string[]> {
  const text = await gate.metrics();
  return [...text.matchAll(/^postern_((?:connections_open|requests_in_flight) \d+)$/gm)]
    .map(([, one = '']) => one)
    .toSorted();
}

async function serve(gate: Gate): Promise<void> {
  expect((await ask(gate, 'GET /meanwhile')).status).toBe(200);
}

function hastyTls(upstreamPort: number): Promise<Gate> {
  const options = overTls(upstreamPort);
  return startGate({ ...options, config: { ...options.config, limits: { headerTimeout: '1s' } } });
}

describe('slow ones, two hundred at a time', () => {
  it('with their heads get 408 each, while others are served', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await hastyGate(upstream.port);
    await gate.grant({});
    const slow = await Promise.all(Array.from({ length: MANY }, () => rawConnect(gate.dataPort)));
    for (const client of slow) client.write('GET /slow HTTP/1.1\r\nHost: acme.app.test\r\nX-A: ');
    const dripping = setInterval(() => {
      for (const client of slow) client.write('a');
    }, 200);
    await serve(gate);
    await Promise.all(slow.map((client) => client.closed));
    clearInterval(dripping);
    expect(slow.filter((client) => !client.received().startsWith('HTTP/1.1 408 '))).toEqual([]);
    await serve(gate);
  }, 20_000);

  it('with their bodies get 408 each, and none keeps a connection to the upstream', async () => {
    await using upstream = await startRawUpstream(async (wire) => {
      if ((await wire.seen('\r\n\r\n')).includes('/meanwhile')) wire.send(HELLO);
    });
    await using gate = await hastyGate(upstream.port);
    await gate.grant({});
    const head = await headFor(gate, 'POST /upload', ['Content-Length: 100000']);
    const slow = await Promise.all(Array.from({ length: MANY }, () => rawConnect(gate.dataPort)));
    for (const client of slow) client.write(`${head}the beginning`);
    await Promise.all(slow.map((client) => client.closed));
    expect(slow.filter((client) => !client.received().startsWith('HTTP/1.1 408 '))).toEqual([]);
    const uploads = upstream.wires.filter(({ text }) => text.startsWith('POST /upload'));
    await Promise.all(uploads.map((wire) => wire.closed));
    await serve(gate);
  }, 20_000);

  it('that come and go with half a head leave nothing behind', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await hastyGate(upstream.port);
    await gate.grant({});
    for (let round = 0; round < 5; round++) {
      const clients: RawConnection[] = await Promise.all(
        Array.from({ length: MANY }, () => rawConnect(gate.dataPort)),
      );
      for (const client of clients) client.write('GET / HTTP/1.1\r\n');
      for (const client of clients) client.socket.resetAndDestroy();
      await serve(gate);
    }
    await expect
      .poll(() => gaugesOf(gate), { timeout: 10_000 })
      .toEqual(['connections_open 0', 'requests_in_flight 0']);
  }, 20_000);
});

describe('a TLS handshake', () => {
  it('that is never finished ends with the time for a head', async () => {
    await using upstream = await startAnswering(HELLO);
    await using gate = await hastyTls(upstream.port);
    const silent = await Promise.all(Array.from({ length: MANY }, () => rawConnect(gate.dataPort)));
    // The beginning of a client's hello.
    for (const client of silent.slice(0, MANY / 2)) client.write('\x16\x03\x01\x02');
    await Promise.all(silent.map((client) => client.closed));
    expect(gate.journal().filter(({ k }) => k === 'refused')).toEqual([]);
  }, 20_000);

  it.each(['with the first certificate', 'with a new one'])(
    'is not had again within a connection, %s',
    async (which) => {
      await using upstream = await startAnswering(HELLO);
      await using gate = await hastyTls(upstream.port);
      const first = await fingerprint(gate);
      if (which.includes('new')) {
        writeTlsPair(gate.folder);
        await expect.poll(() => fingerprint(gate), { timeout: 10_000 }).not.toBe(first);
      }
      const options = { host: '127.0.0.1', port: gate.dataPort, rejectUnauthorized: false };
      const socket = connectTls({ ...options, maxVersion: 'TLSv1.2' });
      await once(socket, 'secureConnect');
      expect(await renegotiate(socket)).toMatch(/no.renegotiation/i);
      socket.destroy();
    },
  );
});

async function fingerprint(gate: Gate): Promise<string> {
  using client = await dial(gate, true);
  return (client.socket as TLSSocket).getPeerCertificate().fingerprint256;
}

/** What the client was told, empty when it got a second handshake. */
function renegotiate(socket: TLSSocket): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  socket.once('error', (error) => resolve(error.message));
  socket.renegotiate({ rejectUnauthorized: false }, (error) => resolve(error?.message ?? ''));
  return promise;
}
