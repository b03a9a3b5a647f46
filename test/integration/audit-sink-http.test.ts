// The http sink against a receiver that was written from the specification: order, signatures, and every way to fail.
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { createHttpSink } from '#audit/sinks/http-sink.ts';
import type { HttpOptions } from '#audit/sinks/sink-options.ts';
import { until } from '../support/audit-journal.ts';
import { type PumpBench, startPump, TestJournalFiles } from '../support/audit-pump.ts';
import { type Answer, type Delivery, type Receiver, startReceiver } from '../support/audit-receivers.ts';
import { selfSigned } from '../support/upstream-certificate.ts';

const SECRET = `whsec_${randomBytes(32).toString('base64')}`;
const TOKEN = 'Bearer t0ken-of-the-siem';

function options(receiver: { readonly url: string }, changes: Partial<HttpOptions> = {}): HttpOptions {
  return {
    kind: 'http',
    url: receiver.url,
    secret: SECRET,
    headers: { authorization: TOKEN },
    timeoutMs: 2000,
    maxRecords: 500,
    compression: 'gzip',
    ca: null,
    ...changes,
  };
}

function ship(
  journal: TestJournalFiles,
  receiver: Receiver,
  changes: Partial<HttpOptions> = {},
): PumpBench<unknown> {
  return startPump(journal, createHttpSink(options(receiver, changes)), { random: () => 0 });
}

const idsIn = (deliveries: readonly Delivery[]): unknown[] =>
  deliveries.flatMap(({ records }) => records.map(({ id }) => id));

describe('an http sink', () => {
  it('posts batches in order, signed over the bytes that are sent', async () => {
    await using receiver = await startReceiver({ secret: SECRET });
    using journal = new TestJournalFiles();
    const ids = journal.refusals(1200);
    const { pump } = ship(journal, receiver);
    await pump.drain(journal.end);
    expect(idsIn(receiver.taken)).toEqual(ids);
    expect(receiver.taken.map(({ records }) => records.length)).toEqual([500, 500, 200]);
    for (const { isSigned, headers, path, id } of receiver.taken) {
      expect(isSigned).toBe(true);
      expect(id).toMatch(/^msg_[0-9a-f]{32}$/);
      expect(path).toBe('/hook');
      expect(headers).toMatchObject({
        'content-type': 'application/x-ndjson',
        'content-encoding': 'gzip',
        authorization: TOKEN,
      });
    }
    expect(new Set(receiver.taken.map(({ id }) => id)).size).toBe(3);
  });

  it('sends plain text where the file says so, signed with a secret that is a text', async () => {
    const secret = 'a text of at least twenty-four bytes: ü';
    await using receiver = await startReceiver({ secret });
    using journal = new TestJournalFiles();
    const ids = journal.refusals(2);
    const { pump } = ship(journal, receiver, { secret, compression: 'none' });
    await pump.drain(journal.end);
    expect(receiver.taken[0]?.isSigned).toBe(true);
    expect(receiver.taken[0]?.headers['content-encoding']).toBeUndefined();
    expect(idsIn(receiver.taken)).toEqual(ids);
  });

  it('signs with nothing but its own secret', async () => {
    await using receiver = await startReceiver({ secret: `whsec_${randomBytes(32).toString('base64')}` });
    using journal = new TestJournalFiles();
    journal.refusals(1);
    await ship(journal, receiver).pump.drain(journal.end);
    expect(receiver.taken[0]?.isSigned).toBe(false);
  });

  it('cuts batches at a mebibyte before compression, and never a record', async () => {
    await using receiver = await startReceiver({ secret: SECRET });
    using journal = new TestJournalFiles();
    const ids = journal.refusals(1500);
    const { pump } = ship(journal, receiver, { maxRecords: 10_000, compression: 'none' });
    await pump.drain(journal.end);
    expect(idsIn(receiver.taken)).toEqual(ids);
    expect(Math.max(...receiver.taken.map(({ body }) => body.length))).toBeLessThanOrEqual(1024 * 1024);
    expect(receiver.taken.length).toBeGreaterThan(1);
  });

  it('sends OCSF events where the file says so, under the same id', async () => {
    await using receiver = await startReceiver({ secret: SECRET });
    using journal = new TestJournalFiles();
    const ids = journal.refusals(2);
    const { pump } = ship(journal, receiver, { format: 'ocsf' });
    await pump.drain(journal.end);
    const [delivery] = receiver.taken;
    expect(delivery?.records).toMatchObject(ids.map((uid) => ({ class_uid: 6003, metadata: { uid } })));
  });

  it('sends smaller batches to a receiver that finds one too large, and loses nothing', async () => {
    await using receiver = await startReceiver({ secret: SECRET });
    receiver.maxBytes = 40_000;
    using journal = new TestJournalFiles();
    const ids = journal.refusals(300);
    const { pump, progress } = ship(journal, receiver);
    await pump.drain(journal.end);
    expect(idsIn(receiver.taken)).toEqual(ids);
    expect(progress.reduce((sum, { errors }) => sum + errors, 0)).toBe(0);
  });

  it('offers a single record that is too large for ever, rather than drop it', async () => {
    await using receiver = await startReceiver({ secret: SECRET });
    receiver.maxBytes = 10;
    using journal = new TestJournalFiles();
    const ids = journal.refusals(2);
    const { pump, notices } = ship(journal, receiver);
    await until(() => receiver.deliveries.length > 4);
    expect(receiver.taken).toEqual([]);
    expect(notices[0]?.fields).toEqual({ sink: 'test', code: 'http_413' });
    receiver.maxBytes = Number.MAX_SAFE_INTEGER;
    await pump.drain(journal.end);
    expect(idsIn(receiver.taken)).toEqual(ids);
  });

  it('trusts the authority it was given and no other', async () => {
    const [ours, other] = [selfSigned(), selfSigned()];
    await using receiver = await startReceiver({ secret: SECRET, tls: ours });
    using journal = new TestJournalFiles();
    const ids = journal.refusals(1);
    const wrong = ship(journal, receiver, { ca: other.cert });
    await until(() => wrong.notices.length > 0);
    expect(wrong.notices[0]?.fields).toMatchObject({
      code: expect.stringMatching(/^[A-Z_]*(CERT|SIGNATURE)[A-Z_]*$/),
    });
    expect(receiver.deliveries).toEqual([]);
    const right = startPump(journal, createHttpSink(options(receiver, { ca: ours.cert })), { name: 'right' });
    await right.pump.drain(journal.end);
    expect(idsIn(receiver.taken)).toEqual(ids);
  });
});

