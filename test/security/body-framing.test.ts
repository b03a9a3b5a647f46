// Classes 17 and 18 over time (FR05, FR07 to FR09, FR11): bodies that break after their head was judged, that never
// end, or that hide a request. The upstream never sees a whole request more, and the connection ends with the answer.
import { createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CORPUS_POLICY, type CorpusGate, outcomesOf, startCorpusGate } from '../support/corpus-gate.ts';
import { listen } from '../support/listen.ts';
import { parseAnswer, rawConnect } from '../support/raw-client.ts';

const CHUNKED = 'POST /ok HTTP/1.1\r\n<HEAD>\r\nTransfer-Encoding: chunked\r\n\r\n';
const SMUGGLED = 'GET /exports HTTP/1.1\r\nHost: acme.app.test\r\n\r\n';

describe('a request body', () => {
  let corpus: CorpusGate;

  beforeAll(async () => {
    corpus = await startCorpusGate({
      config: { limits: { body: '64KiB', perPrincipal: { concurrent: 'off', perSecond: 'off' } } },
    });
  });
  beforeEach(() => {
    corpus.takeForwarded();
    corpus.takeLines();
  });
  afterAll(async () => {
    await corpus[Symbol.asyncDispose]();
  });

  const headOf = (target: string, framing: string) =>
    `POST ${target} HTTP/1.1\r\n${corpus.head}\r\n${framing}\r\n\r\n`;

  /** The upstream has the head and part of the body; then the client sends `rest`. */
  async function breakOff(rest: string) {
    const before = corpus.upstream.bytes.join('').length;
    await using client = await rawConnect(corpus.gate.dataPort);
    client.write(`${headOf('/ok', 'Transfer-Encoding: chunked')}5\r\nhello\r\n`);
    while (!corpus.upstream.bytes.join('').slice(before).includes('hello')) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.write(rest);
    await client.closed;
    return parseAnswer(client.received());
  }

  it.each([
    ['a malformed size', '0x5\r\nhello\r\n0\r\n\r\n', 'bad_framing'],
    ['data beyond its size', '5\r\nhelloX\r\n0\r\n\r\n', 'bad_framing'],
    ['bare LF', '5\nhello\n0\n\n', 'bad_framing'],
    ['a malformed trailer', '0\r\nX\x00: 1\r\n\r\n', 'bad_header'],
    ['trailers without end', `0\r\nX: ${'a'.repeat(40_000)}`, 'headers_too_large'],
  ])(
    'FR08 that breaks after it was forwarded in part (%s) is refused, and the upstream never has a whole one',
    async (_what, rest, reason) => {
      const answer = await breakOff(rest);
      expect(JSON.parse(answer.body)).toMatchObject({ reason });
      expect(answer.headers['connection']).toBe('close');
      expect(corpus.takeForwarded()).toEqual([]);
      expect(outcomesOf(corpus.takeLines())).toEqual(['ok']);
    },
  );

  it('FR08 without its last chunk is refused when its sender stops', async () => {
    await using client = await rawConnect(corpus.gate.dataPort);
    client.write(`${headOf('/ok', 'Transfer-Encoding: chunked')}5\r\nhello\r\n`);
    client.socket.end();
    await client.closed;
    expect(parseAnswer(client.received()).status).toBe(400);
    expect(corpus.takeForwarded()).toEqual([]);
    expect(outcomesOf(corpus.takeLines())).toHaveLength(1);
  });

  // Node's budget for extensions is 16 KiB a chunk (FR07 of the corpus); there is none over all chunks of a body.
  it('FR07 in chunks of one byte with long extensions loses them', async () => {
    const { answers } = await corpus.converse(
      `${CHUNKED}${`1${';ext'.repeat(4000)}\r\nx\r\n`.repeat(20)}0\r\n\r\n`,
      {
        methods: ['POST'],
      },
    );
    expect(answers.map(({ status }) => status)).toEqual([200]);
    expect(corpus.takeForwarded().map(({ body }) => body)).toEqual(['x'.repeat(20)]);
    expect(corpus.upstream.bytes.join('')).not.toContain(';ext');
  });

  it('FR09 with endless trailers is cut, and none of them travels', async () => {
    const { text, ending } = await corpus.converse(
      `${CHUNKED}5\r\nhello\r\n0\r\n<20000 X-Support-Assertion: forged\r\n>\r\n`,
      {
        methods: ['POST'],
      },
    );
    expect(ending).not.toBe('stays');
    expect(text).not.toContain('200 OK');
    expect(corpus.upstream.bytes.join('')).not.toContain('forged');
  });

  it.each([
    ['declared', (head: string) => `${head}Content-Length: 70000\r\n\r\n`],
    [
      'counted',
      (head: string) =>
        `${head}Transfer-Encoding: chunked\r\n\r\n11170\r\n${'a'.repeat(70_000)}\r\n0\r\n\r\n`,
    ],
  ])('that is too large (%s) is 413, and the connection closes', async (_how, bytes) => {
    const { answers, gateClosed } = await corpus.converse(bytes('POST /ok HTTP/1.1\r\n<HEAD>\r\n'), {
      methods: ['POST'],
      untilClosed: true,
    });
    expect(answers.map(({ status }) => status)).toEqual([413]);
    expect(gateClosed).toBe(true);
    expect(corpus.takeForwarded()).toEqual([]);
  });

  it.each([
    ['denied by a rule', 'POST /exports', 403],
    ['without a method', 'PATCHY /ok', 400],
    ['refused for its target', 'POST /a/../b', 400],
  ])(
    'FR11 left unread because the request was %s ends the connection, and is never read as a request',
    async (_why, line, status) => {
      await using client = await rawConnect(corpus.gate.dataPort);
      client.write(`${line} HTTP/1.1\r\n${corpus.head}\r\nContent-Length: 1000\r\n\r\n`);
      await client.waitFor('"requestId"');
      client.write(SMUGGLED.repeat(3));
      await client.closed;
      expect(client.received().match(/HTTP\/1\.1 /g)).toHaveLength(1);
      expect(parseAnswer(client.received()).status).toBe(status);
      expect(corpus.takeForwarded()).toEqual([]);
      expect(outcomesOf(corpus.takeLines())).toHaveLength(1);
    },
  );
});

