import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type EpochMs, NEVER } from '#model/clock.ts';
import { PosternError } from '#model/fault.ts';
import type { Grant } from '#model/grant.ts';
import { startExpiryTimer, waitUntil } from '#grants/expiry-timer.ts';
import type { GrantEvent } from '#grants/grant-authority.ts';
import { at, clockAtStart, DAY, grant, HOUR } from '../../support/grants-fixtures.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
});

function setUp(waiting: Grant[], nearing: Grant[] = []) {
  const clock = clockAtStart();
  const events: GrantEvent[] = [];
  let onChange: (() => void) | undefined;
  let failures = 0;
  const timer = startExpiryTimer({
    store: {
      async nextEnd() {
        return waiting.map((one) => one.expiresAt ?? NEVER).toSorted((a, b) => a - b)[0] ?? null;
      },
      async claimExpired() {
        if (failures-- > 0) throw new PosternError('STORE_UNAVAILABLE', 'away');
        const ended = waiting.filter((one) => (one.expiresAt ?? NEVER) <= clock.now());
        for (const one of ended) waiting.splice(waiting.indexOf(one), 1);
        return ended;
      },
      async nextEnding(withinMs) {
        const ends = nearing.map((one) => ((one.expiresAt ?? NEVER) - withinMs) as EpochMs);
        return ends.toSorted((a, b) => a - b)[0] ?? null;
      },
      async claimEnding(withinMs) {
        const due = nearing.filter((one) => (one.expiresAt ?? NEVER) <= clock.now() + withinMs);
        for (const one of due) nearing.splice(nearing.indexOf(one), 1);
        return due;
      },
      watch(changed) {
        onChange = () => changed({ tenant: grant().tenant, grantId: grant().id, elsewhere: false });
        return { [Symbol.dispose]() {} };
      },
    },
    clock,
    onEvent: (event) => events.push(event),
    log: { debug() {}, info() {}, warn() {}, error() {} },
  });
  const pass = async (ms: number) => {
    clock.advance(ms);
    await vi.advanceTimersByTimeAsync(ms);
  };
  return {
    timer,
    events,
    waiting,
    nearing,
    pass,
    changed: () => onChange?.(),
    failNext: (n: number) => (failures = n),
  };
}

describe('the expiry timer', () => {
  it('tells of an end when it comes, without an actor', async () => {
    const t = setUp([grant({ expiresAt: at(HOUR) })]);
    await t.pass(HOUR - 1);
    expect(t.events).toEqual([]);
    await t.pass(11);
    expect(t.events).toMatchObject([{ event: 'grant.expired', actor: null }]);
    t.timer[Symbol.dispose]();
  });

  it('looks at what is about to end a day ahead of it, and tells the journal nothing of that', async () => {
    const t = setUp([], [grant({ expiresAt: at(DAY + 1000) })]);
    await t.pass(999);
    expect(t.nearing).toHaveLength(1);
    await t.pass(11);
    expect(t.nearing).toEqual([]);
    expect(t.events).toEqual([]);
    t.timer[Symbol.dispose]();
  });

  it('looks again when a grant is given an earlier end', async () => {
    const t = setUp([grant({ expiresAt: at(10 * HOUR) })]);
    await t.pass(1);
    t.waiting.push(grant({ expiresAt: at(HOUR) }));
    t.changed();
    await t.pass(HOUR);
    expect(t.events).toHaveLength(1);
    t.timer[Symbol.dispose]();
  });

  it('tries again after the store was away, and stops when disposed of', async () => {
    const t = setUp([grant({ expiresAt: at(1) }), grant({ expiresAt: at(DAY) })]);
    t.failNext(1);
    await t.pass(1);
    await t.pass(5000);
    await t.pass(5000);
    expect(t.events).toHaveLength(1);
    t.timer[Symbol.dispose]();
    await t.pass(2 * DAY);
    expect(t.events).toHaveLength(1);
  });

  it('never asks for a timer of more than a day, which Node would fire at once', () => {
    expect(waitUntil(at(400 * DAY), at(0))).toBe(DAY);
    expect(waitUntil(null, at(0))).toBe(DAY);
    expect(waitUntil(at(5000), at(0))).toBe(5000);
    expect(waitUntil(at(0), at(5000))).toBe(10);
  });
});
