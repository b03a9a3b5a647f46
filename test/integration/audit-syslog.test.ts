// The syslog sink against real receivers, TCP and TLS, that restart, are slow, do not read, or are not who they say.
// Records may come twice and must not be missing: at least once, although the protocol acknowledges nothing.
import { once } from 'node:events';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { PublishedRecord } from '#audit/published-record.ts';
import type { SyslogOptions } from '#audit/sinks/sink-options.ts';
import { createSyslogSink } from '#audit/sinks/syslog-sink.ts';
import { listen } from '../support/listen.ts';
import { requestRecord } from '../support/published-records.ts';
import { startSyslogReceiver } from '../support/syslog-receiver.ts';
import { selfSigned } from '../support/upstream-certificate.ts';

const OPTIONS: SyslogOptions = {
  kind: 'syslog',
  host: '127.0.0.1',
  port: 0,
  protocol: 'tcp',
  ca: null,
  cert: null,
  key: null,
  facility: 13,
  hostname: 'gate-1',
  maxMessageBytes: 64 * 1024,
  timeoutMs: 5000,
};

function sinkTo(port: number, options: Partial<SyslogOptions> = {}) {
  const sink = createSyslogSink(
    { ...OPTIONS, port, ...options },
    { nowMs: () => performance.now(), repairMs: 20 },
  );
  return { ...sink, [Symbol.asyncDispose]: () => sink.close() };
}
type TestSink = ReturnType<typeof sinkTo>;

function numbered(from: number, to: number, note = ''): PublishedRecord[] {
  return Array.from({ length: to - from }, (_, index) => ({
    ...requestRecord({ note }),
    id: `id-${from + index}`,
  }));
}

function idsOf(records: readonly PublishedRecord[]): string[] {
  return records.map(({ id }) => id);
}

/** As the pump does: offered again until all is taken. Gives the codes of the failures on the way. */
async function ship(sink: TestSink, records: readonly PublishedRecord[]): Promise<string[]> {
  const batch = sink.encode(records);
  const codes: string[] = [];
  for (let from = 0; from < batch.length; ) {
    try {
      from += await sink.write(batch, from);
    } catch (error) {
      codes.push((error as { code: string }).code);
      if (codes.length > 200) throw error;
      await turn();
    }
  }
  return codes;
}

/** One turn of the event loop and a little more. */
function turn(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, 10);
  });
}

/** Until a write fails: how much was taken, and the code of the failure. */
async function fill(sink: TestSink, batch: readonly Buffer[]): Promise<{ taken: number; code: string }> {
  let taken = 0;
  while (taken < batch.length) {
    try {
      taken += await sink.write(batch, taken);
    } catch (error) {
      return { taken, code: (error as { code: string }).code };
    }
  }
  return { taken, code: 'taken' };
}

async function codeOf(attempt: Promise<unknown>): Promise<string> {
  return attempt.then(
    () => 'taken',
    (error: unknown) => (error as { code: string }).code,
  );
}

describe('a receiver over TCP', () => {
  it('gets every record once and in order, over one connection', async () => {
    await using receiver = await startSyslogReceiver();
    await using sink = sinkTo(receiver.port);
    expect(await ship(sink, numbered(0, 50))).toEqual([]);
    await sink.sync();
    expect(await ship(sink, numbered(50, 100))).toEqual([]);
    await receiver.received(100);
    expect(receiver.connections).toEqual([idsOf(numbered(0, 100))]);
    expect(receiver.messages[0]).toMatchObject({
      hostname: 'gate-1',
      appName: 'postern',
      msgId: 'request.allowed',
    });
  });

  it('stays in frame whatever a client put into a record', async () => {
    await using receiver = await startSyslogReceiver();
    await using sink = sinkTo(receiver.port);
    const evil = '\n\r\n17 <13>1 - - - - - - x\u202e\u2029\u0000';
    await ship(sink, [requestRecord({ note: evil }), ...numbered(1, 3)]);
    await receiver.received(3);
    expect(JSON.parse(receiver.messages[0]?.text ?? '')).toMatchObject({ note: evil });
  });

  it('that is not there is a short code, and nothing of where it should be', async () => {
    const gone = await startSyslogReceiver();
    await gone.stop();
    await using sink = sinkTo(gone.port);
    const error: unknown = await sink
      .write(sink.encode(numbered(0, 1)), 0)
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toContain('127.0.0.1');
  });

  it('is connected to anew when files are reopened, and misses nothing', async () => {
    await using receiver = await startSyslogReceiver();
    await using sink = sinkTo(receiver.port);
    await ship(sink, numbered(0, 10));
    sink.reopen();
    expect(await ship(sink, numbered(10, 20))).toEqual([]);
    await receiver.received(30);
    expect(receiver.connections).toEqual([idsOf(numbered(0, 10)), idsOf(numbered(0, 20))]);
  });
});

