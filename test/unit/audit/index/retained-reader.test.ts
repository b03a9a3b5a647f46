// What is read for a tenant ends where its retention does: by the clock at each use, at both edges, whoever else has one.
import { describe, expect, it } from 'vitest';
import type { LastActive, RecordQuery, VisitQuery } from '#audit/index/audit-reader.ts';
import { createRetainedReader } from '#audit/index/retained-reader.ts';
import { PosternError } from '#model/fault.ts';
import { recordsShownSince } from '#model/tenant-settings.ts';
import { manualClock } from '../../../support/manual-clock.ts';

const DAY = 86_400_000;
const NOW = Date.UTC(2026, 5, 1);
const RECORDS = { tenant: 'acme', order: 'newest', limit: 10, cursor: null } as const;
const VISITS = { tenant: 'acme', limit: 10, cursor: null } as const;

function last(lastAt: number): LastActive {
  return { subject: 'sub_1', actor: null, grantId: null, lastAt };
}

function retained(retention: Readonly<Record<string, number>>) {
  const clock = manualClock(NOW);
  const asked: (RecordQuery | VisitQuery)[] = [];
  const came: LastActive[] = [];
  const reader = createRetainedReader({
    reader: {
      async records(query) {
        asked.push(query);
        return { records: [], nextCursor: null };
      },
      async visits(query) {
        asked.push(query);
        return { visits: [], nextCursor: null };
      },
      lastActive: async () => came,
    },
    retentionOf: async (tenant) => retention[tenant] ?? null,
    clock,
  });
  return { reader, clock, asked, came };
}

const never = () => expect.unreachable('read without a bound');

describe('the bound of a tenant’s records', () => {
  it('is so long before now, never before the beginning of time, and none without a retention', () => {
    const now = NOW as never;
    expect(recordsShownSince(30 * DAY, now)).toBe(NOW - 30 * DAY);
    expect(recordsShownSince(NOW + 1, now)).toBe(0);
    expect(recordsShownSince(null, now)).toBeNull();
  });

  it('is in every question, by the clock at that moment, and the answer says it', async () => {
    const { reader, clock, asked } = retained({ acme: 30 * DAY });
    expect(await reader.records(RECORDS)).toEqual({
      records: [],
      nextCursor: null,
      notBefore: NOW - 30 * DAY,
    });
    await reader.visits(VISITS);
    clock.advance(DAY);
    await reader.records({ ...RECORDS, cursor: 'of a page before' });
    expect(asked).toEqual([
      { ...RECORDS, since: NOW - 30 * DAY },
      { ...VISITS, notBefore: NOW - 30 * DAY },
      { ...RECORDS, cursor: 'of a page before', since: NOW - 29 * DAY },
    ]);
  });

  it('is not moved by what is asked for, but for less', async () => {
    const { reader, asked } = retained({ acme: 30 * DAY });
    await reader.records({ ...RECORDS, since: 0 });
    await reader.records({ ...RECORDS, since: NOW - DAY });
    await reader.visits({ ...VISITS, since: 0, notBefore: 0 });
    expect(asked).toEqual([
      { ...RECORDS, since: NOW - 30 * DAY },
      { ...RECORDS, since: NOW - DAY },
      { ...VISITS, since: 0, notBefore: NOW - 30 * DAY },
    ]);
  });

  it('lets whoever came at that very instant be seen, and nobody who came before', async () => {
    const { reader, came } = retained({ acme: 30 * DAY });
    came.push(last(NOW), last(NOW - 30 * DAY), last(NOW - 30 * DAY - 1));
    expect(await reader.lastActive('acme')).toEqual([last(NOW), last(NOW - 30 * DAY)]);
  });

  it('is nothing to another tenant', async () => {
    const { reader, asked, came } = retained({ globex: DAY });
    came.push(last(1));
    await reader.records(RECORDS);
    await reader.visits(VISITS);
    expect(asked).toEqual([RECORDS, VISITS]);
    expect(await reader.lastActive('acme')).toEqual(came);
  });

  it('that cannot be found out lets nothing be read', async () => {
    const fault = new PosternError('STORE_UNAVAILABLE', 'away');
    const reader = createRetainedReader({
      reader: { records: never, visits: never, lastActive: never },
      retentionOf: () => Promise.reject(fault),
      clock: manualClock(NOW),
    });
    await expect(reader.records(RECORDS)).rejects.toBe(fault);
    await expect(reader.visits(VISITS)).rejects.toBe(fault);
    await expect(reader.lastActive('acme')).rejects.toBe(fault);
  });
});
