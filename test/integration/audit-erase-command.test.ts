// `postern audit erase` over a store of its own: whom it erases, whom it asks about, what it prints.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { openSubjectStore } from '#audit/subjects/sqlite-subject-store.ts';
import type { Person } from '#audit/subjects/subject-store.ts';
import { runAudit, runAuditWith } from '../support/audit-command.ts';
import { temporaryFolder } from '../support/grants-fixtures.ts';

const CHILD = new URL('../support/subject-store-child.ts', import.meta.url).pathname;
const SAM: Person = {
  kind: 'principal',
  id: 'sam-1',
  issuer: 'https://idp.vendor.example',
  org: 'vendor',
  email: 'Sam.Spade@vendor.example',
  name: 'Sam\u001B[2J Spade',
};

function journal() {
  const folder = temporaryFolder();
  const store = openSubjectStore({ directory: folder.path });
  return {
    directory: folder.path,
    store,
    erase: (subject: string, ...more: readonly string[]) =>
      runAudit('erase', '--journal', folder.path, '--subject', subject, ...more),
    [Symbol.dispose]() {
      store.close();
      folder[Symbol.dispose]();
    },
  };
}

describe('postern audit erase', () => {
  it.each([
    ['a subject’s id', (id: string) => id],
    ['a person’s id', () => 'sam-1'],
    ['an email address, however it is written', () => 'SAM.SPADE@vendor.example'],
  ])('erases by %s, beside a store that is in use, and prints the subject’s id alone', async (_by, named) => {
    using j = journal();
    const { id } = j.store.of(SAM);
    const { out, err, code } = await j.erase(named(id));
    expect(code).toBe(0);
    expect(out).toBe(`erased ${id}\n`);
    expect(err).toMatch(/sinks .* not reached/);
    expect(out + err).not.toMatch(/spade|sam-1/i);
    expect(j.store.keyOf(id)).toBeNull();
    expect(j.store.of(SAM).id).not.toBe(id);
    expect(j.store.outbox(10).map(({ event }) => JSON.parse(event) as unknown)).toEqual([
      expect.objectContaining({
        event: 'subject.erased',
        actor: expect.objectContaining({ issuer: 'cli' }),
        details: { subject: id },
      }),
    ]);
  });

  it('is the same again, and leaves one event', async () => {
    using j = journal();
    const { id } = j.store.of(SAM);
    const first = JSON.parse((await j.erase(id, '--json')).out) as { erased: { erasedAt: string } };
    const again = await j.erase(id, '--json');
    expect(again.code).toBe(0);
    expect(JSON.parse(again.out)).toEqual({
      erased: { subject: id, erasedAt: first.erased.erasedAt, before: true },
      sinksReached: false,
    });
    expect(j.store.outbox(10)).toHaveLength(1);
  });

  it('lists them and erases nobody when several match', async () => {
    using j = journal();
    const one = j.store.of(SAM);
    const two = j.store.of({ ...SAM, issuer: 'https://idp.partner.example' });
    const { out, err, code } = await j.erase('sam.spade@vendor.example');
    expect(code).toBe(2);
    expect(err).toContain('2 subjects match');
    expect(out).toContain(one.id);
    expect(out).toContain(two.id);
    // A name from a token must not move the cursor of whoever reads it.
    expect(out).not.toContain('\u001B');
    const { matches } = JSON.parse((await j.erase('sam-1', '--json')).out) as {
      matches: { subject: string }[];
    };
    expect(matches.map(({ subject }) => subject).toSorted()).toEqual([one.id, two.id].toSorted());
    expect(j.store.outbox(10)).toEqual([]);
  });

  it('takes a subject’s id for that subject, even where somebody calls themselves that', async () => {
    using j = journal();
    const { id } = j.store.of(SAM);
    const impostor = j.store.of({ ...SAM, id });
    expect((await j.erase(id)).out).toBe(`erased ${id}\n`);
    expect(j.store.keyOf(impostor.id)).toEqual(impostor.key);
  });

  it('asks first, and erases nobody when the answer is no; --yes does not ask', async () => {
    using j = journal();
    const { id } = j.store.of(SAM);
    const asked: string[] = [];
    const confirm = async (question: string) => {
      asked.push(question);
      return false;
    };
    const argv = ['erase', '--journal', j.directory, '--subject', 'sam-1'];
    expect((await runAuditWith({ confirm }, ...argv)).code).toBe(1);
    expect(asked).toEqual([expect.stringContaining(id)]);
    expect(j.store.keyOf(id)).not.toBeNull();
    expect((await runAuditWith({ confirm }, ...argv, '--yes')).code).toBe(0);
    expect(asked).toHaveLength(1);
    expect(j.store.keyOf(id)).toBeNull();
  });

  it('says 1 of nobody, and 2 where there is no store, and makes none', async () => {
    using j = journal();
    expect((await j.erase('nobody@vendor.example')).code).toBe(1);
    const elsewhere = path.join(j.directory, 'elsewhere');
    const { code, err } = await runAudit('erase', '--journal', elsewhere, '--subject', 'sam-1');
    expect(code).toBe(2);
    expect(err).toContain('subjects.db');
    expect(existsSync(elsewhere)).toBe(false);
  });
});

describe('several processes', () => {
  it('end with one subject for each person, and see each other’s erasures', async () => {
    using j = journal();
    const run = promisify(execFile);
    const child = async (action: string, argument: string) =>
      (await run(process.execPath, ['--conditions=source', CHILD, j.directory, action, argument])).stdout;
    const seen = await Promise.all([child('see', 'i'), child('see', 'i'), child('see', 'i')]);
    expect(new Set(seen).size).toBe(1);
    const [first = ''] = JSON.parse(seen[0] ?? '') as string[];
    const person = {
      kind: 'principal',
      id: 'person-0',
      issuer: 'i',
      org: null,
      email: null,
      name: null,
    } as const;
    expect(j.store.of(person).id).toBe(first);
    await child('erase', first);
    expect(j.store.of(person).id).not.toBe(first);
    expect(j.store.keyOf(first)).toBeNull();
  });
});
