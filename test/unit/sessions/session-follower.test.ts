import { describe, expect, it } from 'vitest';
import type { SupportSession } from '#model/session.ts';
import { followSessions } from '#sessions/session-follower.ts';
import type { SessionChange } from '#sessions/session-store.ts';
import { START } from '../../support/grants-fixtures.ts';
import { quietLog, supportSession } from '../../support/sessions-fixtures.ts';

const settled = () => new Promise<void>((resolve) => setImmediate(resolve));

/** A store that answers when it is told to. */
function setUp() {
  const waiting: PromiseWithResolvers<SupportSession | null>[] = [];
  const enforced: SupportSession[] = [];
  const narrowed: SupportSession[] = [];
  const watchers: ((change: SessionChange) => void)[] = [];
  const following = followSessions({
    store: {
      get() {
        const next = Promise.withResolvers<SupportSession | null>();
        waiting.push(next);
        return next.promise;
      },
      watch(onChange) {
        watchers.push(onChange);
        return { [Symbol.dispose]: () => undefined };
      },
    },
    cache: { invalidate() {}, dropAll() {}, ended() {}, sessionsInUse: () => [] },
    enforcer: {
      sessionEnded: (session) => void enforced.push(session),
      sessionNarrowed: (session) => void narrowed.push(session),
    },
    log: quietLog(),
  });
  return {
    waiting,
    enforced,
    narrowed,
    changedElsewhere({ id, tenant }: SupportSession) {
      for (const told of watchers) told({ kind: 'session', id, tenant, elsewhere: true });
    },
    async answer(session: SupportSession) {
      waiting.shift()?.resolve(session);
      await settled();
    },
    [Symbol.dispose]: () => following[Symbol.dispose](),
  };
}

describe('a session that another process changed', () => {
  it('is read once more when it changed again while it was read', async () => {
    using t = setUp();
    const open = supportSession();
    t.changedElsewhere(open);
    // It ends there after this reading saw it open.
    t.changedElsewhere(open);
    await t.answer(open);
    const ended = supportSession({ endedAt: START, endedBy: 'tenant' });
    await t.answer(ended);
    expect(t.enforced).toEqual([ended]);
    expect(t.waiting).toEqual([]);
  });

  it('is followed where it is open still: its principal may be in fewer groups', async () => {
    using t = setUp();
    const open = supportSession();
    const narrower = { ...open, principal: { ...open.principal, groups: [] } };
    t.changedElsewhere(open);
    await t.answer(narrower);
    expect([t.enforced, t.narrowed]).toEqual([[], [narrower]]);
  });
});
