// P10 over time: heads that never end, that are dropped halfway, that are too large in pieces. Each is answered with
// its status, recorded once, without a credential in the record, and its connection ends.
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CorpusGate, outcomesOf, startCorpusGate } from '../support/corpus-gate.ts';
import { parseAnswer, rawConnect } from '../support/raw-client.ts';

describe('a head', () => {
  let corpus: CorpusGate;

  beforeAll(async () => {
    const limits = { target: '64B', headers: '4KiB', headerCount: 20, headerTimeout: '1s' };
    corpus = await startCorpusGate({
      config: { limits: { ...limits, perPrincipal: { concurrent: 'off', perSecond: 'off' } } },
    });
  });
  beforeEach(() => {
    corpus.takeForwarded();
    corpus.takeLines();
  });
  afterAll(async () => {
    await corpus[Symbol.asyncDispose]();
  });

  it('that comes a byte at a time is 408', async () => {
    await using client = await rawConnect(corpus.gate.dataPort);
    client.write('GET /slow HTTP/1.1\r\n');
    const dripping = setInterval(() => client.write('a'), 100);
    await client.closed;
    clearInterval(dripping);
    expect(parseAnswer(client.received()).status).toBe(408);
    expect(outcomesOf(corpus.takeLines())).toEqual(['request_timeout']);
  });

  it('that stops behind a served request is 408 too', async () => {
    await using client = await rawConnect(corpus.gate.dataPort);
    client.write(`GET /first HTTP/1.1\r\n${corpus.head}\r\n\r\n`);
    await client.waitFor('{"ok":true}');
    client.write('GET /second HTTP/1.1\r\nHost: a');
    await client.closed;
    expect(client.received()).toContain(' 408 ');
    expect(outcomesOf(corpus.takeLines())).toEqual(['ok', 'request_timeout']);
  });

  it('that is whole after its 408 is no request any more', async () => {
    const socket = connect({ port: corpus.gate.dataPort, host: '127.0.0.1', allowHalfOpen: true });
    let received = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      if (received === '') socket.write(`\r\n${corpus.head}\r\n\r\n`, 'latin1');
      received += text;
    });
    socket.on('error', () => undefined);
    socket.on('end', () => setTimeout(() => socket.end(), 200));
    socket.write('GET /late HTTP/1.1\r\nX-A: a', 'latin1');
    await new Promise((resolve) => socket.once('close', resolve));
    expect(received.match(/^HTTP\/1\.1 /gm)).toHaveLength(1);
    expect(parseAnswer(received).status).toBe(408);
    expect(outcomesOf(corpus.takeLines())).toEqual(['request_timeout']);
    expect(corpus.takeForwarded()).toEqual([]);
  });

  it('is given its time anew, however long its connection has been there', async () => {
    await using client = await rawConnect(corpus.gate.dataPort);
    for (const path of ['/first', '/second', '/third']) {
      client.write(`GET ${path} HTTP/1.1\r\n`);
      await new Promise((resolve) => setTimeout(resolve, 400));
      client.write(`${corpus.head}\r\n\r\n`);
      await expect
        .poll(() => corpus.takeForwarded().map(({ target }) => target), { timeout: 10_000 })
        .toEqual([path]);
    }
    expect(outcomesOf(corpus.takeLines())).toEqual(['ok', 'ok', 'ok']);
  });

  it('on a connection that says nothing at all is none: closed, and not recorded', async () => {
    await using client = await rawConnect(corpus.gate.dataPort);
    await client.closed;
    expect(client.received()).toBe('');
    expect(corpus.takeLines()).toEqual([]);
  });

  it('that is dropped halfway is recorded, and nothing is forwarded', async () => {
    const client = await rawConnect(corpus.gate.dataPort);
    client.write('GET /half HTTP/1.1\r\nHost: a');
    await new Promise((resolve) => setTimeout(resolve, 300));
    client.socket.resetAndDestroy();
    await expect.poll(() => outcomesOf(corpus.takeLines()), { timeout: 10_000 }).toEqual(['client_closed']);
    expect(corpus.takeForwarded()).toEqual([]);
  });

  it.each([
    ['a target beyond the limit', () => `GET /${'a'.repeat(64)} HTTP/1.1\r\n<HEAD>\r\n\r\n`, 414],
    [
      'a target beyond the limit in absolute form',
      () => `GET http://<HOST>/${'a'.repeat(64)} HTTP/1.1\r\n<HEAD>\r\n\r\n`,
      414,
    ],
    ['headers beyond the limit', () => `GET /ok HTTP/1.1\r\n<HEAD>\r\nX-A: ${'a'.repeat(4000)}\r\n\r\n`, 431],
    ['more headers than the limit', () => `GET /ok HTTP/1.1\r\n<HEAD>\r\n${'a: 1\r\n'.repeat(19)}\r\n`, 431],
    [
      'headers beyond what the parser takes',
      () => `GET /ok HTTP/1.1\r\n<HEAD>\r\n${'a: 1\r\n'.repeat(20_000)}\r\n`,
      431,
    ],
    [
      'a value beyond what the parser takes',
      () => `GET /ok HTTP/1.1\r\n<HEAD>\r\nX-A: ${'a'.repeat(200_000)}\r\n\r\n`,
      431,
    ],
  ])('with %s is refused, and the connection closes', async (_what, bytes, status) => {
    const { answers, gateClosed } = await corpus.converse(bytes(), { methods: ['GET'], untilClosed: true });
    expect(answers.map((answer) => answer.status)).toEqual([status]);
    expect(gateClosed).toBe(true);
    expect(outcomesOf(corpus.takeLines())).toHaveLength(1);
    expect(corpus.takeForwarded()).toEqual([]);
  });

  it('that breaks in its middle leaves no cookie and no credential in the record', async () => {
    await using client = await rawConnect(corpus.gate.dataPort);
    client.write('GET /ok HTTP/1.1\r\nHost: acme.app.test\r\n');
    await new Promise((resolve) => setTimeout(resolve, 50));
    client.write('Cookie: sid=hushhush\r\nAuthorization: Bearer hushhush\r\nbad header\r\n\r\n');
    await client.closed;
    expect(parseAnswer(client.received()).status).toBe(400);
    const lines = corpus.takeLines();
    expect(outcomesOf(lines)).toEqual(['bad_header']);
    expect(JSON.stringify(lines)).not.toMatch(/hushhush|Cookie|Bearer/);
  });

  it('refused by the parser ends the connection, even if the client keeps its side open', async () => {
    const socket = connect({ port: corpus.gate.dataPort, host: '127.0.0.1', allowHalfOpen: true });
    const closed = Promise.withResolvers<void>();
    socket.resume().on('error', () => undefined);
    socket.on('close', () => closed.resolve());
    socket.write('garbage\r\n\r\n');
    const writing = setInterval(() => socket.write('x'), 100);
    await closed.promise;
    clearInterval(writing);
    expect(outcomesOf(corpus.takeLines())).toHaveLength(1);
  });
});
