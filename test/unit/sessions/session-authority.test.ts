import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import type { Actor } from '#model/grant.ts';
import type { GrantId } from '#model/ids.ts';
import { createSecretSeal, isSealedSecret, newSecret, secretHash } from '#model/secret-hash.ts';
import { startSessionTimer, waitUntil } from '#sessions/session-timer.ts';
import {
  acme,
  admin,
  at,
  clockAtStart,
  globex,
  HOUR,
  sam,
  START,
  temporaryFolder,
} from '../../support/grants-fixtures.ts';
import {
  givenGrant,
  MINUTE,
  openRoom,
  quietLog,
  type RoomUnderTest,
  wish,
} from '../../support/sessions-fixtures.ts';

const self: Actor = {
  kind: 'staff',
  id: 'sam',
  issuer: sam.issuer,
  email: sam.email,
  name: sam.name,
  onBehalfOf: null,
};
const LEFT = { ending: 'left', by: self, note: null } as const;

async function opened(over: Parameters<typeof wish>[0] = {}) {
  const room = openRoom();
  await givenGrant(room);
  return { room, ...(await room.authority.open(wish(over))) };
}

const names = (room: RoomUnderTest): string[] => room.events.map(({ event }) => event);

describe('opening', () => {
  it('is true for the lookup when it returns, and told to the journal without a personal value', async () => {
    const { room, session } = await opened();
    await using _ = room;
    expect(await room.cache.activeOf(acme, sam)).toEqual(session);
    expect(room.events).toEqual([
      {
        event: 'session.started',
        tenant: acme,
        grant: null,
        actor: { kind: 'principal', id: 'sam', issuer: sam.issuer, email: sam.email, name: sam.name },
        details: {
          session: session.id,
          grant: session.grantId,
          access: 'read',
          caseRef: 'CASE-1',
          reasonType: 'customer_initiated_support',
          endsAt: session.endsAt,
          replaced: null,
        },
      },
    ]);
    expect(JSON.stringify(room.events[0]?.details)).not.toContain('invoice');
  });

  it('enforces the end of the one it replaces before it returns', async () => {
    const { room, session } = await opened();
    await using _ = room;
    await room.cache.activeOf(acme, sam);
    const second = await room.authority.open(wish());
    expect(room.enforced.map(({ id, endedBy }) => [id, endedBy])).toEqual([[session.id, 'replaced']]);
    expect(await room.cache.activeOf(acme, sam)).toEqual(second.session);
    expect(names(room)).toEqual(['session.started', 'session.ended', 'session.started']);
  });

  it('that is refused does nothing', async () => {
    await using room = openRoom();
    await expect(room.authority.open(wish())).rejects.toMatchObject({ code: 'session_not_covered' });
    expect(room.events).toEqual([]);
    expect(room.enforced).toEqual([]);
  });

  it('judges the earlier one by its uses here too: it is replaced, not idle', async () => {
    const { room, session } = await opened();
    await using _ = room;
    room.clock.advance(29 * MINUTE);
    room.cache.used(session, room.clock.now());
    room.clock.advance(2 * MINUTE);
    const { replaced } = await room.authority.open(wish());
    expect(replaced).toMatchObject({ endedBy: 'replaced', lastUsedAt: START + 29 * MINUTE });
  });
});