describe('a receiver that restarts', () => {
  it('gets again what it may not have kept, in order, before anything new', async () => {
    const first = await startSyslogReceiver();
    await using sink = sinkTo(first.port);
    await ship(sink, numbered(0, 20));
    await first.received(20);
    await first.stop();
    await using second = await startSyslogReceiver({ port: first.port });
    expect((await ship(sink, numbered(20, 40))).length).toBeLessThanOrEqual(2);
    await second.received(40);
    expect(second.connections.at(-1)).toEqual(idsOf(numbered(0, 40)));
  });

  it('again and again under load still gets every record', async () => {
    let receiver = await startSyslogReceiver();
    const seen = new Set<string>();
    const restart = async (): Promise<void> => {
      await receiver.stop();
      for (const id of receiver.connections.flat()) seen.add(id);
      receiver = await startSyslogReceiver({ port: receiver.port });
    };
    await using sink = sinkTo(receiver.port);
    for (let round = 0; round < 6; round++) {
      const shipping = ship(sink, numbered(round * 300, (round + 1) * 300, 'x'.repeat(1000)));
      await receiver.received(1);
      await restart();
      await shipping;
    }
    await receiver.received(1);
    for (let tries = 0; tries < 500 && seen.size < 1800; tries++) {
      for (const id of receiver.connections.flat()) seen.add(id);
      await turn();
    }
    await receiver.stop();
    expect(idsOf(numbered(0, 1800)).filter((id) => !seen.has(id))).toEqual([]);
  });

  it('gets the last records although nothing new is written', async () => {
    const first = await startSyslogReceiver();
    await using sink = sinkTo(first.port);
    await ship(sink, numbered(0, 5));
    await first.received(5);
    await first.stop();
    await using second = await startSyslogReceiver({ port: first.port });
    await second.received(5);
    expect(second.connections).toEqual([idsOf(numbered(0, 5))]);
  });

  it('holds the cursor while it is away', async () => {
    const first = await startSyslogReceiver();
    await using sink = sinkTo(first.port);
    await ship(sink, numbered(0, 5));
    await first.received(5);
    await sink.sync();
    const closed = [...first.sockets].map((socket) => once(socket, 'close'));
    await first.stop();
    await Promise.all(closed);
    const codes: string[] = [];
    for (let tries = 0; tries < 500 && !codes.includes('ECONNREFUSED'); tries++) {
      codes.push(await codeOf(sink.sync()));
      await turn();
    }
    expect(codes).toContain('ECONNREFUSED');
    expect(codes.slice(codes.findIndex((code) => code !== 'taken'))).not.toContain('taken');
    await using second = await startSyslogReceiver({ port: first.port });
    for (let tries = 0; tries < 500 && (await codeOf(sink.sync())) !== 'taken'; tries++) await turn();
    await second.received(5);
  });

  it('is never written to on a connection that it closed', async () => {
    const heard: number[] = [];
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      const index = heard.push(0) - 1;
      socket.on('error', () => undefined);
      socket.on('data', (part: Buffer) => {
        heard[index] = (heard[index] as number) + part.length;
        // Says goodbye after the first bytes, and goes on listening.
        if (index === 0) socket.end();
      });
    });
    const { port, close } = await listen(server);
    await using sink = sinkTo(port);
    await ship(sink, numbered(0, 1));
    const [frame] = sink.encode(numbered(0, 1)) as [Buffer];
    // The sink makes a new connection by itself once it saw the first one end.
    for (let tries = 0; tries < 500 && heard.length < 2; tries++) await turn();
    await ship(sink, numbered(1, 5));
    expect(heard[0]).toBe(frame.length);
    expect(heard.length).toBe(2);
    await close();
  });
});

describe('a receiver that does not keep up', () => {
  /** More than the kernels of both ends hold between them. */
  const MANY = numbered(0, 400, 'x'.repeat(50_000));

  it('is waited for, and gets everything once it reads', async () => {
    await using receiver = await startSyslogReceiver({ isDeaf: true });
    await using sink = sinkTo(receiver.port);
    const shipping = ship(sink, MANY);
    await receiver.connected(1);
    expect(
      await Promise.race([shipping, new Promise((resolve) => setTimeout(resolve, 300, 'waiting'))]),
    ).toBe('waiting');
    receiver.listen();
    expect(await shipping).toEqual([]);
    await receiver.received(MANY.length);
    expect(receiver.connections).toEqual([idsOf(MANY)]);
  });

  it('and never reads is given up at the timeout, with bounded memory', async () => {
    await using receiver = await startSyslogReceiver({ isDeaf: true });
    await using sink = sinkTo(receiver.port, { timeoutMs: 200 });
    let batch: readonly Buffer[] = sink.encode(MANY);
    // Whoever is there next is offered what was taken before: nobody reads that either.
    for (let round = 0; round < 3; round++) {
      const { taken, code } = await fill(sink, batch);
      expect(code).toBe('timeout');
      batch = batch.slice(taken);
    }
    expect(batch.length).toBeGreaterThan(0);
  });

  it('and says goodbye is left at once, with what it did not take', async () => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined);
      setTimeout(() => socket.end(), 50);
    });
    const { port, close } = await listen(server);
    await using sink = sinkTo(port, { timeoutMs: 15_000 });
    const { code } = await fill(sink, sink.encode(MANY));
    expect(code).toBe('peer_closed');
    await close();
  });

  it('holds the cursor until the kernel has everything', async () => {
    await using receiver = await startSyslogReceiver({ isDeaf: true });
    await using sink = sinkTo(receiver.port, { timeoutMs: 200 });
    expect(await fill(sink, sink.encode(MANY))).toMatchObject({ code: 'timeout' });
    expect(await codeOf(sink.sync())).toBe('timeout');
  });
});

