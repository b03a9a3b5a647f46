// The indexer by itself: what it does when its file is damaged, belongs to another journal, cannot be written, or when
// segments are removed; and that it reports like a sink.
import { mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { indexPath } from '#audit/index/index-database.ts';
import { Indexer } from '#audit/index/indexer.ts';
import { createAuditReader } from '#audit/index/create-audit-reader.ts';
import { JournalView } from '#audit/index/journal-view.ts';
import type { SinkProgress } from '#audit/sinks/sink-messages.ts';
import { idOf, intentOf } from '../../../support/index-lines.ts';
import { naiveRecords, peopleBut, RandomJournal } from '../../../support/random-journal.ts';

const people = peopleBut();

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'postern-indexer-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const line = (fields: object): string => `${JSON.stringify(fields)}\n`;
const request = { id: idOf(1, 1), tenant: 'ac?me', s: 0, g: 0, t: 1_760_000_000_000, isWrite: false };
const DAMAGED_INTENT = intentOf(request, new Map()).replace('ac?me', 'ac\\qme');

interface Watched extends Disposable {
  readonly indexer: Indexer;
  readonly reports: SinkProgress[];
  readonly notices: string[];
}

function started(nowMs: () => number = () => performance.now()): Watched {
  const reports: SinkProgress[] = [];
  const notices: string[] = [];
  const indexer = new Indexer({
    directory,
    start: { segment: 0, offset: 0 },
    nowMs,
    report: (progress) => reports.push(progress),
    notice: (_fields, text) => notices.push(text),
    blockBytes: 700,
  });
  return { indexer, reports, notices, [Symbol.dispose]: () => indexer.close() };
}

function endOf(): { readonly segment: number; readonly offset: number } {
  const view = new JournalView(directory);
  view.close();
  return view.end ?? { segment: 0, offset: 0 };
}

function journalOf(groups: number, seed = 1): RandomJournal {
  const journal = new RandomJournal(directory, seed);
  for (let i = 0; i < groups; i++) journal.group();
  return journal;
}

async function expectIndexed(): Promise<void> {
  const db = new DatabaseSync(indexPath(directory), { readOnly: true });
  const { segment, offset } = db.prepare('SELECT segment, "offset" FROM cursor').get() ?? {};
  db.close();
  expect({ segment, offset }).toEqual(endOf());
  const reader = createAuditReader({ directory, people });
  const { records } = await reader.records({ order: 'oldest', limit: 100_000, cursor: null });
  expect(records).toEqual(naiveRecords(directory, people));
}

describe('the indexer', () => {
  it.each([
    ['no database', 'these are not the bytes of a database'.repeat(200)],
    ['empty', ''],
  ])('makes a file anew that is %s', async (_what, bytes) => {
    journalOf(30);
    writeFileSync(indexPath(directory), bytes);
    using watched = started();
    await watched.indexer.drain(endOf(), 0);
    watched.indexer.close();
    await expectIndexed();
  });

  it('makes a file anew that is of another version', async () => {
    journalOf(30);
    {
      using watched = started();
      await watched.indexer.drain(endOf(), 0);
    }
    const db = new DatabaseSync(indexPath(directory));
    db.exec('PRAGMA user_version = 99; DROP TABLE cell;');
    db.close();
    using watched = started();
    await watched.indexer.drain(endOf(), 0);
    await expectIndexed();
  });

  it('makes a file anew that belongs to a journal which is not this one any more', async () => {
    journalOf(40, 1);
    {
      using watched = started();
      await watched.indexer.drain(endOf(), 0);
    }
    for (const name of readdirSync(directory))
      if (name.startsWith('journal')) rmSync(path.join(directory, name));
    journalOf(40, 2);
    using watched = started();
    await watched.indexer.drain(endOf(), 0);
    await expectIndexed();
  });

  it('makes a file anew that is ahead of the journal, whose end a power failure took', async () => {
    const journal = journalOf(40);
    const before = endOf();
    for (let i = 0; i < 3; i++) journal.group();
    {
      using watched = started();
      await watched.indexer.drain(endOf(), 0);
    }
    for (const name of readdirSync(directory)) {
      const number = Number(name.slice(8, 20));
      const file = path.join(directory, name);
      if (number > before.segment) rmSync(file);
      if (number === before.segment) truncateSync(file, before.offset);
    }
    using watched = started();
    await watched.indexer.drain(endOf(), 0);
    await expectIndexed();
  });

  it('forgets the segments that were removed', async () => {
    journalOf(80);
    using watched = started();
    await watched.indexer.drain(endOf(), 0);
    const names = readdirSync(directory).filter((name) => name.startsWith('journal'));
    const [first, second] = names.toSorted() as [string, string];
    rmSync(path.join(directory, first));
    rmSync(path.join(directory, second));
    watched.indexer.forgetSegmentsBelow(3);
    await watched.indexer.drain(endOf(), 0);
    watched.indexer.close();
    const db = new DatabaseSync(indexPath(directory), { readOnly: true });
    for (const table of ['block', 'subject', 'grant_line', 'policy', 'segment', 'opened'])
      expect(db.prepare(`SELECT count(*) AS n FROM ${table} WHERE segment < 3`).get()).toEqual({ n: 0 });
    for (const table of ['cell', 'denied', 'other', 'late'])
      expect(
        db.prepare(`SELECT count(*) AS n FROM ${table} WHERE block NOT IN (SELECT id FROM block)`).get(),
      ).toEqual({ n: 0 });
    db.close();
    const reader = createAuditReader({ directory, people });
    const page = await reader.records({ order: 'oldest', limit: 100_000, cursor: null });
    expect(page.records).toEqual(naiveRecords(directory, people));
  });

  it('says where its saved place is, like a sink, and how many records it has taken', async () => {
    journalOf(40);
    using watched = started();
    await watched.indexer.drain(endOf(), 123);
    expect(watched.reports.at(-1)).toMatchObject({
      segment: endOf().segment,
      shipped: 123,
      backlog: 0,
      errors: 0,
      dropped: {},
    });
  });

  it('counts lines that it cannot read, and goes on behind them', async () => {
    const journal = journalOf(5);
    const { segment } = endOf();
    const name = `journal-${String(segment).padStart(12, '0')}.ndjson`;
    writeFileSync(path.join(directory, name), '{"k":"intent","garbage":1}\n{"k":"gap",\n', { flag: 'a' });
    for (let i = 0; i < 5; i++) journal.group();
    using watched = started();
    await watched.indexer.drain(endOf(), 0);
    const unreadable = watched.reports.reduce((sum, { dropped }) => sum + (dropped['unreadable'] ?? 0), 0);
    expect(unreadable).toBe(2);
  });

  it.each([
    ['a gap without an id', line({ k: 'gap', since: 1, until: 2, count: 1, lost: 0 })],
    ['a gap without an end', line({ k: 'gap', id: idOf(1, 1), since: 1, count: 1, lost: 0 })],
    ['a sum without a count that is one', line({ k: 'summed', id: idOf(1, 1), t: 1, count: 'many' })],
    ['an event without its subject', line({ k: 'event', tenant: 'acme', id: idOf(1, 1), t: 1 })],
    ['a value that is no line', '1234567\n'],
    ['a request whose tenant is no JSON', DAMAGED_INTENT],
  ])('counts %s as a line that it cannot read, sealed or not', async (_what, damaged) => {
    const journal = journalOf(5);
    journal.sealed(damaged);
    for (let i = 0; i < 5; i++) journal.group();
    using watched = started();
    await watched.indexer.drain(endOf(), 0);
    const last = watched.reports.at(-1);
    expect(last).toMatchObject({ segment: endOf().segment, backlog: 0, errors: 0 });
    expect(watched.reports.map(({ dropped }) => dropped['unreadable'] ?? 0)).toContain(1);
    expect(watched.notices).toEqual([]);
  });

  it('tries again while its file cannot be made, says so once, and holds no segment back after a minute', async () => {
    journalOf(10);
    const end = endOf();
    let now = 0;
    // A folder where the file should be.
    const blocked = indexPath(directory);
    mkdirSync(blocked);
    using watched = started(() => now);
    const drained = watched.indexer.drain(end, 0);
    await expect.poll(() => watched.reports.length, { timeout: 10_000 }).toBeGreaterThan(1);
    expect(watched.reports.at(-1)?.segment).toBe(0);
    now = 61_000;
    await expect
      .poll(() => watched.reports.at(-1)?.segment, { timeout: 10_000 })
      .toBe(Number.MAX_SAFE_INTEGER);
    expect(watched.notices).toHaveLength(1);
    rmSync(blocked, { recursive: true });
    await drained;
    expect(watched.reports.at(-1)?.segment).toBe(end.segment);
    await expectIndexed();
  });
});
