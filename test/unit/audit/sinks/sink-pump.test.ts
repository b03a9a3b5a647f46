import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { openedText } from '#audit/event-text.ts';
import { segmentPath } from '#audit/segment-directory.ts';
import { fakeExchange } from '../../../support/audit-exchange.ts';
import { linesOf, until } from '../../../support/audit-journal.ts';
import { droppedIn, idsOf, startPump, testSink, TestJournalFiles } from '../../../support/audit-pump.ts';

describe('a sink pump', () => {
  it('ships what is durable, over segments, in order, and no more', async () => {
    using journal = new TestJournalFiles();
    const ids = journal.refusals(3);
    journal.segment = 3;
    journal.nextSegment();
    ids.push(...journal.refusals(2));
    const { end } = journal;
    journal.refusals(1);
    const { pump, sink } = startPump(journal, testSink(), { start: end });
    await pump.drain(end);
    expect(idsOf(sink.text)).toEqual(ids);
  });

  it('continues a batch where the sink stopped taking it', async () => {
    using journal = new TestJournalFiles();
    const ids = journal.refusals(5);
    const sink = testSink();
    sink.maxBytes = 100;
    const { pump } = startPump(journal, sink);
    await pump.drain(journal.end);
    expect(idsOf(sink.text)).toEqual(ids);
  });

  it('tries a busy sink again without calling it an error', async () => {
    using journal = new TestJournalFiles();
    const ids = journal.refusals(2);
    const sink = testSink();
    sink.maxBytes = 0;
    const { pump, progress } = startPump(journal, sink);
    await until(() => sink.attempts >= 3);
    sink.maxBytes = 1000;
    await pump.drain(journal.end);
    expect(idsOf(sink.text)).toEqual(ids);
    expect(progress.every(({ errors }) => errors === 0)).toBe(true);
  });

  it('goes on from its cursor, with intents that were open then', async () => {
    using journal = new TestJournalFiles();
    const x = fakeExchange();
    journal.refusals(1);
    journal.append(journal.lines.intent(x));
    const first = startPump(journal, testSink());
    await first.pump.drain(journal.end);
    journal.append(journal.lines.done(x));
    const second = startPump(journal, testSink());
    await second.pump.drain(journal.end);
    expect(linesOf(first.sink.text + second.sink.text).map(({ seq, event }) => [seq, event])).toEqual([
      [1, 'request.denied'],
      [2, 'request.allowed'],
    ]);
  });

  it('ships again rather than never when its cursor is lost or broken, under the same ids', async () => {
    using journal = new TestJournalFiles();
    journal.refusals(2);
    const { segment, offset } = journal.end;
    const first = startPump(journal, testSink());
    await first.pump.drain(journal.end);
    const cursor = path.join(journal.path, 'cursor-test.json');
    expect(JSON.parse(readFileSync(cursor, 'utf8'))).toEqual({ segment, offset, seq: 3, open: [] });
    writeFileSync(cursor, '{"segment":');
    const second = startPump(journal, testSink());
    await second.pump.drain(journal.end);
    expect(second.sink.text).toBe(first.sink.text);
  });

  it('begins anew when the journal under its cursor was removed', async () => {
    using journal = new TestJournalFiles();
    writeFileSync(
      path.join(journal.path, 'cursor-test.json'),
      JSON.stringify({ segment: 9, offset: 50, seq: 7, open: [] }),
    );
    journal.refusals(1);
    const { pump, sink } = startPump(journal, testSink());
    await pump.drain(journal.end);
    expect(linesOf(sink.text).map(({ seq }) => seq)).toEqual([7]);
  });

  it('passes over a line that somebody broke, counts it, and ships the rest', async () => {
    using journal = new TestJournalFiles();
    const ids = journal.refusals(1);
    journal.append('{"k":"refused","t":broken}\n{"k":"refused"}\n');
    ids.push(...journal.refusals(1));
    const { pump, sink, progress } = startPump(journal, testSink());
    await pump.drain(journal.end);
    expect(idsOf(sink.text)).toEqual(ids);
    expect(droppedIn(progress, 'unreadable')).toBe(2);
  });

  it('reports what is shipped, and of a backlog an estimate that reaches nothing', async () => {
    using journal = new TestJournalFiles();
    journal.refusals(10);
    journal.nextSegment().append(openedText({ t: 1, instance: 'x', tornBytes: 0 }));
    const { segment, offset } = journal.end;
    const sink = testSink();
    sink.down = true;
    const { pump, progress } = startPump(journal, sink, { start: { segment, offset } });
    await until(() => progress.length > 0);
    expect(progress[0]?.backlog).toBeGreaterThan(2);
    journal.refusals(3);
    sink.down = false;
    await pump.drain({ segment, offset: journal.end.offset });
    expect(progress.at(-1)).toMatchObject({ backlog: 0, shipped: 3, segment: 2 });
  });

  it('goes on when a segment was removed under it', async () => {
    using journal = new TestJournalFiles();
    const first = journal.refusals(1);
    journal.nextSegment().refusals(1);
    rmSync(segmentPath(journal.path, 2));
    const last = journal.nextSegment().refusals(1);
    const { pump, sink } = startPump(journal, testSink());
    await pump.drain(journal.end);
    expect(idsOf(sink.text)).toEqual([...first, ...last]);
  });

  it('counts the end of a segment that was torn, and goes on in the next', async () => {
    using journal = new TestJournalFiles();
    const ids = journal.refusals(1);
    appendFileSync(segmentPath(journal.path, 1), '{"k":"refused","t":1');
    ids.push(...journal.nextSegment().refusals(1));
    const { pump, sink, progress } = startPump(journal, testSink());
    await pump.drain(journal.end);
    expect(idsOf(sink.text)).toEqual(ids);
    expect(droppedIn(progress, 'torn')).toBe(1);
  });
});
