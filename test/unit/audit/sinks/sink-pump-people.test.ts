import { rmSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { openedText } from '#audit/event-text.ts';
import { segmentPath } from '#audit/segment-directory.ts';
import { PosternError } from '#model/fault.ts';
import type { Credential } from '#model/principal.ts';
import { EXAMPLE_CREDENTIAL, fakeExchange } from '../../../support/audit-exchange.ts';
import { linesOf, until } from '../../../support/audit-journal.ts';
import { droppedIn, startPump, testSink, TestJournalFiles } from '../../../support/audit-pump.ts';

const GRACE: Credential = {
  ...EXAMPLE_CREDENTIAL,
  principal: { ...EXAMPLE_CREDENTIAL.principal, id: 'agent-8', name: 'Grace', email: 'grace@vendor.example' },
};
const SEAL = `{"k":"seal","n":1,"h":"${'0'.repeat(64)}"}\n`;

function namesIn(text: string): unknown[] {
  return linesOf(text).map((record) => (record['actor'] as { name: unknown } | null)?.name);
}

describe('a pump that starts again', () => {
  it('knows who acted although the line that says so stands before its cursor', async () => {
    using journal = new TestJournalFiles();
    const { lines } = journal;
    journal.append(lines.refused(fakeExchange({ reason: 'no_grant' })), 1);
    const first = startPump(journal, testSink());
    await first.pump.drain(journal.end);
    journal.append(lines.refused(fakeExchange({ reason: 'no_grant' })), 1);
    const second = startPump(journal, testSink());
    await second.pump.drain(journal.end);
    expect(namesIn(first.sink.text + second.sink.text)).toEqual(['Ada Lovelace', 'Ada Lovelace']);
  });

  // The numbers of subject lines begin anew in each segment: taken from the wrong one, a record blames somebody else.
  it('names the person of an open intent by the segment that the intent stands in', async () => {
    using journal = new TestJournalFiles();
    const { lines } = journal;
    const open = fakeExchange({ credential: GRACE });
    journal.append(lines.intent(open));
    journal.nextSegment();
    journal.append(lines.refused(fakeExchange({ reason: 'no_grant' })), 1);
    const first = startPump(journal, testSink());
    await first.pump.drain(journal.end);
    journal.append(lines.done(open), 1);
    const second = startPump(journal, testSink());
    await second.pump.drain(journal.end);
    expect(namesIn(first.sink.text)).toEqual(['Ada Lovelace']);
    expect(namesIn(second.sink.text)).toEqual(['Grace']);
  });

  it('publishes what was open as unknown once a new process began, with the person', async () => {
    using journal = new TestJournalFiles();
    const { lines } = journal;
    journal.append(lines.intent(fakeExchange({ credential: GRACE })));
    const first = startPump(journal, testSink());
    await first.pump.drain(journal.end);
    journal.nextSegment().append(openedText({ t: 1, instance: 'gw-2', tornBytes: 0 }));
    const second = startPump(journal, testSink());
    await second.pump.drain(journal.end);
    expect(linesOf(second.sink.text)).toMatchObject([{ outcome: 'unknown', actor: { name: 'Grace' } }]);
  });
});

describe('an open intent whose segment was removed', () => {
  it('is counted, as is the completion that comes for it: nothing goes in silence', async () => {
    using journal = new TestJournalFiles();
    const { lines } = journal;
    const open = fakeExchange();
    journal.append(lines.intent(open));
    journal.nextSegment();
    const first = startPump(journal, testSink());
    await first.pump.drain(journal.end);
    rmSync(segmentPath(journal.path, 1));
    journal.append(lines.done(open), 1);
    const { pump, sink, progress } = startPump(journal, testSink());
    await pump.drain(journal.end);
    expect(sink.text).toBe('');
    expect([droppedIn(progress, 'unreadable'), droppedIn(progress, 'unmatched')]).toEqual([1, 1]);
    expect(progress.at(-1)).toMatchObject({ backlog: 0, shipped: 1 });
  });
});

describe('people', () => {
  it('whose keys cannot be read hold up the records, which are then neither lost nor published twice', async () => {
    using journal = new TestJournalFiles();
    const { lines } = journal;
    const ids = journal.refusals(3);
    lines.subjects.failure = new PosternError('AUDIT_UNAVAILABLE', 'planted');
    const { pump, sink, progress, notices } = startPump(journal, testSink(), { random: () => 0 });
    await until(() => progress.length > 2);
    expect(sink.text).toBe('');
    lines.subjects.failure = null;
    await pump.drain(journal.end);
    expect(linesOf(sink.text).map(({ id, seq }) => [id, seq])).toEqual(
      ids.map((id, index) => [id, index + 1]),
    );
    expect(droppedIn(progress, 'unreadable')).toBe(0);
    expect(notices[0]?.fields).toEqual({ sink: 'test', code: 'AUDIT_UNAVAILABLE' });
  });

  it('who were erased are not named from then on', async () => {
    using journal = new TestJournalFiles();
    const { lines } = journal;
    journal.refusals(1);
    const { pump, sink } = startPump(journal, testSink());
    await pump.drain(journal.end);
    const { issuer, id } = EXAMPLE_CREDENTIAL.principal;
    lines.subjects.erase(lines.subjects.idOf('principal', issuer, id));
    journal.refusals(1);
    await pump.drain(journal.end);
    expect(namesIn(sink.text)).toEqual(['Ada Lovelace', null]);
  });
});

describe('lines of the chain', () => {
  it('publish nothing, but for checkpoints', async () => {
    using journal = new TestJournalFiles();
    journal.append(SEAL);
    journal.append(`{"k":"tenants","next":{"acme":1}}\n{"k":"unused","tenant":"acme","ranges":[[1,2]]}\n`);
    journal.append(
      `{"k":"checkpoint","id":"0198f2a0-0000-7000-8000-000000000001","t":1760000000000,"chain":"c","from":1,"to":2,"head":"h","leaves":3,"root":"r","key":"k","sig":"s"}\n`,
    );
    const { pump, sink, progress } = startPump(journal, testSink());
    await pump.drain(journal.end);
    expect(linesOf(sink.text)).toMatchObject([
      {
        event: 'audit.checkpoint',
        code: 'PSTN6002I',
        seq: 1,
        from: 1,
        to: 2,
        head: 'h',
        root: 'r',
        sig: 's',
      },
    ]);
    expect(droppedIn(progress, 'unreadable')).toBe(0);
  });
});