describe('a launch link', () => {
  it('is 256 random bits, said once and kept as a hash; the cookie is others', async () => {
    const { room, session, launch } = await opened({ launch: true });
    await using _ = room;
    if (launch === null) throw new Error('no launch link');
    expect(isSealedSecret(launch.token)).toBe(true);
    expect(launch.endsAt).toBe(at(MINUTE));
    expect((await room.authority.launchOf(launch.token, acme))?.id).toBe(session.id);
    const entered = await room.authority.takeLaunch(launch.token, acme);
    expect(entered?.session.id).toBe(session.id);
    expect(isSealedSecret(entered?.cookie ?? '')).toBe(true);
    expect(entered?.cookie).not.toBe(launch.token);
    expect((await room.cache.ofCookie(secretHash(entered?.cookie ?? '')))?.id).toBe(session.id);
    expect(await room.cache.ofCookie(secretHash(launch.token))).toBeNull();
  });

  it('works once, for its tenant, and says the same of every other', async () => {
    const { room, launch } = await opened({ launch: true });
    await using _ = room;
    const token = launch?.token ?? '';
    const answers = [
      await room.authority.takeLaunch(token, globex),
      await room.authority.takeLaunch(`${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`, acme),
      await room.authority.takeLaunch('', acme),
      await room.authority.takeLaunch(`${token}x`, acme),
      await room.authority.launchOf('no secret', acme),
    ];
    expect(await room.authority.takeLaunch(token, acme)).not.toBeNull();
    answers.push(await room.authority.takeLaunch(token, acme), await room.authority.launchOf(token, acme));
    expect(answers).toEqual([null, null, null, null, null, null, null]);
  });

  it('that nobody was given costs no write', async () => {
    const { room } = await opened({ launch: true });
    await using _ = room;
    const take = vi.spyOn(room.sessions, 'takeLaunch');
    const unknown = (await room.cache.seal()).make('launch');
    expect(await room.authority.takeLaunch(unknown, acme)).toBeNull();
    expect(take).not.toHaveBeenCalled();
  });

  it('that somebody made up costs no look either, a thousand times; nor does a cookie in its place', async () => {
    const { room } = await opened({ launch: true });
    await using _ = room;
    const look = vi.spyOn(room.sessions, 'launchOf');
    const forger = createSecretSeal(newSecret());
    for (let i = 0; i < 1000; i++)
      expect(await room.authority.launchOf(forger.make('launch'), acme)).toBeNull();
    expect(await room.authority.takeLaunch(forger.make('launch'), acme)).toBeNull();
    expect(await room.authority.takeLaunch((await room.cache.seal()).make('cookie'), acme)).toBeNull();
    expect(look).not.toHaveBeenCalled();
  });

  it('is made only when a browser will enter', async () => {
    const { room, launch } = await opened();
    await using _ = room;
    expect(launch).toBeNull();
  });
});

