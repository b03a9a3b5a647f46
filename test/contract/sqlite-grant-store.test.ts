import { existsSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { createSqliteGrantStore, type SqliteGrantStore } from '#grants/sqlite/grant-store.ts';
import {
  acme,
  admin,
  at,
  DAY,
  draft,
  settings,
  settingsWith,
  clockAtStart,
  temporaryFolder,
} from '../support/grants-fixtures.ts';
import { describeGrantStore } from './grant-store.ts';

describeGrantStore('SQLite', async () => {
  const folder = temporaryFolder();
  const path = join(folder.path, 'data', 'postern.db');
  const stores: SqliteGrantStore[] = [];
  return {
    open(clock, own = settings()) {
      const store = createSqliteGrantStore({ path, clock, settings: () => own, pollMs: 5 });
      stores.push(store);
      return store;
    },
    async breakStorage() {
      renameSync(path, `${path}.away`);
    },
    async mendStorage() {
      renameSync(`${path}.away`, path);
    },
    async [Symbol.asyncDispose]() {
      for (const store of stores) await store.close();
      folder[Symbol.dispose]();
    },
  };
});

function setUp() {
  const folder = temporaryFolder();
  const path = join(folder.path, 'new', 'postern.db');
  const clock = clockAtStart();
  const open = () => createSqliteGrantStore({ path, clock, settings, pollMs: 5, busyDeadlineMs: 150 });
  return { folder, path, clock, open, [Symbol.dispose]: () => folder[Symbol.dispose]() };
}

describe('the SQLite file', () => {
  it('is made with its folder, for its owner alone, in WAL mode', async () => {
    using t = setUp();
    const store = t.open();
    await store.create(draft(), admin);
    expect(statSync(t.path).mode & 0o777).toBe(0o600);
    expect(statSync(`${t.path}-wal`).mode & 0o777).toBe(0o600);
    await store.close();
    const db = new DatabaseSync(t.path);
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    db.close();
  });

  it('keeps grants and their whole history over a restart', async () => {
    using t = setUp();
    const first = t.open();
    const { id } = await first.create(draft(), admin);
    await first.change(id, { access: 'write' }, admin);
    await first.revoke(id, admin);
    await first.close();
    const second = t.open();
    expect(await second.get(id)).toMatchObject({ revision: 3, access: 'write' });
    await second.close();
    const db = new DatabaseSync(t.path);
    const rows = db
      .prepare("SELECT document ->> 'revision' AS revision, operation FROM changes ORDER BY seq")
      .all();
    db.close();
    expect(rows.map((row) => [row['revision'], row['operation']])).toEqual([
      [1, 'create'],
      [2, 'change'],
      [3, 'revoke'],
    ]);
  });

  it('is never made anew while running: a lost file is not an empty one', async () => {
    using t = setUp();
    const store = t.open();
    await store.create(draft(), admin);
    rmSync(t.path);
    await expect(store.activeFor(acme)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(existsSync(t.path)).toBe(false);
    await store.close();
  });

  it('is waited for, then given up, when another process keeps it locked', async () => {
    using t = setUp();
    const store = t.open();
    const { id } = await store.create(draft(), admin);
    const other = new DatabaseSync(t.path);
    other.exec('BEGIN IMMEDIATE');
    expect(await store.activeFor(acme)).toHaveLength(1);
    await expect(store.revoke(id, admin)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    const waiting = store.revoke(id, admin);
    other.exec('COMMIT');
    expect((await waiting).revokedAt).not.toBeNull();
    other.close();
    await store.close();
  });

  it('is refused when it is no database, or one of a newer version', async () => {
    using t = setUp();
    mkdirSync(t.path, { recursive: true });
    const directory = t.open();
    await expect(directory.ping()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    rmSync(t.path, { recursive: true });
    await directory.ping();
    await directory.close();
    const db = new DatabaseSync(t.path);
    db.exec('PRAGMA user_version = 99');
    db.close();
    const newer = t.open();
    await expect(newer.ping()).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
      message: expect.stringContaining('newer'),
    });
    await newer.close();
  });

  it('refuses a row that it cannot read', async () => {
    using t = setUp();
    const store = t.open();
    await store.create(draft(), admin);
    const db = new DatabaseSync(t.path);
    db.exec("UPDATE grants SET roles = '[\"agent'");
    db.close();
    await expect(store.activeFor(acme)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await store.close();
  });

  it('gives a grant without an end where the limits allow one', async () => {
    using t = setUp();
    const loose = settingsWith({ durations: { indefinite: true } });
    const store = createSqliteGrantStore({ path: t.path, clock: t.clock, settings: () => loose });
    const { id } = await store.create(draft({ expiresAt: null }), admin);
    t.clock.advance(10_000 * DAY);
    expect((await store.activeFor(acme)).map((one) => one.id)).toEqual([id]);
    expect(await store.nextEnd()).toBeNull();
    expect((await store.change(id, { expiresAt: at(10_001 * DAY) }, admin)).expiresAt).toBe(at(10_001 * DAY));
    await store.close();
  });
});
