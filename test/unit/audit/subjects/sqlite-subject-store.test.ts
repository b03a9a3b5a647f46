import { statSync, unlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, test } from 'vitest';
import { openSubjectStore, type SubjectStoreOptions } from '#audit/subjects/sqlite-subject-store.ts';
import type { Person } from '#audit/subjects/subject-store.ts';
import { temporaryFolder } from '../../../support/grants-fixtures.ts';

const SAM: Person = {
  kind: 'principal',
  id: 'sam-1',
  issuer: 'https://idp.vendor.example',
  org: 'vendor',
  email: 'Sam.Spade@vendor.example',
  name: 'Sam Spade',
};
const NEW_YEAR = Date.UTC(2026, 0, 1);
const UNAVAILABLE = expect.objectContaining({ code: 'AUDIT_UNAVAILABLE' });

function stores() {
  const folder = temporaryFolder();
  const closing = new DisposableStack();
  closing.use(folder);
  return {
    directory: folder.path,
    file: join(folder.path, 'subjects.db'),
    open: (options: Partial<SubjectStoreOptions> = {}) =>
      closing.adopt(openSubjectStore({ directory: folder.path, ...options }), (store) => store.close()),
    [Symbol.dispose]: () => closing.dispose(),
  };
}

describe('a subject', () => {
  test('is the same for the same person, in every store over the same file', () => {
    using s = stores();
    const one = s.open();
    const first = one.of(SAM);
    expect(first.id).toMatch(/^sub_[0-9a-f]{32}$/);
    expect(first.key).toHaveLength(32);
    expect(one.of({ ...SAM })).toEqual(first);
    expect(s.open().of(SAM)).toEqual(first);
    expect(s.open({ readOnly: true }).keyOf(first.id)).toEqual(first.key);
  });

  test('differs by kind, issuer and id, whatever characters they hold', () => {
    using s = stores();
    const store = s.open();
    const people: readonly Person[] = [
      SAM,
      { ...SAM, kind: 'customer' },
      { ...SAM, issuer: 'https://idp.other.example' },
      { ...SAM, id: 'sam-2' },
      { ...SAM, issuer: 'a', id: 'b","c' },
      { ...SAM, issuer: 'a","b', id: 'c' },
      { ...SAM, issuer: '', id: '' },
    ];
    const ids = new Set(people.map((person) => store.of(person).id));
    expect(ids.size).toBe(people.length);
  });

  test('keeps its id and key when the address or name changes, and is found by the new one alone', () => {
    using s = stores();
    const store = s.open();
    const first = store.of(SAM);
    expect(store.of({ ...SAM, email: 'SAM@Vendor.example', name: null })).toEqual(first);
    expect(store.find('sam.spade@vendor.example')).toEqual([]);
    expect(store.find('sam@vendor.EXAMPLE')).toEqual([
      expect.objectContaining({ id: first.id, email: 'SAM@Vendor.example', name: null, personId: 'sam-1' }),
    ]);
  });

  test('is found by its id, by the person’s id under every issuer, and not by a part of them', () => {
    using s = stores();
    const store = s.open({ now: () => NEW_YEAR });
    const { id } = store.of(SAM);
    const other = store.of({ ...SAM, issuer: 'https://idp.other.example' });
    expect(store.find(id)).toEqual([
      {
        id,
        kind: 'principal',
        issuer: SAM.issuer,
        personId: 'sam-1',
        email: SAM.email,
        name: SAM.name,
        firstSeenAt: NEW_YEAR,
        erasedAt: null,
      },
    ]);
    expect(
      store
        .find('sam-1')
        .map((row) => row.id)
        .toSorted(),
    ).toEqual([id, other.id].toSorted());
    expect(store.find('sam')).toEqual([]);
    expect(store.find('')).toEqual([]);
  });

  test('of a day is shared by all who were not identified', () => {
    using s = stores();
    const store = s.open();
    const day = store.anonymous(NEW_YEAR);
    expect(day.id).toBe('anonymous-2026-01-01');
    expect(store.anonymous(NEW_YEAR)).toEqual(day);
    expect(store.anonymous(NEW_YEAR + 86_400_000).id).toBe('anonymous-2026-01-02');
    expect(store.keyOf(day.id)).toEqual(day.key);
    expect(store.find(day.id)).toEqual([
      expect.objectContaining({ kind: 'anonymous', issuer: null, personId: null }),
    ]);
    store.erase(day.id, NEW_YEAR);
    expect(store.anonymous(NEW_YEAR).id).toBe('anonymous-2026-01-01-2');
  });
});

