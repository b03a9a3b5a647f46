// The OTLP sink against a real collector endpoint: what arrives is decoded, and every answer that a collector may give is
// given. Nothing that the collector did not take is ever called delivered.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { createOtlpSink } from '#audit/sinks/otlp-sink.ts';
import type { OtlpOptions } from '#audit/sinks/sink-options.ts';
import { listen } from '../support/listen.ts';
import { decodeRequest } from '../support/otlp-decoder.ts';
import { everyRecord, requestRecord } from '../support/published-records.ts';
import { selfSigned } from '../support/upstream-certificate.ts';

interface Seen {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
  readonly port: number;
}
type Answer = (response: ServerResponse, seen: Seen) => void;

function answering(body: string, status = 200, headers: Record<string, string> = {}): Answer {
  return (response) => {
    response.writeHead(status, { 'content-type': 'application/json', ...headers });
    response.end(body);
  };
}
const TAKEN = answering('{}');

async function startCollector(answer: Answer = TAKEN, tls = false) {
  const seen: Seen[] = [];
  const state = { answer };
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const one = {
        method: request.method ?? '',
        url: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(parts),
        port: request.socket.remotePort ?? 0,
      };
      seen.push(one);
      state.answer(response, one);
    });
  };
  const pair = selfSigned();
  const server = await listen(tls ? createTlsServer(pair, handle) : createServer(handle));
  const url = `${tls ? 'https' : 'http'}://127.0.0.1:${server.port}`;
  return { seen, state, url, ca: pair.cert, [Symbol.asyncDispose]: () => server.close() };
}

function sinkTo(url: string, options: Partial<OtlpOptions> = {}) {
  const sink = createOtlpSink({
    kind: 'otlp',
    url,
    headers: { authorization: 'Bearer secret-token' },
    timeoutMs: 5000,
    maxRecords: 100,
    compression: 'gzip',
    ca: null,
    resource: { 'deployment.environment.name': 'test' },
    ...options,
  });
  return { ...sink, [Symbol.asyncDispose]: () => sink.close() };
}

/** The code that a write ends in; `taken` with the count when it does not. */
async function outcomeOf(write: Promise<number>): Promise<string> {
  return write.then(
    (count) => `taken ${count}`,
    (error: unknown) => (error as { code: string }).code,
  );
}

function idsIn(seen: Seen): string[] {
  const body = seen.headers['content-encoding'] === 'gzip' ? gunzipSync(seen.body) : seen.body;
  const { resourceLogs } = JSON.parse(body.toString('utf8')) as {
    resourceLogs: { scopeLogs: { logRecords: { body: { stringValue: string } }[] }[] }[];
  };
  return resourceLogs.flatMap(({ scopeLogs }) =>
    scopeLogs.flatMap(({ logRecords }) =>
      logRecords.map(({ body: { stringValue } }) => (JSON.parse(stringValue) as { id: string }).id),
    ),
  );
}

function numbered(count: number, note = '') {
  return Array.from({ length: count }, (_, index) => ({ ...requestRecord({ note }), id: `id-${index}` }));
}

describe('what is sent', () => {
  it('is one POST to /v1/logs, compressed, with the configured headers, over a connection that is kept', async () => {
    await using collector = await startCollector();
    await using sink = sinkTo(collector.url);
    const batch = sink.encode(numbered(3));
    expect(await sink.write(batch, 0)).toBe(3);
    expect(await sink.write(batch, 1)).toBe(2);
    const [first, second] = collector.seen as [Seen, Seen];
    expect([first.method, first.url]).toEqual(['POST', '/v1/logs']);
    expect(first.headers).toMatchObject({
      'content-type': 'application/json',
      'content-encoding': 'gzip',
      authorization: 'Bearer secret-token',
    });
    expect(idsIn(first)).toEqual(['id-0', 'id-1', 'id-2']);
    expect(idsIn(second)).toEqual(['id-1', 'id-2']);
    expect(second.port).toBe(first.port);
  });

  it('goes to the path that was configured, and as it is without compression', async () => {
    await using collector = await startCollector();
    await using sink = sinkTo(`${collector.url}/otlp/logs?k=1`, { compression: 'none', format: 'ocsf' });
    await sink.write(sink.encode([requestRecord()]), 0);
    expect(collector.seen[0]?.url).toBe('/otlp/logs?k=1');
    expect(collector.seen[0]?.headers).not.toHaveProperty('content-encoding');
    expect(collector.seen[0]?.body.toString('utf8')).toContain('\\"class_uid\\":6003');
  });

  it('decodes by the official definitions to the records', async () => {
    await using collector = await startCollector();
    await using sink = sinkTo(collector.url);
    const records = everyRecord();
    await sink.write(sink.encode(records), 0);
    const request = decodeRequest(gunzipSync(collector.seen[0]?.body as Buffer).toString('utf8'));
    const logs = request.resourceLogs.flatMap(({ scopeLogs }) =>
      scopeLogs.flatMap((scope) => scope.logRecords),
    );
    expect(logs.map(({ body }) => JSON.parse(body.stringValue) as unknown)).toEqual(records);
    expect(request.resourceLogs[0]?.resource.attributes).toContainEqual({
      key: 'service.instance.id',
      value: { stringValue: 'gw-1' },
    });
    expect(logs.map(({ severityNumber }) => severityNumber)).toEqual(
      records.map(({ code }) => ({ I: 9, W: 13, E: 17 })[code.at(-1) as 'I']),
    );
  });

  it('is at most as many records as configured, and 1 MiB, whichever is less', async () => {
    await using collector = await startCollector();
    await using few = sinkTo(collector.url, { maxRecords: 2 });
    expect(await few.write(few.encode(numbered(5)), 0)).toBe(2);
    await using many = sinkTo(collector.url, { maxRecords: 10_000 });
    const long = numbered(4, 'x'.repeat(400 * 1024));
    expect(await many.write(many.encode(long), 0)).toBe(2);
    const huge = [{ ...requestRecord(), note: 'x'.repeat(2 * 1024 * 1024) }];
    expect(await many.write(many.encode(huge), 0)).toBe(1);
  });
});

