import { appendFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openedText } from '#audit/event-text.ts';
import { doneText, intentText, refusedText } from '#audit/line-text.ts';
import { segmentPath } from '#audit/segment-directory.ts';
import type { Sink } from '#audit/sinks/sink.ts';
import type { SinkProgress } from '#audit/sinks/sink-messages.ts';
import { SinkPump } from '#audit/sinks/sink-pump.ts';
import { fakeExchange } from '../../../support/audit-exchange.ts';
import { linesOf, testDirectory, until } from '../../../support/audit-journal.ts';

interface TestSink extends Sink {
  text: string;
  /** The most that one write takes; 0 is busy. */
  maxBytes: number;
  down: boolean;
  attempts: number;
}

function testSink(): TestSink {
  const sink: TestSink = {
    text: '',
    maxBytes: Number.MAX_SAFE_INTEGER,
    down: false,
    attempts: 0,
    write(lines, from) {
      sink.attempts += 1;
      if (sink.down) return Promise.reject(Object.assign(new Error('planted'), { code: 'ECONNREFUSED' }));
      const taken = Math.min(sink.maxBytes, lines.length - from);
      sink.text += lines.toString('utf8', from, from + taken);
      return Promise.resolve(taken);
    },
    sync: () => Promise.resolve(),
    reopen: () => undefined,
    close: () => Promise.resolve(),
  };
  return sink;
}

interface Bench {
  readonly pump: SinkPump;
  readonly sink: TestSink;
  readonly progress: SinkProgress[];
  readonly notices: string[];
}

function startPump(directory: string, start: { segment: number; offset: number }, sink = testSink()): Bench {
  const progress: SinkProgress[] = [];
  const notices: string[] = [];
  const pump = new SinkPump({
    name: 'test',
    directory,
    instance: 'gw-1',
    sink,
    start,
    nowMs: () => performance.now(),
    report: (one) => progress.push(one),
    notice: (_fields, text) => notices.push(text),
  });
  void pump.run();
  return { pump, sink, progress, notices };
}

const refusal = (): string => refusedText(fakeExchange({ reason: 'no_grant', status: 403 }));
const refusals = (count: number): string => Array.from({ length: count }, refusal).join('');
const idsOf = (text: string): unknown[] => linesOf(text).map(({ id }) => id);