const HURRY = `
---
apiVersion: postern/v1
kind: RouteSettings
metadata: { name: hurry }
spec: { paths: ["/records/**"], timeouts: { idle: 1s } }
`;

describe('a form that is held for its method', () => {
  const FORM = 'Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 14';
  let corpus: CorpusGate;

  beforeAll(async () => {
    corpus = await startCorpusGate({ policy: `${CORPUS_POLICY}${HURRY}` });
  });
  beforeEach(() => {
    corpus.takeForwarded();
    corpus.takeLines();
  });
  afterAll(async () => {
    await corpus[Symbol.asyncDispose]();
  });

  it('EX01 is asked for with a 100 when its sender waits for one', async () => {
    await using client = await rawConnect(corpus.gate.dataPort);
    client.write(`POST /records/1 HTTP/1.1\r\n${corpus.head}\r\n${FORM}\r\nExpect: 100-continue\r\n\r\n`);
    await client.waitFor('100 Continue');
    client.write('_method=DELETE');
    await client.waitFor('"rule_denied"');
    expect(corpus.takeForwarded()).toEqual([]);
  });

  it('is over when its sender goes away', async () => {
    await using client = await rawConnect(corpus.gate.dataPort);
    client.write(`POST /records/1 HTTP/1.1\r\n${corpus.head}\r\n${FORM}\r\n\r\n_met`);
    while (corpus.gate.postern.gateway.inFlight === 0) await new Promise((resolve) => setImmediate(resolve));
    client.socket.resetAndDestroy();
    while (corpus.gate.postern.gateway.inFlight > 0) await new Promise((resolve) => setImmediate(resolve));
    await expect.poll(() => outcomesOf(corpus.takeLines()), { timeout: 10_000 }).toEqual(['client_closed']);
  });

  it('that stalls is 408, and one of endless chunks 413: the connection closes', async () => {
    const form = 'POST /records/1 HTTP/1.1\r\n<HEAD>\r\nContent-Type: application/x-www-form-urlencoded\r\n';
    const statusOf = async (bytes: string) => {
      const { answers, gateClosed } = await corpus.converse(bytes, { methods: ['POST'], untilClosed: true });
      return [...answers.map(({ status }) => status), gateClosed];
    };
    expect(await statusOf(`${form}Content-Length: 14\r\n\r\n_met`)).toEqual([408, true]);
    expect(
      await statusOf(
        `${form}Transfer-Encoding: chunked\r\n\r\n${`8000\r\n${'a'.repeat(32_768)}\r\n`.repeat(33)}`,
      ),
    ).toEqual([413, true]);
    expect(corpus.takeForwarded()).toEqual([]);
  });

  it('that breaks is refused', async () => {
    const { answers, gateClosed } = await corpus.converse(
      `POST /records/1 HTTP/1.1\r\n<HEAD>\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n`,
      { methods: ['POST'], untilClosed: true },
    );
    expect(answers.map(({ status }) => status)).toEqual([400]);
    expect(gateClosed).toBe(true);
  });
});

