import { appendFileSync, chmodSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { GapLine, OpenedLine } from '#audit/journal-lines.ts';
import { Group, Outage } from '#audit/journal-group.ts';
import { segmentPath } from '#audit/segment-directory.ts';
import { type FakeExchange, fakeExchange } from '../../support/audit-exchange.ts';
import { faultyFiles } from '../../support/audit-files.ts';
import { chainProblems } from '../../support/chain-check.ts';
import type { TenantId } from '#model/ids.ts';
import { type TestDirectory, testDirectory, testJournal, turn, until } from '../../support/audit-journal.ts';

const exchanges = (count: number): FakeExchange[] => Array.from({ length: count }, () => fakeExchange());

function intentsIn(directory: TestDirectory): Set<string> {
  return new Set(directory.lines().flatMap((line) => (line.k === 'intent' ? [line.id] : [])));
}

describe('a disk that is full', () => {
  it('refuses the whole group, leaves no part of it, and recovers by itself with one gap', async () => {
    using directory = testDirectory();
    const files = faultyFiles();
    await using journal = testJournal(directory.path, {}, { files });
    const good = fakeExchange();
    journal.intend(good);
    await turn();
    const before = directory.text();
    files.roomBytes = 600;
    const group = exchanges(3);
    for (const x of group) journal.intend(x);
    await turn();
    expect(group.map((x) => x.answers)).toEqual([['refused'], ['refused'], ['refused']]);
    expect(journal.available).toBe(false);
    expect(directory.text()).toBe(before);

    const meanwhile = exchanges(4);
    for (const x of meanwhile) journal.intend(x);
    expect(meanwhile.every((x) => x.answers.length === 0)).toBe(true);
    await turn();
    expect(meanwhile.every((x) => x.answers.join() === 'refused')).toBe(true);

    files.roomBytes = Number.MAX_SAFE_INTEGER;
    await until(() => journal.available);
    const gaps = directory.lines().filter((line): line is GapLine => line.k === 'gap');
    expect(gaps).toHaveLength(1);
    expect(gaps[0]).toMatchObject({ count: 7, lost: 0 });
    expect(gaps[0]?.until).toBeGreaterThanOrEqual(gaps[0]?.since ?? Number.NaN);
    const next = fakeExchange();
    journal.intend(next);
    await turn();
    expect(next.answers).toEqual(['recorded']);
    expect(intentsIn(directory)).toEqual(new Set([good.requestId, next.requestId]));
    // The numbers that the refused lines had been given are declared.
    expect(directory.lines().filter(({ k }) => k === 'unused')).toMatchObject([
      { tenant: 'acme', ranges: [[2, 4]] },
    ]);
    expect(chainProblems(directory.path)).toEqual([]);
  });

  it('keeps completions and events until there is room', async () => {
    using directory = testDirectory();
    const files = faultyFiles();
    await using journal = testJournal(directory.path, {}, { files });
    const x = fakeExchange();
    journal.intend(x);
    await turn();
    files.failWrites = 'ENOSPC';
    journal.complete(x, x);
    journal.event({ event: 'grant.revoked', tenant: 'acme', grant: null, actor: null, details: {} });
    await turn();
    expect(x.answers).toEqual(['recorded', 'refused']);
    files.failWrites = null;
    await until(() => journal.available);
    expect(directory.recordLines().map(({ k }) => k)).toEqual(['opened', 'intent', 'done', 'event', 'gap']);
  });

  it('answers whether an event was written, and writes it later where it could not', async () => {
    using directory = testDirectory();
    const files = faultyFiles();
    await using journal = testJournal(directory.path, {}, { files });
    const event = { event: 'audit.read', tenant: 'acme', grant: null, actor: null, details: {} } as const;
    expect(await journal.eventWritten(event)).toBe(true);
    expect(directory.recordLines().at(-1)).toMatchObject({ k: 'event', event: 'audit.read', n: 1 });
    files.failWrites = 'ENOSPC';
    expect(await journal.eventWritten(event)).toBe(false);
    expect(await journal.eventWritten(event)).toBe(false);
    files.failWrites = null;
    await until(() => journal.available);
    expect(directory.recordLines().filter(({ k }) => k === 'event')).toHaveLength(3);
    expect(chainProblems(directory.path)).toEqual([]);
  });

  it('loses completions beyond what memory may hold, says how many, and never a checkpoint', () => {
    const outage = new Outage('');
    const long = `{"k":"done","tenant":"acme","n":1,"id":"${'x'.repeat(700_000)}"}\n`;
    const group = (n: number): Group => {
      const one = new Group();
      one.keep(long.replace('"n":1', `"n":${n}`), 1);
      one.sign(`{"k":"checkpoint","to":${n}}\n`);
      return one;
    };
    outage.add(group(1));
    outage.add(group(2));
    const text = outage.textUntil(2);
    expect(text.match(/"k":"done"/g)).toHaveLength(1);
    expect(text.match(/"k":"checkpoint"/g)).toHaveLength(2);
    expect(text).toContain('"lost":1');
    expect(text).toContain('"tenant":"acme","ranges":[[2,2]]');
    expect(outage.heldRecords).toBe(3);
    expect(outage.numbers()).toEqual(new Map([['acme', [1, 2]]]));
  });

  it('at start: the journal opens, refuses, and recovers', async () => {
    using directory = testDirectory();
    const files = faultyFiles();
    files.failWrites = 'ENOSPC';
    await using journal = testJournal(directory.path, {}, { files });
    expect(journal.available).toBe(false);
    files.failWrites = null;
    await until(() => journal.available);
    expect(directory.recordLines().map(({ k }) => k)).toEqual(['opened', 'gap']);
  });
});

describe('an I/O error', () => {
  it('leaves a segment alone that cannot be cut back, and goes on in the next', async () => {
    using directory = testDirectory();
    const files = faultyFiles();
    await using journal = testJournal(directory.path, {}, { files });
    files.roomBytes = 100;
    files.failTruncate = true;
    const lost = fakeExchange();
    journal.intend(lost);
    await turn();
    expect(lost.answers).toEqual(['refused']);
    files.roomBytes = Number.MAX_SAFE_INTEGER;
    files.failTruncate = false;
    await until(() => journal.available);
    expect(directory.segments()).toHaveLength(2);
    expect(directory.lines().find((line): line is GapLine => line.k === 'gap')?.count).toBe(1);
    // What was never acknowledged was cut off before the next segment began.
    expect(chainProblems(directory.path)).toEqual([]);
  });

  it('never lets a request through whose turn saw the recovery', async () => {
    using directory = testDirectory();
    const files = faultyFiles();
    await using journal = testJournal(directory.path, { retryMs: 1 }, { files });
    const told: FakeExchange[] = [];
    for (let round = 0; round < 200; round++) {
      files.failWrites = round % 3 === 0 ? 'EIO' : null;
      const x = fakeExchange();
      told.push(x);
      journal.intend(x);
      await new Promise((resolve) => {
        if (round % 2 === 0) setTimeout(resolve, 1);
        else setImmediate(resolve);
      });
    }
    files.failWrites = null;
    await until(() => journal.available && told.every((x) => x.answers.length === 1));
    const written = intentsIn(directory);
    for (const x of told) expect(written.has(x.requestId)).toBe(x.answers[0] === 'recorded');
    expect(chainProblems(directory.path)).toEqual([]);
    const gaps = directory.lines().filter((line): line is GapLine => line.k === 'gap');
    const refused = told.filter((x) => x.answers[0] === 'refused').length;
    expect(refused).toBeGreaterThan(0);
    expect(gaps.reduce((sum, { count }) => sum + count, 0)).toBe(refused);
  });
});

it('records a request that is handed in while another is told that it is refused', async () => {
  using directory = testDirectory();
  const files = faultyFiles();
  await using journal = testJournal(directory.path, { retryMs: 1 }, { files });
  const recorded: string[] = [];
  let refused = 0;
  const handIn = (): void => {
    const x = fakeExchange();
    journal.intend({
      ...x,
      recorded: () => recorded.push(x.requestId),
      recordRefused() {
        refused += 1;
        // The client's next request, on the same connection.
        if (recorded.length < 20) handIn();
      },
    });
  };
  for (let round = 0; round < 20; round++) {
    files.failWrites = 'EIO';
    handIn();
    await until(() => !journal.available || recorded.length >= 20);
    files.failWrites = null;
    await until(() => journal.available);
  }
  await turn();
  expect(refused).toBeGreaterThan(10);
  expect(recorded.length).toBeGreaterThan(10);
  const written = intentsIn(directory);
  expect(recorded.filter((id) => !written.has(id))).toEqual([]);
  const gaps = directory.lines().filter((line): line is GapLine => line.k === 'gap');
  expect(gaps.reduce((sum, { count }) => sum + count, 0)).toBe(refused);
  expect(chainProblems(directory.path)).toEqual([]);
});

it('tries once more when it closes during an outage, so that no completion is lost', async () => {
  using directory = testDirectory();
  const files = faultyFiles();
  const journal = testJournal(directory.path, { retryMs: 60_000 }, { files });
  const x = fakeExchange();
  journal.intend(x);
  await turn();
  files.failWrites = 'ENOSPC';
  journal.complete(x);
  await until(() => !journal.available);
  files.failWrites = null;
  await journal.close(1000);
  expect(directory.recordLines().map(({ k }) => k)).toEqual(['opened', 'intent', 'done', 'gap']);
});

describe('maxBytes', () => {
  it('refuses when the directory is full, and recovers when somebody makes room', async () => {
    using directory = testDirectory();
    const filled = testJournal(directory.path, { segmentBytes: 1024 * 1024 });
    for (const x of exchanges(180)) filled.intend(x);
    await filled.close(1000);
    const old = segmentPath(directory.path, 1);
    expect(statSync(old).size).toBeGreaterThan(30_000);
    await using journal = testJournal(directory.path, { maxBytes: 64 * 1024 });
    const group = exchanges(180);
    for (const x of group) journal.intend(x);
    await turn();
    expect(group.every((x) => x.answers.join() === 'refused')).toBe(true);
    expect(journal.log.messages).toEqual(['the audit journal is unavailable: every request is refused']);
    rmSync(old);
    await until(() => journal.available);
  });
});

describe('onFull: dropOldestUnshipped', () => {
  it('removes the oldest segments, records what went, and refuses nothing', async () => {
    using directory = testDirectory();
    const options = { maxBytes: 128 * 1024, segmentBytes: 16 * 1024, onFull: 'dropOldestUnshipped' } as const;
    await using journal = testJournal(directory.path, options);
    const all: FakeExchange[] = [];
    for (let round = 0; round < 150; round++) {
      const group = exchanges(5);
      all.push(...group);
      for (const x of group) journal.intend(x);
      await turn();
    }
    expect(all.every((x) => x.answers.join() === 'recorded')).toBe(true);
    expect(directory.segments()).not.toContain('journal-000000000001.ndjson');
    expect(directory.text().length).toBeLessThanOrEqual(128 * 1024);
    expect(journal.status().bytes).toBe(directory.text().length);
    const dropped = directory.lines().filter((line) => line.k === 'event' && line.event === 'audit.dropped');
    expect(dropped.length).toBeGreaterThan(0);
  });
});

describe('durability: disk', () => {
  it('tells nobody before the device has it, and shares a sync among what came meanwhile', async () => {
    using directory = testDirectory();
    const files = faultyFiles();
    await using journal = testJournal(directory.path, { durability: 'disk' }, { files });
    files.holdSyncs = true;
    const order: string[] = [];
    const told = (x: FakeExchange): FakeExchange => ({ ...x, recorded: () => order.push(x.requestId) });
    const all = exchanges(9);
    for (let index = 0; index < 9; index += 3) {
      for (const x of all.slice(index, index + 3)) journal.intend(told(x));
      await turn();
    }
    expect(directory.recordLines()).toHaveLength(10);
    expect(order).toEqual([]);
    expect(files.syncs).toBe(1);
    files.releaseSyncs();
    await until(() => order.length === 9);
    expect(files.syncs).toBe(2);
    expect(order).toEqual(all.map((x) => x.requestId));
  });

  it('refuses everything since the last good sync when one fails, and takes it back', async () => {
    using directory = testDirectory();
    const files = faultyFiles();
    await using journal = testJournal(directory.path, { durability: 'disk' }, { files });
    files.holdSyncs = true;
    files.failSync = 'EIO';
    const first = fakeExchange();
    journal.intend(first);
    await turn();
    const second = fakeExchange();
    journal.intend(second);
    await turn();
    files.releaseSyncs();
    await until(() => first.answers.length === 1 && second.answers.length === 1);
    expect([first.answers, second.answers]).toEqual([['refused'], ['refused']]);
    expect(intentsIn(directory).size).toBe(0);
    files.failSync = null;
    await until(() => journal.available);
    expect(directory.segments()).toHaveLength(2);
    expect(directory.recordLines().at(-1)).toMatchObject({ k: 'gap', count: 2 });
    expect(chainProblems(directory.path)).toEqual([]);
  });

  it('rotates under load without losing or reordering a line', async () => {
    using directory = testDirectory();
    await using journal = testJournal(directory.path, { durability: 'disk', segmentBytes: 4096 });
    const all = exchanges(60);
    for (const [index, x] of all.entries()) {
      journal.intend(x);
      await turn();
      if (index % 6 === 5) await until(() => x.answers.length === 1);
    }
    expect(all.every((x) => x.answers.join() === 'recorded')).toBe(true);
    expect(directory.segments().length).toBeGreaterThan(5);
    const ids = directory.lines().flatMap((line) => (line.k === 'intent' ? [line.id] : []));
    expect(ids).toEqual(all.map((x) => x.requestId as string));
    expect(chainProblems(directory.path)).toEqual([]);
  });

  it('writes and syncs what is pending when it closes', async () => {
    using directory = testDirectory();
    const journal = testJournal(directory.path, { durability: 'disk' });
    const x = fakeExchange();
    journal.intend(x);
    await journal.close(2000);
    expect(x.answers).toEqual(['recorded']);
  });
});

describe('a start after a crash', () => {
  it('cuts off a torn last line, notes it, and begins a segment of its own', async () => {
    using directory = testDirectory();
    const first = testJournal(directory.path);
    first.intend(fakeExchange());
    await turn();
    await first.close(100);
    appendFileSync(segmentPath(directory.path, 1), '{"k":"intent","id":"torn');
    await using second = testJournal(directory.path);
    expect(second.log.messages).toEqual(['the end of an audit segment was torn and has been cut off']);
    const opened = directory.lines().filter((line): line is OpenedLine => line.k === 'opened');
    expect(opened.map(({ tornBytes }) => tornBytes)).toEqual([0, 24]);
    expect(directory.segments()).toHaveLength(2);
  });

  it('cuts a torn group longer than its reading buffer, and a segment that is nothing else', async () => {
    using directory = testDirectory();
    const first = testJournal(directory.path);
    first.intend(fakeExchange());
    await first.close(100);
    const whole = readFileSync(segmentPath(directory.path, 1), 'latin1');
    const header = whole.slice(0, whole.indexOf('\n') + 1);
    // Whole lines, but no seal.
    writeFileSync(
      segmentPath(directory.path, 2),
      header + `{"k":"done","id":"${'y'.repeat(900)}"}\n`.repeat(2000),
    );
    await using journal = testJournal(directory.path);
    expect(journal.available).toBe(true);
    // The second was emptied, and is used again.
    expect(directory.segments()).toHaveLength(2);
    expect(readFileSync(segmentPath(directory.path, 1), 'latin1')).toBe(whole);
    expect(chainProblems(directory.path)).toEqual([]);
  });

  it('goes on with the chain and with each tenant’s numbers, over rotations and restarts', async () => {
    using directory = testDirectory();
    for (let start = 0; start < 4; start++) {
      const journal = testJournal(directory.path, { segmentBytes: 4096 });
      for (let round = 0; round < 6; round++) {
        journal.intend(fakeExchange());
        journal.intend(fakeExchange({ tenant: `tenant-${round}` as TenantId }));
        await turn();
      }
      await journal.close(100);
      if (start === 1)
        appendFileSync(segmentPath(directory.path, directory.segments().length), '{"k":"intent","te');
    }
    expect(directory.segments().length).toBeGreaterThan(6);
    expect(chainProblems(directory.path)).toEqual([]);
  });

  it.each([
    ['another version wrote', '{"k":"opened","t":1}\n{"k":"intent","id":"1"}\n'],
    ['are damaged where they begin', '{"k":"segment","v":1,"chain":"0198\n{"k":"intent","id":"1"}\n'],
  ])('refuses a directory whose segments %s, and touches nothing', (_what, foreign) => {
    using directory = testDirectory();
    mkdirSync(directory.path, { recursive: true });
    writeFileSync(segmentPath(directory.path, 1), foreign);
    expect(() => testJournal(directory.path)).toThrow('does not begin as a segment of this version does');
    expect(readFileSync(segmentPath(directory.path, 1), 'latin1')).toBe(foreign);
  });

  it('throws AUDIT_UNAVAILABLE when the directory cannot be had', () => {
    using directory = testDirectory();
    writeFileSync(directory.path, 'a file');
    expect(() => testJournal(directory.path)).toThrow('the audit directory cannot be opened');
    chmodSync(directory.path, 0o600);
    expect(statSync(path.dirname(directory.path)).isDirectory()).toBe(true);
  });
});
