// A request that takes long is told of once, while it runs.
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Exchange } from '../../../src/gateway/exchange.ts';
import { watchLongExchanges } from '../../../src/gateway/long-exchanges.ts';
import { manualClock } from '../../support/manual-clock.ts';

describe('long exchanges', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('are told of once after a minute, streams and waiting ones excepted', () => {
    const clock = manualClock();
    const shape = { startedAt: clock.monotonic(), phase: 'forwarding', kind: 'http', isToldOf: false };
    const download = { ...shape } as Exchange;
    const others = [
      { ...shape, kind: 'event_stream' },
      { ...shape, phase: 'judging' },
    ] as Exchange[];
    const told: unknown[] = [];
    using _watch = watchLongExchanges({
      clock,
      live: { each: (visit) => [download, ...others].forEach(visit) },
      journal: { started: (x) => told.push(x) },
    });
    clock.advance(59_000);
    vi.advanceTimersByTime(5000);
    expect(told).toEqual([]);
    clock.advance(1000);
    vi.advanceTimersByTime(5000);
    vi.advanceTimersByTime(5000);
    expect(told).toEqual([download]);
  });
});