describe('an erasure', () => {
  test('destroys key and fields, says so once in the outbox, and is idempotent', () => {
    using s = stores();
    const store = s.open();
    const { id } = store.of(SAM);
    const erased = store.erase(id, NEW_YEAR);
    expect(erased).toMatchObject({
      id,
      erasedAt: NEW_YEAR,
      issuer: null,
      personId: null,
      email: null,
      name: null,
    });
    expect(store.keyOf(id)).toBeNull();
    expect(store.erase(id, NEW_YEAR + 1)).toEqual(erased);
    expect(store.find(id)).toEqual([erased]);
    expect(store.find('sam-1')).toEqual([]);
    expect(store.outbox(10).map(({ event }) => JSON.parse(event) as unknown)).toEqual([
      { event: 'subject.erased', tenant: null, grant: null, actor: null, details: { subject: id } },
    ]);
  });

  test('says who asked for it, unless they are erased themselves before that is journalled', () => {
    using s = stores();
    const store = s.open();
    const { id } = store.of(SAM);
    const sue = {
      kind: 'principal',
      id: 'sue',
      issuer: 'i',
      email: 'sue@vendor.example',
      name: 'Sue',
    } as const;
    store.erase(id, NEW_YEAR, sue);
    const actors = () => store.outbox(10).map(({ event }) => (JSON.parse(event) as { actor: unknown }).actor);
    expect(actors()).toEqual([sue]);
    store.erase(store.of({ ...sue, org: null }).id, NEW_YEAR);
    expect(actors()).toEqual([null, null]);
  });

  test('of nobody is null and leaves no event', () => {
    using s = stores();
    const store = s.open();
    expect(store.erase('sub_0', NEW_YEAR)).toBeNull();
    expect(store.outbox(10)).toEqual([]);
  });

  test('by another process is seen at the next use: the person gets a new subject', () => {
    using s = stores();
    const gateway = s.open();
    const reader = s.open({ readOnly: true });
    const { id } = gateway.of(SAM);
    expect(reader.keyOf(id)).not.toBeNull();
    s.open().erase(id, NEW_YEAR);
    expect(reader.keyOf(id)).toBeNull();
    const again = gateway.of(SAM);
    expect(again.id).not.toBe(id);
    expect(gateway.keyOf(id)).toBeNull();
    expect(gateway.keyOf(again.id)).toEqual(again.key);
  });
});

describe('who was last seen before the oldest segment', () => {
  test('is removed, and nobody else', () => {
    using s = stores();
    let now = NEW_YEAR;
    const store = s.open({ now: () => now });
    const gone = store.of(SAM);
    const stays = store.of({ ...SAM, id: 'kept' });
    now += 30 * 86_400_000;
    expect(store.of({ ...SAM, id: 'kept' })).toEqual(stays);
    expect(store.expire(now)).toBe(1);
    expect(store.keyOf(gone.id)).toBeNull();
    expect(store.find(gone.id)).toEqual([]);
    expect(store.keyOf(stays.id)).toEqual(stays.key);
    expect(store.expire(now)).toBe(0);
  });

  test('is kept while they may be in use, when the clock had jumped ahead', () => {
    using s = stores();
    const store = s.open({ now: () => NEW_YEAR });
    const { id, key } = store.of(SAM);
    expect(store.expire(NEW_YEAR + 400 * 86_400_000)).toBe(0);
    expect(store.keyOf(id)).toEqual(key);
  });
});

describe('the outbox', () => {
  test('gives events oldest first until they are taken', () => {
    using s = stores();
    const store = s.open();
    for (const event of ['{"a":1}', '{"a":2}', '{"a":3}']) store.post(event);
    const first = store.outbox(2);
    expect(first.map(({ event }) => event)).toEqual(['{"a":1}', '{"a":2}']);
    store.taken(first.map(({ id }) => id));
    expect(
      s
        .open()
        .outbox(10)
        .map(({ event }) => event),
    ).toEqual(['{"a":3}']);
  });
});

