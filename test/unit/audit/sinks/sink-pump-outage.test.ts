import { readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { segmentPath } from '#audit/segment-directory.ts';
import { DeliveryError } from '#audit/sinks/http-post.ts';
import { until } from '../../../support/audit-journal.ts';
import { idsOf, startPump, testSink, TestJournalFiles } from '../../../support/audit-pump.ts';

/** Pauses that pass only when the test lets them: what was asked for, and how to let the next one end. */
function manualPauses(): {
  readonly asked: number[];
  readonly sleep: (ms: number) => Promise<void>;
  end(): void;
} {
  const asked: number[] = [];
  let wake: (() => void) | null = null;
  return {
    asked,
    sleep(ms) {
      asked.push(ms);
      return new Promise((resolve) => {
        wake = resolve;
      });
    },
    end() {
      wake?.();
      wake = null;
    },
  };
}

describe('a sink that is down for an hour', () => {
  it('gets everything afterwards, in order and once, from the place where the pump stood', async () => {
    using journal = new TestJournalFiles();
    const ids = journal.refusals(10);
    const pauses = manualPauses();
    const sink = testSink();
    sink.down = true;
    let now = 0;
    const { pump, progress, notices } = startPump(journal, sink, {
      sleep: pauses.sleep,
      nowMs: () => now,
      random: () => 1 - Number.EPSILON,
    });
    const hourMs = 3_600_000;
    while (now < hourMs) {
      const attempt = pauses.asked.length + 1;
      await until(() => pauses.asked.length === attempt);
      now += pauses.asked.at(-1) ?? 0;
      ids.push(...journal.refusals(50));
      if (attempt % 20 === 0) journal.nextSegment();
      pump.wrote(journal.end);
      if (now < hourMs) pauses.end();
    }
    expect(ids.length).toBeGreaterThan(6000);
    // Whatever was written meanwhile is in the files alone: the pump holds the piece that it could not ship.
    expect(sink.encoded).toBe(10);
    sink.down = false;
    pauses.end();
    await pump.drain(journal.end);
    expect(idsOf(sink.text)).toEqual(ids);
    expect(sink.encoded).toBe(ids.length);
    expect(progress.reduce((sum, { errors }) => sum + errors, 0)).toBe(pauses.asked.length);
    expect(progress.at(-1)).toMatchObject({ backlog: 0, shipped: journal.records });
    expect(notices.length).toBeGreaterThan(0);
    expect(JSON.parse(readFileSync(path.join(journal.path, 'cursor-test.json'), 'utf8'))).toMatchObject({
      segment: journal.end.segment,
      offset: journal.end.offset,
    });
  });

  it('and for whom the journal had no more room gets what is left, in order, and is not behind then', async () => {
    using journal = new TestJournalFiles();
    const first = journal.refusals(3);
    const pauses = manualPauses();
    const sink = testSink();
    sink.down = true;
    const { pump, progress } = startPump(journal, sink, { sleep: pauses.sleep });
    await until(() => pauses.asked.length === 1);
    for (let segment = 2; segment <= 6; segment++) journal.nextSegment().refusals(3);
    const last = journal.nextSegment().refusals(3);
    for (let segment = 1; segment <= 6; segment++) rmSync(segmentPath(journal.path, segment));
    sink.down = false;
    pauses.end();
    await pump.drain(journal.end);
    // The piece that the pump already held is not lost with its file.
    expect(idsOf(sink.text)).toEqual([...first, ...last]);
    expect(progress.at(-1)).toMatchObject({ backlog: 0, shipped: journal.records, segment: 7 });
  });

  it('is asked again after pauses that double up to 30 s, at random below that', async () => {
    using journal = new TestJournalFiles();
    journal.refusals(1);
    const pauses = manualPauses();
    const sink = testSink();
    sink.down = true;
    startPump(journal, sink, { sleep: pauses.sleep, random: () => 0.5 });
    for (let attempt = 1; attempt <= 13; attempt++) {
      await until(() => pauses.asked.length === attempt);
      pauses.end();
    }
    expect(pauses.asked).toEqual([
      25, 50, 100, 200, 400, 800, 1600, 3200, 6400, 12_800, 15_000, 15_000, 15_000,
    ]);
  });

  it('is left alone for as long as it asks, and asked after five minutes even if it asks for more', async () => {
    using journal = new TestJournalFiles();
    journal.refusals(1);
    const pauses = manualPauses();
    const sink = testSink();
    sink.down = true;
    sink.failure = new DeliveryError('http_503', 120_000);
    startPump(journal, sink, { sleep: pauses.sleep, random: () => 0.5 });
    await until(() => pauses.asked.length === 1);
    sink.failure = new DeliveryError('http_503', 86_400_000);
    pauses.end();
    await until(() => pauses.asked.length === 2);
    expect(pauses.asked).toEqual([120_025, 300_050]);
  });
});

describe('a failure', () => {
  it('is told by a short code: nothing of its message, which may hold an address or a token', async () => {
    using journal = new TestJournalFiles();
    journal.refusals(1);
    const sink = testSink();
    sink.down = true;
    const secret = 'https://siem.example/hook/t0ken';
    sink.failure = Object.assign(new Error(`connect ${secret}`), { code: `ERR ${secret}`, url: secret });
    const { progress, notices } = startPump(journal, sink, { random: () => 0 });
    await until(() => progress.length > 3);
    expect(notices).toEqual([
      {
        fields: { sink: 'test', code: 'unknown' },
        text: 'an audit sink cannot be written; it is tried again',
      },
    ]);
    expect(JSON.stringify(progress)).not.toContain('t0ken');
  });
});

describe('the lag', () => {
  it('is nothing at the end, even if lines were broken and never became records', async () => {
    using journal = new TestJournalFiles();
    const start = journal.end;
    journal.refusals(2);
    journal.append('{"k":"refused","t":broken}\n', 1);
    journal.refusals(1);
    const { pump, progress } = startPump(journal, testSink(), { start });
    await pump.drain(journal.end);
    expect(progress.at(-1)).toMatchObject({ shipped: 4, backlog: 0 });
  });

  it('moves on with every piece of a long backlog, and so does the cursor', async () => {
    using journal = new TestJournalFiles();
    const start = journal.end;
    const ids = journal.refusals(2500);
    let now = 0;
    const { pump, sink, progress } = startPump(journal, testSink(), {
      start,
      nowMs: () => {
        now += 1000;
        return now;
      },
    });
    await pump.drain(journal.end);
    expect(idsOf(sink.text)).toEqual(ids);
    expect(sink.attempts).toBe(3);
    expect(progress.map(({ shipped }) => shipped)).toEqual(expect.arrayContaining([1000, 2000, 2500]));
  });
});
