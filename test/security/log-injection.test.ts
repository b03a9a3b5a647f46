// Class 25, log injection (Envoy CVE-2024-45808): a client writes terminal escapes, quotes, newlines or
// bidirectional marks into a header or a path, so that a record splits in two, lies to its reader or moves his
// cursor. Held from the exchange to the file that a sink wrote.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { ANONYMOUS, fakeExchange } from '../support/audit-exchange.ts';
import { linesOf, testDirectory, testJournal } from '../support/audit-journal.ts';
import { recordProblems } from '../support/audit-schema.ts';

const HOSTILE = [
  'x\u001b[31mred\u001b[0m',
  'x\r\n{"event":"request.allowed","forged":true}',
  'x"},"decision":"allow","y":{"z":"',
  'x\\',
  'x\\"',
  '\u202egpj.exe',
  '\u2066\u2069\u200b\ufeff',
  '\u2028\u2029\u0085',
  '\u009b31m',
  '\u0000\u0007\u0008\u007f',
  '\ud800',
  '</script><script>alert(1)</script>',
  '__proto__',
  'é'.repeat(5000),
];

async function publishedBytes(): Promise<{ readonly journal: string; readonly sink: string }> {
  using directory = testDirectory();
  const file = path.join(path.dirname(directory.path), 'out.ndjson');
  const journal = testJournal(directory.path, {
    sinks: [{ kind: 'file', path: file }],
    anonymousPerSecond: 1000,
  });
  for (const text of HOSTILE) {
    const x = fakeExchange({
      ...ANONYMOUS,
      reason: 'bad_request_target',
      status: 400,
      target: null,
      rawTarget: `/${text}?${text}=1`,
      method: text,
      host: text,
      userAgent: text,
      clientIp: text,
      peerIp: text,
      httpVersion: text,
      denialNote: text,
      upstreamError: text,
    });
    journal.refuse(x);
  }
  await journal.close(5000);
  return { journal: directory.text(), sink: readFileSync(file, 'utf8') };
}

it('one record is one line, in the journal and at the sink, and forges nothing', async () => {
  const { journal, sink } = await publishedBytes();
  const kinds = linesOf(journal).map(({ k }) => k);
  expect(kinds.filter((k) => k === 'refused')).toHaveLength(HOSTILE.length);
  // Each text is a place of its own, and so a subject line of its own.
  expect(kinds.filter((k) => k === 'subject')).toHaveLength(HOSTILE.length);
  const others = kinds.filter((k) => k !== 'refused' && k !== 'subject');
  expect(new Set(others)).toEqual(new Set(['segment', 'opened', 'policy', 'seal']));
  expect(journal.match(/^\{"k":"seal"/gm)).toHaveLength(others.filter((k) => k === 'seal').length);
  const records = linesOf(sink);
  expect(records).toHaveLength(HOSTILE.length);
  for (const record of records) {
    expect(recordProblems(record)).toEqual([]);
    expect(record).toMatchObject({ decision: 'deny', event: 'request.denied' });
  }
});

it('nothing unseen reaches a terminal: no control, bidirectional or invisible character stands raw', async () => {
  const { journal, sink } = await publishedBytes();
  expect(journal.replaceAll('\n', '')).toMatch(/^[\x20-\x7e]*$/);
  const raw = /[\p{Cc}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\p{Zl}\p{Zp}\ufffd]/u;
  expect(sink.replaceAll('\n', '')).not.toMatch(raw);
});

it('what was sent can still be read from the record, up to its cap', async () => {
  const { sink } = await publishedBytes();
  const agents = linesOf(sink).map(({ http }) => (http as { userAgent: string }).userAgent);
  const expected = HOSTILE.map((text) => (text.length > 512 ? `${text.slice(0, 512)}…` : text));
  expect(agents).toEqual(expected);
});

it('a record stays small whatever was sent', async () => {
  const { journal } = await publishedBytes();
  for (const line of journal.split('\n')) expect(line.length).toBeLessThan(64 * 1024);
});
