// Publishing through the real worker thread: from the journal's lines to a sink's records.
import { generateKeyPairSync, verify } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { importSigningKey } from '#audit/chain/signing-key.ts';
import { ANONYMOUS, fakeExchange } from '../support/audit-exchange.ts';
import { linesOf, testDirectory, testJournal, turn, until } from '../support/audit-journal.ts';
import { recordProblems } from '../support/audit-schema.ts';

const published = (file: string): Record<string, unknown>[] =>
  existsSync(file) ? linesOf(readFileSync(file, 'utf8')) : [];

function sinkBeside(directory: string): string {
  return path.join(path.dirname(directory), 'out', 'audit.ndjson');
}

describe('a file sink', () => {
  it('gets one valid record per request, and both of a stream', async () => {
    using directory = testDirectory();
    const file = sinkBeside(directory.path);
    const journal = testJournal(directory.path, { sinks: [{ kind: 'file', path: file }] });
    const allowed = fakeExchange();
    const stream = fakeExchange({ kind: 'event_stream' });
    journal.intend(allowed);
    journal.intend(stream);
    journal.refuse(fakeExchange({ reason: 'no_grant', status: 403, endedBy: null }));
    journal.refuse(fakeExchange(ANONYMOUS));
    journal.event({
      event: 'grant.revoked',
      tenant: 'acme',
      grant: null,
      actor: null,
      details: { by: 'admin' },
    });
    await turn();
    journal.started(stream);
    await until(() => published(file).length === 4);
    journal.complete(stream);
    journal.complete(allowed);
    await journal.close(5000);
    const records = published(file);
    expect(records.flatMap(recordProblems)).toEqual([]);
    expect(records.map(({ event }) => event)).toEqual([
      'request.denied',
      'request.denied',
      'grant.revoked',
      'request.allowed',
      'stream.ended',
      'request.allowed',
    ]);
    expect(records.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6]);
    const status = journal.status().sinks.find(({ name }) => name === 'file');
    expect(status).toEqual({ name: 'file', lagRecords: 0, errors: 0, dropped: {} });
    expect(journal.status().records).toBe(6);
  });

  it('publishes what a process left open as unknown, once, at the next start', async () => {
    using directory = testDirectory();
    const file = sinkBeside(directory.path);
    const sinks = [{ kind: 'file', path: file }] as const;
    const lost = fakeExchange();
    const first = testJournal(directory.path, { sinks });
    first.intend(lost);
    await turn();
    await first.close(5000);
    expect(published(file)).toEqual([]);
    for (let start = 0; start < 2; start++) await testJournal(directory.path, { sinks }).close(5000);
    expect(published(file).map(({ id, outcome }) => [id, outcome])).toEqual([[lost.requestId, 'unknown']]);
    expect(published(file).flatMap(recordProblems)).toEqual([]);
  });

  it('that is down and comes back has lost nothing, and has held up no request', async () => {
    using directory = testDirectory();
    const file = sinkBeside(directory.path);
    // A directory stands where the file should be.
    mkdirSync(file, { recursive: true });
    const journal = testJournal(directory.path, { sinks: [{ kind: 'file', path: file }] });
    const all = Array.from({ length: 200 }, () => fakeExchange());
    for (const x of all) journal.intend(x);
    await turn();
    for (const x of all) journal.complete(x, x);
    await until(() => all.every((x) => x.answers.join() === 'recorded,recorded'));
    await until(() => (journal.status().sinks[0]?.errors ?? 0) > 0);
    expect(journal.status().sinks[0]?.lagRecords).toBe(200);
    expect(journal.log.messages).toContain('an audit sink cannot be written; it is tried again');
    rmdirSync(file);
    await journal.close(10_000);
    expect(published(file).map(({ id }) => id)).toEqual(all.map(({ requestId }) => requestId));
    expect(journal.status().sinks[0]?.lagRecords).toBe(0);
  });

  it('gets checkpoints that can be checked without the journal', async () => {
    using directory = testDirectory();
    const file = sinkBeside(directory.path);
    const { privateKey, publicKey } = generateKeyPairSync('ed25519');
    const signingKey = importSigningKey(privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
    const journal = testJournal(directory.path, { sinks: [{ kind: 'file', path: file }], signingKey });
    journal.refuse(fakeExchange({ reason: 'no_grant', status: 403 }));
    await until(() => published(file).some(({ event }) => event === 'audit.checkpoint'));
    await journal.close(5000);
    const record = published(file).find(({ event }) => event === 'audit.checkpoint') ?? {};
    expect(recordProblems(record)).toEqual([]);
    // As docs/audit.md says.
    const { id, time, chain, from, to, head, leaves, root, key, sig } = record;
    const t = Date.parse(String(time));
    const text = JSON.stringify({ k: 'checkpoint', id, t, chain, from, to, head, leaves, root, key });
    const signed = Buffer.from(`postern checkpoint v1\n${text.slice(0, -1)}`, 'latin1');
    const signature = Buffer.from(String(sig), 'base64url');
    expect(verify(null, signed, publicKey, signature)).toBe(true);
    expect(verify(null, Buffer.concat([signed, Buffer.of(0)]), publicKey, signature)).toBe(false);
  });

  it('opens its file again after it was rotated from outside', async () => {
    using directory = testDirectory();
    const file = sinkBeside(directory.path);
    const journal = testJournal(directory.path, { sinks: [{ kind: 'file', path: file }] });
    const refuse = async (count: number, target: string): Promise<void> => {
      journal.refuse(fakeExchange({ reason: 'no_grant', status: 403 }));
      await until(() => published(target).length === count);
    };
    await refuse(1, file);
    renameSync(file, `${file}.1`);
    await refuse(2, `${file}.1`);
    journal.reopenSinks();
    await refuse(1, file);
    await journal.close(5000);
    expect([...published(`${file}.1`), ...published(file)].map(({ seq }) => seq)).toEqual([1, 2, 3]);
  });

  it('cuts off the half line of a crash before it goes on', async () => {
    using directory = testDirectory();
    const file = sinkBeside(directory.path);
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, '{"whole":1}\n{"torn":');
    const journal = testJournal(directory.path, { sinks: [{ kind: 'file', path: file }] });
    journal.refuse(fakeExchange({ reason: 'no_grant', status: 403 }));
    await journal.close(5000);
    expect(published(file)).toHaveLength(2);
  });
});

