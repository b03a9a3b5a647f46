// Authority ends by the clock, with one timer for all exchanges, and at once for those that a change concerns.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Exchange } from '../../../src/gateway/exchange.ts';
import { createLiveExchanges } from '../../../src/gateway/live-exchanges.ts';
import { type Clock, type EpochMs, type MonotonicMs, NEVER } from '#model/clock.ts';

const DAY_MS = 24 * 60 * 60 * 1000;

/** Read through the globals, which the fake timers replace. */
const clock: Clock = {
  now: () => Date.now() as EpochMs,
  monotonic: () => globalThis.performance.now() as MonotonicMs,
};

function at(ms: number | null): EpochMs {
  return ms === null ? NEVER : ((Date.now() + ms) as EpochMs);
}

function exchange(endsInMs: number | null, credentialEndsInMs: number | null = null): Exchange {
  const authorityEndsAt = Math.min(at(endsInMs), at(credentialEndsInMs)) as EpochMs;
  const started = { receivedAt: clock.now(), startedAt: clock.monotonic() };
  const unlinked = { isLive: false, livePrevious: null, liveNext: null };
  return {
    ...started,
    ...unlinked,
    authorityEndsAt,
    session: null,
    credential: { expiresAt: at(credentialEndsInMs) },
  } as Exchange;
}

describe('live exchanges', () => {
  const cuts: [Exchange, string][] = [];
  const live = () => createLiveExchanges({ clock, cut: (x, reason) => cuts.push([x, reason]) });

  beforeEach(() => {
    cuts.length = 0;
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('cuts each one when its own authority ends, the earliest first', () => {
    const registry = live();
    const late = exchange(5000);
    const early = exchange(1000);
    registry.add(late);
    registry.add(early);
    vi.advanceTimersByTime(999);
    expect(cuts).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(cuts).toEqual([[early, 'expired']]);
    registry.remove(early);
    vi.advanceTimersByTime(4000);
    expect(cuts[1]).toEqual([late, 'expired']);
  });

  it('says whether the credential or the grant ended', () => {
    const registry = live();
    const x = exchange(5000, 1000);
    registry.add(x);
    vi.advanceTimersByTime(1000);
    expect(cuts).toEqual([[x, 'credential_expired']]);
  });

  it('says that the session ended, unless its grant did', () => {
    const registry = live();
    const ended = { ...exchange(1000), session: { endsAt: at(1000) }, grantEndsAt: at(5000) } as Exchange;
    const expired = { ...exchange(1000), session: { endsAt: at(1000) }, grantEndsAt: at(1000) } as Exchange;
    registry.add(ended);
    registry.add(expired);
    vi.advanceTimersByTime(1000);
    expect(cuts.map(([, reason]) => reason).toSorted()).toEqual(['expired', 'session_ended']);
  });

  it('waits out an end that is further away than a timer can be', () => {
    const registry = live();
    const x = exchange(40 * DAY_MS);
    registry.add(x);
    vi.advanceTimersByTime(39 * DAY_MS);
    expect(cuts).toEqual([]);
    vi.advanceTimersByTime(DAY_MS);
    expect(cuts).toEqual([[x, 'expired']]);
  });

  it('never ends what is indefinite', () => {
    live().add(exchange(null));
    vi.advanceTimersByTime(400 * DAY_MS);
    expect(cuts).toEqual([]);
  });

  it('says what ended first when both have ended since', () => {
    const registry = live();
    const x = exchange(1000, 3000);
    registry.add(x);
    vi.setSystemTime(Date.now() + 5000);
    vi.advanceTimersByTime(1000);
    expect(cuts).toEqual([[x, 'expired']]);
  });

  it('cuts on time although the wall clock was set back, whatever begins after that', () => {
    const registry = live();
    const x = exchange(2000);
    registry.add(x);
    vi.setSystemTime(Date.now() - 3_600_000);
    registry.add(exchange(1_800_000));
    vi.advanceTimersByTime(2000);
    expect(cuts).toEqual([[x, 'expired']]);
  });

  it('notices within a minute that the wall clock was set forward', () => {
    const registry = live();
    const x = exchange(DAY_MS);
    registry.add(x);
    vi.setSystemTime(Date.now() + 2 * DAY_MS);
    vi.advanceTimersByTime(60_000);
    expect(cuts).toEqual([[x, 'expired']]);
  });

  it('arms an earlier timer when an end moves forward', () => {
    const registry = live();
    const x = exchange(60_000);
    registry.add(x);
    x.authorityEndsAt = (Date.now() + 10) as EpochMs;
    registry.add(x);
    vi.advanceTimersByTime(10);
    expect(cuts).toEqual([[x, 'expired']]);
  });

  it('cuts what matches, even while cutting removes it', () => {
    const registry = createLiveExchanges({ clock, cut: (x) => registry.remove(x) });
    const [a, b, c] = [exchange(1000), exchange(1000), exchange(1000)];
    for (const x of [a, b, c]) registry.add(x as Exchange);
    expect(registry.cutWhere((x) => x !== b, 'revoked')).toBe(2);
    expect(registry.size).toBe(1);
  });
});
