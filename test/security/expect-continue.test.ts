// Class 19, desynchronisation by Expect (EX01): the gate asks for the body itself once every check has passed, and
// never forwards the expectation; a refused request gets no 100, and its body is never read.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { checkHygiene, type CorpusGate, startCorpusGate } from '../support/corpus-gate.ts';
import { parseAnswer, rawConnect } from '../support/raw-client.ts';
import type { RecordedRequest } from '../support/recording-upstream.ts';

describe('a request that waits for a 100', () => {
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

  const head = (line: string, more = '') =>
    `${line} HTTP/1.1\r\n${corpus.head}\r\nContent-Length: 5\r\nExpect: 100-continue\r\n${more}\r\n`;

  it.each([
    ['as it is', ''],
    ['with a forged identity', 'X-Support-Assertion: forged\r\nX-Forwarded-For: 10.0.0.1\r\n'],
  ])('%s gets it from the gate, and the upstream sees no expectation', async (_what, more) => {
    await using client = await rawConnect(corpus.gate.dataPort);
    client.write(head('POST /ok', more));
    expect(await client.waitFor('\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    client.write('hello');
    await client.waitFor('{"ok":true}');
    const [request] = corpus.takeForwarded() as [RecordedRequest];
    expect(request).toMatchObject({ method: 'POST', target: '/ok', body: 'hello' });
    checkHygiene(request);
    expect(corpus.upstream.bytes.join('')).not.toContain('forged');
  });

  it.each([
    ['POST /exports', '', 403],
    ['POST /a/../b', '', 400],
    ['POST /-/postern/x', '', 404],
    ['POST /ok', 'X_Support_Assertion: forged\r\n', 400],
    ['PROPFIND /ok', '', 405],
  ])('%s %s gets none, and what follows is neither body nor request', async (line, more, status) => {
    await using client = await rawConnect(corpus.gate.dataPort);
    client.write(head(line, more));
    await client.waitFor('"requestId"');
    client.write(`hello${head('GET /smuggled').replace('Content-Length: 5\r\n', '')}`);
    await client.closed;
    expect(client.received()).not.toContain('100 Continue');
    expect(client.received().match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(parseAnswer(client.received()).status).toBe(status);
    expect(corpus.takeForwarded()).toEqual([]);
  });

  it('and is pipelined behind another gets its 100 in its turn', async () => {
    await using client = await rawConnect(corpus.gate.dataPort);
    client.write(`GET /first HTTP/1.1\r\n${corpus.head}\r\n\r\n${head('POST /second')}`);
    const received = await client.waitFor('100 Continue\r\n\r\n');
    expect(received.indexOf('200 OK')).toBeLessThan(received.indexOf('100 Continue'));
    client.write('hello');
    await client.waitFor('100 Continue\r\n\r\nHTTP/1.1 200 OK');
    await expect.poll(() => corpus.upstream.requests.at(-1)?.body, { timeout: 10_000 }).toBe('hello');
  });
});