describe('FR05 a framing header with one byte too many', () => {
  const BYTES = [
    ...Array.from({ length: 33 }, (_, code) => code),
    0x22,
    0x2c,
    0x3a,
    0x3b,
    0x5f,
    0x7f,
    0x80,
    0x85,
    0xa0,
    0xad,
    0xff,
  ];
  const PLACES = [
    (b: string) => `${b}Transfer-Encoding: chunked`,
    (b: string) => `Transfer-Encoding${b}: chunked`,
    (b: string) => `Transfer-Encoding:${b}chunked`,
    (b: string) => `Transfer-Encoding: ${b}chunked`,
    (b: string) => `Transfer-Encoding: chunked${b}`,
    (b: string) => `Transfer-Encoding: chunked, ${b}`,
    (b: string) => `Transfer${b}Encoding: chunked`,
    (b: string) => `X: X${b}Transfer-Encoding: chunked`,
    (b: string) => `X: X\r\n${b}\r\nTransfer-Encoding: chunked`,
  ];

  it('is refused, or read as exactly one request', async () => {
    await using corpus = await startCorpusGate();
    const lines = PLACES.flatMap((place) => BYTES.map((code) => place(String.fromCharCode(code))));
    for (const line of lines) {
      // By its length the body is the chunks; by the chunks a request follows it.
      const body = `0\r\n\r\n${SMUGGLED}`;
      const { answers, ending } = await corpus.converse(
        `POST /ok HTTP/1.1\r\n<HEAD>\r\nContent-Length: ${body.length}\r\n${line}\r\n\r\n${body}`,
        { methods: ['POST'] },
      );
      const forwarded = corpus.takeForwarded();
      expect(ending, JSON.stringify(line)).not.toBe('stays');
      expect(answers, JSON.stringify(line)).toHaveLength(1);
      if (answers[0]?.status === 400) expect(forwarded, JSON.stringify(line)).toEqual([]);
      else expect(forwarded.map(({ target, body: sent }) => [target, sent])).toEqual([['/ok', body]]);
    }
  });
});

describe('FR11 an upstream that answers before it has read the body', () => {
  it('ends the client\u2019s connection and its own: what is left of the body is nobody\u2019s request', async () => {
    const received: string[] = [];
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      const index = received.push('') - 1;
      socket.setEncoding('latin1').on('error', () => undefined);
      socket.on('data', (text: string) => {
        const first = received[index] === '';
        received[index] += text;
        if (first) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
      });
    });
    const { port, close } = await listen(server);
    await using corpus = await startCorpusGate({ upstreamPort: port });
    const client = await rawConnect(corpus.gate.dataPort);
    client.write(`POST /static HTTP/1.1\r\n${corpus.head}\r\nContent-Length: 1000\r\n\r\nhello`);
    await client.waitFor('200 OK');
    client.write(SMUGGLED);
    await client.closed;
    expect(client.received().match(/HTTP\/1\.1 /g)).toHaveLength(1);

    const { answers } = await corpus.converse('GET /next HTTP/1.1\r\n<HEAD>\r\n\r\n', { methods: ['GET'] });
    expect(answers.map(({ status }) => status)).toEqual([200]);
    expect(received).toHaveLength(2);
    expect(received[1]).toMatch(/^GET \/next /);
    for (const socket of sockets) socket.destroy();
    await close();
  });
});
