// Class 20, smuggling behind an upgrade (UP01 to UP06): only a checked WebSocket handshake opens a tunnel, only a
// checked answer keeps it, and nothing that was sent ahead of the answer reaches an upstream that may refuse it.
import { createHash } from 'node:crypto';
import { connect } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CorpusGate, outcomesOf, startCorpusGate } from '../support/corpus-gate.ts';
import { parseAnswer, rawConnect } from '../support/raw-client.ts';
import type { Respond } from '../support/recording-upstream.ts';

const KEY = 'dGhlIHNhbXBsZSBub25jZQ==';
const ACCEPT = createHash('sha1').update(`${KEY}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64');
const SWITCH = (accept: string, more = '') =>
  `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n${more}\r\n`;

/** What the upstream says to a handshake, by its path. */
const ANSWERS: Readonly<Record<string, string>> = {
  '/ws/good': SWITCH(ACCEPT),
  '/ws/wrong': SWITCH('AAAAAAAAAAAAAAAAAAAAAAAAAAA='),
  '/ws/200': 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nplain',
  '/ws/401': 'HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno',
  '/ws/426': 'HTTP/1.1 426 Upgrade Required\r\nSec-WebSocket-Version: 13\r\nContent-Length: 0\r\n\r\n',
};
const respond: Respond = ({ target }, socket) => {
  const answer = ANSWERS[target];
  if (answer !== undefined) socket.write(answer);
};

describe('an upgrade', () => {
  let corpus: CorpusGate;

  beforeAll(async () => {
    corpus = await startCorpusGate({ respond });
  });
  beforeEach(() => {
    corpus.takeForwarded();
    corpus.takeLines();
  });
  afterAll(async () => {
    await corpus[Symbol.asyncDispose]();
  });

  const handshake = (path: string, more = '') =>
    `GET ${path} HTTP/1.1\r\n${corpus.head}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n` +
    `Sec-WebSocket-Key: ${KEY}\r\n${more}\r\n`;

  it.each([
    ['without an Origin', ''],
    ['with its own', 'Origin: http://acme.app.test\r\n'],
    ['with an expectation that has no body to wait for', 'Expect: 100-continue\r\n'],
    [
      'with headers to be spoofed',
      'X-Support-Assertion: forged\r\nSec-WebSocket-Extensions: x\r\nHTTP2-Settings: a\r\n',
    ],
  ])('%s opens a tunnel that carries what was judged', async (_what, more) => {
    await using client = await rawConnect(corpus.gate.dataPort);
    client.write(handshake('/ws/good', more));
    const head = parseAnswer(await client.waitFor('\r\n\r\n'));
    expect(head).toMatchObject({ status: 101, headers: { 'sec-websocket-accept': ACCEPT } });
    const [request] = corpus.takeForwarded();
    const sent = new Map(request?.headers.map(([name, value]) => [name.toLowerCase(), value]));
    expect(request?.target).toBe('/ws/good');
    expect(sent.get('upgrade')).toBe('websocket');
    expect(sent.get('x-support-assertion')).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+$/);
    for (const name of ['expect', 'http2-settings', 'authorization'])
      expect(sent.has(name), name).toBe(false);
    const before = corpus.upstream.bytes.join('').length;
    client.write('\x81\x85\x00\x00\x00\x00hello');
    await expect
      .poll(() => corpus.upstream.bytes.join('').slice(before), { timeout: 10_000 })
      .toBe('\x81\x85\x00\x00\x00\x00hello');
  });

  it.each([
    ['a request', 'GET /exports HTTP/1.1\r\nHost: acme.app.test\r\n\r\n'],
    ['a frame', '\x81\x85\x00\x00\x00\x00hello'],
  ])(
    'UP05 with %s sent before the answer is refused, and the upstream never sees it',
    async (_what, early) => {
      const before = corpus.upstream.bytes.join('').length;
      await using client = await rawConnect(corpus.gate.dataPort);
      client.write(handshake('/ws/silent'));
      await expect.poll(() => corpus.takeForwarded().length, { timeout: 10_000 }).toBe(1);
      client.write(early);
      await client.closed;
      expect(parseAnswer(client.received())).toMatchObject({ status: 400 });
      expect(client.received()).toContain('"bad_framing"');
      expect(corpus.upstream.bytes.join('').slice(before)).not.toContain(early);
      expect(corpus.takeForwarded()).toEqual([]);
      expect(outcomesOf(corpus.takeLines())).toEqual(['ok']);
    },
  );

  it.each([
    ['/ws/200', 200],
    ['/ws/401', 401],
    ['/ws/426', 426],
  ])(
    'UP06 that the upstream answers plainly (%s) is relayed as HTTP, and the connection ends',
    async (path, status) => {
      await using client = await rawConnect(corpus.gate.dataPort);
      client.write(handshake(path));
      await client.closed;
      expect(parseAnswer(client.received())).toMatchObject({ status, headers: { connection: 'close' } });
    },
  );

  it('UP06 with an answer to another key is 502', async () => {
    await using client = await rawConnect(corpus.gate.dataPort);
    client.write(handshake('/ws/wrong'));
    await client.closed;
    expect(parseAnswer(client.received()).status).toBe(502);
    expect(client.received()).not.toContain(' 101 ');
  });

  it.each([
    ['a plain request', ''],
    ['a request to upgrade to something else', 'Connection: Upgrade\r\nUpgrade: h2c\r\n'],
    ['a request whose Upgrade is not nominated as one', 'Upgrade: h2c\r\n'],
  ])('UP06 by the upstream, of %s, is 502', async (_what, more) => {
    await using client = await rawConnect(corpus.gate.dataPort);
    client.write(`GET /ws/good HTTP/1.1\r\n${corpus.head}\r\n${more}\r\n`);
    await client.waitFor('"upstream_bad_response"');
    expect(parseAnswer(client.received()).status).toBe(502);
    expect(corpus.takeForwarded()[0]?.headers.map(([name]) => name.toLowerCase())).not.toContain('upgrade');
  });

  it('UP02 that is denied ends its connection, even if the client keeps its side open', async () => {
    const socket = connect({ port: corpus.gate.dataPort, host: '127.0.0.1', allowHalfOpen: true });
    const closed = Promise.withResolvers<void>();
    let received = '';
    socket.setEncoding('latin1').on('data', (text: string) => {
      received += text;
    });
    socket.on('error', () => undefined).on('close', () => closed.resolve());
    socket.write(handshake('/exports/ws'), 'latin1');
    // Bytes of a tunnel that does not exist; in the end nobody is there to take them.
    const writing = setInterval(() => socket.write('x'), 100);
    await closed.promise;
    clearInterval(writing);
    expect(received).toContain('"rule_denied"');
    expect(corpus.takeForwarded()).toEqual([]);
    expect(outcomesOf(corpus.takeLines())).toEqual(['rule_denied']);
  });
});
