// The write-ahead log of the embedded store: short however much is written and whoever dies, copied into the file without a
// commit having to wait, and on the device before a call returns.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '#model/clock.ts';
import type { GrantId } from '#model/ids.ts';
import { BACKSTOP_PAGES, createCheckpointer } from '#grants/sqlite/checkpointer.ts';
import { createSqliteConnection } from '#grants/sqlite/connection.ts';
import { createSqliteGrantStore } from '#grants/sqlite/grant-store.ts';
import { acme, admin, clockAtStart, draft, settings, temporaryFolder } from '../support/grants-fixtures.ts';

const CHILD = new URL('../support/store-burst-child.ts', import.meta.url).pathname;
const WORKER = new URL('../../src/grants/sqlite/checkpoint-worker.ts', import.meta.url);
const MIB = 1024 * 1024;
const BACKSTOP_BYTES = BACKSTOP_PAGES * 4096;

function startChild(...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['--conditions=source', CHILD, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
}

/** What the child said was done, until it ended or has said `killAfter` lines. */
async function said(child: ChildProcess, killAfter = Infinity): Promise<readonly [string, GrantId][]> {
  const done: [string, GrantId][] = [];
  if (child.stdout === null) throw new Error('the child has no output');
  for await (const line of createInterface(child.stdout)) {
    const [what = '', id = ''] = line.split(' ');
    done.push([what, id as GrantId]);
    if (done.length === killAfter) child.kill('SIGKILL');
  }
  return done;
}

const sizeOf = (path: string): number => statSync(path).size;

describe('the log of the embedded store', () => {
  it('is copied into the file while the store goes on, long before a commit has to', async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'store.db');
    const store = createSqliteGrantStore({ path, clock: clockAtStart(), settings });
    await store.ping();
    const atFirst = sizeOf(path);
    let most = 0;
    for (let n = 0; n < 600; n++) {
      await store.create(draft({ caseRef: `CASE-${n}` }), admin);
      most = Math.max(most, sizeOf(`${path}-wal`));
    }
    await vi.waitFor(() => expect(sizeOf(path)).toBeGreaterThan(atFirst + MIB / 4), { timeout: 20_000 });
    expect(most).toBeLessThan(BACKSTOP_BYTES);
    await store.close();
    expect(existsSync(`${path}-wal`)).toBe(false);
  });

  it('stays bounded under a long burst even when nobody but the commits copies it', async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'store.db');
    const connection = createSqliteConnection({ path, busyDeadlineMs: 100, prepare: (db) => db });
    connection.use((db) => db.exec('CREATE TABLE burst (n INTEGER PRIMARY KEY, bytes BLOB) STRICT'));
    let most = 0;
    for (let n = 0; n < 100; n++) {
      await connection.transact((db) => {
        db.prepare('INSERT OR REPLACE INTO burst VALUES (?, randomblob(?))').run(n % 8, MIB);
      });
      most = Math.max(most, sizeOf(`${path}-wal`));
    }
    connection.close();
    expect(most).toBeGreaterThan(BACKSTOP_BYTES / 2);
    expect(most).toBeLessThan(BACKSTOP_BYTES + 4 * MIB);
  });

  it('loses nothing that a call returned when the process is killed in the midst of a burst', async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'store.db');
    const done = await said(startChild(path), 1200);
    expect(done.length).toBeGreaterThanOrEqual(1200);
    const store = createSqliteGrantStore({ path, clock: systemClock, settings });
    for (const [what, id] of done) {
      const grant = await store.get(id);
      if (grant === null) throw new Error(`${id} was ${what} and is lost`);
      if (what === 'revoked') expect(grant.revokedAt).not.toBeNull();
    }
    await store.close();
    const db = new DatabaseSync(path);
    expect(db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
    const lonely = `SELECT count(*) AS count FROM grants WHERE revision <>
      (SELECT count(*) FROM changes WHERE kind = 'grant' AND changes.id = grants.id)`;
    expect(db.prepare(lonely).get()).toEqual({ count: 0 });
    db.close();
  });

  it('keeps no process alive that has not closed its store', async () => {
    using folder = temporaryFolder();
    const child = startChild(join(folder.path, 'store.db'), '300');
    const exited = once(child, 'exit');
    expect(await said(child)).toHaveLength(450);
    expect(await exited).toEqual([0, null]);
  });
});

describe('the thread that copies the log', () => {
  it('makes no file where none is', async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'away.db');
    const worker = new Worker(WORKER, { workerData: { path }, execArgv: ['--conditions=source'] });
    worker.postMessage(null, []);
    await once(worker, 'message');
    await worker.terminate();
    expect(existsSync(path)).toBe(false);
  });

  it('is not started any more once it is closed, and may be closed before it has begun', async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'store.db');
    const checkpointer = createCheckpointer({ path, passCommits: 1 });
    checkpointer.committed();
    await checkpointer.close();
    checkpointer.committed();
    await checkpointer.close();
  });
});

describe('a revoke', () => {
  it('does not return, first or repeated, before the log is on the device', async () => {
    using folder = temporaryFolder();
    const path = join(folder.path, 'store.db');
    const store = createSqliteGrantStore({ path, clock: clockAtStart(), settings });
    const { id } = await store.create(draft(), admin);
    // SQLite goes on writing to the log that it holds open; only the sync of it fails.
    renameSync(`${path}-wal`, `${path}-wal.away`);
    const heard: boolean[] = [];
    using _watching = store.watch(
      ({ elsewhere }) => heard.push(elsewhere),
      () => undefined,
    );
    await expect(store.revoke(id, admin)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    // At its commit; then, since its call failed and enforces nothing, as if another process had done it.
    expect(heard).toEqual([false, true]);
    expect(await store.activeFor(acme)).toEqual([]);
    await expect(store.revoke(id, admin)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    renameSync(`${path}-wal.away`, `${path}-wal`);
    expect((await store.revoke(id, admin)).revokedAt).not.toBeNull();
    await store.close();
  });
});
