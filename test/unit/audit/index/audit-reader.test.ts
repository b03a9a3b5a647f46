// Reading the audit: pages that hold while the journal grows, people who were erased, bounds on work, what is refused.
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditReader, RecordQuery } from '#audit/index/audit-reader.ts';
import { createAuditReader } from '#audit/index/create-audit-reader.ts';
import { createWorkerAuditReader } from '#audit/index/worker-audit-reader.ts';
import type { PublishedRecord } from '#audit/published-record.ts';
import { JournalBuilder } from '../../../support/journal-builder.ts';
import { FIRST_MS, writeIndexJournal } from '../../../support/index-journal.ts';
import {
  doneOf,
  idOf,
  intentOf,
  type LineNumbers,
  linesOf,
  policyOf,
  subjectOf,
} from '../../../support/index-lines.ts';
import { naiveRecords, peopleBut, RandomJournal } from '../../../support/random-journal.ts';

const FIRST: Pick<RecordQuery, 'order' | 'limit' | 'cursor'> = { order: 'newest', limit: 10, cursor: null };

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'postern-reader-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function journalOf(groups: number, seed = 5): RandomJournal {
  const journal = new RandomJournal(directory, seed);
  for (let i = 0; i < groups; i++) journal.group();
  return journal;
}

const idsOf = (records: readonly PublishedRecord[]): unknown[] => records.map(({ id }) => id);

describe('pages of records', () => {
  it.each(['newest', 'oldest'] as const)(
    'leave nothing out and repeat nothing while the journal grows (%s first)',
    async (order) => {
      const journal = journalOf(40);
      const reader = createAuditReader({ directory, people: peopleBut(), blockBytes: 700 });
      const before = idsOf(naiveRecords(directory, peopleBut()));
      const seen: unknown[] = [];
      for (let cursor: string | null = null; ; ) {
        const page = await reader.records({ order, limit: 7, cursor });
        seen.push(...idsOf(page.records));
        cursor = page.nextCursor;
        if (cursor === null) break;
        if (seen.length < 60) journal.group();
      }
      const all = idsOf(naiveRecords(directory, peopleBut()));
      expect(seen).toEqual(order === 'oldest' ? all : before.toReversed());
    },
  );

  it('end early, with a cursor, when they would read too much', async () => {
    journalOf(60);
    const reader = createAuditReader({ directory, people: peopleBut(), blockBytes: 700, maxPageBytes: 2000 });
    const records: PublishedRecord[] = [];
    let pages = 0;
    for (let cursor: string | null = null; ; pages += 1) {
      const page = await reader.records({ order: 'oldest', limit: 1000, cursor });
      records.push(...page.records);
      cursor = page.nextCursor;
      if (cursor === null) break;
    }
    expect(pages).toBeGreaterThan(5);
    expect(idsOf(records)).toEqual(idsOf(naiveRecords(directory, peopleBut())));
  });

  it('show a request as open, and as what became of it in a later segment', async () => {
    const numbers: LineNumbers = new Map();
    const request = { id: idOf(FIRST_MS, 1), tenant: 'acme', s: 1, g: 0, t: FIRST_MS, isWrite: false };
    const builder = new JournalBuilder(directory);
    builder.add(...linesOf(policyOf(1), subjectOf(1, 'sub-a'), intentOf(request, numbers)));
    const reader = createAuditReader({ directory, people: peopleBut() });
    const ask = async () => (await reader.records({ ...FIRST, requestId: request.id })).records;
    expect(await ask()).toMatchObject([{ outcome: 'open', requestId: request.id }]);
    builder.startSegment().add(...linesOf(doneOf(request, numbers, { code: 'ok', status: 204 })));
    expect(await ask()).toMatchObject([{ outcome: 'completed', http: { status: 204 } }]);
  });

  it('name nobody who was erased, and are found by the subject’s id still', async () => {
    journalOf(60);
    const reader = createAuditReader({ directory, people: peopleBut('sub-a') });
    const { records } = await reader.records({ ...FIRST, principal: 'sub-a', limit: 1000 });
    expect(records.length).toBeGreaterThan(3);
    expect(JSON.stringify(records)).not.toContain('person-of-sub-a');
    for (const { actor } of records) expect(actor).toMatchObject({ subject: 'sub-a', id: null, email: null });
    const { visits } = await reader.visits({ tenant: 'acme', limit: 1000, cursor: null });
    const erased = visits.filter(({ subject }) => subject === 'sub-a');
    expect(erased.length).toBeGreaterThan(0);
    for (const { actor, from } of erased) expect({ actor, from }).toEqual({ actor: null, from: [] });
  });

  it.each([
    '',
    'x',
    'bm90',
    Buffer.from('["records",1]').toString('base64url'),
    Buffer.from('["visits",1,"a","b"]').toString('base64url'),
  ])('are refused for the cursor %j', async (cursor) => {
    journalOf(5);
    const reader = createAuditReader({ directory, people: peopleBut() });
    await expect(reader.records({ ...FIRST, cursor })).rejects.toThrow(RangeError);
  });

  it('cannot be had of a journal that is not there', async () => {
    const reader = createAuditReader({ directory: path.join(directory, 'none'), people: peopleBut() });
    await expect(reader.records(FIRST)).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
  });

  it('are not read while more than the bound is not indexed', async () => {
    journalOf(30);
    const reader = createAuditReader({ directory, people: peopleBut(), maxTailBytes: 1000 });
    await expect(reader.records(FIRST)).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
  });
});

