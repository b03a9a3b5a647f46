// From the requests of a session to its report: a real journal, its worker, the reader over the index, the store's outbox.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, expect, it, vi } from 'vitest';
import { createRetainedReader } from '#audit/index/retained-reader.ts';
import { createWorkerAuditReader } from '#audit/index/worker-audit-reader.ts';
import type { ExchangeFacts } from '#model/exchange.ts';
import type { SupportSession } from '#model/session.ts';
import { startSessionReporter } from '#sessions/session-reporter.ts';
import { fakeExchange } from '../support/audit-exchange.ts';
import { testJournal, turn } from '../support/audit-journal.ts';
import { acme, sam } from '../support/grants-fixtures.ts';
import { manualClock } from '../support/manual-clock.ts';
import { givenGrant, openRoom, quietLog, wish } from '../support/sessions-fixtures.ts';

const NOW = Date.now();
const RULE = { id: 'export.all', category: 'export', message: null };

function setUp() {
  const folder = mkdtempSync(path.join(tmpdir(), 'postern-report-'));
  const directory = path.join(folder, 'audit');
  const file = path.join(folder, 'grants.db');
  const clock = manualClock(NOW);
  const room = openRoom({ path: file, clock });
  const journal = testJournal(directory);
  const reader = createWorkerAuditReader({ directory, log: quietLog() });
  return {
    folder,
    file,
    clock,
    room,
    journal,
    reader,
    async [Symbol.asyncDispose]() {
      await reader.close();
      await journal.close(5000);
      await room[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

type UnderTest = ReturnType<typeof setUp>;

async function opened(
  t: UnderTest,
  principal = sam,
  access: 'read' | 'write' = 'write',
): Promise<SupportSession> {
  const { session } = await t.room.authority.open(wish({ principal, access }));
  return session;
}

/** A request of the session, as the gate would hand it to the journal. */
async function asked(
  t: UnderTest,
  session: SupportSession | null,
  facts: Partial<ExchangeFacts>,
): Promise<void> {
  const grant = session === null ? null : await t.room.grants.get(session.grantId);
  const target = { query: '', hasQuery: false, encodedSlash: false, encodedPercent: false };
  const { routePath = '/tickets/1' } = facts;
  const x = fakeExchange({
    receivedAt: t.clock.now(),
    tenant: acme,
    grant,
    session,
    target: { ...target, path: routePath },
    ...facts,
  });
  if (x.reason === 'ok') t.journal.intend(x);
  else t.journal.refuse(x);
  await turn();
  if (x.reason === 'ok') t.journal.complete(x);
  await turn();
}

function endedNotices(file: string): Readonly<Record<string, unknown>>[] {
  const db = new DatabaseSync(file, { readOnly: true });
  const rows = db.prepare('SELECT document FROM notices').all();
  db.close();
  const all = rows.map(
    (row) => JSON.parse(String(row['document'])) as { event: string; facts: Record<string, unknown> },
  );
  return all.filter(({ event }) => event === 'session.ended').map(({ facts }) => facts);
}

describe('the report of a session', () => {
  it('is made of its own requests as the journal has them, and sent with the notice', async () => {
    await using t = setUp();
    await givenGrant(t.room, {
      access: 'write',
      startsAt: t.clock.now(),
      expiresAt: (NOW + 86_400_000) as never,
    });
    const session = await opened(t);
    const other = await opened(t, { ...sam, id: 'sue', email: 'sue@vendor.example' });
    await asked(t, session, {});
    await asked(t, session, { method: 'PATCH' });
    await asked(t, session, { routePath: '/api/v2/users/7' });
    await asked(t, session, {
      reason: 'rule_denied',
      status: 403,
      rule: RULE,
      routePath: '/exports',
      endedBy: null,
    });
    await asked(t, other, { method: 'DELETE' });
    await asked(t, null, { reason: 'no_grant', status: 403, endedBy: null });
    t.clock.advance(60_000);
    await t.room.authority.end(session.id, { ending: 'left', by: null, note: 'Fixed the layout.' });
    t.clock.advance(10_000);
    const { clock, reader } = t;
    using _ = startSessionReporter({ store: t.room.sessions, reader, clock, log: quietLog(), settleMs: 5 });
    await vi.waitFor(async () => expect(await t.room.sessions.reportOf(session.id)).not.toBeNull(), 10_000);
    expect(await t.room.sessions.reportOf(session.id)).toMatchObject({
      session: session.id,
      complete: true,
      requests: 4,
      reads: 2,
      writes: 1,
      denied: 1,
      durationMs: 60_000,
      resources: [
        { resource: '/tickets', reads: 1, writes: 1, methods: { GET: 1, PATCH: 1 } },
        { resource: '/api/v2/users', reads: 1, writes: 0, methods: { GET: 1 } },
      ],
      denials: [{ reasonCode: 'rule_denied', rule: 'export.all', category: 'export', count: 1 }],
    });
    expect(endedNotices(t.file)).toMatchObject([
      {
        sessionId: session.id,
        reads: 2,
        writes: 1,
        denied: 1,
        note: 'Fixed the layout.',
        reportComplete: true,
      },
    ]);
    expect(await t.room.sessions.reportOf(other.id)).toBeNull();
  });

  it.each([
    ['began before', 59_999, { complete: false, requests: 1 }],
    ['began at', 60_000, { complete: true, requests: 2 }],
  ])('of a session that %s the bound of the tenant’s records says what is within it', async (_, ms, told) => {
    await using t = setUp();
    await givenGrant(t.room, { startsAt: t.clock.now(), expiresAt: (NOW + 86_400_000) as never });
    const session = await opened(t, sam, 'read');
    await asked(t, session, {});
    t.clock.advance(30_000);
    await asked(t, session, {});
    t.clock.advance(30_000);
    await t.room.authority.end(session.id, { ending: 'left', by: null, note: null });
    const { clock } = t;
    const reader = createRetainedReader({ reader: t.reader, retentionOf: async () => ms, clock });
    using __ = startSessionReporter({ store: t.room.sessions, reader, clock, log: quietLog(), settleMs: 0 });
    await vi.waitFor(async () => expect(await t.room.sessions.reportOf(session.id)).not.toBeNull(), 10_000);
    expect(await t.room.sessions.reportOf(session.id)).toMatchObject(told);
  });

  it('stands on records that name the session, and visits that keep two sessions apart', async () => {
    await using t = setUp();
    await givenGrant(t.room, {
      access: 'write',
      startsAt: t.clock.now(),
      expiresAt: (NOW + 86_400_000) as never,
    });
    const first = await opened(t);
    await asked(t, first, {});
    t.clock.advance(1000);
    const second = await opened(t);
    await asked(t, second, { method: 'POST' });
    const { records } = await t.reader.records({
      session: second.id,
      tenant: acme,
      requestsOnly: true,
      order: 'newest',
      limit: 10,
      cursor: null,
    });
    expect(records.map((record) => record['session'])).toEqual([
      { id: second.id, access: 'write', caseRef: 'CASE-1', reason: second.reason },
    ]);
    const { visits } = await t.reader.visits({ tenant: acme, limit: 10, cursor: null });
    expect(visits.map(({ session, reads, writes }) => [session, reads, writes])).toEqual([
      [second.id, 0, 1],
      [first.id, 1, 0],
    ]);
    expect(visits[0]?.reason).toEqual(second.reason);
  });
});
