import { describe, expect, it } from 'vitest';
import { ContextTable } from '#audit/context-table.ts';
import type { GrantLine, JournalLine, SubjectLine } from '#audit/journal-lines.ts';
import { intentText } from '#audit/line-text.ts';
import { openedBox, lineKeyOf } from '#audit/subjects/subject-box.ts';
import { TenantNumbers } from '#audit/tenant-numbers.ts';
import type { Grant } from '#model/grant.ts';
import type { SupportSession } from '#model/session.ts';
import {
  ANONYMOUS,
  EXAMPLE_CREDENTIAL,
  EXAMPLE_GRANT,
  EXAMPLE_SESSION,
  fakeExchange,
} from '../../support/audit-exchange.ts';
import { linesOf } from '../../support/audit-journal.ts';
import { memorySubjects, testNumbers } from '../../support/audit-numbers.ts';

const parsed = (text: string): JournalLine[] => linesOf(text) as unknown as JournalLine[];
const kinds = (text: string): string[] => parsed(text).map(({ k }) => k);

describe('a subject', () => {
  it('is written once, and referred to from then on', () => {
    const subjects = memorySubjects();
    const table = new ContextTable(subjects);
    const first = table.subjectOf(fakeExchange());
    expect(kinds(table.taken())).toEqual(['subject']);
    const { asked } = subjects;
    expect(table.subjectOf(fakeExchange())).toBe(first);
    expect(table.taken()).toBe('');
    expect(subjects.asked).toBe(asked);
  });

  it('from another place has a line of its own, under the same subject', () => {
    const table = new ContextTable(memorySubjects());
    const home = table.subjectOf(fakeExchange());
    const away = table.subjectOf(fakeExchange({ clientIp: '198.51.100.7', peerIp: '198.51.100.7' }));
    expect(away).not.toBe(home);
    const [one, two] = parsed(table.taken()) as SubjectLine[];
    expect(one?.subject).toBe(two?.subject);
    // Back and forth: neither is written again.
    expect(table.subjectOf(fakeExchange())).toBe(home);
    expect(table.subjectOf(fakeExchange({ clientIp: '198.51.100.7', peerIp: '198.51.100.7' }))).toBe(away);
    expect(table.taken()).toBe('');
  });

  it('is the same person with another token', () => {
    const table = new ContextTable(memorySubjects());
    const first = table.subjectOf(fakeExchange());
    expect(table.subjectOf(fakeExchange({ credential: { ...EXAMPLE_CREDENTIAL } }))).toBe(first);
  });

  it('can be opened with its key, and with no other', () => {
    const subjects = memorySubjects();
    const table = new ContextTable(subjects);
    table.subjectOf(fakeExchange({ peerIp: '10.0.0.1' }));
    const [line] = parsed(table.taken()) as [SubjectLine];
    const iv = Buffer.from(line.iv, 'base64');
    const key = lineKeyOf(subjects.keyOf(line.subject) as Buffer, iv);
    expect(openedBox(line, line.subject, key)).toEqual({
      id: 'agent-7',
      email: 'ada@vendor.example',
      name: 'Ada Lovelace',
      ip: '192.0.2.10',
      peer: '10.0.0.1',
      agent: 'curl/8.0',
    });
    expect(openedBox(line, line.subject, lineKeyOf(Buffer.alloc(32), iv))).toBeNull();
    expect(openedBox(line, 'sub_other', key)).toBeNull();
  });

  it('without a credential is shared by all of one day', () => {
    const table = new ContextTable(memorySubjects());
    const day = 1_760_000_000_000;
    const at = (receivedAt: number, clientIp: string) =>
      table.subjectOf(fakeExchange({ ...ANONYMOUS, receivedAt, clientIp, peerIp: clientIp } as never));
    at(day, '192.0.2.1');
    at(day, '192.0.2.2');
    at(day + 86_400_000, '192.0.2.2');
    const subjects = (parsed(table.taken()) as SubjectLine[]).map(({ subject }) => subject);
    expect(subjects).toEqual(['anonymous-2025-10-09', 'anonymous-2025-10-09', 'anonymous-2025-10-10']);
  });

  it('is somebody new after an erasure', () => {
    const table = new ContextTable(memorySubjects());
    const before = table.subjectOf(fakeExchange());
    table.forget();
    expect(table.subjectOf(fakeExchange())).not.toBe(before);
    expect(kinds(table.taken())).toEqual(['subject']);
  });
});