test('an event in the outbox has whoever did it by their subject, and gives them back as they are known', () => {
  using s = stores();
  const store = s.open();
  const actor = { id: 'root', issuer: 'cli', email: null, name: null };
  store.post(
    JSON.stringify({ event: 'audit.read', tenant: 'acme', grant: null, actor, details: { by: 'query' } }),
  );
  const [posted] = store.outbox(1);
  expect(JSON.parse(posted?.event ?? '')).toEqual({
    event: 'audit.read',
    tenant: 'acme',
    grant: null,
    actor: { kind: 'principal', ...actor },
    details: { by: 'query' },
  });
  const db = new DatabaseSync(s.file, { readOnly: true });
  expect(db.prepare('SELECT event FROM outbox').get()?.['event']).not.toContain('root');
  db.close();
});

describe('the version', () => {
  test('moves when another connection wrote, and not for what this one did', () => {
    using s = stores();
    const store = s.open();
    const other = s.open();
    const before = store.version();
    store.of(SAM);
    expect(store.version()).toBe(before);
    other.post('{}');
    const after = store.version();
    expect(after).not.toBe(before);
    expect(store.version()).toBe(after);
  });

  test('moves for a reader when the file appears', () => {
    using s = stores();
    const reader = s.open({ readOnly: true });
    const before = reader.version();
    const { id, key } = s.open().of(SAM);
    expect(reader.version()).not.toBe(before);
    expect(reader.keyOf(id)).toEqual(key);
  });
});

describe('the file', () => {
  test('and its side files are the owner’s alone', () => {
    using s = stores();
    s.open().of(SAM);
    for (const end of ['', '-wal', '-shm']) expect(statSync(s.file + end).mode & 0o777, end).toBe(0o600);
  });

  test('says whether it was made', () => {
    using s = stores();
    expect(s.open().created).toBe(true);
    expect(s.open().created).toBe(false);
  });

  test('is not made by a reader, to whom nobody has a key', () => {
    using s = stores();
    const reader = s.open({ readOnly: true });
    expect(reader.keyOf('sub_0')).toBeNull();
    expect(reader.find('sam-1')).toEqual([]);
    expect(reader.outbox(1)).toEqual([]);
    expect(statSync(s.file, { throwIfNoEntry: false })).toBeUndefined();
  });

  test('cannot be changed by a reader', () => {
    using s = stores();
    const { id } = s.open().of(SAM);
    const reader = s.open({ readOnly: true });
    expect(() => reader.of({ ...SAM, id: 'new' })).toThrow(UNAVAILABLE);
    expect(() => reader.erase(id, 0)).toThrow(UNAVAILABLE);
    expect(() => reader.post('{}')).toThrow(UNAVAILABLE);
    expect(() => reader.taken([1])).toThrow(UNAVAILABLE);
  });

  test('is refused and left as it is when it is no database', () => {
    using s = stores();
    const bytes = Buffer.alloc(4096, 'x');
    writeFileSync(s.file, bytes);
    expect(() => s.open()).toThrow(UNAVAILABLE);
    expect(() => s.open({ readOnly: true }).keyOf('sub_0')).toThrow(UNAVAILABLE);
    expect(statSync(s.file).size).toBe(bytes.length);
  });

  test('is refused and left as it is when it is another application’s, or of a later version', () => {
    using s = stores();
    const db = new DatabaseSync(s.file);
    db.exec('CREATE TABLE other (a)');
    expect(() => s.open()).toThrow(UNAVAILABLE);
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'delete' });
    db.exec('DROP TABLE other');
    s.open().of(SAM);
    db.exec('PRAGMA user_version = 2');
    db.close();
    expect(() => s.open()).toThrow(UNAVAILABLE);
  });

  test('that vanished is not made anew under a running store', () => {
    using s = stores();
    const store = s.open();
    const { id } = store.of(SAM);
    unlinkSync(s.file);
    expect(() => store.of(SAM)).toThrow(UNAVAILABLE);
    expect(() => store.keyOf(id)).toThrow(UNAVAILABLE);
    expect(() => store.version()).toThrow(UNAVAILABLE);
    expect(statSync(s.file, { throwIfNoEntry: false })).toBeUndefined();
  });

  test('is left after close', () => {
    using s = stores();
    const store = s.open();
    store.close();
    expect(() => store.of(SAM)).toThrow(UNAVAILABLE);
    store.close();
  });
});
