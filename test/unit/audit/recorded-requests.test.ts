import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type RecordedLine, recordedRequests } from '#audit/recorded-requests.ts';
import { ANONYMOUS, EXAMPLE_GRANT, fakeExchange } from '../../support/audit-exchange.ts';
import { LineWriter } from '../../support/audit-lines.ts';
import { JournalBuilder } from '../../support/journal-builder.ts';

let directory = '';
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'postern-recorded-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function parts(text: string): string[] {
  return text.split('\n').slice(0, -1);
}

function read(): { readonly lines: RecordedLine[]; readonly damaged: number } {
  const batches = [...recordedRequests(directory)];
  const damaged = batches.reduce((sum, batch) => sum + batch.damaged, 0);
  return { lines: batches.flatMap((batch) => batch.lines), damaged };
}

describe('the recorded requests of a journal', () => {
  it('are its intents and refusals, each with what its own segment says of person and grant', () => {
    const written = new LineWriter();
    const builder = new JournalBuilder(directory);
    const [a, b, c] = [fakeExchange(), fakeExchange(ANONYMOUS), fakeExchange()];
    builder.add(...parts(written.intent(a) + written.refused(b) + written.done(a)));
    written.newSegment();
    builder.startSegment();
    const other = { ...EXAMPLE_GRANT, access: 'write', revision: 9 } as const;
    builder.add(...parts(written.refused({ ...c, grant: other })));
    const { lines, damaged } = read();
    expect(damaged).toBe(0);
    expect(lines.map(({ line }) => [line.k, line.id])).toEqual([
      ['intent', a.requestId],
      ['refused', b.requestId],
      ['refused', c.requestId],
    ]);
    expect(lines.map(({ subject, grant }) => [subject.kind, grant?.grant.revision])).toEqual([
      ['principal', 3],
      ['anonymous', undefined],
      ['principal', 9],
    ]);
    expect(written.subjects.asked).toBe(0);
  });

  it('that refer to a line which is not there are damaged, not taken for those of somebody else', () => {
    const written = new LineWriter();
    const builder = new JournalBuilder(directory);
    const whole = parts(written.refused(fakeExchange()));
    builder.add(...whole);
    builder.startSegment().add(...whole.filter((line) => !line.startsWith('{"k":"subject"')));
    builder.startSegment().add(...whole.filter((line) => !line.startsWith('{"k":"grant"')));
    builder.startSegment().add('{"k":"refused","tenant":', '{"k":"grant","g":', ...whole);
    expect(read()).toMatchObject({ lines: { length: 2 }, damaged: 4 });
  });
});
