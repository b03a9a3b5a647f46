import { describe, expect, it } from 'vitest';
import type { EpochMs } from '#model/clock.ts';
import { PosternError } from '#model/fault.ts';
import type { SessionId, TenantId } from '#model/ids.ts';
import { createSecretSeal, newSecret, secretHash } from '#model/secret-hash.ts';
import type { SupportSession } from '#model/session.ts';
import { createSessionCache } from '#sessions/session-cache.ts';
import type { SessionUse } from '#sessions/session-store.ts';
import { acme, at, clockAtStart, globex, sam, START } from '../../support/grants-fixtures.ts';
import { MINUTE, quietLog, supportSession } from '../../support/sessions-fixtures.ts';

function setUp() {
  const clock = clockAtStart();
  const state = {
    open: [supportSession()] as readonly SupportSession[],
    cookies: new Map<string, SupportSession>(),
    loads: 0,
    cookieReads: 0,
    sealReads: 0,
    sealKey: newSecret(),
    touched: [] as SessionUse[],
    fails: false,
  };
  const gates: (() => void)[] = [];
  const held = { on: false };
  const check = async (): Promise<void> => {
    if (held.on) await new Promise<void>((resolve) => gates.push(resolve));
    if (state.fails) throw new Error('planted');
  };
  const cache = createSessionCache({
    store: {
      async openOf(tenant) {
        state.loads += 1;
        const read = state.open.filter((one) => one.tenant === tenant);
        await check();
        return read;
      },
      async sealKey() {
        state.sealReads += 1;
        await check();
        return state.sealKey;
      },
      async byCookie(hash) {
        state.cookieReads += 1;
        await check();
        return state.cookies.get(hash) ?? null;
      },
      async touch(uses) {
        await check();
        state.touched.push(...uses);
      },
    },
    clock,
    maxEntries: 2,
    ttlMs: 30_000,
    flushMs: 1,
    log: quietLog(),
  });
  return {
    clock,
    state,
    cache,
    held,
    release: () => {
      held.on = false;
      for (const gate of gates.splice(0)) gate();
    },
    [Symbol.asyncDispose]: () => cache[Symbol.asyncDispose](),
  };
}

describe('a principal’s session', () => {
  it('is answered without a promise once the tenant was loaded, by issuer and id', async () => {
    await using t = setUp();
    expect(await t.cache.activeOf(acme, sam)).toMatchObject({ id: supportSession().id });
    expect(t.cache.activeOf(acme, sam)).toMatchObject({ id: supportSession().id });
    expect(t.cache.activeOf(acme, { issuer: sam.issuer, id: 'sue' })).toBeNull();
    expect(t.cache.activeOf(acme, { issuer: 'https://other', id: 'sam' })).toBeNull();
    expect(await t.cache.activeOf(globex, sam)).toBeNull();
    expect(t.state.loads).toBe(2);
  });

  it('is loaded once for everybody who waits, and again after its time', async () => {
    await using t = setUp();
    await Promise.all([t.cache.activeOf(acme, sam), t.cache.activeOf(acme, sam)]);
    expect(t.state.loads).toBe(1);
    t.clock.advance(30_000);
    expect(t.cache.activeOf(acme, sam)).toBeInstanceOf(Promise);
  });

  it('is not answered from what was read before it ended', async () => {
    await using t = setUp();
    t.held.on = true;
    const waiting = t.cache.activeOf(acme, sam);
    t.state.open = [];
    t.cache.invalidate(acme);
    t.release();
    expect(await waiting).toBeNull();
    expect(t.cache.activeOf(acme, sam)).toBeNull();
  });

  it('is a fault while the store cannot be read, never none', async () => {
    await using t = setUp();
    t.state.fails = true;
    await expect(t.cache.activeOf(acme, sam)).rejects.toThrow(PosternError);
    await expect(t.cache.ofCookie('hash')).rejects.toThrow(PosternError);
    t.state.fails = false;
    expect(await t.cache.activeOf(acme, sam)).not.toBeNull();
  });

  it('that seems idle is read again: it may have been used elsewhere', async () => {
    await using t = setUp();
    await t.cache.activeOf(acme, sam);
    // Within its time the entry is believed; a jump of the clock does not make it old.
    t.clock.jumpWallClock(30 * MINUTE);
    t.clock.advance(1000);
    t.state.open = [supportSession({ lastUsedAt: t.clock.now() })];
    const found = await t.cache.activeOf(acme, sam);
    expect(found?.lastUsedAt).toBe(t.clock.now());
    const { loads } = t.state;
    t.cache.activeOf(acme, sam);
    expect(t.state.loads).toBe(loads);
  });

  it('that is idle is not read for each request', async () => {
    await using t = setUp();
    await t.cache.activeOf(acme, sam);
    t.clock.jumpWallClock(31 * MINUTE);
    t.clock.advance(1000);
    await t.cache.activeOf(acme, sam);
    const { loads } = t.state;
    for (let i = 0; i < 10; i++) expect(t.cache.activeOf(acme, sam)).not.toBeInstanceOf(Promise);
    expect(t.state.loads).toBe(loads);
  });
});

