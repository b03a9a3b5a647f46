// A reader that starts in the middle of a journal knows what the lines before it said.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { feedContext } from '#audit/context-feed.ts';
import { resumeJoiner } from '#audit/joiner-resume.ts';
import type { JournalLine } from '#audit/journal-lines.ts';
import { LineContext } from '#audit/line-context.ts';
import type { PublishedRecord } from '#audit/published-record.ts';
import { RecordJoiner } from '#audit/record-joiner.ts';
import { segmentPath } from '#audit/segment-directory.ts';
import { SegmentTail } from '#audit/segment-tail.ts';
import { EXAMPLE_GRANT, fakeExchange } from '../../support/audit-exchange.ts';
import { linesOf } from '../../support/audit-journal.ts';
import { LineWriter } from '../../support/audit-lines.ts';
import { JournalBuilder } from '../../support/journal-builder.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'postern-resume-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** Lines of a text, for the builder. */
function parts(text: string): string[] {
  return text.split('\n').slice(0, -1);
}

function readOn(
  joiner: RecordJoiner,
  from: { segment: number; offset: number },
  to: number,
): PublishedRecord[] {
  const tail = new SegmentTail(directory, from);
  const records: PublishedRecord[] = [];
  const end = { segment: to, offset: statSync(segmentPath(directory, to)).size };
  for (let chunk = tail.next(end); chunk !== null; chunk = tail.next(end)) {
    for (const line of linesOf(chunk.bytes.toString('latin1')))
      joiner.take(line as unknown as JournalLine, { segment: chunk.segment, offset: 0 }, records);
  }
  tail.close();
  return records;
}

function offsetOf(file: string, needle: string): number {
  const at = readFileSync(file, 'latin1').indexOf(needle);
  return readFileSync(file, 'latin1').lastIndexOf('\n', at) + 1;
}

describe('a joiner that is resumed', () => {
  it('publishes the same records as one that read from the beginning', () => {
    const written = new LineWriter();
    const builder = new JournalBuilder(directory);
    const [old, mid, late] = [fakeExchange(), fakeExchange(), fakeExchange({ clientIp: '192.0.2.99' })];
    builder.add(...parts(written.intent(old)));
    const first = builder.path();
    written.newSegment();
    builder.startSegment().add(...parts(written.intent(mid) + written.refused(late)));
    const second = builder.path();
    const offset = statSync(second).size;
    builder.add(...parts(written.done(old) + written.refused(late) + written.done(mid)));

    const whole = readOn(new RecordJoiner('gw-1', 1, written.subjects), { segment: 1, offset: 0 }, 2);
    expect(whole).toHaveLength(4);
    const resumed = new RecordJoiner('gw-1', 2, written.subjects);
    const open = [
      [1, offsetOf(first, old.requestId), false],
      [2, offsetOf(second, mid.requestId), false],
    ] as const;
    const tail = new SegmentTail(directory, { segment: 2, offset });
    expect(resumeJoiner(resumed, tail, { directory, segment: 2, offset, open })).toBe(0);
    expect(readOn(resumed, { segment: 2, offset }, 2)).toEqual(whole.slice(1));
    expect(whole.at(-1)).toMatchObject({ actor: { name: 'Ada Lovelace' }, grant: { id: EXAMPLE_GRANT.id } });
  });

  it('counts intents whose segment is gone, and goes on', () => {
    const written = new LineWriter();
    new JournalBuilder(directory).add(...parts(written.refused(fakeExchange())));
    const joiner = new RecordJoiner('gw-1', 1, written.subjects);
    const tail = new SegmentTail(directory, { segment: 9, offset: 10 });
    const open = [
      [9, 0, false],
      [1, 0, false],
    ] as const;
    expect(resumeJoiner(joiner, tail, { directory, segment: 9, offset: 10, open })).toBe(2);
    expect(joiner.open.size).toBe(0);
  });
});

describe('the context of a segment', () => {
  it('is fed up to a place, and not beyond', () => {
    const written = new LineWriter();
    const builder = new JournalBuilder(directory);
    builder.add(...parts(written.refused(fakeExchange({ grant: null }))));
    const end = statSync(builder.path()).size;
    builder.add(...parts(written.refused(fakeExchange())));
    const context = new LineContext(written.subjects);
    feedContext(context, { directory, segment: 1, end });
    const grantLine = linesOf(readFileSync(builder.path(), 'latin1')).find(({ k }) => k === 'grant');
    const g = Number(grantLine?.['g']);
    expect(context.subjectLine(1)).not.toBeNull();
    expect(context.grantLine(g)).toBeNull();
    feedContext(context, { directory, segment: 1, end: Number.MAX_SAFE_INTEGER });
    expect(context.grantLine(g)?.grant.id).toBe(EXAMPLE_GRANT.id);
  });

  it('is found wherever pieces of the file end, in lines of any length, and damaged lines are passed over', () => {
    const builder = new JournalBuilder(directory);
    const lines: object[] = [];
    for (let p = 1; p <= 300; p++) {
      lines.push({ k: 'other', fill: 'x'.repeat((p * 7919) % 20_000), not: '{"k":"policy"' });
      lines.push({ k: 'policy', p, digest: `sha256:${p}` });
    }
    lines.push({ k: 'long', fill: 'x'.repeat(2_500_000) });
    builder.add(...lines, '{"k":"policy","p":', '{"k":"grant","g":1}', {
      k: 'policy',
      p: 301,
      digest: 'sha256:301',
    });
    const context = new LineContext({ keyOf: () => null });
    feedContext(context, { directory, segment: 1, end: Number.MAX_SAFE_INTEGER });
    const digests = Array.from({ length: 301 }, (_, i) => context.policyDigest(i + 1));
    expect(digests).toEqual(Array.from({ length: 301 }, (_, i) => `sha256:${i + 1}`));
  });
});
