import { describe, expect, it } from 'vitest';
import type { SummedLine } from '#audit/journal-lines.ts';
import { RefusalSummary } from '#audit/refusal-summary.ts';
import type { Clock, EpochMs, MonotonicMs } from '#model/clock.ts';
import { ANONYMOUS, fakeExchange } from '../../support/audit-exchange.ts';
import { linesOf } from '../../support/audit-journal.ts';

function clockAt(start: number): Clock & { ms: number } {
  const clock = {
    ms: start,
    now: () => (1_760_000_000_000 + clock.ms) as EpochMs,
    monotonic: () => clock.ms as MonotonicMs,
  };
  return clock;
}

describe('the summary of refusals', () => {
  it('admits so many in a second and again as many in the next', () => {
    const clock = clockAt(0);
    const summary = new RefusalSummary(3, clock);
    const second = (): number => Array.from({ length: 10 }, () => summary.admits()).filter(Boolean).length;
    expect(second()).toBe(3);
    clock.ms = 1000;
    expect(second()).toBe(3);
  });

  it('counts by reason and network, and starts anew', () => {
    const summary = new RefusalSummary(0, clockAt(0));
    for (const clientIp of ['192.0.2.1', '192.0.2.2', '198.51.100.1']) {
      summary.add(fakeExchange({ ...ANONYMOUS, clientIp }), () => undefined);
    }
    summary.add(
      fakeExchange({ ...ANONYMOUS, clientIp: '192.0.2.9', reason: 'bad_framing' }),
      () => undefined,
    );
    expect(summary.size).toBe(3);
    const lines = linesOf(summary.take()) as unknown as SummedLine[];
    expect(lines.map(({ code, network, count }) => [code, network, count])).toEqual([
      ['no_credential', '192.0.2.0/24', 2],
      ['no_credential', '198.51.100.0/24', 1],
      ['bad_framing', '192.0.2.0/24', 1],
    ]);
    expect(summary.take()).toBe('');
    expect(summary.size).toBe(0);
  });

  it('holds a bounded number of sums, and loses no count', () => {
    const summary = new RefusalSummary(0, clockAt(0));
    for (let index = 0; index < 5000; index++) {
      summary.add(
        fakeExchange({ ...ANONYMOUS, clientIp: `10.${index >> 8}.${index & 255}.1` }),
        () => undefined,
      );
    }
    expect(summary.size).toBeLessThanOrEqual(1025);
    const lines = linesOf(summary.take()) as unknown as SummedLine[];
    expect(lines.reduce((sum, { count }) => sum + count, 0)).toBe(5000);
    expect(lines.at(-1)?.network).toBe('other');
  });
});
