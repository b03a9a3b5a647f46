// What every store of support sessions must do: one suite, run for each implementation.
import { describe, expect, it } from 'vitest';
import type { Clock } from '#model/clock.ts';
import type { SessionId } from '#model/ids.ts';
import { secretHash } from '#model/secret-hash.ts';
import { createReportTally, type SessionReport } from '#sessions/session-report.ts';
import type { SessionStore } from '#sessions/session-store.ts';
import type { TenantSettings } from '#model/tenant-settings.ts';
import {
  acme,
  admin,
  clockAtStart,
  DAY,
  draft,
  globex,
  HOUR,
  sam,
  settingsWith,
  START,
} from '../support/grants-fixtures.ts';
import { givenGrant, maker, MINUTE, type OpenStores, sessionLimits } from '../support/sessions-fixtures.ts';

export interface SessionStoreUnderTest extends AsyncDisposable {
  /** Another process on the same storage, each time. */
  open(clock: Clock, settings?: () => TenantSettings): OpenStores;
  notices(): Promise<
    readonly {
      readonly event: string;
      readonly facts: Readonly<Record<string, unknown>>;
      readonly users?: unknown;
    }[]
  >;
}

const sue = { ...sam, id: 'sue', email: 'sue@vendor.example', name: 'Sue' };
const UNKNOWN = 'ses_01JHNM9N0000000000000000ZZ' as SessionId;
const LEFT = { ending: 'left', by: null, note: null } as const;
const TOKEN = secretHash('a'.repeat(43));
const COOKIE = secretHash('b'.repeat(43));

function opening(principal = sam, launch: string | null = null) {
  return { tenant: acme, principal, launch: launch === null ? null : { hash: launch, lifetimeMs: MINUTE } };
}

function reportOf(session: Awaited<ReturnType<SessionStore['get']>>): SessionReport {
  if (session === null) throw new TypeError('no session');
  return createReportTally().report(session, { at: START, complete: true });
}

