import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { PosternError } from '#model/fault.ts';
import type { Grant } from '#model/grant.ts';
import type { Log } from '#model/log.ts';
import { createGrantAuthority, type GrantEvent } from '#grants/grant-authority.ts';
import type { GrantChange, GrantStore } from '#grants/grant-store.ts';
import { createSqliteGrantStore } from '#grants/sqlite/grant-store.ts';
import {
  acme,
  admin,
  at,
  clockAtStart,
  draft,
  grant,
  HOUR,
  settings,
  serviceForAda,
  temporaryFolder,
} from '../../support/grants-fixtures.ts';

const silent: Log = { debug() {}, info() {}, warn() {}, error() {} };

const away = () => Promise.reject(new PosternError('STORE_UNAVAILABLE', 'away'));

function setUp(over: Partial<GrantStore> = {}) {
  const folder = temporaryFolder();
  const clock = clockAtStart();
  const real = createSqliteGrantStore({ path: join(folder.path, 'g.db'), clock, settings });
  const order: string[] = [];
  const events: GrantEvent[] = [];
  const feed: { change?: (change: GrantChange) => void; gap?: () => void } = {};
  const inUse: Grant[] = [];
  const store: GrantStore = {
    ...real,
    watch(change, gap) {
      Object.assign(feed, { change, gap });
      return { [Symbol.dispose]: vi.fn() };
    },
    ...over,
  };
  const authority = createGrantAuthority({
    store,
    cache: {
      invalidate: (tenant) => order.push(`invalidate ${tenant}`),
      dropAll: () => order.push('drop all'),
    },
    enforcer: {
      grantRevoked: (one) => order.push(`revoked ${one.revision}`),
      grantChanged: (one) => order.push(`changed ${one.revision}`),
    },
    clock,
    onEvent: (event) => {
      order.push(event.event);
      events.push(event);
    },
    grantsInUse: () => inUse,
    log: silent,
  });
  return {
    authority,
    real,
    order,
    events,
    feed,
    inUse,
    async [Symbol.asyncDispose]() {
      authority[Symbol.dispose]();
      await real.close();
      folder[Symbol.dispose]();
    },
  };
}

describe('the grant authority', () => {
  it('returns when cache and traffic have followed the commit, and tells of it last', async () => {
    await using t = setUp();
    const { id } = await t.authority.create(draft(), admin);
    await t.authority.change(id, { access: 'write' }, admin);
    await t.authority.revoke(id, admin);
    expect(t.order).toEqual([
      'invalidate acme',
      'grant.created',
      'invalidate acme',
      'changed 2',
      'grant.changed',
      'invalidate acme',
      'revoked 3',
      'grant.revoked',
    ]);
  });

  it('enforces a repeated revoke again, and tells of it once', async () => {
    await using t = setUp();
    const { id } = await t.authority.create(draft(), admin);
    await t.authority.revoke(id, admin);
    t.order.length = 0;
    await t.authority.revoke(id, admin);
    expect(t.order).toEqual(['invalidate acme', 'revoked 2']);
  });

  it('pretends nothing when the store fails', async () => {
    await using t = setUp({ revoke: away, change: away, create: away });
    const { id } = await t.real.create(draft(), admin);
    for (const attempt of [
      t.authority.create(draft(), admin),
      t.authority.change(id, { access: 'write' }, admin),
      t.authority.revoke(id, admin),
    ]) {
      await expect(attempt).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    }
    expect(t.order).toEqual([]);
  });

  it('names the person a service acted for, and the service beside it', async () => {
    await using t = setUp();
    await t.authority.create(draft(), serviceForAda);
    expect(t.events[0]).toMatchObject({
      event: 'grant.created',
      tenant: acme,
      actor: { id: 'u-1', email: 'ada@acme.example' },
      details: { kind: 'service', service: 'provisioning' },
    });
  });

  it('enforces what another process committed', async () => {
    await using t = setUp();
    const { id } = await t.real.create(draft(), admin);
    await t.real.change(id, { access: 'write' }, admin);
    t.feed.change?.({ tenant: acme, grantId: id, elsewhere: true });
    await vi.waitFor(() => expect(t.order).toEqual(['invalidate acme', 'changed 2']), { timeout: 10_000 });
    await t.real.revoke(id, admin);
    t.feed.change?.({ tenant: acme, grantId: id, elsewhere: true });
    await vi.waitFor(() => expect(t.order.at(-1)).toBe('revoked 3'), { timeout: 10_000 });
  });

  it('after a gap drops the cache and ends what the store does not know or has revoked', async () => {
    await using t = setUp();
    const alive = await t.real.create(draft(), admin);
    const revoked = await t.real.create(draft(), admin);
    await t.real.revoke(revoked.id, admin);
    t.inUse.push(alive, revoked, grant({ revision: 7 }));
    t.feed.gap?.();
    await vi.waitFor(() => expect(t.order).toEqual(['drop all', 'changed 1', 'revoked 2', 'revoked 7']), {
      timeout: 10_000,
    });
  });

  it('keeps a grant in doubt when an earlier reading ends before a later one fails', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const readings: PromiseWithResolvers<Grant | null>[] = [];
      await using t = setUp({
        get() {
          const next = Promise.withResolvers<Grant | null>();
          readings.push(next);
          return next.promise;
        },
      });
      const before = grant();
      t.feed.change?.({ tenant: acme, grantId: before.id, elsewhere: true });
      t.feed.change?.({ tenant: acme, grantId: before.id, elsewhere: true });
      readings[0]?.resolve(before);
      await new Promise(setImmediate);
      readings[1]?.reject(new Error('away'));
      await vi.advanceTimersByTimeAsync(1000);
      readings[2]?.resolve({ ...before, revision: 7, revokedAt: at(1) });
      await new Promise(setImmediate);
      expect(t.order.at(-1)).toBe('revoked 7');
    } finally {
      vi.useRealTimers();
    }
  });

  it('keeps a grant in doubt until the store can say what became of it', async () => {
    let calls = 0;
    await using t = setUp({
      get: (id) =>
        calls++ === 0 ? Promise.reject(new PosternError('STORE_UNAVAILABLE', 'away')) : t.real.get(id),
    });
    const { id } = await t.real.create(draft({ expiresAt: at(HOUR) }), admin);
    await t.real.revoke(id, admin);
    t.feed.change?.({ tenant: acme, grantId: id, elsewhere: true });
    await vi.waitFor(() => expect(t.order).toEqual(['invalidate acme', 'revoked 2']), { timeout: 10_000 });
  });
});
