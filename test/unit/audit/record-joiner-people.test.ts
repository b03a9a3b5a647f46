// People in published records: where their names come from, and that they are gone once their keys are.
import { describe, expect, it } from 'vitest';
import { openedText } from '#audit/event-text.ts';
import type { JournalLine } from '#audit/journal-lines.ts';
import type { PublishedRecord } from '#audit/published-record.ts';
import { RecordJoiner } from '#audit/record-joiner.ts';
import { EXAMPLE_GRANT, fakeExchange } from '../../support/audit-exchange.ts';
import { linesOf } from '../../support/audit-journal.ts';
import { LineWriter, type MemorySubjects } from '../../support/audit-lines.ts';
import { recordProblems } from '../../support/audit-schema.ts';

const OPENED = openedText({ t: 1, instance: 'gw-1', tornBytes: 0 });

function taken(joiner: RecordJoiner, text: string, segment = 1): PublishedRecord[] {
  const records: PublishedRecord[] = [];
  for (const line of linesOf(text))
    joiner.take(line as unknown as JournalLine, { segment, offset: 0 }, records);
  expect(records.flatMap(recordProblems)).toEqual([]);
  return records;
}

function joinerOf(subjects: MemorySubjects): RecordJoiner {
  return new RecordJoiner('gw-1', 1, subjects);
}

const PERSONAL = ['Ada Lovelace', 'ada@vendor.example', 'agent-7', '192.0.2.10', 'curl/8.0'];

function eraseAda(subjects: MemorySubjects): string {
  const id = subjects.idOf('principal', 'https://idp.vendor.example', 'agent-7');
  subjects.erase(id);
  return id;
}

describe('an erased person', () => {
  it('is a subject in every record and nothing else; the rest stays', () => {
    const written = new LineWriter();
    const x = fakeExchange();
    const text =
      written.intent(x) + written.done(x) + written.refused(fakeExchange({ reason: 'rule_denied' }));
    const subject = eraseAda(written.subjects);
    const records = taken(joinerOf(written.subjects), text);
    expect(records).toHaveLength(2);
    for (const record of records) {
      for (const personal of PERSONAL) expect(JSON.stringify(record)).not.toContain(personal);
      expect(record).toMatchObject({
        tenant: 'acme',
        actor: {
          subject,
          id: null,
          name: null,
          email: null,
          issuer: 'https://idp.vendor.example',
          org: 'vendor',
        },
        client: { ip: null, peerIp: null },
        http: { path: '/tickets/1', userAgent: null },
        grant: { id: EXAMPLE_GRANT.id, grantedBy: { id: 'admin-1' } },
      });
    }
  });

  it('is gone from a request that was under way, once the keys are looked up again', () => {
    const written = new LineWriter();
    const [ended, lost] = [fakeExchange(), fakeExchange()];
    const joiner = joinerOf(written.subjects);
    const before = fakeExchange();
    const text = written.intent(ended) + written.intent(lost) + written.intent(before) + written.done(before);
    expect(JSON.stringify(taken(joiner, text))).toContain('Ada Lovelace');
    eraseAda(written.subjects);
    joiner.forget();
    const records = taken(joiner, written.done(ended) + OPENED, 2);
    expect(records.map(({ outcome }) => outcome)).toEqual(['completed', 'unknown']);
    for (const personal of PERSONAL) expect(JSON.stringify(records)).not.toContain(personal);
  });

  it('who granted, or is acted for, is gone from the grant', () => {
    const written = new LineWriter();
    const x = fakeExchange({ grant: { ...EXAMPLE_GRANT, actAs: 'user-9' } });
    const text = written.intent(x) + written.done(x);
    const grantor = written.subjects.idOf('customer', 'https://app.example.com', 'admin-1');
    written.subjects.erase(grantor);
    written.subjects.erase(written.subjects.idOf('customer', 'tenant:acme', 'user-9'));
    const [record] = taken(joinerOf(written.subjects), text);
    expect(record).toMatchObject({
      actAs: null,
      actor: { id: 'agent-7' },
      grant: { grantedBy: { kind: 'tenant_admin', subject: grantor, id: null } },
    });
    expect(JSON.stringify(record)).not.toMatch(/admin-1|user-9/);
  });

  it('who brought an event about is gone from it', () => {
    const written = new LineWriter();
    const actor = {
      kind: 'customer',
      id: 'admin-1',
      issuer: 'https://app.example.com',
      email: 'g@acme.example',
      name: 'Grace',
    } as const;
    const text = written.event({ event: 'grant.revoked', tenant: 'acme', grant: null, actor, details: {} });
    const id = written.subjects.idOf('customer', actor.issuer, actor.id);
    expect(taken(joinerOf(written.subjects), text)[0]?.['actor']).toMatchObject({ subject: id, ...actor });
    written.subjects.erase(id);
    const { issuer } = actor;
    const nobody = { subject: id, kind: 'customer', issuer, id: null, email: null, name: null };
    expect(taken(joinerOf(written.subjects), text)[0]?.['actor']).toEqual(nobody);
  });
});

it('asks for a key once per subject line, however many records name the person', () => {
  const written = new LineWriter();
  let text = '';
  for (let i = 0; i < 50; i++) text += written.refused(fakeExchange({ grant: null, reason: 'no_grant' }));
  taken(joinerOf(written.subjects), text);
  expect(written.subjects.asked).toBe(1);
});

it('attributes no request to a person of another segment, though the number is the same', () => {
  const written = new LineWriter();
  const joiner = joinerOf(written.subjects);
  const x = fakeExchange();
  const text = written.refused(x);
  expect(taken(joiner, text)[0]).toMatchObject({ actor: { id: 'agent-7' } });
  const withoutContext = text.slice(text.indexOf('{"k":"refused"'));
  const [record] = taken(joiner, withoutContext, 2);
  expect(record).toMatchObject({ actor: null, grant: null, policyDigest: null, client: { ip: null } });
  expect(joiner.context.missing).toBe(3);
});

it('changes nothing when keys cannot be read, so that the same lines may be taken again', () => {
  const written = new LineWriter();
  const joiner = joinerOf(written.subjects);
  const [a, b] = [fakeExchange(), fakeExchange()];
  taken(joiner, written.intent(a) + written.intent(b));
  written.subjects.failure = new Error('the store cannot be read');
  const done = written.done(a);
  expect(() => taken(joiner, done)).toThrow('cannot be read');
  expect(() => taken(joiner, OPENED)).toThrow('cannot be read');
  written.subjects.failure = null;
  const records = taken(joiner, done + OPENED);
  expect(records.map(({ id, seq, outcome }) => [id, seq, outcome])).toEqual([
    [a.requestId, 1, 'completed'],
    [b.requestId, 2, 'unknown'],
  ]);
});
