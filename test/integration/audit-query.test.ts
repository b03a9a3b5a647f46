// `postern audit query`, `tail` and `stats` over journals of their own: what they print, that reading is recorded, that
// nothing recorded can move the cursor, and that they follow a journal that is being written.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSubjectStore } from '#audit/subjects/sqlite-subject-store.ts';
import { sealedBox } from '#audit/subjects/subject-box.ts';
import { runAudit, runAuditWith } from '../support/audit-command.ts';
import { FIRST_MS } from '../support/index-journal.ts';
import {
  doneOf,
  grantOf,
  idOf,
  intentOf,
  type LineNumbers,
  line,
  policyOf,
  refusedOf,
} from '../support/index-lines.ts';
import { JournalBuilder } from '../support/journal-builder.ts';
import { naiveRecords, peopleBut, RandomJournal } from '../support/random-journal.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'postern-query-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const NUMBERS: LineNumbers = new Map();
const REQUEST = { tenant: 'acme', s: 1, g: 1, t: FIRST_MS, isWrite: false } as const;

function add(builder: JournalBuilder, ...texts: string[]): void {
  builder.add(...texts.map((text) => text.trimEnd()));
}

/** Ada asked once and was denied once; her subject's id. */
function smallJournal(): { readonly builder: JournalBuilder; readonly subject: string } {
  const store = openSubjectStore({ directory });
  const ada = { kind: 'principal', id: 'ada-1', issuer: 'https://idp.example', org: 'vendor' } as const;
  const names = { email: 'ada@vendor.example', name: 'Ada' };
  const { id, key } = store.of({ ...ada, ...names });
  store.close();
  const fields = { id: 'ada-1', ...names, ip: '192.0.2.1', peer: null, agent: 'curl' };
  const box = sealedBox(fields, { id, key });
  const subject = {
    k: 'subject',
    s: 1,
    subject: id,
    kind: 'principal',
    issuer: ada.issuer,
    org: ada.org,
    ...box,
  };
  const builder = new JournalBuilder(directory);
  const first = { ...REQUEST, id: idOf(FIRST_MS, 1) };
  const second = { ...REQUEST, id: idOf(FIRST_MS, 2), t: FIRST_MS + 1000, isWrite: true };
  const rule = { id: 'no-export', category: 'export' };
  add(builder, policyOf(1), line(subject), grantOf(1, 'acme', 1, { caseRef: 'CASE-7' }));
  add(builder, intentOf(first, NUMBERS), doneOf(first, NUMBERS));
  add(builder, refusedOf(second, NUMBERS, { code: 'rule_denied', status: 403, rule, decisionUs: 9 }));
  return { builder, subject: id };
}

function outbox(): unknown[] {
  const store = openSubjectStore({ directory });
  const events = store.outbox(10).map(({ event }) => JSON.parse(event) as unknown);
  store.close();
  return events;
}

const query = (...argv: string[]) => runAudit('query', '--journal', directory, ...argv);

describe('postern audit query', () => {
  it('prints one line per record, newest first, with who, what and why', async () => {
    smallJournal();
    const { out, err, code } = await query();
    expect(code).toBe(0);
    expect(err).toBe('');
    const [head, denied, allowed, ...more] = out.trimEnd().split('\n');
    expect(head).toMatch(/^TIME +WHO +TENANT +METHOD +PATH +STATUS +DECISION +CASE$/);
    expect(denied).toMatch(/ada@vendor\.example +acme +POST +\/tickets\/1 +403 +deny no-export +CASE-7$/);
    expect(allowed).toMatch(/ada@vendor\.example +acme +GET +\/tickets\/1 +200 +allow +CASE-7$/);
    expect(more).toEqual([]);
  });

  it('finds by every filter at once, and prints records as they are published with --json', async () => {
    const { subject } = smallJournal();
    const filters = [
      '--tenant',
      'acme',
      '--principal',
      'ADA@vendor.example',
      '--case',
      'CASE-7',
      '--rule',
      'no-export',
    ];
    const { out } = await query('--json', '--decision', 'deny', '--effect', 'denied', ...filters);
    const records = out
      .trimEnd()
      .split('\n')
      .map((text) => JSON.parse(text) as object);
    expect(records).toEqual([
      expect.objectContaining({
        schema: 'postern.audit/v1',
        event: 'request.denied',
        seq: null,
        actor: expect.objectContaining({ subject, email: 'ada@vendor.example' }),
      }),
    ]);
  });

  it.each([
    ['--request', idOf(FIRST_MS, 1)],
    ['--since', '2025-10-09T08:53:20Z', '--until', '2025-10-09T08:53:21Z'],
    ['--order', 'oldest', '--limit', '1'],
    ['--decision', 'allow', '--requests-only'],
  ])('narrows by %s', async (...argv) => {
    smallJournal();
    const { out } = await query('--json', ...argv);
    expect(out.trimEnd().split('\n')).toHaveLength(1);
    expect(out).toContain(`"requestId":"${idOf(FIRST_MS, 1)}"`);
  });

  it('says that nothing matches, and answers 0', async () => {
    smallJournal();
    expect(await query('--tenant', 'nobody')).toEqual({ out: '', err: 'nothing matches\n', code: 0 });
  });

  it('leaves a record of the reading, without the values that were asked for', async () => {
    smallJournal();
    await query('--principal', 'ada@vendor.example', '--tenant', 'acme');
    expect(outbox()).toMatchObject([
      {
        event: 'audit.read',
        tenant: 'acme',
        grant: null,
        actor: { id: expect.any(String), issuer: 'cli', email: null, name: null },
        details: { by: 'query', filters: 'principal,tenant', records: 2 },
      },
    ]);
    expect(JSON.stringify(outbox())).not.toContain('ada@');
  });

  it('says so where no record of the reading can be left, and answers all the same', async () => {
    smallJournal();
    for (const suffix of ['', '-wal', '-shm'])
      rmSync(path.join(directory, `subjects.db${suffix}`), { force: true });
    const { out, err, code } = await query();
    expect(code).toBe(0);
    expect(err).toMatch(/warning: this reading leaves no record/);
    expect(out).not.toContain('ada@');
  });

  it('prints nothing that could move the cursor', async () => {
    const { builder } = smallJournal();
    const hostile = { ...REQUEST, id: idOf(FIRST_MS, 9) };
    const text = intentOf(hostile, NUMBERS).replace('/tickets/1', '/\\u001b[2J\\u202e\\u0007x');
    add(builder, text, doneOf(hostile, NUMBERS));
    for (const json of [[], ['--json']]) {
      const { out } = await query(...json);
      expect(out.replaceAll('\n', '')).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    }
  });

  it('cannot be asked about a directory that is not there', async () => {
    const { code, err } = await runAudit('query', '--journal', path.join(directory, 'none'));
    expect(code).toBe(2);
    expect(err).toMatch(/error: .*cannot be read \(ENOENT\)/);
  });
});

