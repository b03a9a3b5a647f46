// Journals that the real writer wrote, signed by the real worker: they verify, whatever happened while they were written.
import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { importSigningKey } from '#audit/chain/signing-key.ts';
import { directorySource } from '#audit/chain/verify-directory.ts';
import { verifyJournal } from '#audit/chain/verify-journal.ts';
import { readKeptCheckpoint } from '#audit/chain/verify-kept.ts';
import type { VerifyReport } from '#audit/chain/verify-report.ts';
import { fakeExchange } from '../../../support/audit-exchange.ts';
import { faultyFiles } from '../../../support/audit-files.ts';
import { testDirectory, testJournal, turn, until } from '../../../support/audit-journal.ts';

function verify(directory: string, kept: readonly string[] = []): VerifyReport {
  using source = directorySource(directory);
  const checkpoints = kept.map(readKeptCheckpoint).filter((checkpoint) => checkpoint !== null);
  return verifyJournal({ source, publicKeys: null, kept: kept.length === 0 ? null : checkpoints });
}

function newKey(): ReturnType<typeof importSigningKey> {
  const { privateKey } = generateKeyPairSync('ed25519');
  return importSigningKey(privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
}

async function exchangeSome(journal: ReturnType<typeof testJournal>, count: number): Promise<void> {
  const some = Array.from({ length: count }, () => fakeExchange());
  for (const x of some) journal.intend(x);
  await turn();
  for (const x of some) journal.complete(x);
  await turn();
}

describe('a written journal', () => {
  it('verifies over rotations and restarts, while it is open and after', async () => {
    using directory = testDirectory();
    for (let start = 0; start < 3; start++) {
      await using journal = testJournal(directory.path, { segmentBytes: 4096 });
      for (let i = 0; i < 5; i++) await exchangeSome(journal, 1 + 3 * i);
      expect(verify(directory.path).damage.findings).toEqual([]);
    }
    const report = verify(directory.path);
    expect(report.damage.findings).toEqual([]);
    expect(report.segments.count).toBeGreaterThan(5);
    expect(report.lines).toBeGreaterThan(200);
  });

  it('verifies after a write that failed, with the numbers that were lost declared', async () => {
    using directory = testDirectory();
    const files = faultyFiles();
    await using journal = testJournal(directory.path, {}, { files });
    await exchangeSome(journal, 3);
    files.failWrites = 'ENOSPC';
    await exchangeSome(journal, 3);
    files.failWrites = null;
    await until(() => journal.available);
    await exchangeSome(journal, 3);
    await until(() => directory.text().includes('"k":"gap"'));
    expect(verify(directory.path).damage.findings).toEqual([]);
  });

  it('is signed up to its last record when it was closed, and its checkpoints are found again', async () => {
    using directory = testDirectory();
    const key = newKey();
    for (let start = 0; start < 2; start++) {
      await using journal = testJournal(directory.path, { signingKey: key, worker: true });
      await exchangeSome(journal, 8);
    }
    const kept = directory
      .text()
      .split('\n')
      .filter((line) => line.startsWith('{"k":"checkpoint"'));
    const report = verify(directory.path, kept);
    expect(report.damage.findings).toEqual([]);
    expect(report.keys).toEqual({ signed: [key.publicKey], given: false });
    expect(report.checkpoints.rootsNotComputed).toBe(0);
    const [, unsigned = 'none'] = directory.text().split(`{"k":"seal","n":${report.checkpoints.last?.to},`);
    const kinds = unsigned
      .split('\n')
      .slice(1, -1)
      .map((line) => line.slice(0, 11));
    expect(new Set(kinds)).toEqual(new Set(['{"k":"check', '{"k":"seal"']));
    expect(report.kept).toMatchObject({ count: kept.length, found: kept.length });
    expect(kept.length).toBeGreaterThanOrEqual(2);
  });
});