interface DocumentedCheck {
  isFromPostern(headers: Delivery['headers'], body: Buffer, secret: string, nowSeconds?: number): boolean;
}

describe('the check that docs/audit-sinks.md shows', () => {
  it('holds for what was sent, and for nothing that was changed, signed by another or kept too long', async () => {
    const [, source = ''] = /```js\n([\s\S]*?)```/.exec(readFileSync('docs/audit-sinks.md', 'utf8')) ?? [];
    const documented = (await import(
      `data:text/javascript,${encodeURIComponent(source)}`
    )) as DocumentedCheck;
    await using receiver = await startReceiver({ secret: SECRET });
    using journal = new TestJournalFiles();
    journal.refusals(3);
    await ship(journal, receiver).pump.drain(journal.end);
    const [{ headers, body, timestamp }] = receiver.taken as [Delivery];
    const changed = Buffer.from(body);
    changed[20] = (changed[20] ?? 0) ^ 1;
    expect([
      documented.isFromPostern(headers, body, SECRET),
      documented.isFromPostern(headers, body, SECRET, timestamp + 299),
      documented.isFromPostern(headers, changed, SECRET),
      documented.isFromPostern({ ...headers, 'webhook-id': 'msg_other' }, body, SECRET),
      documented.isFromPostern({ ...headers, 'webhook-timestamp': String(timestamp + 1) }, body, SECRET),
      documented.isFromPostern({ ...headers, 'webhook-timestamp': 'x' }, body, SECRET),
      documented.isFromPostern(headers, body, `whsec_${randomBytes(32).toString('base64')}`),
      documented.isFromPostern(headers, body, SECRET, timestamp + 301),
    ]).toEqual([true, true, false, false, false, false, false, false]);
  });
});