describe('a sink pump', () => {
  it('ships what is durable, over segments, in order, and no more', async () => {
    using directory = testDirectory();
    mkdirSync(directory.path, { recursive: true });
    const first = refusals(3);
    const second = refusals(2);
    writeFileSync(segmentPath(directory.path, 1), first);
    writeFileSync(segmentPath(directory.path, 4), second + refusal());
    const { pump, sink } = startPump(directory.path, { segment: 4, offset: second.length });
    await pump.drain({ segment: 4, offset: second.length });
    expect(idsOf(sink.text)).toEqual(idsOf(first + second));
  });

  it('continues a batch where the sink stopped taking it', async () => {
    using directory = testDirectory();
    mkdirSync(directory.path, { recursive: true });
    const text = refusals(5);
    writeFileSync(segmentPath(directory.path, 1), text);
    const sink = testSink();
    sink.maxBytes = 100;
    const { pump } = startPump(directory.path, { segment: 1, offset: text.length }, sink);
    await pump.drain({ segment: 1, offset: text.length });
    expect(idsOf(sink.text)).toEqual(idsOf(text));
  });

  it('loses nothing while the sink is down, counts the failures and says so once', async () => {
    using directory = testDirectory();
    mkdirSync(directory.path, { recursive: true });
    const text = refusals(4);
    writeFileSync(segmentPath(directory.path, 1), text);
    const sink = testSink();
    sink.down = true;
    const { pump, progress, notices } = startPump(directory.path, { segment: 1, offset: text.length }, sink);
    await until(() => sink.attempts >= 3);
    sink.down = false;
    await pump.drain({ segment: 1, offset: text.length });
    expect(idsOf(sink.text)).toEqual(idsOf(text));
    expect(progress.reduce((sum, { errors }) => sum + errors, 0)).toBeGreaterThanOrEqual(2);
    expect(notices).toEqual(['an audit sink cannot be written; it is tried again']);
  });

  it('goes on from its cursor, with intents that were open then', async () => {
    using directory = testDirectory();
    mkdirSync(directory.path, { recursive: true });
    const file = segmentPath(directory.path, 1);
    const x = fakeExchange();
    const before = refusal() + intentText(x);
    writeFileSync(file, before);
    const first = startPump(directory.path, { segment: 1, offset: before.length });
    await first.pump.drain({ segment: 1, offset: before.length });
    appendFileSync(file, doneText(x));
    const end = { segment: 1, offset: before.length + doneText(x).length };
    const second = startPump(directory.path, end);
    await second.pump.drain(end);
    expect(linesOf(first.sink.text + second.sink.text).map(({ seq, event }) => [seq, event])).toEqual([
      [1, 'request.denied'],
      [2, 'request.allowed'],
    ]);
  });

  it('ships again rather than never when its cursor is lost or broken, under the same ids', async () => {
    using directory = testDirectory();
    mkdirSync(directory.path, { recursive: true });
    const text = refusals(2);
    const end = { segment: 1, offset: text.length };
    writeFileSync(segmentPath(directory.path, 1), text);
    const first = startPump(directory.path, end);
    await first.pump.drain(end);
    const cursor = path.join(directory.path, 'cursor-test.json');
    expect(JSON.parse(readFileSync(cursor, 'utf8'))).toEqual({ ...end, seq: 3, open: [] });
    writeFileSync(cursor, '{"segment":');
    const second = startPump(directory.path, end);
    await second.pump.drain(end);
    expect(second.sink.text).toBe(first.sink.text);
  });

  it('begins anew when the journal under its cursor was removed', async () => {
    using directory = testDirectory();
    mkdirSync(directory.path, { recursive: true });
    writeFileSync(
      path.join(directory.path, 'cursor-test.json'),
      JSON.stringify({ segment: 9, offset: 50, seq: 7, open: [] }),
    );
    const text = refusal();
    writeFileSync(segmentPath(directory.path, 1), text);
    const { pump, sink } = startPump(directory.path, { segment: 1, offset: text.length });
    await pump.drain({ segment: 1, offset: text.length });
    expect(linesOf(sink.text).map(({ seq }) => seq)).toEqual([7]);
  });

  it('passes over a line that somebody broke, counts it, and ships the rest', async () => {
    using directory = testDirectory();
    mkdirSync(directory.path, { recursive: true });
    const text = `${refusal()}{"k":"refused","t":broken}\n{"k":"refused"}\n${refusal()}`;
    writeFileSync(segmentPath(directory.path, 1), text);
    const { pump, sink, progress } = startPump(directory.path, { segment: 1, offset: text.length });
    await pump.drain({ segment: 1, offset: text.length });
    expect(linesOf(sink.text)).toHaveLength(2);
    expect(progress.reduce((sum, { dropped }) => sum + (dropped['unreadable'] ?? 0), 0)).toBe(2);
  });

  it('reports what is shipped, and of a backlog an estimate that reaches nothing', async () => {
    using directory = testDirectory();
    mkdirSync(directory.path, { recursive: true });
    const backlog = refusals(10);
    const later = refusals(3);
    writeFileSync(segmentPath(directory.path, 1), backlog);
    writeFileSync(segmentPath(directory.path, 2), openedText({ t: 1, instance: 'x', tornBytes: 0 }));
    const start = { segment: 2, offset: readFileSync(segmentPath(directory.path, 2)).length };
    const sink = testSink();
    sink.down = true;
    const { pump, progress } = startPump(directory.path, start, sink);
    await until(() => progress.length > 0);
    expect(progress[0]?.backlog).toBeGreaterThan(2);
    appendFileSync(segmentPath(directory.path, 2), later);
    sink.down = false;
    await pump.drain({ segment: 2, offset: start.offset + later.length });
    expect(progress.at(-1)).toMatchObject({ backlog: 0, shipped: 3, segment: 2 });
  });

  it('goes on when a segment was removed under it', async () => {
    using directory = testDirectory();
    mkdirSync(directory.path, { recursive: true });
    const text = refusal();
    for (const number of [1, 2, 3]) writeFileSync(segmentPath(directory.path, number), text);
    rmSync(segmentPath(directory.path, 2));
    const { pump, sink } = startPump(directory.path, { segment: 3, offset: text.length });
    await pump.drain({ segment: 3, offset: text.length });
    expect(linesOf(sink.text)).toHaveLength(2);
  });
});
