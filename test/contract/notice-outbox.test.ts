// The outbox that the notify room asks for, as the embedded store keeps it: planned once, claimed by one, never lost.
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EpochMs } from '#model/clock.ts';
import type { NoticeEvent } from '#model/notice.ts';
import { DEFAULT_TENANT_SETTINGS } from '#grants/settings/default-settings.ts';
import { createSqliteNoticeAudience } from '#grants/sqlite/notice-audience.ts';
import { createSqliteNoticeOutbox } from '#grants/sqlite/notice-outbox.ts';
import { createSqlitePeopleSeen } from '#grants/sqlite/people-seen.ts';
import { createStoreCore, type StoreCore } from '#grants/sqlite/store-core.ts';
import type {
  ChangeWatch,
  ClaimedDelivery,
  DeliveryDraft,
  NoticeAudience,
  NoticeOutbox,
} from '#notify/notice-outbox.ts';
import { acme, clockAtStart, DAY, HOUR } from '../support/grants-fixtures.ts';
import type { ManualClock } from '../support/manual-clock.ts';
import { leaveNotice } from '../support/notices.ts';
import { type TestFolder, testFolder } from '../support/config-files.ts';

const mail = (recipient: string): DeliveryDraft => ({
  channel: 'email',
  recipient,
  side: 'tenant',
  address: recipient,
});
const hook = (recipient: string): DeliveryDraft => ({
  channel: 'webhook',
  recipient,
  side: 'tenant',
  address: null,
});

const defaults = () => DEFAULT_TENANT_SETTINGS;

let folder: TestFolder;
let clock: ManualClock;
let core: StoreCore;
let outbox: NoticeOutbox;

beforeEach(() => {
  folder = testFolder();
  clock = clockAtStart();
  core = createStoreCore({ path: join(folder.path, 'store.db'), clock });
  // No cast: the store's parts are what the notify room asks for.
  outbox = createSqliteNoticeOutbox(core);
  const people = createSqlitePeopleSeen(core);
  void (createSqliteNoticeAudience({ core, settings: defaults, people }) satisfies NoticeAudience);
  void (core satisfies ChangeWatch);
});

afterEach(async () => {
  await core.close();
  folder[Symbol.dispose]();
});

async function plan(
  deliveries: readonly DeliveryDraft[],
  event: NoticeEvent = 'grant.given',
): Promise<string> {
  await leaveNotice(core, event);
  const [one] = await outbox.unplanned('', 10);
  await outbox.plan(one?.id ?? '', deliveries);
  return one?.id ?? '';
}

function claim(channel: ClaimedDelivery['channel'], limit = 10): Promise<readonly ClaimedDelivery[]> {
  return outbox.claim({ channel, limit, leaseMs: 60_000 });
}

async function only(channel: ClaimedDelivery['channel']): Promise<ClaimedDelivery> {
  const [one] = await claim(channel);
  if (one === undefined) throw new Error('nothing is due');
  return one;
}

describe('planning', () => {
  it('happens once for a notice, whoever comes second', async () => {
    await leaveNotice(core, 'grant.given');
    const [one] = await outbox.unplanned('', 10);
    const id = one?.id ?? '';
    expect(one?.notice).toMatchObject({
      id,
      event: 'grant.given',
      tenant: 'acme',
      by: { name: 'Ada Admin' },
    });
    expect(await Promise.all([outbox.plan(id, [mail('a@x')]), outbox.plan(id, [mail('b@x')])])).toEqual([
      true,
      false,
    ]);
    expect((await claim('email')).map(({ recipient }) => recipient)).toEqual(['a@x']);
    expect(await outbox.unplanned('', 10)).toEqual([]);
  });

  it('comes in order, page by page', async () => {
    for (let i = 0; i < 5; i++) await leaveNotice(core, 'grant.given');
    const first = await outbox.unplanned('', 3);
    const second = await outbox.unplanned(first.at(-1)?.id ?? '', 3);
    const ids = [...first, ...second].map(({ id }) => id);
    expect(ids).toHaveLength(5);
    expect(ids.toSorted()).toEqual(ids);
  });

  it('is not stopped by a notice that cannot be read', async () => {
    await leaveNotice(core, 'grant.given');
    await core.write(({ statements }) => statements.sql(`UPDATE notices SET document = '{'`).run());
    await leaveNotice(core, 'grant.ended');
    expect((await outbox.unplanned('', 10)).map(({ notice }) => notice?.event ?? null)).toEqual([
      null,
      'grant.ended',
    ]);
  });
});

