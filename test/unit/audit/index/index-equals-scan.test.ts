// The index never changes an answer: whatever it holds (all, a part, nothing) and however it came to be, queries give what
// a reading of every line gives. Journals are random (seeded), blocks a few hundred bytes, segments a few groups.
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditReader, RecordQuery, Visit, VisitQuery } from '#audit/index/audit-reader.ts';
import { createAuditReader } from '#audit/index/create-audit-reader.ts';
import { Indexer } from '#audit/index/indexer.ts';
import { JournalView } from '#audit/index/journal-view.ts';
import type { PublishedRecord } from '#audit/published-record.ts';
import { FIRST_MS } from '../../../support/index-journal.ts';
import {
  doneOf,
  idOf,
  intentOf,
  type LineNumbers,
  linesOf,
  policyOf,
  subjectOf,
} from '../../../support/index-lines.ts';
import { JournalBuilder } from '../../../support/journal-builder.ts';
import { naiveRecords, peopleBut, RandomJournal, TENANTS } from '../../../support/random-journal.ts';
import { naiveVisits } from '../../../support/naive-visits.ts';

const BLOCK_BYTES = 700;
const GROUPS = 60;
const people = peopleBut('sub-c');

let root: string;
beforeAll(() => {
  root = mkdtempSync(path.join(tmpdir(), 'postern-index-'));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

async function indexed(directory: string): Promise<void> {
  const view = new JournalView(directory);
  const end = view.end ?? { segment: 0, offset: 0 };
  view.close();
  const indexer = new Indexer({
    directory,
    start: { segment: 0, offset: 0 },
    nowMs: () => performance.now(),
    report: ({ errors, dropped }) => expect({ errors, dropped }).toEqual({ errors: 0, dropped: {} }),
    notice: (fields, text) => expect.unreachable(`${text} ${JSON.stringify(fields)}`),
    blockBytes: BLOCK_BYTES,
  });
  await indexer.drain(end, 0);
  indexer.close();
}

/** In small pages, so that cursors are tried too. */
async function allRecords(
  reader: AuditReader,
  query: Partial<RecordQuery>,
  order: RecordQuery['order'],
): Promise<PublishedRecord[]> {
  const records: PublishedRecord[] = [];
  for (let cursor: string | null = null; ; ) {
    const page = await reader.records({ ...query, order, limit: 40, cursor });
    expect(page.records.length).toBeLessThanOrEqual(40);
    records.push(...page.records);
    cursor = page.nextCursor;
    if (cursor === null) return records;
  }
}

async function allVisits(
  reader: AuditReader,
  tenant: string,
  bound: Pick<VisitQuery, 'notBefore'> = {},
): Promise<Visit[]> {
  const visits: Visit[] = [];
  for (let cursor: string | null = null; ; ) {
    const page = await reader.visits({ tenant, limit: 3, cursor, ...bound });
    // Which of several addresses was seen first is not exact.
    visits.push(...page.visits.map((visit) => ({ ...visit, from: visit.from.toSorted() })));
    cursor = page.nextCursor;
    if (cursor === null) return visits;
  }
}

function queriesOf(records: readonly PublishedRecord[]): Partial<RecordQuery>[] {
  const times = records.map(({ time }) => Date.parse(time));
  const since = times[Math.floor(times.length / 3)] ?? 0;
  const until = times[Math.floor((2 * times.length) / 3)] ?? 0;
  const requestId = String(records.find((record) => record['requestId'] !== undefined)?.['requestId']);
  return [
    {},
    { requestsOnly: true },
    ...TENANTS.map((tenant) => ({ tenant })),
    { tenant: 'nobody' },
    { principal: 'sub-a@vendor.example' },
    { principal: 'sub-c', tenant: 'acme' },
    { caseRef: 'CASE-1' },
    { caseRef: 'CASE-2', decision: 'allow' },
    { rule: 'no-export' },
    { rule: 'guard "1"', tenant: 'globex' },
    { decision: 'deny' },
    { decision: 'allow', tenant: 'acme' },
    { effect: 'read' },
    { effect: 'write', principal: 'person-of-sub-b' },
    { effect: 'denied', tenant: 'globex' },
    { since, until: Math.max(since, until) },
    { since, tenant: 'acme' },
    { requestId },
    { requestId: 'none' },
    { session: 'none' },
    { session: 'ses_0' },
    { session: 'ses_1', tenant: 'acme', effect: 'read' },
    { session: 'ses_0', caseRef: 'CASE-7' },
    { caseRef: 'CASE-7' },
  ];
}

function sessionOf(record: PublishedRecord): string | undefined {
  return (record['session'] as { readonly id: string } | null | undefined)?.id;
}

function naively(records: readonly PublishedRecord[], query: Partial<RecordQuery>): PublishedRecord[] {
  const subjects =
    query.principal === undefined
      ? []
      : [query.principal, ...people.find(query.principal).map(({ id }) => id)];
  return records.filter((record) => {
    const at = Date.parse(record.time);
    const { decision } = record;
    const effect = decision === 'deny' ? 'denied' : record['effect'];
    const actor = record['actor'] as { readonly subject: string } | null | undefined;
    const rule = record['rule'] as { readonly id: string } | null | undefined;
    return (
      (query.tenant === undefined || record['tenant'] === query.tenant) &&
      (query.requestsOnly !== true || /^(?:request|stream)\./.test(record.event)) &&
      (query.principal === undefined || subjects.includes(actor?.subject ?? '')) &&
      (query.caseRef === undefined || record['caseRef'] === query.caseRef) &&
      (query.rule === undefined || rule?.id === query.rule) &&
      (query.decision === undefined || decision === query.decision) &&
      (query.effect === undefined || effect === query.effect) &&
      (query.requestId === undefined || record['requestId'] === query.requestId) &&
      (query.session === undefined || sessionOf(record) === query.session) &&
      at >= (query.since ?? 0) &&
      at < (query.until ?? Number.MAX_SAFE_INTEGER)
    );
  });
}

async function expectSame(directory: string): Promise<void> {
  const reader = createAuditReader({ directory, people, blockBytes: BLOCK_BYTES });
  const naive = naiveRecords(directory, people);
  for (const query of queriesOf(naive)) {
    const expected = naively(naive, query);
    expect(await allRecords(reader, query, 'oldest'), JSON.stringify(query)).toEqual(expected);
    expect(await allRecords(reader, query, 'newest'), JSON.stringify(query)).toEqual(expected.toReversed());
  }
  for (const tenant of TENANTS) {
    expect(await allVisits(reader, tenant)).toEqual(naiveVisits(naive, tenant));
    for (const notBefore of boundsOf(naive, tenant)) {
      const newer = naive.filter(({ time }) => Date.parse(time) >= notBefore);
      expect(await allVisits(reader, tenant, { notBefore }), String(notBefore)).toEqual(
        naiveVisits(newer, tenant),
      );
    }
  }
}

/** At a request's very instant and right after it, in the middle of visits. */
function boundsOf(records: readonly PublishedRecord[], tenant: string): number[] {
  const times = records.filter((one) => one['tenant'] === tenant).map(({ time }) => Date.parse(time));
  const chosen = [0.2, 0.5, 0.8].map((part) => times[Math.floor(times.length * part)] ?? 0);
  return chosen.flatMap((at) => [at, at + 1]);
}

const withheld = (count: number) => [{ reads: 0, deniedCount: count, denied: [{ what: 'guard', count }] }];

describe('a request denied after the index had it', () => {
  it('is counted once where the bound parts its sum', async () => {
    const directory = path.join(root, 'corrected');
    const numbers: LineNumbers = new Map();
    const first = { id: idOf(FIRST_MS, 1), tenant: 'acme', s: 1, g: 0, t: FIRST_MS, isWrite: false };
    const t = FIRST_MS + 60_000;
    const second = { ...first, id: idOf(t, 2), t };
    const builder = new JournalBuilder(directory);
    const context = [policyOf(1), subjectOf(1, 'sub-a')];
    builder.add(...linesOf(...context, intentOf(first, numbers), intentOf(second, numbers)));
    await indexed(directory);
    const end = { code: 'response_guarded', status: 403, rule: { id: 'guard', category: 'export' } };
    builder.add(...linesOf(doneOf(first, numbers, end), doneOf(second, numbers, end)));
    const reader = createAuditReader({ directory, people, blockBytes: BLOCK_BYTES });
    const counts = async (notBefore: number) =>
      (await allVisits(reader, 'acme', { notBefore })).map(({ reads, deniedCount, denied }) => ({
        reads,
        deniedCount,
        denied,
      }));
    expect(await counts(first.t)).toEqual(withheld(2));
    expect(await counts(first.t + 1)).toEqual(withheld(1));
    expect(await counts(second.t)).toEqual(withheld(1));
    expect(await counts(second.t + 1)).toEqual([]);
  });
});

describe.each([1, 2, 3])('a random journal (%i)', (seed) => {
  it('gives the same answers without an index, with a part of one, with a whole one and with one made anew', async () => {
    const directory = path.join(root, `journal-${seed}`);
    const journal = new RandomJournal(directory, seed);
    for (let i = 0; i < GROUPS; i++) journal.group();
    await expectSame(directory);

    await indexed(directory);
    await expectSame(directory);

    // The rest is not indexed yet.
    for (let i = 0; i < GROUPS / 4; i++) journal.group();
    await expectSame(directory);

    await indexed(directory);
    await expectSame(directory);

    const copy = path.join(root, `copy-${seed}`);
    cpSync(directory, copy, { recursive: true, filter: (file) => !file.includes('index.db') });
    await indexed(copy);
    await expectSame(copy);
  });

  it('gives the same answers when the indexer is started again after every group', async () => {
    const directory = path.join(root, `restarted-${seed}`);
    const journal = new RandomJournal(directory, 100 + seed);
    for (let i = 0; i < GROUPS / 3; i++) {
      journal.group();
      await indexed(directory);
    }
    await expectSame(directory);
  });
});
