import { statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { ANONYMOUS, type FakeExchange, fakeExchange } from '../../support/audit-exchange.ts';
import { faultyFiles } from '../../support/audit-files.ts';
import { testDirectory, testJournal, turn, until } from '../../support/audit-journal.ts';
import { chainProblems } from '../../support/chain-check.ts';
import { manualClock } from '../../support/manual-clock.ts';

const exchanges = (count: number): FakeExchange[] => Array.from({ length: count }, () => fakeExchange());

describe('a group', () => {
  it('is one write, however many intents one turn of the loop brings', async () => {
    using directory = testDirectory();
    const files = faultyFiles();
    await using journal = testJournal(directory.path, {}, { files });
    const before = files.writes;
    const group = exchanges(50);
    for (const x of group) journal.intend(x);
    expect(group.every((x) => x.answers.length === 0)).toBe(true);
    await turn();
    expect(files.writes - before).toBe(1);
    expect(group.every((x) => x.answers.join() === 'recorded')).toBe(true);
    expect(directory.lines().filter(({ k }) => k === 'intent')).toHaveLength(50);
  });

  it('is on disk before any of its exchanges is told, and tells them in order', async () => {
    using directory = testDirectory();
    await using journal = testJournal(directory.path);
    const seen: [string, number][] = [];
    for (const x of exchanges(5)) {
      journal.intend({ ...x, recorded: () => seen.push([x.requestId, directory.recordLines().length]) });
    }
    await turn();
    expect(seen.map(([, lines]) => lines)).toEqual([6, 6, 6, 6, 6]);
    expect(seen.map(([id]) => id)).toEqual(seen.map(([id]) => id).toSorted());
  });

  it('is not broken by an exchange that throws when it is told', async () => {
    using directory = testDirectory();
    await using journal = testJournal(directory.path);
    const [first, second] = exchanges(2) as [FakeExchange, FakeExchange];
    journal.intend({
      ...first,
      recorded() {
        throw new Error('planted');
      },
    });
    journal.intend(second);
    await turn();
    expect(second.answers).toEqual(['recorded']);
    expect(journal.available).toBe(true);
    expect(journal.log.messages).toEqual(['an exchange failed when it was told of its record']);
  });

  it('takes completions along, which are written soon even when nothing else comes', async () => {
    using directory = testDirectory();
    await using journal = testJournal(directory.path);
    const x = fakeExchange();
    journal.intend(x);
    await turn();
    journal.complete(x, x);
    await until(() => x.answers.length === 2);
    expect(directory.recordLines().map(({ k }) => k)).toEqual(['opened', 'intent', 'done']);
  });

  it('is continued after a short write', async () => {
    using directory = testDirectory();
    const files = faultyFiles();
    await using journal = testJournal(directory.path, {}, { files });
    files.maxWriteBytes = 7;
    const group = exchanges(3);
    for (const x of group) journal.intend(x);
    await turn();
    expect(group.every((x) => x.answers.join() === 'recorded')).toBe(true);
    expect(directory.recordLines()).toHaveLength(4);
    expect(chainProblems(directory.path)).toEqual([]);
  });

  it('larger than the buffer is written whole', async () => {
    using directory = testDirectory();
    await using journal = testJournal(directory.path);
    const group = exchanges(1000);
    for (const x of group) journal.intend(x);
    await turn();
    expect(directory.recordLines()).toHaveLength(1001);
    expect(chainProblems(directory.path)).toEqual([]);
  });
});

it('makes the directory and its segments readable by the owner alone', async () => {
  using directory = testDirectory();
  await using journal = testJournal(directory.path);
  expect(journal.available).toBe(true);
  expect(statSync(directory.path).mode & 0o777).toBe(0o700);
  expect(statSync(path.join(directory.path, 'journal-000000000001.ndjson')).mode & 0o777).toBe(0o600);
});

it('counts records and bytes', async () => {
  using directory = testDirectory();
  await using journal = testJournal(directory.path);
  const x = fakeExchange();
  journal.intend(x);
  journal.refuse(fakeExchange({ reason: 'no_grant', status: 403 }));
  await turn();
  journal.complete(x);
  journal.event({ event: 'gateway.started', tenant: null, grant: null, actor: null, details: {} });
  await turn();
  const { records, bytes } = journal.status();
  expect(records).toBe(3);
  expect(bytes).toBe(directory.text().length);
});

describe('rotation', () => {
  it('opens the next segment by size, and loses no line', async () => {
    using directory = testDirectory();
    await using journal = testJournal(directory.path, { segmentBytes: 4096 });
    for (let round = 0; round < 20; round++) {
      for (const x of exchanges(2)) journal.intend(x);
      await turn();
    }
    expect(directory.segments().length).toBeGreaterThan(3);
    expect(directory.lines().filter(({ k }) => k === 'intent')).toHaveLength(40);
    expect(chainProblems(directory.path)).toEqual([]);
  });

  it('opens the next segment by age', async () => {
    using directory = testDirectory();
    const clock = manualClock();
    await using journal = testJournal(directory.path, { segmentAgeMs: 60_000 }, { clock });
    clock.advance(60_000);
    journal.intend(fakeExchange());
    await turn();
    expect(directory.segments()).toHaveLength(2);
  });

  it('removes segments whole once they are past their retention', async () => {
    using directory = testDirectory();
    const clock = manualClock(Date.now());
    await using journal = testJournal(
      directory.path,
      { segmentBytes: 4096, retentionMs: 3_600_000 },
      { clock },
    );
    for (let round = 0; round < 10; round++) {
      journal.intend(fakeExchange());
      await turn();
    }
    const before = directory.segments();
    clock.advance(2 * 3_600_000);
    for (const x of exchanges(8)) journal.intend(x);
    await turn();
    journal.intend(fakeExchange());
    await turn();
    const after = directory.segments();
    expect(after.length).toBeLessThan(before.length + 1);
    expect(after).not.toContain(before[0]);
    expect(journal.status().bytes).toBe(directory.text().length);
  });
});

describe('a flood of refusals without a principal', () => {
  it('is summed beyond the rate, and every one of them is told that it is recorded', async () => {
    using directory = testDirectory();
    const journal = testJournal(directory.path, { anonymousPerSecond: 10 });
    const flood = Array.from({ length: 500 }, () => fakeExchange(ANONYMOUS));
    for (const x of flood) journal.refuse(x);
    await turn();
    // Those in a sum wait for it: no answer leaves without its record.
    expect(flood.filter((x) => x.answers.join() === 'recorded')).toHaveLength(10);
    expect(directory.lines().some(({ k }) => k === 'summed')).toBe(false);
    await journal.close(1000);
    expect(flood.every((x) => x.answers.join() === 'recorded')).toBe(true);
    const lines = directory.lines();
    const own = lines.filter(({ k }) => k === 'refused').length;
    const summed = lines.filter((line) => line.k === 'summed').reduce((sum, line) => sum + line.count, 0);
    expect(own + summed).toBe(500);
    expect(directory.recordLines().length).toBeLessThan(30);
  });

  it('does not sum refusals of somebody who is known', async () => {
    using directory = testDirectory();
    await using journal = testJournal(directory.path, { anonymousPerSecond: 0 });
    for (let index = 0; index < 20; index++)
      journal.refuse(fakeExchange({ reason: 'no_grant', status: 403 }));
    await turn();
    expect(directory.lines().filter(({ k }) => k === 'refused')).toHaveLength(20);
  });

  it('writes the sums soon by itself, and then tells those in them', async () => {
    using directory = testDirectory();
    await using journal = testJournal(directory.path, { anonymousPerSecond: 0 });
    const x = fakeExchange(ANONYMOUS);
    journal.refuse(x);
    await until(() => x.answers.length === 1);
    expect(directory.lines().some(({ k }) => k === 'summed')).toBe(true);
  });
});

it('writes what is pending when it closes, and refuses what comes after', async () => {
  using directory = testDirectory();
  const journal = testJournal(directory.path);
  const x = fakeExchange();
  journal.intend(x);
  journal.event({ event: 'gateway.stopped', tenant: null, grant: null, actor: null, details: {} });
  await journal.close(1000);
  expect(directory.recordLines().map(({ k }) => k)).toEqual(['opened', 'intent', 'event']);
  const late = fakeExchange();
  journal.intend(late);
  expect(late.answers).toEqual([]);
  await turn();
  expect(late.answers).toEqual(['refused']);
});

it.each([
  ['directory', { directory: '' }],
  ['instance', { instance: '' }],
  ['maxBytes', { maxBytes: 1 }],
  ['segmentBytes', { segmentBytes: Number.NaN }],
  ['anonymousPerSecond', { anonymousPerSecond: -1 }],
])('refuses a wrong option: %s', (name, options) => {
  using directory = testDirectory();
  expect(() => testJournal(directory.path, options)).toThrow(name);
});
