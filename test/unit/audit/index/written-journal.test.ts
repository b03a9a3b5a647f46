// The index over what the journal itself writes: every line of a request is understood without being parsed, and what
// queries answer is what a reading of all lines gives, while the journal is written and after it was closed.
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it } from 'vitest';
import type { ReasonCode } from '#model/reason.ts';
import type { RuleRef } from '#model/verdict.ts';
import type { TenantId } from '#model/ids.ts';
import { indexPath } from '#audit/index/index-database.ts';
import { createAuditReader } from '#audit/index/create-audit-reader.ts';
import { LineHead, TENANT_AT } from '#audit/index/line-head.ts';
import { openSubjectStore } from '#audit/subjects/sqlite-subject-store.ts';
import { ANONYMOUS, fakeExchange } from '../../../support/audit-exchange.ts';
import { testDirectory, type TestJournal, testJournal, turn } from '../../../support/audit-journal.ts';
import { naiveRecords } from '../../../support/random-journal.ts';

const TENANTS = ['acme', 'glöbex "2"', 'tab\tand\\'] as TenantId[];

/** Requests of every kind, some of them left open. */
async function write(journal: TestJournal): Promise<void> {
  for (let i = 0; i < 60; i++) {
    const tenant = TENANTS[i % TENANTS.length] ?? null;
    const method = i % 4 === 0 ? 'POST' : 'GET';
    const denied: ReasonCode = i % 3 === 0 ? 'rule_denied' : 'no_grant';
    const rule: RuleRef | null =
      i % 3 === 0 ? { id: `rule "${i % 2}"`, category: 'export', message: '' } : null;
    const more = i % 7 === 0 ? ANONYMOUS : { tenant };
    if (i % 5 === 0) journal.refuse(fakeExchange({ method, reason: denied, rule, status: 403, ...more }));
    const x = fakeExchange({ method, ...more });
    const guarded = fakeExchange({ method, ...more });
    const stream = fakeExchange({ tenant, kind: 'websocket', status: 101, upstreamStatus: 101 });
    for (const one of [x, guarded, stream]) journal.intend(one);
    await turn();
    journal.started(stream);
    if (i % 6 !== 0) journal.complete(x);
    guarded.reason = 'response_guarded';
    guarded.status = 403;
    journal.complete(guarded);
    if (i % 2 === 0) journal.complete(stream);
    if (i % 9 === 0)
      journal.event({
        event: 'grant.revoked',
        tenant,
        grant: { id: 'grt_1', revision: 2 },
        actor: null,
        details: {},
      });
    await turn();
  }
}

describe('a journal as it is written', () => {
  it('is answered for as a reading of all its lines would, over segments and a restart', async () => {
    using directory = testDirectory();
    for (const _run of [1, 2]) {
      await using journal = testJournal(directory.path, { segmentBytes: 20_000 });
      await write(journal);
    }
    const people = openSubjectStore({ directory: directory.path, readOnly: true });
    const reader = createAuditReader({ directory: directory.path, people });
    const naive = naiveRecords(directory.path, people);
    const all = { order: 'oldest', limit: 100_000, cursor: null } as const;
    expect((await reader.records(all)).records).toEqual(naive);
    for (const tenant of TENANTS) {
      const { records } = await reader.records({ ...all, tenant });
      expect(records.length).toBeGreaterThan(100);
      expect(records).toEqual(naive.filter((record) => record['tenant'] === tenant));
    }
    expect(directory.segments().length).toBeGreaterThan(3);
    people.close();
  });

  it('is in the index once the journal was closed', async () => {
    using directory = testDirectory();
    {
      await using journal = testJournal(directory.path, { segmentBytes: 20_000, worker: true });
      await write(journal);
    }
    const db = new DatabaseSync(indexPath(directory.path), { readOnly: true });
    const sums = db.prepare('SELECT sum(reads) + sum(writes) + sum(denied) AS n FROM cell').get();
    const { segment } = db.prepare('SELECT segment FROM cursor').get() ?? {};
    db.close();
    const requests = directory.lines().filter(({ k }) => k === 'intent' || k === 'refused');
    expect(sums).toEqual({ n: requests.length });
    expect(segment).toBe(directory.segments().length);
  });

  it('has lines whose first keys are read without parsing them', async () => {
    using directory = testDirectory();
    {
      await using journal = testJournal(directory.path);
      await write(journal);
    }
    const head = new LineHead();
    for (const text of directory.text().split('\n')) {
      const bytes = Buffer.from(`${text}\n`, 'latin1');
      const line = text === '' ? null : (JSON.parse(text) as Record<string, unknown>);
      const kind = line?.['k'];
      if (kind === 'intent' || kind === 'refused') {
        expect(head.request(bytes, TENANT_AT[kind]), text).toBe(true);
        expect({ s: head.s, g: head.g, t: head.t }).toEqual({
          s: line?.['s'],
          g: line?.['g'],
          t: line?.['t'],
        });
      } else if (kind === 'done' || kind === 'started') {
        expect(head.end(bytes, TENANT_AT[kind]), text).toBe(true);
      } else continue;
      expect(JSON.parse(bytes.toString('latin1', head.tenantFrom, head.tenantTo))).toBe(line?.['tenant']);
      expect(bytes.toString('latin1', head.idFrom, head.idFrom + 36)).toBe(line?.['id']);
      expect(head.idMs.toString(16).padStart(12, '0')).toBe(
        String(line?.['id']).replace('-', '').slice(0, 12),
      );
    }
  });
});