describe('a claimed delivery', () => {
  it('is nobody else’s until its lease ends, and then due again', async () => {
    const noticeId = await plan([mail('a@x'), hook('hook_1')]);
    expect(await claim('email')).toMatchObject([
      { noticeId, recipient: 'a@x', attempts: 0, notice: { event: 'grant.given' } },
    ]);
    expect(await claim('email')).toEqual([]);
    expect(await claim('webhook')).toHaveLength(1);
    clock.advance(59_999);
    expect(await claim('email')).toEqual([]);
    expect(await outbox.nextDue()).toBe(clock.now() + 1);
    clock.advance(1);
    expect(await claim('email')).toHaveLength(1);
  });

  it('that was not tried is due at once when it is released', async () => {
    await plan([mail('a@x')]);
    await outbox.release(await claim('email'));
    expect(await claim('email')).toMatchObject([{ attempts: 0 }]);
  });

  it('is one per recipient, so that a slow one takes one place', async () => {
    for (let i = 0; i < 3; i++) await plan([mail('slow@x')]);
    await plan([mail('other@x')]);
    expect((await claim('email')).map(({ recipient }) => recipient)).toEqual(['slow@x', 'other@x']);
    expect(await claim('email')).toEqual([]);
  });

  it('is found behind hundreds that wait for another recipient', async () => {
    await leaveNotice(core, 'grant.given');
    const [notice] = await outbox.unplanned('', 1);
    await outbox.plan(notice?.id ?? '', []);
    await core.write(({ statements }) => {
      const add =
        statements.sql(`INSERT INTO deliveries (notice, channel, recipient, side, state, planned_at, due_at)
        VALUES (:notice, 'webhook', 'hook_slow', 'tenant', 'due', 0, :at)`);
      const clone = statements.sql(`INSERT INTO notices (id, dedupe, at, planned, document)
        SELECT :id, :id, at, 1, document FROM notices LIMIT 1`);
      for (let i = 0; i < 700; i++) {
        clone.run({ id: `n${i}` });
        add.run({ notice: `n${i}`, at: i });
      }
    });
    expect(await claim('webhook')).toMatchObject([{ recipient: 'hook_slow' }]);
    await plan([hook('hook_quick')]);
    expect(await claim('webhook')).toMatchObject([{ recipient: 'hook_quick' }]);
  });
});

describe('a delivery whose notice cannot be read any more', () => {
  it('is given up and stands before no other', async () => {
    await plan([mail('a@x')]);
    await core.write(({ statements }) => statements.sql(`UPDATE notices SET document = '{'`).run());
    await plan([mail('b@x')]);
    expect((await claim('email')).map(({ recipient }) => recipient)).toEqual(['b@x']);
    expect(await outbox.backlog()).toMatchObject({ due: 1 });
  });
});

describe('a settled delivery', () => {
  it('is never due again when it is done or given up', async () => {
    await plan([mail('a@x'), hook('hook_1')]);
    await outbox.done(await only('email'));
    await outbox.givenUp(await only('webhook'), 'http_410');
    clock.advance(DAY);
    expect([...(await claim('email')), ...(await claim('webhook'))]).toEqual([]);
    expect(await outbox.nextDue()).toBeNull();
    expect(await outbox.backlog()).toEqual({ due: 0, oldestAt: null });
  });

  it('that failed comes at its time, and nothing goes to the same recipient before', async () => {
    await plan([hook('hook_1')]);
    await plan([hook('hook_1'), hook('hook_2')]);
    const [first] = await claim('webhook');
    await outbox.failed(first as ClaimedDelivery, (clock.now() + 5000) as EpochMs, 'http_503');
    expect(await claim('webhook')).toEqual([]);
    clock.advance(5000);
    // The one with the fewest attempts: a notice that the receiver never takes does not stand before the others.
    expect(await claim('webhook')).toMatchObject([
      { recipient: 'hook_1', attempts: 0, recipientAttempts: 1 },
    ]);
  });

  it('that got through brings what waited for the same recipient', async () => {
    await plan([hook('hook_1')]);
    await plan([hook('hook_1')]);
    await plan([hook('hook_1')]);
    await outbox.failed(await only('webhook'), (clock.now() + HOUR) as EpochMs, 'timeout');
    clock.advance(HOUR);
    await outbox.done(await only('webhook'));
    expect(await claim('webhook')).toMatchObject([{ attempts: 0 }]);
    expect(await outbox.backlog()).toMatchObject({ due: 2 });
  });

  it('that another process settled stays settled', async () => {
    await plan([mail('a@x')]);
    const one = await only('email');
    await outbox.done(one);
    await outbox.failed(one, clock.now(), 'timeout');
    await outbox.givenUp(one, 'timeout');
    expect(await claim('email')).toEqual([]);
  });
});