export function describeSessionStore(name: string, start: () => Promise<SessionStoreUnderTest>): void {
  async function setUp(settings: () => TenantSettings = settingsWith) {
    const under = await start();
    const clock = clockAtStart();
    const stores = under.open(clock, settings);
    return {
      ...stores,
      clock,
      another: () => under.open(clock, settings),
      notices: () => under.notices(),
      [Symbol.asyncDispose]: () => under[Symbol.asyncDispose](),
    };
  }

  async function launchedOne() {
    const t = await setUp();
    await givenGrant(t);
    const { session } = await t.sessions.open(opening(sam, TOKEN), maker());
    return { t, session };
  }

  async function openOne() {
    const t = await setUp();
    const grant = await givenGrant(t);
    const { session } = await t.sessions.open(opening(), maker());
    return { t, session, grant };
  }

  async function openUnder(over: Parameters<typeof givenGrant>[1] = {}) {
    const t = await setUp();
    const grant = await givenGrant(t, over);
    const { session } = await t.sessions.open(opening(), maker({}, { ...sessionLimits }));
    return { t, session, grant };
  }

  async function endedOne() {
    const t = await setUp();
    await givenGrant(t);
    const { session } = await t.sessions.open(opening(), maker());
    expect(await t.sessions.toReport(10)).toEqual([]);
    await t.sessions.end(session.id, LEFT);
    return { t, id: session.id };
  }

  describe(`opening a session (${name})`, () => {
    it('keeps it, frozen, with a notice', async () => {
      await using t = await setUp();
      const grant = await givenGrant(t);
      const { session, replaced } = await t.sessions.open(opening(), maker());
      expect(replaced).toBeNull();
      expect(session).toMatchObject({
        tenant: acme,
        principal: sam,
        grantId: grant.id,
        access: 'read',
        startedAt: START,
      });
      expect(Object.isFrozen(session) && Object.isFrozen(session.principal)).toBe(true);
      expect(await t.another().sessions.get(session.id)).toEqual(session);
      const started = (await t.notices()).filter(({ event }) => event === 'session.started');
      expect(started).toHaveLength(1);
      expect(started[0]?.facts).toMatchObject({ sessionId: session.id, caseRef: 'CASE-1' });
    });

    it('refuses without a grant, and keeps nothing', async () => {
      await using t = await setUp();
      await expect(t.sessions.open(opening(), maker())).rejects.toMatchObject({
        code: 'session_not_covered',
      });
      expect(await t.sessions.openOf(acme)).toEqual([]);
      expect(await t.notices()).toEqual([]);
    });

    it('ends the principal’s earlier one for the tenant in the same step, and nobody else’s', async () => {
      await using t = await setUp();
      await givenGrant(t);
      const first = await t.sessions.open(opening(), maker());
      const other = await t.sessions.open(opening(sue), maker({ principal: sue }));
      t.clock.advance(1000);
      const second = await t.sessions.open(opening(), maker());
      expect(second.replaced).toMatchObject({
        id: first.session.id,
        endedBy: 'replaced',
        endedAt: START + 1000,
      });
      const open = await t.sessions.openOf(acme);
      expect(open.map(({ id }) => id).toSorted()).toEqual([other.session.id, second.session.id].toSorted());
    });

    it('leaves one open, whoever of several processes opens it at once', async () => {
      await using t = await setUp();
      await givenGrant(t);
      const stores = [t.sessions, t.another().sessions, t.another().sessions];
      await Promise.all(stores.map((store) => store.open(opening(), maker())));
      expect(await t.sessions.openOf(acme)).toHaveLength(1);
      const all = await t.sessions.list({
        tenant: acme,
        principal: null,
        openOnly: false,
        limit: 10,
        cursor: null,
      });
      expect(all.items.filter(({ session }) => session.endedBy === 'replaced')).toHaveLength(2);
    });

    it('is under what stands where the settings give it, without a grant', async () => {
      const audience = { org: 'vendor', groups: null, principals: null };
      const trial = settingsWith({
        standing: 'read',
        switchGrant: { access: 'read', audience, roles: [], workspaces: [] },
      });
      let settings = trial;
      await using t = await setUp(() => settings);
      const { session } = await t.sessions.open(opening(), maker());
      expect(await claim(t.sessions, { kind: 'settings', id: acme })).toEqual([]);
      settings = settingsWith();
      const [ended] = await claim(t.sessions, { kind: 'settings', id: acme });
      expect(ended).toMatchObject({ id: session.id, endedBy: 'grant_ended' });
    });
  });

  describe(`a launch link (${name})`, () => {
    it('is spent by the first to come: the cookie is then the session’s', async () => {
      const { t, session } = await launchedOne();
      await using _ = t;
      expect((await t.sessions.launchOf(TOKEN, acme))?.id).toBe(session.id);
      const entered = await Promise.all([
        t.sessions.takeLaunch(TOKEN, acme, COOKIE),
        t.another().sessions.takeLaunch(TOKEN, acme, secretHash('c'.repeat(43))),
      ]);
      expect(entered.filter((one) => one !== null)).toHaveLength(1);
      expect(await t.sessions.launchOf(TOKEN, acme)).toBeNull();
      expect(await t.sessions.takeLaunch(TOKEN, acme, COOKIE)).toBeNull();
    });

    it('is another tenant’s nothing, and is not spent by it', async () => {
      const { t, session } = await launchedOne();
      await using _ = t;
      expect(await t.sessions.takeLaunch(TOKEN, globex, COOKIE)).toBeNull();
      expect(await t.sessions.launchOf(TOKEN, globex)).toBeNull();
      expect((await t.sessions.takeLaunch(TOKEN, acme, COOKIE))?.id).toBe(session.id);
      expect((await t.sessions.byCookie(COOKIE))?.id).toBe(session.id);
    });

    it('holds to the last millisecond of its minute and no longer', async () => {
      const { t } = await launchedOne();
      await using _ = t;
      t.clock.advance(MINUTE - 1);
      expect(await t.sessions.launchOf(TOKEN, acme)).not.toBeNull();
      t.clock.advance(1);
      expect(await t.sessions.launchOf(TOKEN, acme)).toBeNull();
      expect(await t.sessions.takeLaunch(TOKEN, acme, COOKIE)).toBeNull();
    });

    it('opens nothing once its session has ended or was replaced', async () => {
      const { t, session } = await launchedOne();
      await using _ = t;
      await t.sessions.open(opening(), maker());
      expect(await t.sessions.takeLaunch(TOKEN, acme, COOKIE)).toBeNull();
      expect(await t.sessions.byCookie(COOKIE)).toBeNull();
      expect((await t.sessions.get(session.id))?.endedBy).toBe('replaced');
    });

    it('loses the groups that a newer token does not name, wherever it is open, and gains none', async () => {
      const { t, session } = await launchedOne();
      await using _ = t;
      const shown = (groups: readonly string[], id = sam.id) =>
        t.sessions.narrow({ issuer: sam.issuer, id, groups });
      expect(await shown([...sam.groups, 'more'])).toEqual([]);
      expect(await shown([], 'sue')).toEqual([]);
      expect(await t.sessions.get(session.id)).toEqual(session);
      const [narrowed] = await shown(['tier-2', 'more']);
      expect(narrowed).toEqual({ ...session, principal: { ...sam, groups: ['tier-2'] } });
      expect(Object.isFrozen(narrowed?.principal.groups)).toBe(true);
      expect(await t.sessions.openOf(acme)).toEqual([narrowed]);
      expect(await shown(sam.groups)).toEqual([]);
      await t.sessions.end(session.id, { ending: 'left', by: null, note: null });
      expect(await shown([])).toEqual([]);
    });

    it('is sealed by a key that every process of the store has, made once', async () => {
      await using t = await setUp();
      const [here, there] = await Promise.all([t.sessions.sealKey(), t.another().sessions.sealKey()]);
      expect(here).toMatch(/^[\w-]{43}$/);
      expect(there).toBe(here);
      expect(await t.sessions.sealKey()).toBe(here);
    });

    it('says nothing about one that never was', async () => {
      await using t = await setUp();
      expect(await t.sessions.takeLaunch(secretHash('never'), acme, COOKIE)).toBeNull();
    });
  });

  describe(`the end of a session (${name})`, () => {
    it('is said once; repeated it changes nothing', async () => {
      const { t, session } = await openOne();
      await using _ = t;
      t.clock.advance(1000);
      const first = await t.sessions.end(session.id, { ...LEFT, note: 'cleared the cache' });
      expect(first).toMatchObject({
        isNews: true,
        session: { endedBy: 'left', endedAt: START + 1000, note: 'cleared the cache' },
      });
      t.clock.advance(1000);
      const again = await t.sessions.end(session.id, { ending: 'vendor', by: admin, note: 'another' });
      expect(again).toEqual({ isNews: false, session: first.session });
      expect(await t.sessions.openOf(acme)).toEqual([]);
    });

    it('takes a note that was still missing', async () => {
      const { t, session } = await openOne();
      await using _ = t;
      await t.sessions.end(session.id, LEFT);
      const noted = await t.sessions.end(session.id, { ...LEFT, note: 'restarted the import' });
      expect(noted).toMatchObject({
        isNews: false,
        session: { note: 'restarted the import', endedBy: 'left' },
      });
    });

    it('is refused for one that never was', async () => {
      await using t = await setUp();
      await expect(t.sessions.end(UNKNOWN, LEFT)).rejects.toMatchObject({ code: 'session_unknown' });
    });

    it('is put down as the clock’s where the clock was first, at that instant', async () => {
      const { t, session } = await openOne();
      await using _ = t;
      t.clock.advance(40 * MINUTE);
      const { session: ended } = await t.sessions.end(session.id, LEFT);
      expect(ended).toMatchObject({ endedBy: 'idle', endedAt: START + 30 * MINUTE });
    });
  });

  describe(`a session that is over (${name})`, () => {
    it('by idling is claimed once it must have been used if it was, and not while it is used', async () => {
      const { t, session } = await openUnder();
      await using _ = t;
      expect(await t.sessions.nextEnd()).toBe(START + 30 * MINUTE);
      t.clock.advance(20 * MINUTE);
      await t.sessions.touch([{ id: session.id, at: t.clock.now() }]);
      await t.sessions.touch([{ id: session.id, at: START }]);
      expect((await t.sessions.get(session.id))?.lastUsedAt).toBe(START + 20 * MINUTE);
      t.clock.advance(30 * MINUTE);
      expect(await claim(t.sessions, null, 10_000)).toEqual([]);
      t.clock.advance(10_000);
      expect(await claim(t.sessions, null, 10_000)).toMatchObject([
        { id: session.id, endedBy: 'idle', endedAt: START + 50 * MINUTE },
      ]);
    });

    it('by its limit is claimed at once, and by one of several processes', async () => {
      const { t, session } = await openUnder();
      await using _ = t;
      t.clock.advance(8 * HOUR - 1);
      await t.sessions.touch([{ id: session.id, at: t.clock.now() }]);
      expect(await claim(t.sessions)).toEqual([]);
      t.clock.advance(1);
      const claims = await Promise.all([claim(t.sessions), claim(t.another().sessions)]);
      expect(claims.flat()).toMatchObject([{ id: session.id, endedBy: 'limit', endedAt: START + 8 * HOUR }]);
    });

    it('with its grant is put down as that', async () => {
      const { t, session } = await openUnder({ expiresAt: (START + HOUR) as never });
      await using _ = t;
      expect(session.endsAt).toBe(START + HOUR);
      t.clock.advance(HOUR - 1);
      await t.sessions.touch([{ id: session.id, at: t.clock.now() }]);
      t.clock.advance(1);
      expect(await claim(t.sessions)).toMatchObject([{ endedBy: 'grant_ended', endedAt: START + HOUR }]);
    });

    it('ends when its grant is revoked, or covers its principal no more', async () => {
      const { t, grant } = await openUnder();
      await using _ = t;
      await t.sessions.open(opening(sue), maker({ principal: sue }));
      expect(await claim(t.sessions, { kind: 'grant', id: grant.id })).toEqual([]);
      const principals = [{ issuer: sue.issuer, id: 'sue' }];
      await t.grants.change(grant.id, { audience: { org: 'vendor', groups: null, principals } }, admin);
      const narrowed = await claim(t.sessions, { kind: 'grant', id: grant.id });
      expect(narrowed).toMatchObject([{ principal: { id: 'sam' }, endedBy: 'grant_ended' }]);
      await t.grants.revoke(grant.id, admin);
      expect(await claim(t.sessions)).toMatchObject([{ principal: { id: 'sue' }, endedBy: 'grant_ended' }]);
    });

    it('is claimed no faster than asked for', async () => {
      const { t } = await openUnder();
      await using _ = t;
      await t.sessions.open(opening(sue), maker({ principal: sue }));
      t.clock.advance(DAY);
      const one = { limit: 1, idleGraceMs: 0, changed: null };
      expect(await t.sessions.claimEnded(one)).toHaveLength(1);
      expect(await t.sessions.claimEnded(one)).toHaveLength(1);
      expect(await t.sessions.claimEnded(one)).toHaveLength(0);
      expect(await t.sessions.nextEnd()).toBeNull();
    });

    it('is ended for the tenant that has suspended support', async () => {
      let settings = settingsWith();
      await using t = await setUp(() => settings);
      await givenGrant(t);
      await t.sessions.open(opening(), maker());
      settings = settingsWith({ suspended: true });
      expect(await claim(t.sessions, { kind: 'settings', id: acme })).toMatchObject([{ endedBy: 'tenant' }]);
    });
  });

  describe(`reports (${name})`, () => {
    it('are due until one is kept, which then stays, with one notice', async () => {
      const { t, id } = await endedOne();
      await using _ = t;
      const [due] = await t.sessions.toReport(10);
      expect(due?.id).toBe(id);
      const report = reportOf(due ?? null);
      await t.sessions.saveReport({ ...report, writes: 2 });
      await t.sessions.saveReport({ ...report, writes: 9 });
      expect(await t.sessions.toReport(10)).toEqual([]);
      expect(await t.another().sessions.reportOf(id)).toEqual({ ...report, writes: 2 });
      const said = (await t.notices()).filter(({ event }) => event === 'session.ended');
      expect(said.map(({ facts }) => [facts['sessionId'], facts['writes']])).toEqual([[id, 2]]);
    });

    it('are told to the user who gave the grant for themselves, and to no admin in that way', async () => {
      await using t = await setUp(() => settingsWith({ mayGrant: { kind: 'users' } }));
      const uma = { ...admin, kind: 'tenant_user', id: 'u-7', email: 'uma@acme.example' } as const;
      const users = async () => (await t.notices()).map((notice) => [notice.event, notice.users]);
      const forUma = [{ email: 'uma@acme.example' }];
      await t.grants.create(draft({ actAs: uma.id }), uma);
      const { session } = await t.sessions.open(opening(), maker());
      await t.sessions.end(session.id, LEFT);
      await t.sessions.noticeWithoutReport(session.id);
      t.clock.advance(1);
      await t.grants.create(draft({ actAs: uma.id }), admin);
      await t.sessions.open(opening(), maker());
      expect(await users()).toEqual([
        ['session.started', forUma],
        ['session.ended', forUma],
        ['session.started', undefined],
      ]);
    });

    it('may come after the notice, which is not said again', async () => {
      const { t, id } = await endedOne();
      await using _ = t;
      await t.sessions.noticeWithoutReport(id);
      await t.sessions.noticeWithoutReport(id);
      await t.sessions.saveReport(reportOf(await t.sessions.get(id)));
      const said = (await t.notices()).filter(({ event }) => event === 'session.ended');
      expect(said.map(({ facts }) => facts['hasReport'])).toEqual([false]);
      expect(await t.sessions.reportOf(id)).not.toBeNull();
    });

    it('mark the sessions that wrote, in pages, newest first', async () => {
      const { t, id } = await endedOne();
      await using _ = t;
      await t.sessions.saveReport({ ...reportOf(await t.sessions.get(id)), writes: 3 });
      t.clock.advance(1000);
      const second = await t.sessions.open(opening(), maker());
      const query = { tenant: acme, principal: null, openOnly: false, limit: 1, cursor: null };
      const first = await t.sessions.list(query);
      expect(first.items).toMatchObject([{ session: { id: second.session.id }, writes: null }]);
      const next = await t.sessions.list({ ...query, cursor: first.nextCursor });
      expect(next).toMatchObject({ items: [{ session: { id }, writes: 3 }], nextCursor: null });
      const mine = { ...query, tenant: null, limit: 10 };
      expect((await t.sessions.list({ ...mine, principal: sam })).items).toHaveLength(2);
      expect((await t.sessions.list({ ...mine, principal: sue })).items).toHaveLength(0);
      expect((await t.sessions.list({ ...mine, principal: sam, openOnly: true })).items).toHaveLength(1);
      expect((await t.sessions.list({ ...query, tenant: globex })).items).toHaveLength(0);
    });
  });
}

function claim(
  store: SessionStore,
  changed: { readonly kind: 'grant' | 'settings'; readonly id: string } | null = null,
  idleGraceMs = 0,
) {
  return store.claimEnded({ limit: 10, idleGraceMs, changed });
}