describe('a receiver that fails', () => {
  const FAILURES: readonly (readonly [string, Answer, string])[] = [
    ['answers 500', { status: 500, body: 'secret-of-the-receiver' }, 'http_500'],
    ['answers 503 and asks for a pause', { status: 503, headers: { 'retry-after': '0' } }, 'http_503'],
    ['answers 429', { status: 429 }, 'http_429'],
    ['answers 401', { status: 401 }, 'http_401'],
    ['answers 404', { status: 404 }, 'http_404'],
    ['hangs', 'hang', 'timeout'],
    ['closes the connection', 'reset', 'ECONNRESET'],
    ['dies while it answers', 'resetMidAnswer', 'ECONNRESET'],
  ];

  it.each(FAILURES)('%s gets the same batch again under the same id', async (_what, answer, code) => {
    await using receiver = await startReceiver({ secret: SECRET });
    receiver.answers.push(answer, answer, answer);
    using journal = new TestJournalFiles();
    const ids = journal.refusals(20);
    const { pump, notices, progress } = ship(journal, receiver, { timeoutMs: 1000, maxRecords: 10 });
    await pump.drain(journal.end);
    const [first] = receiver.deliveries;
    const again = receiver.deliveries.filter(({ id }) => id === first?.id);
    expect(again.length).toBeGreaterThanOrEqual(4);
    for (const one of again)
      expect([one.body.equals(first?.body ?? Buffer.alloc(0)), one.isSigned]).toEqual([true, true]);
    // Whoever drops batches by their id has each record once, in order.
    const seen = new Set<string>();
    const kept = receiver.taken.filter(({ id }) => !seen.has(id) && seen.add(id));
    expect(idsIn(kept)).toEqual(ids);
    expect(notices.map(({ fields }) => fields)).toEqual([{ sink: 'test', code }]);
    expect(progress.reduce((sum, { errors }) => sum + errors, 0)).toBeGreaterThanOrEqual(3);
    const said = JSON.stringify([notices, progress]);
    for (const secret of [SECRET, TOKEN, receiver.url, '127.0.0.1', 'secret-of-the-receiver']) {
      expect(said).not.toContain(secret);
    }
  });

  // A redirect would carry the records and the token to wherever the answer says.
  it.each([301, 302, 307, 308])('and redirects with %i is not followed', async (status) => {
    await using elsewhere = await startReceiver({ secret: SECRET });
    await using receiver = await startReceiver({ secret: SECRET });
    const redirect = { status, headers: { location: elsewhere.url } };
    receiver.answers.push(redirect, redirect);
    using journal = new TestJournalFiles();
    const ids = journal.refusals(3);
    const { pump, notices } = ship(journal, receiver);
    await pump.drain(journal.end);
    expect(elsewhere.deliveries).toEqual([]);
    expect(idsIn(receiver.taken)).toEqual(ids);
    expect(notices[0]?.fields).toEqual({ sink: 'test', code: `http_${status}` });
  });

  it('and asks for a pause is left alone for as long', async () => {
    await using receiver = await startReceiver({ secret: SECRET });
    receiver.answers.push({ status: 503, headers: { 'retry-after': '7' } });
    using journal = new TestJournalFiles();
    journal.refusals(1);
    const pauses: number[] = [];
    const { pump } = startPump(journal, createHttpSink(options(receiver)), {
      random: () => 0,
      sleep(ms) {
        pauses.push(ms);
        return Promise.resolve();
      },
    });
    await pump.drain(journal.end);
    expect(pauses).toEqual([7001]);
    expect(receiver.taken).toHaveLength(1);
  });

  it('and is away altogether gets all that was written meanwhile once it is back, in order', async () => {
    await using receiver = await startReceiver({ secret: SECRET });
    using journal = new TestJournalFiles();
    const ids = journal.refusals(50);
    const { pump, notices, progress } = ship(journal, receiver);
    await pump.drain(journal.end);
    await receiver.stop();
    for (let round = 0; round < 20; round++) {
      ids.push(...journal.refusals(200));
      if (round % 5 === 4) journal.nextSegment();
      pump.wrote(journal.end);
    }
    await until(() => notices.length > 0);
    expect(notices[0]?.fields).toEqual({ sink: 'test', code: 'ECONNREFUSED' });
    await until(() => progress.reduce((sum, { errors }) => sum + errors, 0) > 3);
    await receiver.start();
    await pump.drain(journal.end);
    expect(idsIn(receiver.taken)).toEqual(ids);
    expect(receiver.taken.every(({ isSigned }) => isSigned)).toBe(true);
    expect(progress.at(-1)).toMatchObject({ shipped: journal.records, backlog: 0 });
  });
});