it('a sink that never comes back does not hold up the shutdown beyond its deadline', async () => {
  using directory = testDirectory();
  const file = sinkBeside(directory.path);
  mkdirSync(file, { recursive: true });
  const journal = testJournal(directory.path, { sinks: [{ kind: 'file', path: file }] });
  journal.refuse(fakeExchange({ reason: 'no_grant', status: 403 }));
  await journal.close(300);
  expect(journal.log.messages).toContain('audit sinks are behind; they go on at the next start');
});

it('a dead sink holds up no other sink', async () => {
  using directory = testDirectory();
  const good = sinkBeside(directory.path);
  const dead = `${good}.dead`;
  mkdirSync(dead, { recursive: true });
  const sinks = [
    { kind: 'file', path: dead },
    { kind: 'file', path: good },
  ] as const;
  const journal = testJournal(directory.path, { sinks });
  journal.refuse(fakeExchange({ reason: 'no_grant', status: 403 }));
  await until(() => published(good).length === 1);
  await until(() => journal.status().sinks[1]?.lagRecords === 0);
  const lags = journal.status().sinks.map(({ name, lagRecords }) => [name, lagRecords]);
  expect(lags.filter(([name]) => name !== 'index')).toEqual([
    ['file', 1],
    ['file-2', 0],
  ]);
  await journal.close(100);
});