describe('postern audit tail', () => {
  it('prints the last records, oldest first', async () => {
    smallJournal();
    const { out, code } = await runAudit('tail', '--journal', directory, '-n', '1');
    expect(code).toBe(0);
    expect(out).toMatch(/deny no-export +CASE-7\n$/);
    expect(outbox()).toMatchObject([
      { event: 'audit.read', details: { by: 'tail', records: 1, follow: false } },
    ]);
  });

  it('follows: requests as they complete, those begun before too, over a new segment, until interrupted', async () => {
    const { builder } = smallJournal();
    const before = { ...REQUEST, id: idOf(FIRST_MS, 20) };
    const after = { ...REQUEST, id: idOf(FIRST_MS, 21), g: 0 };
    add(builder, intentOf(before, NUMBERS));
    const interrupted = new AbortController();
    let out = '';
    const shown = (count: number) =>
      expect.poll(() => out.split('\n').length - 1, { timeout: 10_000 }).toBe(count);
    const followArgv = ['tail', '-f', '--json', '--journal', directory, '-n', '1', '--tenant', 'acme'];
    const run = runAuditWith(
      { interruption: () => interrupted.signal, stdout: { write: (chunk: string) => (out += chunk) } },
      ...followArgv,
    );
    await shown(1);
    expect(out).toContain('"outcome":"open"');
    add(builder, doneOf(before, NUMBERS));
    await shown(2);
    add(builder.startSegment(), intentOf({ ...after, s: 0 }, NUMBERS), doneOf(after, NUMBERS));
    await shown(3);
    interrupted.abort();
    expect((await run).code).toBe(0);
    const ids = out
      .trimEnd()
      .split('\n')
      .map((text) => (JSON.parse(text) as { requestId: string }).requestId);
    expect(ids).toEqual([before.id, before.id, after.id]);
  });
});

describe('postern audit stats', () => {
  it('counts what a reading of all records counts, for all of the time and for a part of it', async () => {
    const journal = new RandomJournal(directory, 11);
    for (let i = 0; i < 150; i++) journal.group();
    const records = naiveRecords(directory, peopleBut());
    const times = records.map(({ time }) => Date.parse(time)).toSorted((a, b) => a - b);
    const since = times[Math.floor(times.length / 3)] ?? 0;
    const until = times[Math.floor((2 * times.length) / 3)] ?? 0;
    for (const range of [null, { since, until }]) {
      const flags = range === null ? [] : ['--since', iso(since), '--until', iso(until)];
      const { out } = await runAudit('stats', '--journal', directory, '--json', ...flags);
      const within = records.filter(({ time }) => {
        const at = Date.parse(time);
        return range === null || (at >= since && at < until);
      });
      const requests = within.filter((record) => record['requestId'] !== undefined);
      const count = (key: string, value: unknown): number =>
        requests.filter((record) => record[key] === value).length;
      const denied = requests.filter(({ decision }) => decision === 'deny').length;
      expect(JSON.parse(out)).toMatchObject({
        allowed: requests.length - denied,
        denied,
        unknown: count('outcome', 'unknown'),
        open: count('outcome', 'open'),
        summed: 7 * within.filter(({ code }) => code === 'PSTN1005W').length,
        gaps: within.filter(({ event }) => event === 'audit.gap').length,
        events: within.filter(({ event }) => event === 'grant.created').length,
        tenants: expect.arrayContaining([{ tenant: 'acme', count: count('tenant', 'acme') }]),
      });
    }
  });

  it('prints it for people', async () => {
    smallJournal();
    const { out, err } = await runAudit('stats', '--journal', directory);
    expect(err).toBe('');
    expect(out).toContain('1 request allowed: 1 read, 0 wrote\n1 denied\n');
    expect(out).toMatch(/denied for:\n +1 {2}no-export\nbusiest:\n +2 {2}ada@vendor\.example\n$/);
  });
});

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