describe('ending', () => {
  it('is enforced when it returns, again when it is repeated, and told once', async () => {
    const { room, session } = await opened();
    await using _ = room;
    await room.cache.activeOf(acme, sam);
    const ended = await room.authority.end(session.id, { ...LEFT, note: 'done' });
    expect(ended).toMatchObject({ endedBy: 'left', note: 'done' });
    expect(await room.cache.activeOf(acme, sam)).toBeNull();
    await room.authority.end(session.id, LEFT);
    expect(room.enforced.map(({ id }) => id)).toEqual([session.id, session.id]);
    expect(names(room)).toEqual(['session.started', 'session.ended']);
    expect(room.events[1]).toMatchObject({
      actor: { kind: 'principal', id: 'sam' },
      details: { endedBy: 'left', hasNote: true },
    });
  });

  it('does nothing when the store cannot be written', async () => {
    const { room, session } = await opened();
    await using _ = room;
    await room.core.close();
    await expect(room.authority.end(session.id, LEFT)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect(room.enforced).toEqual([]);
  });
});

describe('what another process does', () => {
  it('is enforced here: a session that it ends, and one that it replaces', async () => {
    using folder = temporaryFolder();
    const clock = clockAtStart();
    const path = join(folder.path, 'shared.db');
    await using here = openRoom({ path, clock });
    await using there = openRoom({ path, clock });
    await givenGrant(here);
    const { session } = await here.authority.open(wish());
    await here.cache.activeOf(acme, sam);
    const second = await there.authority.open(wish());
    await vi.waitFor(() => expect(here.enforced.map(({ id }) => id)).toEqual([session.id]), {
      timeout: 10_000,
    });
    expect(await here.cache.activeOf(acme, sam)).toEqual(second.session);
    await there.authority.end(second.session.id, LEFT);
    await vi.waitFor(
      () => expect(here.enforced.map(({ id }) => id)).toEqual([session.id, second.session.id]),
      { timeout: 10_000 },
    );
    expect(await here.cache.activeOf(acme, sam)).toBeNull();
    // Told by the one who did it, never twice.
    expect(names(here)).toEqual(['session.started']);
    expect(names(there)).toEqual(['session.ended', 'session.started', 'session.ended']);
  });
});

function timed(room: RoomUnderTest): Disposable {
  return startSessionTimer({
    authority: room.authority,
    store: room.sessions,
    clock: room.clock,
    log: quietLog(),
  });
}

describe('the timer', () => {
  it('ends at its start what was over while nothing ran', async () => {
    const { room, session } = await opened();
    await using _ = room;
    room.clock.advance(8 * HOUR);
    using _timer = timed(room);
    await vi.waitFor(() => expect(room.enforced.map(({ id }) => id)).toEqual([session.id]), {
      timeout: 10_000,
    });
    expect(room.events[1]).toMatchObject({
      event: 'session.ended',
      actor: null,
      details: { endedBy: 'idle' },
    });
  });

  it('ends the sessions of a grant that is revoked or narrowed, when that is known', async () => {
    const { room, session } = await opened();
    await using _ = room;
    using _timer = timed(room);
    await room.grants.revoke(session.grantId, admin);
    await vi.waitFor(
      () => expect(room.enforced).toMatchObject([{ id: session.id, endedBy: 'grant_ended' }]),
      { timeout: 10_000 },
    );
  });

  it('leaves a session alone that is in use, however the clock stands', async () => {
    const { room, session } = await opened();
    await using _ = room;
    room.clock.advance(29 * MINUTE);
    room.cache.used(session, room.clock.now());
    room.clock.advance(29 * MINUTE);
    expect(await room.authority.endOverdue(null)).toBe(0);
    room.clock.advance(MINUTE + 10_000);
    expect(await room.authority.endOverdue(null)).toBe(1);
  });

  it.each([
    [null, 60_000],
    [0, 1000],
    [500, 1000],
    [30_000, 30_000],
    [86_400_000, 60_000],
  ])('waits, for an end %s ms from now, %i ms', (inMs, waitMs) => {
    expect(waitUntil(inMs === null ? null : at(inMs), START)).toBe(waitMs);
  });
});

describe('a newer token of a session’s principal', () => {
  it('narrows it here at once, and ends it where its grant covers them no more', async () => {
    const { room, session } = await opened();
    await using _ = room;
    await room.cache.activeOf(acme, sam);
    await room.authority.principalSeen({ ...sam, groups: ['tier-2'] });
    expect(room.narrowed.map(({ id, principal }) => [id, principal.groups])).toEqual([
      [session.id, ['tier-2']],
    ]);
    expect((await room.cache.activeOf(acme, sam))?.principal.groups).toEqual(['tier-2']);
    expect(room.enforced).toEqual([]);
    const [grant] = await room.grants.activeFor(acme);
    const audience = { org: 'vendor', groups: ['tier-2'], principals: null };
    await room.grants.change(grant?.id as GrantId, { audience }, admin);
    await room.authority.principalSeen({ ...sam, groups: [] });
    expect(room.enforced).toMatchObject([{ id: session.id, endedBy: 'grant_ended' }]);
    expect(room.events.at(-1)).toMatchObject({ event: 'session.ended', actor: null });
  });

  it('that cannot be compared fails nobody’s call, and is said in the log', async () => {
    const { room } = await opened();
    await using _ = room;
    vi.spyOn(room.sessions, 'narrow').mockRejectedValue(new Error('planted'));
    await room.authority.principalSeen({ ...sam, groups: [] });
    expect(room.logged).toHaveLength(1);
  });
});