describe('what a collector answers', () => {
  it.each([
    ['an empty object', answering('{}'), 'taken 1'],
    ['nothing', answering('', 204), 'taken 1'],
    ['a warning', answering('{"partialSuccess":{"errorMessage":"slow down"}}'), 'taken 1'],
    ['no rejections', answering('{"partialSuccess":{"rejectedLogRecords":"0"}}'), 'taken 1'],
    ['a rejection', answering('{"partialSuccess":{"rejectedLogRecords":"1"}}'), 'otlp_rejected'],
    ['a rejection as a number', answering('{"partialSuccess":{"rejectedLogRecords":1}}'), 'otlp_rejected'],
    [
      'a rejection in proto names',
      answering('{"partial_success":{"rejected_log_records":1}}'),
      'otlp_rejected',
    ],
    ['the page of a proxy', answering('<html>log in</html>'), 'otlp_answer'],
    ['a list', answering('[]'), 'otlp_answer'],
    ['a refusal', answering('{"code":3,"message":"bad"}', 400), 'http_400'],
    ['no authority', answering('', 401), 'http_401'],
    ['a redirect', answering('', 307, { location: 'http://127.0.0.1:1/' }), 'http_307'],
    ['one record that is too large', answering('', 413), 'http_413'],
    ['a fault', answering('', 500), 'http_500'],
  ])('is understood: %s', async (_name, answer, outcome) => {
    await using collector = await startCollector(answer);
    await using sink = sinkTo(collector.url);
    expect(await outcomeOf(sink.write(sink.encode([requestRecord()]), 0))).toBe(outcome);
    expect(collector.seen).toHaveLength(1);
  });

  it.each([429, 502, 503, 504])('is waited for where it says so: %i', async (status) => {
    await using collector = await startCollector(answering('', status, { 'retry-after': '7' }));
    await using sink = sinkTo(collector.url);
    const error: unknown = await sink
      .write(sink.encode([requestRecord()]), 0)
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: `http_${status}`, retryAfterMs: 7000 });
  });

  it('that says a batch is too large is asked with half of it until it fits', async () => {
    const fits: Answer = (response, seen) =>
      (idsIn(seen).length > 2 ? answering('', 413) : TAKEN)(response, seen);
    await using collector = await startCollector(fits);
    await using sink = sinkTo(collector.url);
    const batch = sink.encode(numbered(9));
    const taken: number[] = [];
    for (let from = 0; from < 9 && taken.length < 20; from += taken.at(-1) as number)
      taken.push(await sink.write(batch, from));
    expect(taken.slice(0, 3)).toEqual([0, 0, 2]);
    const accepted = collector.seen.filter((seen) => idsIn(seen).length <= 2).flatMap(idsIn);
    expect(accepted).toEqual(numbered(9).map(({ id }) => id));
  });

  it('after it was rejected is the same records again', async () => {
    await using collector = await startCollector(answering('{"partialSuccess":{"rejectedLogRecords":"1"}}'));
    await using sink = sinkTo(collector.url);
    const batch = sink.encode(numbered(2));
    expect(await outcomeOf(sink.write(batch, 0))).toBe('otlp_rejected');
    collector.state.answer = TAKEN;
    expect(await outcomeOf(sink.write(batch, 0))).toBe('taken 2');
    expect(collector.seen.map(idsIn)).toEqual([
      ['id-0', 'id-1'],
      ['id-0', 'id-1'],
    ]);
  });
});

describe('a collector that is not there', () => {
  it('is a short code without an address or a secret', async () => {
    const gone = await startCollector();
    await gone[Symbol.asyncDispose]();
    await using sink = sinkTo(gone.url);
    const error: unknown = await sink
      .write(sink.encode([requestRecord()]), 0)
      .catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: 'ECONNREFUSED' });
    expect(`${String(error)} ${JSON.stringify(error)}`).not.toMatch(/127\.0\.0\.1|secret-token/);
  });

  it('or does not answer is given up at the timeout', async () => {
    await using collector = await startCollector(() => undefined);
    await using sink = sinkTo(collector.url, { timeoutMs: 100 });
    expect(await outcomeOf(sink.write(sink.encode([requestRecord()]), 0))).toBe('timeout');
  });

  it('or whose certificate nobody vouches for gets nothing', async () => {
    await using collector = await startCollector(TAKEN, true);
    await using wary = sinkTo(collector.url);
    expect(await outcomeOf(wary.write(wary.encode([requestRecord()]), 0))).toMatch(/SELF_SIGNED|UNABLE_TO/);
    expect(collector.seen).toEqual([]);
    await using trusting = sinkTo(collector.url, { ca: collector.ca });
    expect(await outcomeOf(trusting.write(trusting.encode([requestRecord()]), 0))).toBe('taken 1');
  });
});
