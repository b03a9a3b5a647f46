// The contract of every grant store: what SQLite promises today and PostgreSQL must promise later. A store under
// test is opened anew for each test, twice where two processes share it.
import { describe, expect, it, vi } from 'vitest';
import type { EpochMs } from '#model/clock.ts';
import type { Actor, Grant } from '#model/grant.ts';
import type { GrantId } from '#model/ids.ts';
import type { TenantSettings } from '#model/tenant-settings.ts';
import type { GrantChange, GrantExpiryFeed, GrantStore } from '#grants/grant-store.ts';
import {
  acme,
  admin,
  at,
  bareService,
  DAY,
  draft,
  globex,
  HOUR,
  sam,
  settingsWith,
  clockAtStart,
} from '../support/grants-fixtures.ts';
import type { ManualClock } from '../support/manual-clock.ts';

type StoreUnderTest = GrantStore & GrantExpiryFeed;

/** One shared place to store grants in: each `open` is another process, as far as the store can tell. */
export interface StoreHarness extends AsyncDisposable {
  open(clock: ManualClock, settings?: TenantSettings): StoreUnderTest;
  /** Makes every store on the place fail, then work again. */
  breakStorage(): Promise<void>;
  mendStorage(): Promise<void>;
}

export function describeGrantStore(name: string, harness: () => Promise<StoreHarness>): void {
  async function setUp(settings?: TenantSettings) {
    const place = await harness();
    const clock = clockAtStart();
    return {
      place,
      clock,
      store: place.open(clock, settings),
      [Symbol.asyncDispose]: () => place[Symbol.asyncDispose](),
    };
  }

  describe(`${name}: grants`, () => {
    it('gives back what was created, frozen through and through', async () => {
      await using t = await setUp();
      const wish = draft({
        access: 'write',
        audience: { org: 'vendor', groups: ['support'], principals: [{ issuer: sam.issuer, id: sam.id }] },
        roles: ['agent'],
        workspaces: [{ id: 'w1', roles: ['viewer'] }],
        actAs: 'user-7',
      });
      const created = await t.store.create(wish, admin);
      expect(created).toMatchObject({
        ...wish,
        revision: 1,
        grantedBy: admin,
        revokedAt: null,
        createdAt: at(0),
      });
      expect(created.id).toMatch(/^grt_[0-9A-Z]{26}$/);
      expect(await t.store.get(created.id)).toEqual(created);
      expect(Object.isFrozen(created)).toBe(true);
      expect(Object.isFrozen(created.workspaces[0]?.roles)).toBe(true);
    });

    it('keeps text exactly, whatever it is', async () => {
      await using t = await setUp();
      const odd = `'; DROP TABLE grants; -- "\u202e\u{1F600}\\ \n`;
      const { id } = await t.store.create(
        draft({ caseRef: odd, reason: { type: 'debug_log', detail: odd } }),
        { ...admin, name: odd },
      );
      expect(await t.store.get(id)).toMatchObject({
        caseRef: odd,
        reason: { detail: odd },
        grantedBy: { name: odd },
      });
    });

    it('knows nothing of an id that was never given', async () => {
      await using t = await setUp();
      const unknown = 'grt_00000000000000000000000000' as GrantId;
      expect(await t.store.get(unknown)).toBeNull();
      await expect(t.store.revoke(unknown, admin)).rejects.toMatchObject({ code: 'grant_unknown' });
      await expect(t.store.change(unknown, {}, admin)).rejects.toMatchObject({ code: 'grant_unknown' });
    });

    it('answers activeFor with one tenant’s live grants, those that start later too', async () => {
      await using t = await setUp();
      const now = await t.store.create(draft(), admin);
      const later = await t.store.create(draft({ startsAt: at(HOUR) }), admin);
      const short = await t.store.create(draft({ expiresAt: at(HOUR) }), admin);
      const revoked = await t.store.create(draft(), admin);
      await t.store.create(draft({ tenant: globex }), admin);
      await t.store.revoke(revoked.id, admin);
      expect(ids(await t.store.activeFor(acme))).toEqual(ids([now, later, short]));
      t.clock.advance(HOUR);
      expect(ids(await t.store.activeFor(acme))).toEqual(ids([now, later]));
    });

    it('counts what holds at this moment, over every tenant', async () => {
      await using t = await setUp();
      await t.store.create(draft(), admin);
      await t.store.create(draft({ tenant: globex, expiresAt: at(HOUR) }), admin);
      await t.store.create(draft({ startsAt: at(2 * HOUR) }), admin);
      const revoked = await t.store.create(draft(), admin);
      await t.store.revoke(revoked.id, admin);
      expect(await t.store.countActive()).toBe(2);
      t.clock.advance(HOUR);
      expect(await t.store.countActive()).toBe(1);
    });

    it('refuses by the lifecycle rules inside the transaction and writes nothing', async () => {
      await using t = await setUp();
      const refused: readonly [string, Promise<Grant>][] = [
        ['too_long', t.store.create(draft({ expiresAt: at(15 * DAY) }), admin)],
        ['consent_required', t.store.create(draft(), bareService)],
        ['lift_not_allowed', t.store.create(draft({ lifts: ['export'] }), admin)],
      ];
      for (const [code, attempt] of refused) await expect(attempt).rejects.toMatchObject({ code });
      expect(await t.store.activeFor(acme)).toEqual([]);
    });

    it('changes only what is given, one revision at a time', async () => {
      await using t = await setUp();
      const { id } = await t.store.create(draft({ roles: ['agent'] }), admin);
      const changed = await t.store.change(id, { access: 'write', expectedRevision: 1 }, admin);
      expect(changed).toMatchObject({ revision: 2, access: 'write', roles: ['agent'] });
      expect(await t.store.get(id)).toEqual(changed);
      const stale = t.store.change(id, { access: 'read', expectedRevision: 1 }, admin);
      await expect(stale).rejects.toMatchObject({ code: 'stale_revision' });
      expect(await t.store.get(id)).toEqual(changed);
    });

    it('takes another first role only by a new consent, and drops the others without one', async () => {
      await using t = await setUp();
      const { id } = await t.store.create(draft({ roles: ['viewer', 'administrator'] }), admin);
      for (const roles of [['administrator'], ['administrator', 'viewer'], []]) {
        const swapped = t.store.change(id, { roles }, bareService);
        await expect(swapped, roles.join()).rejects.toMatchObject({ code: 'consent_required' });
      }
      const fewer = await t.store.change(id, { roles: ['viewer'] }, bareService);
      expect(await t.store.get(id)).toEqual(fewer);
      expect(fewer).toMatchObject({ revision: 2, roles: ['viewer'] });
    });

    it('lets one of two changes against the same revision through', async () => {
      await using t = await setUp();
      const other = t.place.open(t.clock);
      const { id } = await t.store.create(draft(), admin);
      const outcomes = await Promise.allSettled([
        t.store.change(id, { roles: ['a'], expectedRevision: 1 }, admin),
        other.change(id, { roles: ['b'], expectedRevision: 1 }, admin),
      ]);
      expect(outcomes.map((one) => one.status).toSorted()).toEqual(['fulfilled', 'rejected']);
      expect((await t.store.get(id))?.revision).toBe(2);
    });

    it('revokes once, and says the same when asked again', async () => {
      await using t = await setUp();
      const { id } = await t.store.create(draft(), admin);
      const revoked = await t.store.revoke(id, bareService);
      t.clock.advance(5);
      expect(await t.store.revoke(id, admin)).toEqual(revoked);
      expect(revoked).toMatchObject({ revision: 2, revokedAt: at(0), revokedBy: bareService });
      await expect(t.store.change(id, { access: 'read' }, admin)).rejects.toMatchObject({ code: 'ended' });
    });
  });

  describe(`${name}: lists`, () => {
    it('pages newest first without a gap or a repetition, whatever is created meanwhile', async () => {
      await using t = await setUp();
      const created: string[] = [];
      for (let i = 0; i < 7; i++) {
        created.push((await t.store.create(draft(), admin)).id);
        if (i % 3 === 0) t.clock.advance(1);
      }
      const seen: string[] = [];
      let cursor: string | null = null;
      do {
        const page = await t.store.list({ tenant: acme, limit: 3, cursor });
        seen.push(...page.items.map((one) => one.id));
        cursor = page.nextCursor;
        await t.store.create(draft(), admin);
      } while (cursor !== null);
      expect(seen).toEqual(created.toReversed());
    });

    it('ends without a cursor when the last page is full', async () => {
      await using t = await setUp();
      await t.store.create(draft(), admin);
      expect((await t.store.list({ tenant: acme, limit: 1, cursor: null })).nextCursor).toBeNull();
    });

    it('filters by the status that the clock gives', async () => {
      await using t = await setUp();
      const active = await t.store.create(draft(), admin);
      const scheduled = await t.store.create(draft({ startsAt: at(2 * HOUR) }), admin);
      const expired = await t.store.create(draft({ expiresAt: at(HOUR) }), admin);
      const revoked = await t.store.create(draft(), admin);
      await t.store.revoke(revoked.id, admin);
      t.clock.advance(HOUR);
      const of = { active, scheduled, expired, revoked };
      for (const status of ['active', 'scheduled', 'expired', 'revoked'] as const) {
        const page = await t.store.list({ tenant: acme, status, limit: 10, cursor: null });
        expect(ids(page.items), status).toEqual(ids([of[status]]));
      }
    });

    it('lists for a principal what covers them, in one tenant or in all', async () => {
      await using t = await setUp();
      const org = await t.store.create(draft(), admin);
      const group = await t.store.create(
        draft({ audience: { org: null, groups: ['x', 'tier-2'], principals: null } }),
        admin,
      );
      const named = { issuer: sam.issuer, id: sam.id };
      const person = await t.store.create(
        draft({ tenant: globex, audience: { org: 'vendor', groups: null, principals: [named] } }),
        admin,
      );
      await t.store.create(
        draft({ audience: { org: 'other', groups: ['support'], principals: null } }),
        admin,
      );
      await t.store.create(
        draft({ audience: { org: null, groups: null, principals: [{ ...named, issuer: 'x' }] } }),
        admin,
      );
      await t.store.create(draft(), { ...admin, email: 'SAM@vendor.example' });
      const everywhere = await t.store.list({ tenant: null, covering: sam, limit: 10, cursor: null });
      expect(ids(everywhere.items)).toEqual(ids([org, group, person]));
      const here = await t.store.list({ tenant: acme, covering: sam, limit: 10, cursor: null });
      expect(ids(here.items)).toEqual(ids([org, group]));
    });

    it.each(['', 'x', 'e30', Buffer.from('[1,"grt_x"]').toString('base64url'), 'A'.repeat(500)])(
      'refuses the cursor %j',
      async (cursor) => {
        await using t = await setUp();
        const asked = t.store.list({ tenant: acme, limit: 10, cursor });
        await expect(asked).rejects.toMatchObject({ code: 'cursor_invalid' });
      },
    );

    it('refuses a limit out of range, and to list every tenant for nobody', async () => {
      await using t = await setUp();
      for (const limit of [0, 501, 1.5]) {
        await expect(t.store.list({ tenant: acme, limit, cursor: null })).rejects.toThrow(RangeError);
      }
      await expect(t.store.list({ tenant: null, limit: 1, cursor: null })).rejects.toThrow(RangeError);
    });
  });

  describe(`${name}: the change feed`, () => {
    it('tells of each change of its own once, after the commit', async () => {
      await using t = await setUp();
      const changes: GrantChange[] = [];
      using _watching = t.store.watch((change) => changes.push(change), vi.fn());
      const { id } = await t.store.create(draft(), admin);
      await t.store.change(id, { access: 'write' }, admin);
      await t.store.change(id, { access: 'write' }, admin);
      await t.store.revoke(id, admin);
      await t.store.revoke(id, admin);
      const told = { tenant: acme, grantId: id, elsewhere: false };
      expect(changes).toEqual([told, told, told]);
    });

    it('tells of what another process committed, and not again of its own', async () => {
      await using t = await setUp();
      const other = t.place.open(t.clock);
      const own = await t.store.create(draft(), admin);
      const { promise, resolve } = Promise.withResolvers<GrantChange>();
      const changes: GrantChange[] = [];
      using _watching = t.store.watch((change) => {
        changes.push(change);
        if (change.elsewhere) resolve(change);
      }, vi.fn());
      const second = await t.store.create(draft(), admin);
      await other.revoke(own.id, admin);
      expect(await promise).toEqual({ tenant: acme, grantId: own.id, elsewhere: true });
      expect(changes).toEqual([{ tenant: acme, grantId: second.id, elsewhere: false }, await promise]);
    });

    it('says that there was a gap when it could not look, and is silent once disposed of', async () => {
      await using t = await setUp();
      await t.store.ping();
      const gap = Promise.withResolvers<void>();
      const watching = t.store.watch(vi.fn(), () => gap.resolve());
      const silent = vi.fn();
      t.store.watch(silent, silent)[Symbol.dispose]();
      await t.place.breakStorage();
      await expect(t.store.ping()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await t.place.mendStorage();
      await gap.promise;
      watching[Symbol.dispose]();
      expect(silent).not.toHaveBeenCalled();
    });
  });

  describe(`${name}: faults`, () => {
    it('throws STORE_UNAVAILABLE while it cannot find out, never "none", and works again by itself', async () => {
      await using t = await setUp();
      const { id } = await t.store.create(draft(), admin);
      await t.place.breakStorage();
      const asked: readonly (() => Promise<unknown>)[] = [
        () => t.store.activeFor(acme),
        () => t.store.get(id),
        () => t.store.countActive(),
        () => t.store.list({ tenant: acme, limit: 1, cursor: null }),
        () => t.store.create(draft(), admin),
        () => t.store.change(id, { access: 'write' }, admin),
        () => t.store.revoke(id, admin),
        () => t.store.ping(),
        () => t.store.nextEnd(),
        () => t.store.claimExpired(1),
        () => t.store.nextEnding(1),
        () => t.store.claimEnding(1, 1),
        () => t.store.verify(id, sam),
        () => t.store.revisions(id, 1, null),
      ];
      for (const ask of asked) await expect(ask()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await t.place.mendStorage();
      expect((await t.store.revoke(id, admin)).revision).toBe(2);
    });

    it('answers a closed store with STORE_UNAVAILABLE', async () => {
      await using t = await setUp();
      await t.store.ping();
      await t.store.close();
      await expect(t.store.activeFor(acme)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    });
  });

  describe(`${name}: ends`, () => {
    it('hands out each grant that has ended once, in order, among processes and after a longer life', async () => {
      await using t = await setUp();
      const other = t.place.open(t.clock);
      const late = await t.store.create(draft({ expiresAt: at(2 * HOUR) }), admin);
      const early = await t.store.create(draft({ expiresAt: at(HOUR) }), admin);
      const revoked = await t.store.create(draft({ expiresAt: at(HOUR) }), admin);
      await t.store.revoke(revoked.id, admin);
      expect(await t.store.nextEnd()).toBe(at(HOUR));
      expect(await t.store.claimExpired(10)).toEqual([]);
      t.clock.advance(HOUR);
      expect(ids(await t.store.claimExpired(10))).toEqual([early.id]);
      await t.store.change(late.id, { expiresAt: at(3 * HOUR) }, admin);
      t.clock.advance(2 * HOUR);
      expect(ids(await other.claimExpired(10))).toEqual([late.id]);
      expect(await t.store.claimExpired(10)).toEqual([]);
      expect(await t.store.nextEnd()).toBeNull();
    });
  });

  describe(`${name}: what is about to end`, () => {
    it('hands out each longer grant a day ahead, once for each revision, in order, among processes', async () => {
      await using t = await setUp();
      const other = t.place.open(t.clock);
      const late = await t.store.create(draft({ expiresAt: at(4 * DAY) }), admin);
      const early = await t.store.create(draft({ expiresAt: at(3 * DAY) }), admin);
      await t.store.create(draft({ expiresAt: at(2 * DAY) }), admin);
      const revoked = await t.store.create(draft({ expiresAt: at(3 * DAY) }), admin);
      await t.store.revoke(revoked.id, admin);
      expect(await t.store.nextEnding(DAY)).toBe(at(2 * DAY));
      t.clock.advance(2 * DAY - 1);
      expect(await t.store.claimEnding(DAY, 10)).toEqual([]);
      t.clock.advance(1);
      expect(ids(await t.store.claimEnding(DAY, 10))).toEqual([early.id]);
      expect(await other.claimEnding(DAY, 10)).toEqual([]);
      expect(await t.store.nextEnding(DAY)).toBe(at(3 * DAY));
      t.clock.advance(DAY / 2);
      await t.store.change(early.id, { expiresAt: at(5 * DAY) }, admin);
      expect(await t.store.claimEnding(DAY, 10)).toEqual([]);
      t.clock.advance(2 * DAY - DAY / 2);
      const again = await other.claimEnding(2 * DAY, 10);
      expect(again.map((one) => one.id)).toEqual([early.id]);
      expect(await t.store.get(late.id)).not.toBeNull();
      expect(await t.store.nextEnding(DAY)).toBeNull();
    });

    it('says nothing ahead of a grant of two days, and does of one a millisecond longer', async () => {
      await using t = await setUp();
      await t.store.create(draft({ expiresAt: at(2 * DAY) }), admin);
      expect(await t.store.nextEnding(DAY)).toBeNull();
      await t.store.create(draft({ expiresAt: at(2 * DAY + 1) }), admin);
      expect(await t.store.nextEnding(DAY)).toBe(at(DAY + 1));
    });
  });

  describe(`${name}: the time of a case`, () => {
    const fourteenDays = settingsWith({ durations: { maxPerCase: '14d' } });

    it('is counted over all grants of a tenant’s case, ended ones too, however the case is written', async () => {
      await using t = await setUp(fourteenDays);
      const first = await t.store.create(draft({ caseRef: 'CASE-1' }), admin);
      t.clock.advance(HOUR);
      await t.store.revoke(first.id, admin);
      t.clock.advance(10 * DAY);
      const startsAt = t.clock.now();
      const wish = draft({ startsAt, expiresAt: at(14 * DAY + 1) });
      for (const caseRef of ['CASE-1', 'case-1', ' CASE-1 ']) {
        await expect(t.store.create({ ...wish, caseRef }, admin)).rejects.toMatchObject({
          code: 'case_limit',
        });
      }
      expect(await t.store.create({ ...wish, caseRef: 'CASE-2' }, admin)).toMatchObject({ revision: 1 });
      expect(await t.store.create({ ...wish, tenant: globex }, admin)).toMatchObject({ revision: 1 });
      expect(await t.store.create({ ...wish, expiresAt: at(14 * DAY) }, admin)).toMatchObject({
        revision: 1,
      });
    });

    it('is not exceeded by calls at the same time through two processes, whichever comes first', async () => {
      await using t = await setUp(fourteenDays);
      const other = t.place.open(t.clock, fourteenDays);
      const early = draft({ startsAt: at(0), expiresAt: at(5 * DAY) });
      const late = draft({ startsAt: at(5 * DAY), expiresAt: at(15 * DAY) });
      for (let round = 0; round < 10; round++) {
        const caseRef = `CASE-${round}`;
        const calls = [
          () => t.store.create({ ...early, caseRef }, admin),
          () => other.create({ ...late, caseRef }, admin),
        ];
        if (round % 2 === 1) calls.reverse();
        const outcomes = await Promise.allSettled(calls.map((call) => call()));
        const given = outcomes.filter((one) => one.status === 'fulfilled');
        expect(given, caseRef).toHaveLength(1);
        expect(outcomes.find((one) => one.status === 'rejected')).toMatchObject({
          reason: { code: 'case_limit' },
        });
      }
    });

    it('is not exceeded by extensions at the same time either', async () => {
      await using t = await setUp(fourteenDays);
      const other = t.place.open(t.clock, fourteenDays);
      const a = await t.store.create(draft({ startsAt: at(4 * DAY), expiresAt: at(10 * DAY) }), admin);
      const outcomes = await Promise.allSettled([
        t.store.change(a.id, { expiresAt: at(18 * DAY) }, admin),
        other.create(draft({ startsAt: at(3 * DAY), expiresAt: at(5 * DAY) }), admin),
      ]);
      expect(outcomes.filter((one) => one.status === 'fulfilled')).toHaveLength(1);
    });
  });

  describe(`${name}: the vendor’s verification`, () => {
    const required = settingsWith({ vendorVerification: 'required' });
    const lead = { ...sam, id: 'lea', email: 'lea@vendor.example', org: 'desk' };

    it('keeps a grant pending until it is verified, once', async () => {
      await using t = await setUp(required);
      const audience = { org: null, groups: null, principals: [{ issuer: sam.issuer, id: sam.id }] };
      const { id } = await t.store.create(draft({ audience }), admin);
      const pending = { tenant: null, status: 'pending', limit: 10, cursor: null } as const;
      expect(ids((await t.store.list(pending)).items)).toEqual([id]);
      expect(await t.store.countActive()).toBe(0);
      await expect(t.store.verify(id, sam)).rejects.toMatchObject({ code: 'verifier_is_user' });
      const verified = await t.store.verify(id, lead, 1);
      expect(verified).toMatchObject({ revision: 2, verification: { at: at(0), by: { id: 'lea' } } });
      expect(Object.isFrozen(verified.verification?.by)).toBe(true);
      expect(await t.store.verify(id, lead)).toEqual(verified);
      expect(await t.store.countActive()).toBe(1);
      expect((await t.store.list(pending)).items).toEqual([]);
    });
  });

  describe(`${name}: users and history`, () => {
    it('lists what acts as one user', async () => {
      await using t = await setUp();
      const own = await t.store.create(draft({ actAs: 'u-7' }), admin);
      await t.store.create(draft({ actAs: 'u-8' }), admin);
      await t.store.create(draft(), admin);
      await t.store.create(draft({ tenant: globex, actAs: 'u-7' }), admin);
      const page = await t.store.list({ tenant: acme, actAs: 'u-7', limit: 10, cursor: null });
      expect(ids(page.items)).toEqual([own.id]);
    });

    it('shows nobody of an excluded organisation what would cover them', async () => {
      await using t = await setUp(settingsWith({ excludedOrgs: ['vendor'] }));
      await t.store.create(draft({ audience: { org: null, groups: ['support'], principals: null } }), admin);
      const query = { tenant: acme, limit: 10, cursor: null };
      expect((await t.store.list({ ...query, covering: sam })).items).toEqual([]);
      expect((await t.store.list({ ...query, covering: { ...sam, org: 'desk' } })).items).toHaveLength(1);
    });

    it('keeps every revision and who made it, newest first, in pages', async () => {
      await using t = await setUp();
      const { id } = await t.store.create(draft(), admin);
      await t.store.create(draft(), admin);
      t.clock.advance(HOUR);
      await t.store.change(id, { access: 'write' }, admin);
      const revoked = await t.store.revoke(id, bareService);
      const first = await t.store.revisions(id, 2, null);
      expect(first.items).toMatchObject([
        { operation: 'revoke', at: at(HOUR), by: bareService, grant: { revision: 3 } },
        { operation: 'change', at: at(HOUR), by: admin, grant: { revision: 2, access: 'write' } },
      ]);
      expect(first.items[0]?.grant).toEqual(revoked);
      const rest = await t.store.revisions(id, 2, first.nextCursor);
      expect(rest).toMatchObject({
        items: [{ operation: 'create', grant: { revision: 1 } }],
        nextCursor: null,
      });
      expect(Object.isFrozen(rest.items[0]?.grant.audience)).toBe(true);
      const unknown = 'grt_00000000000000000000000000' as GrantId;
      expect(await t.store.revisions(unknown, 2, null)).toEqual({ items: [], nextCursor: null });
    });
  });

  describe(`${name}: people`, () => {
    it('keeps who widened a grant, so that it never covers them', async () => {
      await using t = await setUp();
      const { id } = await t.store.create(draft(), admin);
      const widener: Actor = { ...admin, id: 'u-9', email: 'Sam@Vendor.example' };
      await t.store.change(id, { expiresAt: at(2 * DAY) as EpochMs }, widener);
      expect((await t.store.get(id))?.widenedBy).toEqual([widener]);
      const covering = await t.store.list({ tenant: acme, covering: sam, limit: 1, cursor: null });
      expect(covering.items).toEqual([]);
    });
  });
}

function ids(grants: readonly Grant[]): readonly string[] {
  return grants.map((one) => one.id).toSorted();
}
