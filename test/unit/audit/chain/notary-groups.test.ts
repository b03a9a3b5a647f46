import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { GroupReader } from '#audit/chain/group-reader.ts';
import type { Position } from '#audit/segment-tail.ts';
import { testDirectory } from '../../../support/audit-journal.ts';
import { JournalBuilder } from '../../../support/journal-builder.ts';

const BEGINNING: Position = { segment: 1, offset: 0 };

function endOf(builder: JournalBuilder): Position {
  return { segment: builder.segment, offset: statSync(builder.path()).size };
}

/** Numbers and line counts of everything up to `end`. */
function read(reader: GroupReader, end: Position): [number, number][] {
  const groups: [number, number][] = [];
  for (let group = reader.next(end); group !== null; group = reader.next(end)) {
    groups.push([group.number, group.lines.toString('latin1').split('\n').length - 1]);
  }
  return groups;
}

describe('groups of a journal', () => {
  it('come whole and in order, over the ends of chunks and segments', () => {
    using directory = testDirectory();
    const builder = new JournalBuilder(directory.path);
    const expected: [number, number][] = [];
    for (let group = 1; group <= 400; group += 1) {
      if (group % 150 === 0) builder.startSegment();
      const lines = Array.from({ length: (group * 37) % 97 }, (_, n) => ({
        k: 'done',
        tenant: 'acme',
        n,
        pad: 'x'.repeat(n),
      }));
      builder.add(...lines);
      expected.push([group, lines.length + (group === 1 || group % 150 === 0 ? 1 : 0)]);
    }
    const reader = new GroupReader(directory.path, BEGINNING);
    expect(read(reader, endOf(builder))).toEqual(expected);
    reader.close();
  });

  it('are not given out before their seal is there', () => {
    using directory = testDirectory();
    const builder = new JournalBuilder(directory.path);
    builder.add({ k: 'gap' }).add({ k: 'gap' });
    const whole = readFileSync(builder.path(), 'latin1');
    const cut = whole.lastIndexOf('{"k":"seal"');
    truncateSync(builder.path(), cut);
    const reader = new GroupReader(directory.path, BEGINNING);
    expect(read(reader, endOf(builder))).toEqual([[1, 2]]);
    appendFileSync(builder.path(), whole.slice(cut), 'latin1');
    expect(read(reader, endOf(builder))).toEqual([[2, 1]]);
    reader.close();
  });

  it('are told apart from lines that only look like a seal', () => {
    using directory = testDirectory();
    const builder = new JournalBuilder(directory.path);
    const hash = 'a'.repeat(64);
    const alike = [
      `{"k":"seal","n":x,"h":"${hash}"}`,
      `{"k":"seal","n":7,"h":"${hash}","z":1}`,
      '{"k":"seal","n":7}',
      '{"k":"sealed","n":7}',
      `{"k":"gap","x":"{\\"k\\":\\"seal\\",\\"n\\":7,\\"h\\":\\"${hash}\\"}"}`,
    ];
    builder.add(...alike);
    const reader = new GroupReader(directory.path, BEGINNING);
    expect(read(reader, endOf(builder))).toEqual([[1, alike.length + 1]]);
    reader.close();
  });

  it('count what no seal closes at the end of a segment, and go on with the next', () => {
    using directory = testDirectory();
    const builder = new JournalBuilder(directory.path);
    builder.add({ k: 'gap' });
    const first = builder.path();
    builder.startSegment().add({ k: 'gap' });
    writeFileSync(first, `${readFileSync(first, 'latin1')}{"k":"gap"}\n`, 'latin1');
    const reader = new GroupReader(directory.path, BEGINNING);
    expect(read(reader, endOf(builder))).toEqual([
      [1, 2],
      [2, 2],
    ]);
    expect(reader.unsealedBytes).toBe('{"k":"gap"}\n'.length);
    reader.close();
  });
});
