import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import { createLockStore } from '#grants/sqlite/lock-store.ts';
import type { Actor } from '#model/grant.ts';
import { acme, admin, clockAtStart, sam, temporaryFolder } from '../support/grants-fixtures.ts';
import { givenGrant, maker, type OpenStores, storesOn } from '../support/sessions-fixtures.ts';
import { describeSessionStore } from './session-store.ts';

describeSessionStore('SQLite', async () => {
  const folder = temporaryFolder();
  const path = join(folder.path, 'postern.db');
  const opened: OpenStores[] = [];
  return {
    open(clock, settings) {
      const stores = storesOn(path, clock, settings);
      opened.push(stores);
      return stores;
    },
    async notices() {
      const db = new DatabaseSync(path, { readOnly: true });
      const rows = db.prepare('SELECT document FROM notices ORDER BY at, id').all();
      db.close();
      const all = rows.map((row) => JSON.parse(String(row['document'])) as { event: string; facts: object });
      return all.filter(({ event }) => event.startsWith('session.')) as never;
    },
    async [Symbol.asyncDispose]() {
      for (const { core } of opened) await core.close();
      folder[Symbol.dispose]();
    },
  };
});

function setUp() {
  const folder = temporaryFolder();
  const path = join(folder.path, 'postern.db');
  const clock = clockAtStart();
  const stores = storesOn(path, clock);
  return {
    ...stores,
    path,
    clock,
    async [Symbol.asyncDispose]() {
      await stores.core.close();
      folder[Symbol.dispose]();
    },
  };
}

describe('the SQLite file', () => {
  it('holds no token and no cookie, only hashes', async () => {
    await using t = setUp();
    await givenGrant(t);
    await t.sessions.open(
      { tenant: acme, principal: sam, launch: { hash: 'HASH', lifetimeMs: 1000 } },
      maker(),
    );
    const db = new DatabaseSync(t.path, { readOnly: true });
    expect(db.prepare('SELECT hash, used_at FROM launch_links').all()).toEqual([
      { hash: 'HASH', used_at: null },
    ]);
    db.close();
  });

  it('writes the history of a session: opened, entered, ended, noted', async () => {
    await using t = setUp();
    await givenGrant(t);
    const opening = { tenant: acme, principal: sam, launch: { hash: 'HASH', lifetimeMs: 1000 } };
    const { session } = await t.sessions.open(opening, maker());
    await t.sessions.takeLaunch('HASH', acme, 'COOKIE');
    await t.sessions.end(session.id, { ending: 'tenant', by: admin, note: null });
    await t.sessions.end(session.id, { ending: 'left', by: null, note: 'late' });
    const db = new DatabaseSync(t.path, { readOnly: true });
    const rows = db.prepare("SELECT operation FROM changes WHERE kind = 'session' ORDER BY seq").all();
    db.close();
    expect(rows.map((row) => row['operation'])).toEqual(['open', 'enter', 'end', 'note']);
  });

  it('opens none for whom a lock is about, and says what the lock says', async () => {
    await using t = setUp();
    await givenGrant(t);
    const locks = createLockStore(t.core);
    const security: Actor = { ...admin, kind: 'security' };
    const target = { kind: 'tenant', tenant: acme } as const;
    const lock = await locks.set({ target, message: 'An incident is under way.', endsAt: null }, security);
    const opening = { tenant: acme, principal: sam, launch: null };
    await expect(t.sessions.open(opening, maker())).rejects.toMatchObject({
      code: 'session_locked',
      message: 'An incident is under way.',
    });
    expect(lock.liftedAt).toBeNull();
    expect(await t.sessions.openOf(acme)).toEqual([]);
  });

  it('tells other processes of what was opened and ended', async () => {
    await using t = setUp();
    await givenGrant(t);
    const other = storesOn(t.path, t.clock);
    const seen: string[] = [];
    const told = new Promise<void>((resolve) => {
      other.sessions.watch(
        ({ kind, elsewhere }) => {
          seen.push(`${kind} ${elsewhere}`);
          if (seen.length === 2) resolve();
        },
        () => undefined,
      );
    });
    const { session } = await t.sessions.open({ tenant: acme, principal: sam, launch: null }, maker());
    await t.sessions.end(session.id, { ending: 'left', by: null, note: null });
    await told;
    expect(seen).toEqual(['session true', 'session true']);
    await other.core.close();
  });
});
