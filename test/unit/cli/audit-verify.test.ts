// `postern audit verify` as it is asked and as it answers: exit codes, both forms of output, files that cannot be read.
import { createPublicKey } from 'node:crypto';
import { mkdir, mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readCheckpoint } from '#audit/chain/checkpoint.ts';
import type { VerifyReport } from '#audit/chain/verify-report.ts';
import { checkpointRecordOf } from '#audit/published-record.ts';
import { runAudit } from '../../support/audit-command.ts';
import { newSigningKey, smallJournal } from '../../tamper/journal.ts';

const key = newSigningKey();
const writer = smallJournal({ seed: 5, segments: 2, groupsPerSegment: 5, key });

interface Files extends AsyncDisposable {
  readonly journal: string;
  readonly publicKey: string;
  readonly otherKey: string;
  readonly checkpoints: string;
  readonly root: string;
}

async function writeFiles(
  change: (bytes: Buffer, number: number) => Buffer = (bytes) => bytes,
): Promise<Files> {
  const directory = await mkdtempDisposable(path.join(tmpdir(), 'postern-verify-'));
  const root = directory.path;
  const files = {
    root,
    journal: path.join(root, 'audit'),
    publicKey: path.join(root, 'key.pub.pem'),
    otherKey: path.join(root, 'other.pub.pem'),
    checkpoints: path.join(root, 'kept.ndjson'),
  };
  await mkdir(files.journal);
  for (const { number, bytes } of writer.segments) {
    const name = `journal-${String(number).padStart(12, '0')}.ndjson`;
    await writeFile(path.join(files.journal, name), change(bytes, number));
  }
  const pem = ({ privateKey }: typeof key) =>
    createPublicKey(privateKey).export({ type: 'spki', format: 'pem' });
  await writeFile(files.publicKey, pem(key));
  await writeFile(files.otherKey, pem(newSigningKey()));
  const records = writer.kept.map(({ text }) => {
    const line = readCheckpoint(text);
    return line === null ? '' : JSON.stringify(checkpointRecordOf(line));
  });
  await writeFile(files.checkpoints, `{"event":"request.allowed"}\n${records.join('\n')}\n`);
  return { ...files, [Symbol.asyncDispose]: () => directory[Symbol.asyncDispose]() };
}

const run = (...argv: readonly string[]) => runAudit('verify', ...argv);

describe('postern audit verify', () => {
  it('answers 0 for a journal that is whole, and says what that rests on', async () => {
    await using files = await writeFiles();
    const { publicKey, checkpoints, journal } = files;
    const { out, err, code } = await run(
      '--journal',
      journal,
      '--public-key',
      publicKey,
      '--checkpoint',
      checkpoints,
    );
    expect(code).toBe(0);
    expect(err).toBe('');
    expect(out).toContain(`${journal}: verified\n`);
    expect(out).toContain('  groups       11 (1 to 11)\n');
    expect(out).toContain(`  keys         ${key.publicKey} (as given)\n`);
    expect(out).toContain(
      `  kept         ${writer.kept.length} of ${writer.kept.length} found as they were\n`,
    );
    expect(out).not.toContain('note:');
  });

  it('says that it trusted the journal’s own keys, and that a cut would not show', async () => {
    await using files = await writeFiles();
    const { out, code } = await run('--journal', files.journal);
    expect(code).toBe(0);
    expect(out).toContain('(as the journal names itself)');
    expect(out).toContain('note: the keys are the journal’s own word');
    expect(out).toContain('note: groups cut off at the end show only beside checkpoints kept elsewhere');
  });

  it('answers 1 for a damaged journal, with the place', async () => {
    await using files = await writeFiles((bytes, number) =>
      number === 1
        ? Buffer.from(bytes.toString('latin1').replace('"method":"GET"', '"method":"PUT"'))
        : bytes,
    );
    const { out, code } = await run('--journal', files.journal);
    expect(code).toBe(1);
    expect(out).toContain(': damaged: 1 finding\n');
    expect(out).toMatch(/ {2}group \d+ segment 1 at byte \d+: its bytes are not those that were sealed/);
  });

  it('answers 1 for a key that did not sign', async () => {
    await using files = await writeFiles();
    const { out, code } = await run('--journal', files.journal, '--public-key', files.otherKey);
    expect(code).toBe(1);
    expect(out).toContain('a checkpoint is signed by a key that is not trusted');
    const both = ['--public-key', files.otherKey, '--public-key', files.publicKey];
    expect((await run('--journal', files.journal, ...both)).code).toBe(0);
  });

  it('answers 1 for a journal that was cut back behind kept checkpoints, as JSON too', async () => {
    await using files = await writeFiles((bytes, number) => (number === 2 ? bytes.subarray(0, 0) : bytes));
    const { out, code } = await run('--journal', files.journal, '--checkpoint', files.checkpoints, '--json');
    expect(code).toBe(1);
    const report = JSON.parse(out) as VerifyReport;
    expect(report.verified).toBe(false);
    expect(report.damage.findings[0]).toMatchObject({ segment: 2, group: 6 });
    expect((await run('--journal', files.journal)).code).toBe(0);
  });

  it('answers 2 where it cannot be asked', async () => {
    await using files = await writeFiles();
    const { journal, root, checkpoints, publicKey } = files;
    const missing = path.join(root, 'missing');
    for (const argv of [
      ['--journal', missing],
      ['--journal', root],
      ['--journal', journal, '--public-key', missing],
      ['--journal', journal, '--public-key', checkpoints],
      ['--journal', journal, '--checkpoint', missing],
      ['--journal', journal, '--checkpoint', publicKey],
    ]) {
      const { out, err, code } = await run(...argv);
      expect(code, argv.join(' ')).toBe(2);
      expect(out).toBe('');
      expect(err).toContain('error: ');
    }
    const { out } = await run('--journal', root, '--json');
    expect(JSON.parse(out)).toEqual({ verified: null, error: `${root} holds no journal` });
  });
});
