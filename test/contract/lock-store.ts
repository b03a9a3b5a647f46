// The contract of every lock store: what SQLite promises today and PostgreSQL must promise later.
import { describe, expect, it, vi } from 'vitest';
import type { EpochMs } from '#model/clock.ts';
import type { LockDraft, LockStore } from '#grants/locks/lock-store.ts';
import { acme, admin, HOUR, serviceForAda } from '../support/grants-fixtures.ts';
import {
  everything,
  later,
  type NoticeRow,
  onAcme,
  onSam,
  quinn,
  rita,
  securityPerson,
} from '../support/lock-fixtures.ts';
import type { ManualClock } from '../support/manual-clock.ts';

interface OpenedLocks {
  readonly locks: LockStore;
  /** What the outbox holds, oldest first. */
  notices(): Promise<readonly NoticeRow[]>;
  /** Of one thing: what was done to it, oldest first. */
  history(id: string): Promise<readonly object[]>;
}

export interface LockHarness extends AsyncDisposable {
  readonly clock: ManualClock;
  open(): OpenedLocks;
}

const draft = (over: Partial<LockDraft> = {}): LockDraft => ({
  target: onAcme,
  message: 'Call the security desk.',
  endsAt: null,
  ...over,
});

export function describeLockStore(name: string, harness: () => LockHarness): void {
  describe(`${name}: locks`, () => {
    it('keeps what was set, frozen through and through, with its history and its notice', async () => {
      await using place = harness();
      const { locks, notices, history } = place.open();
      const held = await locks.set(draft({ endsAt: later(HOUR) }), quinn);
      expect(held).toMatchObject({
        target: onAcme,
        message: 'Call the security desk.',
        createdAt: place.clock.now(),
        createdBy: quinn,
        endsAt: later(HOUR),
        liftedAt: null,
        liftedBy: null,
      });
      expect(held.id).toMatch(/^lck_[0-9A-Z]{26}$/);
      expect(Object.isFrozen(held) && Object.isFrozen(held.target)).toBe(true);
      expect(await locks.get(held.id)).toEqual(held);
      expect(await locks.held()).toEqual([held]);
      expect(await history(held.id)).toMatchObject([
        { kind: 'lock', operation: 'set', tenant: acme, by: quinn },
      ]);
      expect(await notices()).toMatchObject([
        {
          event: 'lock.set',
          tenant: acme,
          by: { name: 'quinn', email: quinn.email },
          facts: { lockId: held.id, lockKind: 'tenant', message: 'Call the security desk.' },
        },
      ]);
    });

    it('tells the tenant of a lock on its case, and no tenant of one on somebody or everything', async () => {
      await using place = harness();
      const { locks, notices } = place.open();
      await locks.set(draft({ target: { kind: 'case', caseRef: 'CASE-1', tenant: acme } }), quinn);
      await locks.set(draft({ target: { kind: 'case', caseRef: 'CASE-1', tenant: null } }), quinn);
      await locks.set(draft({ target: onSam }), quinn);
      await locks.set(draft({ target: everything }), quinn);
      expect((await notices()).map(({ tenant, facts }) => [facts['lockKind'], tenant])).toEqual([
        ['case', acme],
        ['case', null],
        ['principal', null],
        ['everything', null],
      ]);
    });

    it('lifts one once: again, nothing more is written', async () => {
      await using place = harness();
      const { locks, notices, history } = place.open();
      const { id } = await locks.set(draft(), quinn);
      place.clock.advance(5);
      const lifted = await locks.lift(id, rita);
      expect(lifted).toMatchObject({ liftedAt: later(5), liftedBy: rita });
      place.clock.advance(5);
      expect(await locks.lift(id, quinn)).toEqual(lifted);
      expect(await locks.held()).toEqual([]);
      expect(await history(id)).toMatchObject([{ operation: 'set' }, { operation: 'lift', by: rita }]);
      expect((await notices()).map(({ event }) => event)).toEqual(['lock.set', 'lock.lifted']);
    });

    it('holds no longer than its end, and lifting it then changes nothing', async () => {
      await using place = harness();
      const { locks } = place.open();
      const held = await locks.set(draft({ endsAt: later(HOUR) }), quinn);
      place.clock.advance(HOUR - 1);
      expect(await locks.held()).toEqual([held]);
      place.clock.advance(1);
      expect(await locks.held()).toEqual([]);
      expect(await locks.lift(held.id, quinn)).toEqual(held);
    });

    it.each([
      admin,
      serviceForAda,
      { ...quinn, kind: 'staff' as const },
      { ...quinn, kind: 'system' as const },
    ])('lets nobody but security set or lift ($kind)', async (by) => {
      await using place = harness();
      const { locks, notices } = place.open();
      await expect(locks.set(draft(), by)).rejects.toMatchObject({ code: 'security_required' });
      expect(await locks.held()).toEqual([]);
      expect(await notices()).toEqual([]);
      const { id } = await locks.set(draft(), quinn);
      await expect(locks.lift(id, by)).rejects.toMatchObject({ code: 'security_required' });
      expect(await locks.held()).toHaveLength(1);
    });

    it('lets nobody who is locked lift a lock, under another issuer neither', async () => {
      await using place = harness();
      const { locks } = place.open();
      const { issuer, id, email } = quinn;
      const own = await locks.set(draft({ target: { kind: 'principal', issuer, id, email } }), rita);
      const other = await locks.set(draft({ target: everything }), rita);
      const elsewhere = securityPerson('q-2', {
        issuer: 'https://other.example',
        email: 'QUINN@vendor.example',
      });
      for (const by of [quinn, elsewhere]) {
        await expect(locks.lift(own.id, by)).rejects.toMatchObject({ code: 'locked_actor' });
        await expect(locks.lift(other.id, by)).rejects.toMatchObject({ code: 'locked_actor' });
      }
      await locks.lift(own.id, rita);
      expect((await locks.lift(other.id, quinn)).liftedBy).toEqual(quinn);
    });

    it.each([
      ['now', later(0), 'end_in_past'],
      ['before now', later(-1), 'end_in_past'],
      ['no instant', Number.NaN as EpochMs, 'instant_invalid'],
    ])('refuses an end that is %s', async (_name, endsAt, code) => {
      await using place = harness();
      const { locks } = place.open();
      await expect(locks.set(draft({ endsAt }), quinn)).rejects.toMatchObject({ code });
    });

    it('knows nothing of an id that was never given', async () => {
      await using place = harness();
      const { locks } = place.open();
      expect(await locks.get('lck_00000000000000000000000000')).toBeNull();
      await expect(locks.lift('lck_00000000000000000000000000', quinn)).rejects.toMatchObject({
        code: 'lock_unknown',
      });
    });

    it('lists newest first, page by page, those that hold or all', async () => {
      await using place = harness();
      const { locks } = place.open();
      const ids: string[] = [];
      for (let i = 0; i < 5; i++) {
        ids.unshift((await locks.set(draft(i === 1 ? { endsAt: later(HOUR) } : {}), quinn)).id);
        place.clock.advance(i % 2);
      }
      await locks.lift(ids[2] as string, quinn);
      place.clock.advance(HOUR);
      const pages = async (status: 'held' | 'all') => {
        const seen: string[] = [];
        for (let cursor: string | null = null; ; ) {
          const { items, nextCursor } = await locks.list({ status, cursor, limit: 2 });
          seen.push(...items.map(({ id }) => id));
          if (nextCursor === null) return seen;
          cursor = nextCursor;
        }
      };
      expect(await pages('all')).toEqual(ids);
      expect(await pages('held')).toEqual([ids[0], ids[1], ids[4]]);
      await expect(locks.list({ status: 'all', cursor: 'x', limit: 2 })).rejects.toMatchObject({
        code: 'cursor_invalid',
      });
      await expect(locks.list({ status: 'all', cursor: null, limit: 501 })).rejects.toThrow(RangeError);
    });

    it('tells other processes', async () => {
      await using place = harness();
      const here = place.open();
      const there = place.open();
      await there.locks.held();
      const changed = vi.fn();
      using _watching = there.locks.watch(changed, () => undefined);
      const { id } = await here.locks.set(draft(), quinn);
      await expect.poll(() => changed.mock.calls.length, { timeout: 10_000 }).toBe(1);
      expect((await there.locks.held()).map((one) => one.id)).toEqual([id]);
      await here.locks.lift(id, quinn);
      await expect.poll(() => changed.mock.calls.length, { timeout: 10_000 }).toBe(2);
      expect(await there.locks.held()).toEqual([]);
    });
  });
}