describe('a grant', () => {
  it('is written once per revision, with whoever granted it before it', () => {
    const table = new ContextTable(memorySubjects());
    const first = table.grantOf(EXAMPLE_GRANT);
    expect(kinds(table.taken())).toEqual(['subject', 'grant']);
    expect(table.grantOf({ ...EXAMPLE_GRANT })).toBe(first);
    expect(table.grantOf({ ...EXAMPLE_GRANT, revision: 4 })).not.toBe(first);
    expect(kinds(table.taken())).toEqual(['grant']);
  });

  it('is written again for each session that uses it, which is looked up no more than the grant is', () => {
    const table = new ContextTable(memorySubjects());
    const bare = table.grantOf(EXAMPLE_GRANT);
    table.taken();
    const first = table.grantOf(EXAMPLE_GRANT, EXAMPLE_SESSION);
    expect(first).not.toBe(bare);
    const line = parsed(table.taken()).find((one): one is GrantLine => one.k === 'grant');
    expect(line?.session).toEqual({
      id: EXAMPLE_SESSION.id,
      access: 'read',
      caseRef: 'CASE-42',
      reason: EXAMPLE_SESSION.reason,
    });
    expect(table.grantOf(EXAMPLE_GRANT, EXAMPLE_SESSION)).toBe(first);
    expect(table.grantOf({ ...EXAMPLE_GRANT }, { ...EXAMPLE_SESSION })).toBe(first);
    expect(table.grantOf(EXAMPLE_GRANT)).toBe(bare);
    expect(table.taken()).toBe('');
  });

  it('is never another session’s or another revision’s, and is written anew in a new segment', () => {
    const table = new ContextTable(memorySubjects());
    const first = table.grantOf(EXAMPLE_GRANT, EXAMPLE_SESSION);
    const other = { ...EXAMPLE_SESSION, id: 'ses_2' as SupportSession['id'] };
    expect(table.grantOf(EXAMPLE_GRANT, other)).not.toBe(first);
    expect(table.grantOf({ ...EXAMPLE_GRANT, revision: 4 }, EXAMPLE_SESSION)).not.toBe(first);
    table.taken();
    table.forget();
    table.grantOf(EXAMPLE_GRANT, EXAMPLE_SESSION);
    expect(kinds(table.taken())).toEqual(['subject', 'grant']);
  });

  it('survives an end beyond every calendar', () => {
    const table = new ContextTable(memorySubjects());
    table.grantOf({ ...EXAMPLE_GRANT, expiresAt: Number.MAX_SAFE_INTEGER } as Grant);
    const line = parsed(table.taken()).find((one): one is GrantLine => one.k === 'grant');
    expect(line?.grant.expiresAt).toBe('+275760-09-13T00:00:00.000Z');
  });

  it('names the person a service acted for, and who is acted for, by their subjects', () => {
    const table = new ContextTable(memorySubjects());
    const grantedBy = {
      ...EXAMPLE_GRANT.grantedBy,
      kind: 'service',
      onBehalfOf: { id: 'boss', email: null, name: null },
    } as const;
    table.grantOf({ ...EXAMPLE_GRANT, actAs: 'user-9', grantedBy });
    const lines = parsed(table.taken());
    const grant = lines.find((one): one is GrantLine => one.k === 'grant');
    const referred = [grant?.grant.grantedBy.s, grant?.grant.grantedBy.onBehalfOf, grant?.actAs];
    expect(new Set(referred).size).toBe(3);
    for (const s of referred) expect(lines.some((one) => one.k === 'subject' && one.s === s)).toBe(true);
  });
});

