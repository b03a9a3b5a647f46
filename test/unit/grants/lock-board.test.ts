import { describe, expect, it, vi } from 'vitest';
import { PosternError } from '#model/fault.ts';
import type { Lock } from '#model/lock.ts';
import { createLockBoard } from '#grants/locks/lock-board.ts';
import { clockAtStart, HOUR, SECOND } from '../../support/grants-fixtures.ts';
import { everything, later, lock, onAcme, onSam, quinn, samAtAcme } from '../../support/lock-fixtures.ts';

const silent = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };

const nothing = (): void => undefined;
const NONE_HELD = { principal: 0, tenant: 0, case: 0, everything: 0 };

/** A store that answers when it is told to. */
function pausedStore() {
  const waiting: PromiseWithResolvers<readonly Lock[]>[] = [];
  let change = nothing;
  let gap = nothing;
  let watching = true;
  return {
    waiting,
    change: () => change(),
    gap: () => gap(),
    get watching() {
      return watching;
    },
    held() {
      const next = Promise.withResolvers<readonly Lock[]>();
      waiting.push(next);
      return next.promise;
    },
    watch(onChange: () => void, onGap: () => void): Disposable {
      change = onChange;
      gap = onGap;
      return {
        [Symbol.dispose]() {
          watching = false;
        },
      };
    },
    async answer(locks: readonly Lock[]) {
      waiting.shift()?.resolve(locks);
      await settled();
    },
    async fail() {
      waiting.shift()?.reject(new PosternError('STORE_UNAVAILABLE', 'away'));
      await settled();
    },
  };
}

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

function setUp() {
  const store = pausedStore();
  const clock = clockAtStart();
  const cut: Lock[] = [];
  const board = createLockBoard({ store, clock, log: silent, onLocked: (one) => cut.push(one) });
  return { store, clock, board, cut, lockNow: () => board.lockFor(samAtAcme, clock.now()) };
}

describe('the lock board', () => {
  it('is not available before it was read for the first time', async () => {
    const t = setUp();
    expect(t.board.available).toBe(false);
    await t.store.answer([]);
    await t.board.firstRead;
    expect(t.board.available).toBe(true);
    expect(t.lockNow()).toBeNull();
  });

  it('finds what was locked when it started', async () => {
    const t = setUp();
    const held = lock(onSam);
    await t.store.answer([held]);
    expect(t.lockNow()).toBe(held);
    expect(t.board.heldByKind()).toEqual({ ...NONE_HELD, principal: 1 });
  });

  it('counts what holds by what it is on, for as long as it holds, and nothing while nobody knows', async () => {
    const t = setUp();
    expect(t.board.heldByKind()).toBeNull();
    await t.store.answer([lock(onSam), lock(onAcme, { endsAt: later(HOUR) }), lock(everything)]);
    expect(t.board.heldByKind()).toEqual({ principal: 1, tenant: 1, case: 0, everything: 1 });
    t.clock.advance(HOUR);
    expect(t.board.heldByKind()).toEqual({ principal: 1, tenant: 0, case: 0, everything: 1 });
    t.store.gap();
    expect(t.board.heldByKind()).toBeNull();
  });

  it('is not available while the first reading fails, and tries again by itself', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const t = setUp();
      await t.store.fail();
      await t.board.firstRead;
      expect(t.board.available).toBe(false);
      vi.advanceTimersByTime(250);
      await t.store.fail();
      vi.advanceTimersByTime(250);
      await t.store.answer([lock(everything)]);
      expect(t.board.available).toBe(true);
      expect(t.lockNow()).not.toBeNull();
    } finally {
      vi.useRealTimers();
    }
  });

  it('cuts what another process locked, once', async () => {
    const t = setUp();
    await t.store.answer([]);
    const held = lock(onAcme);
    t.store.change();
    await t.store.answer([held]);
    expect(t.cut).toEqual([held]);
    expect(t.lockNow()).toBe(held);
    t.store.change();
    await t.store.answer([held]);
    expect(t.cut).toEqual([held]);
  });

  it('lets go when another process lifted it', async () => {
    const t = setUp();
    await t.store.answer([lock(onAcme)]);
    t.store.change();
    await t.store.answer([]);
    expect(t.lockNow()).toBeNull();
  });

  it('is not available from a gap on until it has been read', async () => {
    const t = setUp();
    await t.store.answer([]);
    t.store.gap();
    expect(t.board.available).toBe(false);
    await t.store.fail();
    expect(t.board.available).toBe(false);
  });

  it('knows again what a wrong clock had let go, once the clock is right and it has been read', async () => {
    const t = setUp();
    const held = lock(onSam, { endsAt: (t.clock.now() + HOUR) as Lock['endsAt'] });
    await t.store.answer([held]);
    // Read while the clock was a day ahead: the store hands out none that has ended.
    t.store.change();
    await t.store.answer([]);
    expect(t.lockNow()).toBeNull();
    t.board.reread();
    expect(t.board.available).toBe(false);
    await t.store.answer([held]);
    expect(t.board.available).toBe(true);
    expect(t.lockNow()).toBe(held);
    // At the start, and again: what ran on meanwhile ends.
    expect(t.cut).toEqual([held, held]);
  });

  it('does not take a reading that began before a gap for one after it', async () => {
    const t = setUp();
    await t.store.answer([]);
    t.store.change();
    t.store.gap();
    await t.store.answer([]);
    expect(t.board.available).toBe(false);
    const held = lock(onSam);
    await t.store.answer([held]);
    expect(t.board.available).toBe(true);
    expect(t.lockNow()).toBe(held);
  });

  it('is not available when a change is known and cannot be read', async () => {
    const t = setUp();
    await t.store.answer([]);
    t.store.change();
    expect(t.board.available).toBe(true);
    await t.store.fail();
    expect(t.board.available).toBe(false);
  });

  it('knows at once what this process has set, whatever a reading under way says', async () => {
    const t = setUp();
    await t.store.answer([]);
    t.store.change();
    const held = lock(onSam);
    t.board.take(held);
    expect(t.lockNow()).toBe(held);
    await t.store.answer([]);
    expect(t.lockNow()).toBe(held);
    expect(t.cut).toEqual([]);
  });

  it('knows at once what this process has lifted, whatever a reading under way says', async () => {
    const t = setUp();
    const held = lock(onSam);
    await t.store.answer([held]);
    t.store.change();
    t.board.take({ ...held, liftedAt: later(1), liftedBy: quinn });
    expect(t.lockNow()).toBeNull();
    await t.store.answer([held]);
    expect(t.lockNow()).toBeNull();
  });

  it('lets an end pass by the clock', async () => {
    const t = setUp();
    await t.store.answer([lock(onSam, { endsAt: later(HOUR) })]);
    t.clock.advance(HOUR - 1);
    expect(t.lockNow()).not.toBeNull();
    expect(t.board.heldByKind()).toMatchObject({ principal: 1 });
    t.clock.advance(1);
    expect(t.lockNow()).toBeNull();
    expect(t.board.heldByKind()).toEqual(NONE_HELD);
  });

  it('reads nothing more once it is disposed of', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    try {
      const t = setUp();
      await t.store.fail();
      t.board[Symbol.dispose]();
      vi.advanceTimersByTime(10 * SECOND);
      expect(t.store.waiting).toEqual([]);
      expect(t.store.watching).toBe(false);
    } finally {
      vi.useRealTimers();
    }
  });
});