describe('a journal of 100,000 requests', () => {
  it('answers for one tenant with a part of what it holds', async () => {
    writeIndexJournal(directory, { requests: 100_000, tenants: 50, subjects: 4, inFlight: 64, groupOf: 32 });
    const reader = createAuditReader({ directory, people: peopleBut() });
    const { records, nextCursor } = await reader.records({ ...FIRST, tenant: 'tenant-7', limit: 100 });
    expect(records).toHaveLength(100);
    expect(nextCursor).not.toBeNull();
    expect(new Set(records.map(({ tenant }) => tenant))).toEqual(new Set(['tenant-7']));
    const { visits } = await reader.visits({ tenant: 'tenant-7', limit: 10, cursor: null });
    expect(visits).toHaveLength(4);
    const active = await reader.lastActive('tenant-7');
    expect(active.map(({ subject }) => subject).toSorted()).toEqual([
      'subject-25',
      'subject-26',
      'subject-27',
      'subject-28',
    ]);
  });
});

describe('the reader in a worker', () => {
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

  async function withReader(options: object, work: (reader: AuditReader) => Promise<void>): Promise<void> {
    const reader = createWorkerAuditReader({ directory, log: silent, ...options });
    try {
      await work(reader);
    } finally {
      await reader.close();
    }
  }

  it('answers as the one of this thread does, faults included', async () => {
    journalOf(40);
    const none = { keyOf: () => null, find: () => [] };
    const here = createAuditReader({ directory, people: none });
    await withReader({}, async (reader) => {
      expect(await reader.records(FIRST)).toEqual(await here.records(FIRST));
      const visits = { tenant: 'acme', limit: 10, cursor: null };
      expect(await reader.visits(visits)).toEqual(await here.visits(visits));
      expect(await reader.lastActive('acme')).toEqual(await here.lastActive('acme'));
      await expect(reader.records({ ...FIRST, cursor: 'none' })).rejects.toThrow(RangeError);
      rmSync(directory, { recursive: true });
      await expect(reader.records(FIRST)).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
    });
  });

  it('ends when nobody asks, and is there again for the next question', async () => {
    journalOf(10);
    const workers: Worker[] = [];
    const started = (worker: Worker): unknown => workers.push(worker);
    process.on('worker', started);
    await withReader({ idleMs: 1 }, async (reader) => {
      const first = await reader.records(FIRST);
      await once(workers[0] as Worker, 'exit');
      expect(await reader.records(FIRST)).toEqual(first);
      expect(workers).toHaveLength(2);
    });
    process.off('worker', started);
  });

  it('gives up a question that takes too long, and answers the next', async () => {
    journalOf(10);
    await withReader({ timeoutMs: 1 }, async (reader) => {
      await expect(reader.records(FIRST)).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
    });
  });

  it('lets only so many wait, and none once closed', async () => {
    journalOf(10);
    const reader = createWorkerAuditReader({ directory, log: silent });
    const asked = await Promise.allSettled(Array.from({ length: 40 }, () => reader.lastActive('acme')));
    expect(asked.filter(({ status }) => status === 'rejected')).toHaveLength(8);
    await reader.close();
    await expect(reader.lastActive('acme')).rejects.toMatchObject({ code: 'AUDIT_UNAVAILABLE' });
  });
});
