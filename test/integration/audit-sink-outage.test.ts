// Through the real journal and its worker: a receiver that is away holds up neither requests nor the other sinks, and
// has everything once it is back, after a restart of the gateway too.
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { HttpOptions, SinkOptions } from '#audit/sinks/sink-options.ts';
import { type FakeExchange, fakeExchange } from '../support/audit-exchange.ts';
import {
  linesOf,
  testDirectory,
  type TestJournal,
  testJournal,
  turn,
  until,
} from '../support/audit-journal.ts';
import { type Receiver, startReceiver } from '../support/audit-receivers.ts';

const SECRET = `whsec_${randomBytes(32).toString('base64')}`;

function httpTo(receiver: Receiver): HttpOptions {
  return {
    kind: 'http',
    name: 'siem',
    url: receiver.url,
    secret: SECRET,
    headers: { authorization: 'Bearer t0ken' },
    timeoutMs: 5000,
    maxRecords: 100,
    compression: 'gzip',
    ca: null,
  };
}

/** Of requests: checkpoints come when they come. */
const requestIds = (records: readonly Record<string, unknown>[]): unknown[] =>
  records.flatMap(({ event, id }) => (event === 'request.denied' ? [id] : []));

async function refuse(journal: TestJournal, count: number): Promise<FakeExchange[]> {
  const exchanges = Array.from({ length: count }, () => fakeExchange({ reason: 'no_grant', status: 403 }));
  for (const x of exchanges) journal.refuse(x);
  await turn();
  return exchanges;
}

describe('a receiver that hangs', () => {
  it('slows neither requests nor another sink, and gets everything in order when it answers again', async () => {
    await using receiver = await startReceiver({ secret: SECRET });
    using directory = testDirectory();
    const file = path.join(path.dirname(directory.path), 'records.ndjson');
    const sinks: SinkOptions[] = [httpTo(receiver), { kind: 'file', path: file }];
    await using journal = testJournal(directory.path, { sinks, segmentBytes: 64 * 1024 });
    receiver.answers.push('hang');
    const written: FakeExchange[] = [];
    for (let round = 0; round < 30; round++) {
      const exchanges = await refuse(journal, 20);
      // Each was answered in its own turn of the event loop: nobody waited for the receiver.
      expect(exchanges.every(({ answers }) => answers.length === 1 && answers[0] === 'recorded')).toBe(true);
      written.push(...exchanges);
    }
    const ids = written.map(({ requestId }) => requestId);
    const inFile = (): unknown[] => (existsSync(file) ? requestIds(linesOf(readFileSync(file, 'utf8'))) : []);
    await until(() => inFile().length === ids.length);
    expect(inFile()).toEqual(ids);
    expect(receiver.taken).toEqual([]);
    const lag = journal.status().sinks.find(({ name }) => name === 'siem')?.lagRecords ?? 0;
    expect(lag).toBeGreaterThanOrEqual(ids.length);
    // The connection of the request that hangs breaks; what comes next is taken.
    await receiver.stop();
    await receiver.start();
    await until(() => receiver.taken.flatMap(({ records }) => requestIds(records)).length === ids.length);
    expect(receiver.taken.flatMap(({ records }) => requestIds(records))).toEqual(ids);
    expect(receiver.taken.every(({ isSigned }) => isSigned)).toBe(true);
    await until(() => journal.status().sinks.find(({ name }) => name === 'siem')?.lagRecords === 0);
    expect(journal.status().sinks.find(({ name }) => name === 'siem')?.errors).toBeGreaterThan(0);
    expect(JSON.stringify(journal.log)).not.toMatch(/t0ken|whsec_|127\.0\.0\.1/);
  });
});

describe('a receiver that is away while the gateway stops', () => {
  it('gets what it missed from the next process, in order', async () => {
    await using receiver = await startReceiver({ secret: SECRET });
    using directory = testDirectory();
    await receiver.stop();
    const sinks = [httpTo(receiver)];
    const first = testJournal(directory.path, { sinks });
    const missed = await refuse(first, 50);
    await first.close(100);
    await receiver.start();
    const second = testJournal(directory.path, { sinks });
    const later = await refuse(second, 10);
    await second.close(5000);
    const ids = [...missed, ...later].map(({ requestId }) => requestId);
    expect(receiver.taken.flatMap(({ records }) => requestIds(records))).toEqual(ids);
  });
});