describe('a receiver over TLS', () => {
  const pair = selfSigned();
  const TLS = { protocol: 'tls', host: '127.0.0.1' } as const;

  it('that the authority vouches for gets the records, by name or by address', async () => {
    await using receiver = await startSyslogReceiver({ tls: pair });
    for (const host of ['localhost', '127.0.0.1']) {
      await using sink = sinkTo(receiver.port, { ...TLS, host, ca: pair.cert });
      expect(await ship(sink, numbered(0, 20))).toEqual([]);
      await sink.sync();
    }
    await receiver.received(40);
    expect(receiver.connections).toEqual([idsOf(numbered(0, 20)), idsOf(numbered(0, 20))]);
  });

  it.each([
    ['whose certificate nobody vouches for', {}, /SELF_SIGNED|UNABLE_TO/],
    ['that has another certificate', { ca: selfSigned().cert }, /SELF_SIGNED|UNABLE_TO|SIGNATURE/],
    ['of another name', { ca: pair.cert, host: '127.0.0.2' }, /ALTNAME_INVALID|ECONNREFUSED/],
  ])('%s gets nothing', async (_name, options, code) => {
    await using receiver = await startSyslogReceiver({ tls: pair });
    await using sink = sinkTo(receiver.port, { ...TLS, ...options });
    expect(await codeOf(sink.write(sink.encode(numbered(0, 1)), 0))).toMatch(code);
    expect(receiver.messages).toEqual([]);
  });

  it('is refused although the environment says to trust anybody', async () => {
    await using receiver = await startSyslogReceiver({ tls: pair });
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0';
    try {
      await using sink = sinkTo(receiver.port, TLS);
      expect(await codeOf(sink.write(sink.encode(numbered(0, 1)), 0))).toMatch(/SELF_SIGNED|UNABLE_TO/);
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'];
    }
    expect(receiver.messages).toEqual([]);
  });

  it('that asks for a certificate gets ours, and without one loses nothing in silence', async () => {
    const client = selfSigned();
    const tls = { ...pair, ca: client.cert, requestCert: true, rejectUnauthorized: true };
    await using receiver = await startSyslogReceiver({ tls });
    await using without = sinkTo(receiver.port, { ...TLS, ca: pair.cert });
    // In TLS 1.3 the refusal comes after the handshake: the write may have been taken, the cursor may not move.
    const codes: string[] = [await codeOf(without.write(without.encode(numbered(0, 1)), 0))];
    for (let tries = 0; tries < 500 && codes.at(-1) === 'taken'; tries++) {
      await turn();
      codes.push(await codeOf(without.sync()));
    }
    expect(codes.at(-1)).toMatch(/CERTIFICATE_REQUIRED|ECONNRESET|EPIPE|peer_closed|ALERT/);
    expect(receiver.messages).toEqual([]);
    await using sink = sinkTo(receiver.port, { ...TLS, ca: pair.cert, ...client });
    expect(await ship(sink, numbered(0, 1))).toEqual([]);
    await receiver.received(1);
  });

  it('that restarts gets again what it may not have kept', async () => {
    const first = await startSyslogReceiver({ tls: pair });
    await using sink = sinkTo(first.port, { ...TLS, ca: pair.cert });
    await ship(sink, numbered(0, 5));
    await first.received(5);
    await first.stop();
    await using second = await startSyslogReceiver({ tls: pair, port: first.port });
    await ship(sink, numbered(5, 10));
    await second.received(10);
    expect(second.connections.at(-1)).toEqual(idsOf(numbered(0, 10)));
  });

  it('that speaks no TLS is given up', async () => {
    const { port, close } = await listen(createServer((socket) => void socket.end('not TLS at all\n')));
    await using sink = sinkTo(port, TLS);
    expect(await codeOf(sink.write(sink.encode(numbered(0, 1)), 0))).toMatch(
      /^(ERR_SSL|peer_closed|ECONNRESET|EPROTO)/,
    );
    await close();
  });

  it('with settings that are no certificate is a short code', async () => {
    await using sink = sinkTo(1, { ...TLS, cert: 'not a certificate', key: 'not a key' });
    expect(await codeOf(sink.write(sink.encode(numbered(0, 1)), 0))).toMatch(/^(ERR_|unknown)/);
  });
});