describe('a cookie’s session', () => {
  it('is answered without a promise once it was looked up', async () => {
    await using t = setUp();
    t.state.cookies.set('hash', supportSession());
    expect((await t.cache.ofCookie('hash'))?.id).toBe(supportSession().id);
    expect(t.cache.ofCookie('hash')).toMatchObject({ id: supportSession().id });
    expect(await t.cache.ofCookie('other')).toBeNull();
  });

  it('is looked for in the store only where its seal holds: a thousand made-up ones cost nothing', async () => {
    await using t = setUp();
    const forger = createSecretSeal(newSecret());
    const isOwn = (cookie: string) => t.cache.isOwnCookie(cookie, secretHash(cookie));
    expect(await isOwn(forger.make('cookie'))).toBe(false);
    for (let i = 0; i < 1000; i++) expect(isOwn(forger.make('cookie'))).toBe(false);
    const own = createSecretSeal(t.state.sealKey);
    expect(isOwn(own.make('launch'))).toBe(false);
    expect([t.state.cookieReads, t.state.sealReads]).toEqual([0, 1]);
    expect(isOwn(own.make('cookie'))).toBe(true);
  });

  it('is known without its seal once it was looked up, and asked for once though nobody has it any more', async () => {
    await using t = setUp();
    const cookie = createSecretSeal(t.state.sealKey).make('cookie');
    const hash = secretHash(cookie);
    expect(await t.cache.ofCookie(hash)).toBeNull();
    expect(t.cache.ofCookie(hash)).toBeNull();
    expect(t.cache.isOwnCookie(cookie, hash)).toBe(true);
    expect([t.state.cookieReads, t.state.sealReads]).toEqual([1, 0]);
  });

  it('waits for the key of the seal once however many ask, and reads another one after a gap', async () => {
    await using t = setUp();
    t.state.fails = true;
    const made = createSecretSeal(t.state.sealKey).make('cookie');
    const isOwn = () => t.cache.isOwnCookie(made, secretHash(made));
    await expect(isOwn()).rejects.toThrow(PosternError);
    t.state.fails = false;
    t.held.on = true;
    const asked = [isOwn(), isOwn(), isOwn()];
    t.release();
    expect(await Promise.all(asked)).toEqual([true, true, true]);
    expect(t.state.sealReads).toBe(2);
    t.state.sealKey = newSecret();
    t.cache.dropAll();
    expect(await isOwn()).toBe(false);
  });

  it('that has ended is said to have, from the moment the tenant’s entry is gone', async () => {
    await using t = setUp();
    t.state.cookies.set('hash', supportSession());
    await t.cache.ofCookie('hash');
    const ended = supportSession({ endedAt: at(1), endedBy: 'tenant' });
    t.state.cookies.set('hash', ended);
    t.state.open = [];
    t.cache.invalidate(acme);
    expect(await t.cache.ofCookie('hash')).toEqual(ended);
    expect(t.cache.ofCookie('hash')).toEqual(ended);
  });

  it('is never the principal’s next one', async () => {
    await using t = setUp();
    t.state.cookies.set('hash', supportSession());
    await t.cache.ofCookie('hash');
    const next = supportSession({ id: 'ses_01JHNM9N00000000000000000B' as SessionId });
    t.state.open = [next];
    t.state.cookies.set('hash', supportSession({ endedAt: at(1), endedBy: 'replaced' }));
    t.cache.invalidate(acme);
    // The bearer's request came first, so that the next one is already known here.
    expect(await t.cache.activeOf(acme, sam)).toEqual(next);
    expect(await t.cache.ofCookie('hash')).toMatchObject({ id: supportSession().id, endedBy: 'replaced' });
    expect(t.cache.ofCookie('hash')).toMatchObject({ endedBy: 'replaced' });
  });
});

describe('a use', () => {
  it('is known at once, written together, and never goes back', async () => {
    await using t = setUp();
    const session = supportSession();
    expect(t.cache.lastUsedOf(session)).toBe(START);
    t.cache.used(session, at(5000));
    t.cache.used(session, at(3000));
    t.cache.used({ ...session }, at(4000));
    expect(t.cache.lastUsedOf(session)).toBe(at(5000));
    expect(t.cache.lastUsedOf({ ...session, lastUsedAt: at(9000) })).toBe(at(9000));
    await t.cache.flush();
    expect(t.state.touched).toEqual([{ id: session.id, at: at(5000) }]);
    await t.cache.flush();
    expect(t.state.touched).toHaveLength(1);
  });

  it('is kept while the store is away', async () => {
    await using t = setUp();
    t.state.fails = true;
    t.cache.used(supportSession(), at(5000));
    await t.cache.flush();
    t.state.fails = false;
    await t.cache.flush();
    expect(t.state.touched).toEqual([{ id: supportSession().id, at: at(5000) }]);
  });

  it('makes a session one in use, until it has ended', async () => {
    await using t = setUp();
    const session = supportSession();
    t.cache.used(session, at(1));
    t.cache.dropAll();
    expect([...t.cache.sessionsInUse()]).toEqual([session]);
    t.cache.ended(session);
    expect([...t.cache.sessionsInUse()]).toEqual([]);
  });

  it('after the end is forgotten once the session could not last any longer', async () => {
    await using t = setUp();
    const session = supportSession({ endsAt: at(10) as EpochMs });
    t.cache.used(session, at(1));
    await t.cache.flush();
    t.clock.advance(10);
    await t.cache.flush();
    expect([...t.cache.sessionsInUse()]).toEqual([]);
  });

  it('is written when the room closes', async () => {
    const t = setUp();
    t.cache.used(supportSession(), at(7));
    await t.cache[Symbol.asyncDispose]();
    expect(t.state.touched).toEqual([{ id: supportSession().id, at: at(7) }]);
  });
});

describe('memory', () => {
  it('is bounded by the number of tenants', async () => {
    await using t = setUp();
    for (const tenant of ['a', 'b', 'c']) await t.cache.activeOf(tenant as TenantId, sam);
    expect(t.cache.size).toBe(2);
  });
});
