// A bundle of the journal that the gateway's own writer and notary made: what a vendor exports, a customer verifies with
// nothing but the file and the public key.
import { copyFileSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { TenantId } from '#model/ids.ts';
import { loadOrCreateSigningKey, publicKeyPath } from '#audit/chain/signing-key.ts';
import { openSubjectStore } from '#audit/subjects/sqlite-subject-store.ts';
import { runAudit } from '../support/audit-command.ts';
import { ANONYMOUS, EXAMPLE_CREDENTIAL, EXAMPLE_GRANT, fakeExchange } from '../support/audit-exchange.ts';
import { faultyFiles } from '../support/audit-files.ts';
import { linesOf, testDirectory, testJournal, turn, until } from '../support/audit-journal.ts';
import { newKey } from '../support/bundle-journal.ts';

interface Vendor extends Disposable {
  readonly journal: string;
  readonly key: string;
  readonly bundle: string;
  exported(...argv: readonly string[]): Promise<Awaited<ReturnType<typeof runAudit>>>;
  verified(...argv: readonly string[]): Promise<Awaited<ReturnType<typeof runAudit>>>;
}

const GLOBEX = 'globex' as TenantId;
const OTHER = {
  ...EXAMPLE_CREDENTIAL,
  principal: { ...EXAMPLE_CREDENTIAL.principal, id: 'agent-8', email: 'eve@vendor.example', name: 'Eve' },
};

/** Requests of two tenants, over two runs of the gateway; before the second the key may have been replaced. */
async function vendor({ newKeyBetween = false } = {}): Promise<Vendor> {
  const directory = testDirectory();
  const root = path.dirname(directory.path);
  const key = path.join(root, 'audit.pem');
  for (let run = 0; run < 2; run += 1) {
    if (run === 1 && newKeyBetween) {
      renameSync(key, `${key}.old`);
      renameSync(publicKeyPath(key), `${publicKeyPath(key)}.old`);
    }
    const signingKey = await loadOrCreateSigningKey(key);
    const journal = testJournal(directory.path, { signingKey, worker: true });
    for (let i = 0; i < 20; i += 1) {
      const ours = fakeExchange({ receivedAt: (1_768_000_000_000 + 1000 * i) as never });
      const grant = { ...EXAMPLE_GRANT, tenant: GLOBEX, caseRef: 'CASE-GLOBEX' };
      const theirs = fakeExchange({
        tenant: GLOBEX,
        grant,
        credential: OTHER,
        host: 'globex.app.example.com',
      });
      const nobody = fakeExchange({ ...ANONYMOUS, userAgent: 'scanner' });
      journal.intend(ours);
      journal.intend(theirs);
      journal.refuse(nobody);
      if (i % 3 === 0) await turn();
      journal.complete(ours);
      journal.complete(theirs);
    }
    await turn();
    await journal.close(5000);
  }
  const bundle = path.join(root, 'acme.bundle');
  return {
    journal: directory.path,
    key,
    bundle,
    exported: (...argv) =>
      runAudit(
        'export',
        '--journal',
        directory.path,
        '--tenant',
        'acme',
        '--out',
        bundle,
        '--key',
        key,
        ...argv,
      ),
    verified: (...argv) => runAudit('verify-bundle', bundle, ...argv),
    [Symbol.dispose]: () => directory[Symbol.dispose](),
  };
}

describe('a bundle made and verified at the command line', () => {
  it('holds, says who signed, and holds all of the tenant’s records in readable form', async () => {
    using site = await vendor();
    const made = await site.exported();
    expect(made).toMatchObject({ code: 0, err: '' });
    expect(made.out).toContain('80 lines of acme, numbers 1 to 80');
    const told = await site.verified('--public-key', publicKeyPath(site.key));
    expect(told).toMatchObject({ code: 0, err: '' });
    expect(told.out).toContain('numbers   1 to 80, none missing');
    const read = await site.verified('--records', '--public-key', publicKeyPath(site.key));
    const records = linesOf(read.out);
    expect(records).toHaveLength(40);
    for (const record of records) {
      expect(record).toMatchObject({
        event: 'request.allowed',
        tenant: 'acme',
        seq: null,
        instance: 'test-1',
        actor: { email: 'ada@vendor.example' },
        client: { ip: '192.0.2.10' },
        grant: { id: EXAMPLE_GRANT.id, grantedBy: { id: 'admin-1' } },
        caseRef: 'CASE-42',
      });
    }
  });

  it('says nothing of another tenant', async () => {
    using site = await vendor();
    await site.exported();
    const text = readFileSync(site.bundle, 'utf8') + (await site.verified('--records')).out;
    const store = openSubjectStore({ directory: site.journal });
    const strangers = store.find('agent-8');
    store.close();
    expect(strangers).toHaveLength(1);
    for (const word of ['globex', 'GLOBEX', 'eve@', 'scanner', strangers[0]?.id ?? '']) {
      expect(text).not.toContain(word);
    }
  });

  it('holds without the person when they were erased before it was made', async () => {
    using site = await vendor();
    expect((await runAudit('erase', '--journal', site.journal, '--subject', 'agent-7', '--yes')).code).toBe(
      0,
    );
    const made = await site.exported();
    expect(made.code).toBe(0);
    expect(made.err).toContain('people who were erased');
    const told = await site.verified('--json', '--public-key', publicKeyPath(site.key));
    expect(JSON.parse(told.out)).toMatchObject({ ok: true, problems: [], keysGiven: true });
    const read = await site.verified('--records');
    expect(`${readFileSync(site.bundle, 'utf8')}${read.out}`).not.toMatch(/ada@|Ada Lovelace|agent-7/);
    expect(linesOf(read.out)[0]).toMatchObject({
      actor: { id: null, email: null, name: null },
      client: { ip: null },
    });
  });

  it('does not hold once edited, or with another key; and prints no records of it', async () => {
    using site = await vendor();
    await site.exported();
    const warned = await site.verified();
    expect(warned.code).toBe(0);
    expect(warned.err).toContain('--public-key');
    const stranger = `${site.bundle}.pub.pem`;
    writeFileSync(stranger, newKey().publicPem);
    expect(await site.verified('--public-key', stranger)).toMatchObject({ code: 1 });
    const text = readFileSync(site.bundle, 'utf8');
    writeFileSync(site.bundle, text.replace('"status":200', '"status":403'));
    const told = await site.verified('--records', '--public-key', publicKeyPath(site.key));
    expect(told.code).toBe(1);
    expect(told.out).toMatch(/^.* does not hold: \d+ problems\n$/);
    expect(told.err).toMatch(
      /acme\.bundle:\d+: error: group \d+: these lines are not what the checkpoint signed/,
    );
  });

  it('holds over a change of the key, for whoever has both public keys', async () => {
    using site = await vendor({ newKeyBetween: true });
    expect(await site.exported()).toMatchObject({ code: 0, err: '' });
    const newer = ['--public-key', publicKeyPath(site.key)];
    const older = ['--public-key', `${publicKeyPath(site.key)}.old`];
    expect(await site.verified(...newer, ...older)).toMatchObject({ code: 0, err: '' });
    for (const one of [newer, older]) {
      const told = await site.verified(...one);
      expect(told).toMatchObject({ code: 1, err: expect.stringContaining('not signed by a key that may') });
    }
  });

  it('holds over an outage of the disk, and says how many lines could not be written', async () => {
    using directory = testDirectory();
    const key = path.join(path.dirname(directory.path), 'audit.pem');
    const files = faultyFiles();
    const options = { signingKey: await loadOrCreateSigningKey(key), worker: true };
    const journal = testJournal(directory.path, options, { files });
    const running = fakeExchange();
    journal.intend(running);
    await turn();
    files.failWrites = 'EIO';
    const refused = fakeExchange();
    journal.intend(refused);
    await turn();
    journal.complete(running);
    expect(refused.answers).toEqual(['refused']);
    files.failWrites = null;
    await until(() => journal.available);
    const later = fakeExchange();
    journal.intend(later);
    await turn();
    journal.complete(later);
    await journal.close(5000);
    const out = `${key}.bundle`;
    const made = await runAudit(
      'export',
      '--journal',
      directory.path,
      '--tenant',
      'acme',
      '--out',
      out,
      '--key',
      key,
    );
    expect(made).toMatchObject({ code: 0, err: '' });
    const told = await runAudit('verify-bundle', out, '--json', '--public-key', publicKeyPath(key));
    expect(JSON.parse(told.out)).toMatchObject({ ok: true, lines: 4, first: 1, last: 5, unused: 1 });
    expect(readFileSync(out, 'utf8')).toContain('{"k":"gap"');
  });

  it('cannot be asked for without the key, with another one, without a journal or a store of subjects', async () => {
    using site = await vendor();
    const missing = `${site.bundle}.pem`;
    expect(await site.exported('--key', missing)).toMatchObject({
      code: 2,
      err: expect.stringContaining('ENOENT'),
    });
    writeFileSync(missing, newKey().pem);
    expect(await site.exported('--key', missing)).toMatchObject({
      code: 2,
      err: expect.stringContaining('not a key of'),
    });
    expect(await site.exported('--journal', path.dirname(site.key))).toMatchObject({ code: 2 });
    expect(existsSync(site.bundle)).toBe(false);
    expect(await site.verified()).toMatchObject({ code: 2, err: expect.stringContaining('ENOENT') });
    expect(await site.exported()).toMatchObject({ code: 0 });
    copyFileSync(site.key, publicKeyPath(missing));
    expect(await site.verified('--public-key', publicKeyPath(missing))).toMatchObject({ code: 2 });
  });

  it('notes down that the records were read, for the gateway to journal', async () => {
    using site = await vendor();
    await site.exported();
    const store = openSubjectStore({ directory: site.journal });
    const [entry] = store.outbox(10);
    store.close();
    expect(JSON.parse(entry?.event ?? 'null')).toMatchObject({
      event: 'audit.read',
      tenant: 'acme',
      details: { by: 'export', lines: 80 },
    });
  });
});
