// An erased person is looked for in the files themselves: a database that forgets a row may keep its bytes in a free
// part of a page, in an index, in its write-ahead log. Whoever has the disk then has the key, and with it the name.
import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { JournalBuilder } from '../support/journal-builder.ts';
import { openSubjectStore } from '#audit/subjects/sqlite-subject-store.ts';
import { sealedBox } from '#audit/subjects/subject-box.ts';
import type { Person, Subject } from '#audit/subjects/subject-store.ts';
import { temporaryFolder } from '../support/grants-fixtures.ts';

const PEOPLE = 1500;

function some(bytes: number): string {
  return randomBytes(bytes).toString('hex');
}

function somebody(): Person {
  return {
    kind: 'principal',
    id: `Person-${some(12)}`,
    issuer: 'https://idp.vendor.example',
    org: 'vendor',
    email: `Mail-${some(12)}@vendor.example`,
    // Of many lengths: rows then move between pages in many ways.
    name: `Name ${some(8 + Math.floor(Math.random() * 60))}`,
  };
}

/** What of the person stands in the bytes, by name. */
function foundIn(bytes: Buffer, { person, subject }: { person: Person; subject: Subject }): string[] {
  const texts = {
    id: person.id,
    email: person.email,
    folded: person.email?.toLowerCase(),
    name: person.name,
  };
  const found = Object.entries(texts).filter(([, text]) => bytes.includes(text ?? ''));
  const names = found.map(([name]) => name);
  const forms = {
    key: subject.key,
    keyHex: subject.key.toString('hex'),
    keyBase64: subject.key.toString('base64'),
  };
  for (const [name, form] of Object.entries(forms)) if (bytes.includes(form)) names.push(name);
  return names;
}

function bytesOf(directory: string): Buffer {
  return Buffer.concat(readdirSync(directory).map((name) => readFileSync(path.join(directory, name))));
}

it('leaves no byte of key, id, address or name in any file of the directory', () => {
  using folder = temporaryFolder();
  const directory = folder.path;
  using stores = new DisposableStack();
  const open = (readOnly: boolean) =>
    stores.adopt(openSubjectStore({ directory, readOnly }), (store) => store.close());
  const gateway = open(false);
  const reader = open(true);
  const commands = open(false);
  const people = Array.from({ length: PEOPLE }, () => {
    const person = somebody();
    return { person, subject: gateway.of(person), before: person.email };
  });
  // Addresses change: the old ones are as personal as the new.
  for (const entry of people.slice(0, PEOPLE / 3)) {
    entry.person = { ...entry.person, email: somebody().email };
    gateway.of(entry.person);
  }
  const journal = new JournalBuilder(directory).startSegment();
  journal.add(
    ...people.slice(0, 50).map(({ person, subject }, index) => {
      const { id, email, name, issuer, org } = person;
      const fields = { id, email, name, ip: '192.0.2.7', peer: null, agent: 'test' };
      const { iv, box } = sealedBox(fields, subject);
      return {
        k: 'subject',
        s: index + 1,
        subject: subject.id,
        kind: person.kind,
        issuer,
        org,
        iv,
        box,
      };
    }),
  );

  // The test itself must be able to see it; fields are never in clear, which is why moved copies do not matter.
  const first = people[0];
  if (first === undefined) throw new TypeError('nobody');
  expect(reader.keyOf(first.subject.id)).toEqual(first.subject.key);
  expect(foundIn(bytesOf(directory), first)).toEqual(['key']);

  const erased = people.filter((_entry, index) => index % 3 === 0);
  erased.forEach(({ subject }, index) => void (index % 2 === 0 ? gateway : commands).erase(subject.id, 1));
  const bytes = bytesOf(directory);
  for (const entry of erased) {
    expect(foundIn(bytes, entry)).toEqual([]);
    expect(bytes.includes(entry.before ?? '')).toBe(false);
    expect(reader.keyOf(entry.subject.id)).toBeNull();
  }
  const stays = people[1];
  if (stays === undefined) throw new TypeError('nobody');
  expect(reader.keyOf(stays.subject.id)).toEqual(stays.subject.key);
});

it('says so when a reader holds the log up, and asking again clears it', { timeout: 20_000 }, async () => {
  using folder = temporaryFolder();
  using stores = new DisposableStack();
  const store = stores.adopt(openSubjectStore({ directory: folder.path }), (open) => open.close());
  const person = somebody();
  const subject = store.of(person);
  const { DatabaseSync } = await import('node:sqlite');
  // Whoever asked stands in the outbox, and is as much a person.
  const asker = { ...somebody(), kind: 'principal' } as const;
  const slow = stores.adopt(
    new DatabaseSync(path.join(folder.path, 'subjects.db'), { readOnly: true }),
    (db) => db.close(),
  );
  slow.exec('BEGIN; SELECT count(*) FROM subject');
  const unavailable = expect.objectContaining({ code: 'AUDIT_UNAVAILABLE' });
  expect(() => store.erase(subject.id, 1, asker)).toThrow(unavailable);
  // It stands all the same: only the log is left.
  expect(store.keyOf(subject.id)).toBeNull();
  expect(foundIn(bytesOf(folder.path), { person, subject })).not.toEqual([]);
  slow.exec('COMMIT');
  expect(store.erase(subject.id, 2)).toMatchObject({ id: subject.id, erasedAt: 1 });
  expect(foundIn(bytesOf(folder.path), { person, subject })).toEqual([]);
  expect(store.outbox(10)).toEqual([expect.objectContaining({ event: expect.stringContaining(asker.id) })]);
  const asking = { person: asker, subject: store.of(asker) };
  store.erase(asking.subject.id, 3);
  expect(foundIn(bytesOf(folder.path), asking)).toEqual([]);
});
