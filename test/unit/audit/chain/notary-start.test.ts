import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { findNotaryStart } from '#audit/chain/notary-start.ts';
import { segmentPath } from '#audit/segment-directory.ts';
import { testDirectory } from '../../../support/audit-journal.ts';
import { JournalBuilder } from '../../../support/journal-builder.ts';

const LINE = { k: 'event', tenant: null, s: 0, id: 'x', t: 1, event: 'gateway.started' };
const checkpoint = (from: number, to: number) => ({ k: 'checkpoint', id: 'x', t: 1, from, to });

/** The bytes before group `group` in the segment that holds it. */
function offsetOf(text: string, group: number): number {
  const seal = text.indexOf(`{"k":"seal","n":${group - 1},`);
  return seal === -1 ? 0 : text.indexOf('\n', seal) + 1;
}

describe('where the checkpoints left off', () => {
  it('is nowhere in a journal without a group', () => {
    using directory = testDirectory();
    expect(new JournalBuilder(directory.path).group).toBe(0);
    expect(findNotaryStart(directory.path)).toBeNull();
  });

  it('is the beginning where nothing was signed yet', () => {
    using directory = testDirectory();
    new JournalBuilder(directory.path).add(LINE).add(LINE).startSegment().add(LINE);
    expect(findNotaryStart(directory.path)).toMatchObject({ coveredTo: 0, from: { segment: 1, offset: 0 } });
  });

  it('is behind the last group that a checkpoint covers, not behind the checkpoint', () => {
    using directory = testDirectory();
    new JournalBuilder(directory.path).add(LINE).add(LINE).add(LINE).add(checkpoint(1, 2)).add(LINE);
    const start = findNotaryStart(directory.path);
    expect(start).toMatchObject({
      coveredTo: 2,
      from: { segment: 1, offset: offsetOf(directory.text(), 3) },
    });
  });

  it('is looked for in older segments', () => {
    using directory = testDirectory();
    const builder = new JournalBuilder(directory.path).add(LINE).add(LINE).add(checkpoint(1, 1)).add(LINE);
    const first = directory.text();
    builder.startSegment().add(LINE).startSegment().add(LINE);
    const start = findNotaryStart(directory.path);
    expect(start).toMatchObject({ coveredTo: 1, from: { segment: 1, offset: offsetOf(first, 2) } });
  });

  it('is the next segment where the last group of one was covered from there', () => {
    using directory = testDirectory();
    new JournalBuilder(directory.path)
      .add(LINE)
      .add(LINE)
      .startSegment()
      .add(LINE)
      .add(checkpoint(1, 2))
      .add(LINE);
    expect(findNotaryStart(directory.path)).toMatchObject({ coveredTo: 2, from: { segment: 2, offset: 0 } });
  });

  it('is the end where everything is covered', () => {
    using directory = testDirectory();
    new JournalBuilder(directory.path).add(LINE).add(LINE, checkpoint(1, 2));
    const start = findNotaryStart(directory.path);
    expect(start).toMatchObject({ coveredTo: 2, from: { segment: 1, offset: directory.text().length } });
  });

  it('is behind what the worker before had signed, though its checkpoint was not written yet', () => {
    using directory = testDirectory();
    new JournalBuilder(directory.path).add(LINE).add(LINE).add(checkpoint(1, 1)).add(LINE);
    const start = findNotaryStart(directory.path, 3);
    expect(start).toMatchObject({
      coveredTo: 3,
      from: { segment: 1, offset: offsetOf(directory.text(), 4) },
    });
  });

  it('is the first segment that is kept, when those before it were removed', () => {
    using directory = testDirectory();
    new JournalBuilder(directory.path).add(LINE).add(LINE).startSegment().add(LINE).add(LINE);
    rmSync(segmentPath(directory.path, 1));
    expect(findNotaryStart(directory.path)).toMatchObject({ coveredTo: 2, from: { segment: 2, offset: 0 } });
  });
});