describe('what is old', () => {
  it('is emptied when nothing of it waits, and still tells twins apart', async () => {
    const id = await plan([mail('a@x')]);
    clock.advance(31 * DAY);
    const before = clock.now() as EpochMs;
    expect(await outbox.forget(before, 10)).toBe(0);
    await outbox.done(await only('email'));
    expect(await outbox.forget(before, 10)).toBe(1);
    expect(await outbox.forget(before, 10)).toBe(0);
    const rest = await core.read(({ sql }) => [
      sql('SELECT * FROM notices').all(),
      sql('SELECT * FROM deliveries').all(),
    ]);
    expect(rest).toMatchObject([[{ id, document: '{}', planned: 2 }], []]);
    expect(JSON.stringify(rest)).not.toContain('ada@acme.example');
    expect(await outbox.unplanned('', 10)).toEqual([]);
  });
});

const writes = () =>
  core.read(({ sql }) => sql('SELECT id, last_seen_at FROM people_seen ORDER BY id').all());

describe('people seen', () => {
  const sam = {
    issuer: 'https://idp',
    id: 'sam',
    email: 'sam@vendor.example',
    groups: ['support', 'tier-2'],
    org: 'vendor',
  };
  const ada = { issuer: 'https://app', id: 'u-1', email: 'ada@acme.example' };
  it('are the admins of their tenant alone, those with an address', async () => {
    const people = createSqlitePeopleSeen(core);
    await people.adminSeen(acme, ada);
    await people.adminSeen(acme, { issuer: 'https://app', id: 'u-2', email: null });
    await people.adminSeen('globex' as typeof acme, { ...ada, id: 'u-3', email: 'g@globex.example' });
    await people.staffSeen(sam);
    expect(await people.adminsOf(acme)).toEqual([{ email: 'ada@acme.example' }]);
  });

  it('are written once an hour each, or when their token says something else', async () => {
    const people = createSqlitePeopleSeen(core);
    await Promise.all([people.adminSeen(acme, ada), people.adminSeen(acme, ada)]);
    const [first] = await writes();
    clock.advance(HOUR - 1);
    await people.adminSeen(acme, ada);
    expect(await writes()).toEqual([first]);
    await people.adminSeen(acme, { ...ada, email: 'new@acme.example' });
    expect(await people.adminsOf(acme)).toEqual([{ email: 'new@acme.example' }]);
    clock.advance(HOUR);
    await people.adminSeen(acme, { ...ada, email: 'new@acme.example' });
    expect(await writes()).toEqual([{ id: 'u-1', last_seen_at: clock.now() }]);
  });

  it('hear nothing more once a token says that they are no admin, whoever remembers them', async () => {
    await createSqlitePeopleSeen(core).adminSeen(acme, ada);
    const people = createSqlitePeopleSeen(core);
    await people.adminGone(acme, ada);
    expect(await people.adminsOf(acme)).toEqual([]);
    await people.adminSeen(acme, ada);
    await people.adminGone(acme, ada);
    expect(await people.adminsOf(acme)).toEqual([]);
  });

  it('of the staff are found by group, organisation and time, and by issuer and id', async () => {
    const people = createSqlitePeopleSeen(core);
    await people.staffSeen(sam);
    await people.staffSeen({
      ...sam,
      id: 'pat',
      email: 'pat@partner.example',
      groups: ['support'],
      org: 'partner',
    });
    const since = clock.now();
    expect(await people.staffIn(['support'], null, since)).toHaveLength(2);
    expect(await people.staffIn(['support'], 'partner', since)).toEqual([{ email: 'pat@partner.example' }]);
    expect(await people.staffIn(['tier-2', 'other'], 'vendor', since)).toEqual([
      { email: 'sam@vendor.example' },
    ]);
    expect(await people.staffIn(['sup'], null, since)).toEqual([]);
    expect(await people.staffIn(['support'], null, (since + 1) as EpochMs)).toEqual([]);
    expect(await people.staffNamed([{ issuer: 'https://idp', id: 'sam' }])).toEqual([
      { email: 'sam@vendor.example' },
    ]);
    expect(await people.staffNamed([{ issuer: 'https://other', id: 'sam' }])).toEqual([]);
  });

  it('are gone when they are erased', async () => {
    const people = createSqlitePeopleSeen(core);
    await people.staffSeen(sam);
    await people.erase('sam');
    expect(await writes()).toEqual([]);
    await people.staffSeen(sam);
    expect(await writes()).toHaveLength(1);
  });

  it('do not fail a call when the store is away', async () => {
    const away = createStoreCore({ path: '/dev/null/no/store.db', clock });
    const people = createSqlitePeopleSeen(away);
    await people.adminSeen(acme, ada);
    await people.adminGone(acme, ada);
    await expect(people.adminsOf(acme)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    await away.close();
  });
});
