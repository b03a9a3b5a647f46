// Classes 17 and 18 on one connection (FR15, RL12, RL13): pipelined requests are judged one by one, in order, each
// with its own record; a denied one does not ride on an allowed one, and nothing is judged behind what closes.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CorpusGate, outcomesOf, startCorpusGate } from '../support/corpus-gate.ts';
import { rawConnect } from '../support/raw-client.ts';

const get = (target: string, version = '1.1') => `GET ${target} HTTP/${version}\r\n<HEAD>\r\n\r\n`;

describe('pipelined requests', () => {
  let corpus: CorpusGate;

  beforeAll(async () => {
    corpus = await startCorpusGate();
  });
  beforeEach(() => {
    corpus.takeForwarded();
    corpus.takeLines();
  });
  afterAll(async () => {
    await corpus[Symbol.asyncDispose]();
  });

  /** Statuses in order, targets forwarded, and how each was recorded. */
  async function send(bytes: string, count: number) {
    const dialogue = await corpus.converse(bytes, { methods: Array.from({ length: count }, () => 'GET') });
    return {
      statuses: dialogue.answers.map(({ status }) => status),
      forwarded: corpus.takeForwarded().map(({ target }) => target),
      outcomes: outcomesOf(corpus.takeLines()),
      ending: dialogue.ending,
    };
  }

  it('FR15 are judged each for itself, whichever comes first', async () => {
    expect(await send(get('/1') + get('/exports') + get('/2'), 3)).toMatchObject({
      statuses: [200, 403, 200],
      forwarded: ['/1', '/2'],
      outcomes: ['ok', 'rule_denied', 'ok'],
    });
    expect(await send(get('/exports') + get('/3'), 2)).toMatchObject({
      statuses: [403, 200],
      forwarded: ['/3'],
    });
  });

  it('RL13 may be in absolute form behind the first', async () => {
    expect(await send(get('/1') + get('http://<HOST>/exports') + get('http://<HOST>/2'), 3)).toMatchObject({
      statuses: [200, 403, 200],
      forwarded: ['/1', '/2'],
    });
  });

  it('FR15 up to sixteen wait in order', async () => {
    const targets = Array.from({ length: 17 }, (_, index) => `/n${index}`);
    const seen = await send(targets.map((target) => get(target)).join(''), 17);
    expect(seen.forwarded).toEqual(targets);
    expect(seen.statuses).toEqual(targets.map(() => 200));
  });

  it('FR15 a hundred deep close the connection, and each still has its record', async () => {
    const seen = await send(Array.from({ length: 100 }, (_, index) => get(`/n${index}`)).join(''), 100);
    expect(seen.forwarded.length).toBeLessThanOrEqual(17);
    expect(seen.ending).not.toBe('stays');
    // Those that waited are judged one after the other, although their client is gone.
    const outcomes = [...seen.outcomes];
    await expect.poll(() => outcomes.push(...outcomesOf(corpus.takeLines())), { timeout: 10_000 }).toBe(100);
    expect(outcomes).toContain('overloaded');
  });

  it.each([
    ['a malformed request', 'GARBAGE\r\n\r\n'],
    ['a lower-case method', 'get /exports HTTP/1.1\r\n<HEAD>\r\n\r\n'],
    [
      'both framings',
      'POST /ok HTTP/1.1\r\n<HEAD>\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
  ])(
    '%s behind an allowed one is answered in its turn, and nothing after it is judged',
    async (_what, second) => {
      const seen = await send(get('/1') + second + get('/after'), 2);
      expect(seen.statuses).toEqual([200, 400]);
      expect(seen.forwarded).toEqual(['/1']);
      expect(seen.outcomes).toHaveLength(2);
      expect(seen.outcomes[0]).toBe('ok');
    },
  );

  it('a refused request line is not recorded under the line of the request before it', async () => {
    await corpus.converse(`${get('/1')}BAD /exports HTTP/1.1\r\n\r\n`, { methods: ['GET', 'BAD'] });
    expect(corpus.takeLines().filter(({ k }) => k === 'refused')).toMatchObject([{ method: '', path: '' }]);
  });

  it.each([
    ['RL12 HTTP/1.0', get('/1', '1.0')],
    ['Connection: close', 'GET /1 HTTP/1.1\r\n<HEAD>\r\nConnection: close\r\n\r\n'],
    ['a refusal that closes', 'GET /../exports HTTP/1.1\r\n<HEAD>\r\n\r\n'],
  ])('%s ends the connection: what stands behind it is not forwarded', async (_what, first) => {
    const { answers, gateClosed } = await corpus.converse(first + get('/after'), {
      methods: ['GET'],
      untilClosed: true,
    });
    expect(gateClosed).toBe(true);
    expect(answers).toHaveLength(1);
    expect(corpus.takeForwarded().map(({ target }) => target)).not.toContain('/after');
  });
});

describe('a pipelined request behind one in flight', () => {
  it('FR15 is refused when the grant was revoked meanwhile', async () => {
    const arrived = Promise.withResolvers<void>();
    await using corpus = await startCorpusGate({ respond: () => arrived.resolve() });
    await using client = await rawConnect(corpus.gate.dataPort);
    client.write(`GET /held HTTP/1.1\r\n${corpus.head}\r\n\r\nGET /after HTTP/1.1\r\n${corpus.head}\r\n\r\n`);
    await arrived.promise;
    await corpus.gate.revoke(corpus.grantId);
    client.socket.end();
    await client.closed;
    const statuses = [...client.received().matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status);
    expect(statuses).toEqual(['403', '403']);
    expect(corpus.takeForwarded().map(({ target }) => target)).toEqual(['/held']);
    expect(outcomesOf(corpus.takeLines())).toHaveLength(2);
  });
});