describe('a new segment', () => {
  it('is given what the lines refer to that were built for the old one, and nothing else', () => {
    const numbers = testNumbers();
    const { context } = numbers;
    intentText(fakeExchange({ userAgent: 'other' }), numbers);
    const old = intentText(fakeExchange(), numbers);
    const written = parsed(context.taken());
    const pending = intentText(fakeExchange(), numbers);
    expect(context.taken()).toBe('');
    const carried = parsed(context.segmentBegins(pending));
    // Subject, policy, and the grant with the person who gave it; not the place nobody refers to.
    expect(carried.map(({ k }) => k).toSorted()).toEqual(['grant', 'policy', 'subject', 'subject']);
    for (const line of carried) expect(written).toContainEqual(line);
    expect(old.length).toBe(pending.length);
    // What comes next is written anew, under other numbers.
    const next = JSON.parse(intentText(fakeExchange(), numbers)) as { s: number };
    expect(written.some((line) => line.k === 'subject' && line.s === next.s)).toBe(false);
  });

  it('is given it after an erasure in the same turn, too: other people stay who they are', () => {
    const numbers = testNumbers();
    const { context } = numbers;
    intentText(fakeExchange(), numbers);
    context.taken();
    const pending = intentText(fakeExchange(), numbers);
    context.forget();
    const carried = parsed(context.segmentBegins(pending));
    expect(carried.map(({ k }) => k).toSorted()).toEqual(['grant', 'policy', 'subject', 'subject']);
  });

  it('is not given again what the pending lines bring along', () => {
    const numbers = testNumbers();
    const line = intentText(fakeExchange(), numbers);
    const pending = numbers.context.taken() + line;
    expect(numbers.context.segmentBegins(pending)).toBe('');
  });
});

it('keeps within its bounds', () => {
  const table = new ContextTable(memorySubjects());
  for (let round = 0; round < 3; round++) {
    for (let index = 0; index < 5000; index++)
      table.subjectOf(fakeExchange({ userAgent: `agent ${round} ${index}` }));
    table.trim();
  }
  // Everything was seen before, but not all of it is remembered.
  table.taken();
  for (let index = 0; index < 5000; index++) table.subjectOf(fakeExchange({ userAgent: `agent 0 ${index}` }));
  expect(linesOf(table.taken())).toHaveLength(5000);
});

describe('numbers of tenants', () => {
  it('go on from where the journal left off, each tenant by itself', () => {
    const tenants = new TenantNumbers(new Map([['acme', 41]]));
    expect([
      tenants.of('acme').take(),
      tenants.of('b').take(),
      tenants.of('acme').take(),
      tenants.of('b').take(),
    ]).toEqual([41, 1, 42, 2]);
  });

  it('are noted at the start of a segment as they were before the lines that follow', () => {
    const tenants = new TenantNumbers(new Map([['acme', 41]]));
    for (let count = 0; count < 3; count++) tenants.of('acme').take();
    tenants.of('b').take();
    const [line] = parsed(tenants.snapshot(new Map([['acme', [43]]])));
    expect(line).toMatchObject({ k: 'tenants', next: { acme: 43, b: 2 } });
  });

  it('are shared by names that are cut to the same', () => {
    const tenants = new TenantNumbers(new Map());
    const long = 'x'.repeat(300);
    expect([tenants.of(`${long}1`).take(), tenants.of(`${long}2`).take()]).toEqual([1, 2]);
    expect(tenants.of(`${long}1`).text).toBe(tenants.of(`${long}2`).text);
  });

  it('survive names that are keys of every object', () => {
    const tenants = new TenantNumbers(new Map([['__proto__', 5]]));
    expect(tenants.snapshot(new Map())).toContain('{"k":"tenants","next":{"__proto__":5},');
  });
});
