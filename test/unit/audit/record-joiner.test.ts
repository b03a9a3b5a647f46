import { beforeEach, describe, expect, it } from 'vitest';
import { gapText, openedText } from '#audit/event-text.ts';
import type { CheckpointLine, JournalLine } from '#audit/journal-lines.ts';
import { openRecordOf, type PublishedRecord } from '#audit/published-record.ts';
import { type OpenIntent, RecordJoiner } from '#audit/record-joiner.ts';
import type { EndedBy } from '#model/ended-by.ts';
import type { LifecycleEvent } from '#audit/journal.ts';
import type { TenantId } from '#model/ids.ts';
import type { ReasonCode } from '#model/reason.ts';
import { ANONYMOUS, EXAMPLE_GRANT, fakeExchange } from '../../support/audit-exchange.ts';
import { linesOf } from '../../support/audit-journal.ts';
import { LineWriter } from '../../support/audit-lines.ts';
import { recordProblems } from '../../support/audit-schema.ts';

const HERE = { segment: 1, offset: 0 };

let written = new LineWriter();
beforeEach(() => {
  written = new LineWriter();
});

function joinerAt(seq: number): RecordJoiner {
  return new RecordJoiner('gw-1', seq, written.subjects);
}

function joined(text: string, joiner = joinerAt(1), at = HERE): PublishedRecord[] {
  const records: PublishedRecord[] = [];
  for (const line of linesOf(text)) joiner.take(line as unknown as JournalLine, at, records);
  for (const record of records) expect(recordProblems(record)).toEqual([]);
  return records;
}

describe('an exchange', () => {
  it('is published once, when it ended, with both halves', () => {
    const x = fakeExchange({ bytesIn: 10, bytesOut: 20 });
    const records = joined(written.intent(x) + written.done(x));
    expect(records).toHaveLength(1);
    expect(records[0]).toMatchObject({
      schema: 'postern.audit/v1',
      event: 'request.allowed',
      code: 'PSTN1001I',
      id: x.requestId,
      requestId: x.requestId,
      seq: 1,
      instance: 'gw-1',
      time: '2025-10-09T08:53:20.000Z',
      durationMs: 4.25,
      upstreamMs: 3.5,
      decisionMs: 0.123,
      tenant: 'acme',
      tenantSeq: 2,
      workspace: null,
      actor: {
        subject: written.subjects.idOf('principal', 'https://idp.vendor.example', 'agent-7'),
        id: 'agent-7',
        name: 'Ada Lovelace',
        email: 'ada@vendor.example',
        issuer: 'https://idp.vendor.example',
        org: 'vendor',
      },
      actAs: null,
      grant: {
        id: 'grt_01J8Z3K4M5N6P7Q8R9S0T1V2W3',
        revision: 3,
        expiresAt: '2027-01-15T08:00:00.000Z',
        grantedBy: {
          kind: 'tenant_admin',
          subject: written.subjects.idOf('customer', 'https://app.example.com', 'admin-1'),
          id: 'admin-1',
          issuer: 'https://app.example.com',
          onBehalfOf: null,
        },
        access: 'read',
        roles: ['viewer'],
      },
      session: null,
      caseRef: 'CASE-42',
      reason: { type: 'customer_initiated_support', detail: 'cannot log in' },
      http: { status: 200, bytesIn: 10, bytesOut: 20, path: '/tickets/1', userAgent: 'curl/8.0' },
      client: { ip: '192.0.2.10', peerIp: '192.0.2.10' },
      effect: 'read',
      policyDigest: `sha256:${'0'.repeat(64)}`,
      decision: 'allow',
      reasonCode: 'ok',
      endedBy: 'upstream',
      outcome: 'completed',
    });
  });

  it('that is a stream is published at its start and at its end, under one request id and two ids', () => {
    const x = fakeExchange({ kind: 'websocket', status: 101, upstreamStatus: 101, endedBy: 'revoked' });
    const records = joined(written.intent(x) + written.started(x) + written.done(x));
    expect(records.map(({ event, outcome }) => [event, outcome])).toEqual([
      ['request.allowed', 'open'],
      ['stream.ended', 'cut'],
    ]);
    expect(records.map(({ requestId }) => requestId)).toEqual([x.requestId, x.requestId]);
    expect(records[0]?.id).not.toBe(records[1]?.id);
    expect(records[1]).toMatchObject({ endedBy: 'revoked', http: { kind: 'websocket', status: 101 } });
  });

  it('whose process ended first is published as unknown at the next start', () => {
    const plain = fakeExchange();
    const stream = fakeExchange({ kind: 'event_stream' });
    const opened = openedText({ t: 1, instance: 'gw-1', tornBytes: 0 });
    const records = joined(written.intent(plain) + written.intent(stream) + written.started(stream) + opened);
    expect(records.slice(1).map(({ event, code, outcome, id }) => [event, code, outcome, id])).toEqual([
      ['request.error', 'PSTN1006E', 'unknown', plain.requestId],
      ['stream.ended', 'PSTN1006E', 'unknown', stream.requestId],
    ]);
  });

  it.each<[ReasonCode, number, number, EndedBy | null, string, string, string]>([
    ['ok', 200, 0.1, 'upstream', 'request.allowed', 'allow', 'completed'],
    ['ok', 200, 0.1, 'client', 'request.allowed', 'allow', 'aborted'],
    ['ok', 200, 0.1, 'expired', 'request.allowed', 'allow', 'cut'],
    ['ok', 200, 0.1, 'timeout', 'request.allowed', 'allow', 'failed'],
    ['upstream_unreachable', 502, 0.1, 'fault', 'request.error', 'allow', 'failed'],
    ['client_closed', 0, 0.1, 'client', 'request.error', 'allow', 'aborted'],
    ['client_closed', 0, 0, 'client', 'request.error', 'deny', 'aborted'],
    ['grant_revoked', 403, 0.1, 'revoked', 'request.denied', 'deny', 'refused'],
    ['store_unavailable', 503, 0, null, 'request.error', 'deny', 'failed'],
    ['no_grant', 403, 0, null, 'request.denied', 'deny', 'refused'],
  ])('%s %i, handed over after %d ms, ended by %s: %s, %s, %s', (...row) => {
    const [reason, status, decisionMs, endedBy, event, decision, outcome] = row;
    const x = fakeExchange({ reason, status, decisionMs, endedBy });
    expect(joined(written.intent(x) + written.done(x))[0]).toMatchObject({
      event,
      decision,
      outcome,
      reasonCode: reason,
    });
    expect(joined(written.refused(x))[0]).toMatchObject({ event, decision, outcome, reasonCode: reason });
  });
});

it('publishes a refusal of nobody known, rule and note and hostile text included', () => {
  const x = fakeExchange({
    ...ANONYMOUS,
    target: null,
    rawTarget: '/\u202etxt.exe?p=1',
    userAgent: 'x\u001b[31m',
    denialNote: 'a control character',
    policyDigest: '',
    method: '',
    host: '',
  });
  expect(joined(written.refused(x))[0]).toMatchObject({
    event: 'request.denied',
    actor: null,
    grant: null,
    policyDigest: null,
    note: 'a control character',
    http: { path: '/\u202etxt.exe', queryKeys: ['p'], userAgent: 'x\u001b[31m', method: '' },
    endedBy: null,
  });
});

it('names the rules in shadow mode', () => {
  const rule = { id: 'email/send', category: 'email', message: null };
  const x = fakeExchange({ shadowRules: [rule, { ...rule, id: 'b' }] });
  expect(joined(written.intent(x) + written.done(x))[0]?.['shadowRules']).toEqual([
    { id: 'email/send', category: 'email' },
    { id: 'b', category: 'email' },
  ]);
});

it('publishes every lifecycle event', () => {
  const events: LifecycleEvent['event'][] = [
    'grant.created',
    'grant.changed',
    'grant.revoked',
    'grant.expired',
    'policy.reloaded',
    'policy.reload_failed',
    'keys.withdrawn',
    'gateway.started',
    'gateway.stopped',
    'subject.erased',
    'audit.read',
    'audit.dropped',
    'lock.set',
    'lock.lifted',
    'break_glass.asked',
    'break_glass.used',
  ];
  const actor = { kind: 'service', id: 'a', issuer: 'i', email: null, name: 'N' } as const;
  const text = events
    .map((event) =>
      written.event({
        event,
        tenant: 'acme',
        grant: { id: 'grt_1', revision: 2 },
        actor,
        details: { rules: 3 },
      }),
    )
    .join('');
  const records = joined(text);
  expect(records.map(({ event }) => event)).toEqual(events);
  expect(records.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1));
  expect(records.map((record) => record['tenantSeq'])).toEqual(events.map((_, i) => i + 1));
  expect(records[0]?.['actor']).toEqual({
    subject: written.subjects.idOf('service', 'i', 'a'),
    kind: 'service',
    id: 'a',
    name: 'N',
    email: null,
    issuer: 'i',
  });
});

it('publishes a gap', () => {
  expect(joined(gapText({ since: 1000, until: 3000, count: 7, lost: 0 }))[0]).toMatchObject({
    event: 'audit.gap',
    code: 'PSTN6001E',
    since: '1970-01-01T00:00:01.000Z',
    until: '1970-01-01T00:00:03.000Z',
    count: 7,
  });
});

it('publishes a checkpoint with everything that was signed', () => {
  const facts = {
    chain: '0198f2a0-0000-7000-8000-00000000c0de',
    from: 1,
    to: 7,
    head: 'a'.repeat(64),
    leaves: 9,
    root: 'b'.repeat(64),
    key: 'K'.repeat(43),
    sig: 'S'.repeat(86),
  };
  const line: CheckpointLine = {
    k: 'checkpoint',
    id: '0198f2a0-0000-7000-8000-000000000001',
    t: 1000,
    ...facts,
  };
  expect(joined(`${JSON.stringify(line)}\n`)).toEqual([
    {
      schema: 'postern.audit/v1',
      event: 'audit.checkpoint',
      code: 'PSTN6002I',
      id: line.id,
      seq: 1,
      instance: 'gw-1',
      time: '1970-01-01T00:00:01.000Z',
      tenant: null,
      tenantSeq: null,
      ...facts,
    },
  ]);
});

it('passes over the lines of the chain itself', () => {
  const lines = [
    { k: 'segment', v: 1, chain: 'c', segment: 1, group: 1, prev: '', key: '', t: 1, instance: 'gw-1' },
    { k: 'tenants', next: { acme: 7 } },
    { k: 'unused', tenant: 'acme', ranges: [[3, 4]] },
    { k: 'seal', n: 1, h: '0'.repeat(64) },
  ];
  expect(joined(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))).toEqual([]);
});

it('numbers records by their tenant, whichever tenant was written between', () => {
  const acme = fakeExchange();
  const other = fakeExchange({ tenant: 'other' as TenantId, grant: null, reason: 'no_grant', status: 403 });
  const text =
    written.intent(acme) +
    written.refused(other) +
    written.done(acme) +
    written.refused(fakeExchange(ANONYMOUS));
  expect(joined(text).map(({ tenant, tenantSeq }) => [tenant, tenantSeq])).toEqual([
    ['other', 1],
    ['acme', 2],
    [null, null],
  ]);
});

it.each([
  ['GET', 'read', 'read'],
  ['POST', 'write', 'write'],
  ['POST', 'read', 'read'],
] as const)('a %s that passed under a grant to %s is a %s', (method, access, effect) => {
  const x = fakeExchange({ method, grant: { ...EXAMPLE_GRANT, access } });
  expect(joined(written.intent(x) + written.done(x))[0]?.['effect']).toBe(effect);
});

it('says whom a service acted for when it granted, whom the request acts as and which workspace it names', () => {
  const grantedBy = {
    ...EXAMPLE_GRANT.grantedBy,
    kind: 'service',
    onBehalfOf: { id: 'grace', email: 'grace@acme.example', name: 'Grace' },
  } as const;
  const x = fakeExchange({
    grant: { ...EXAMPLE_GRANT, grantedBy, actAs: 'user-9', lifts: ['export'] },
    workspace: 'ws-1',
  });
  expect(joined(written.intent(x) + written.done(x))[0]).toMatchObject({
    actAs: 'user-9',
    workspace: 'ws-1',
    grant: { grantedBy: { kind: 'service', id: 'admin-1', onBehalfOf: 'grace' } },
  });
});

it('counts a completion whose intent is not there, and publishes nothing for it', () => {
  const joiner = joinerAt(1);
  expect(joined(written.done(fakeExchange()), joiner)).toEqual([]);
  expect(joiner.unmatched).toBe(1);
});

it('gives the same records and numbers when the same lines are read again', () => {
  const x = fakeExchange({ kind: 'websocket' });
  const text = written.intent(x) + written.started(x) + written.done(x);
  expect(joined(text, joinerAt(41))).toEqual(joined(text, joinerAt(41)));
});

it('tells of a request under way in the form and under the id of the record that it will have', () => {
  const joiner = joinerAt(1);
  const x = fakeExchange();
  joined(written.intent(x), joiner);
  const intent = joiner.open.get(x.requestId) as OpenIntent;
  const open = openRecordOf(joiner.context.resolvedRequest(intent.line));
  expect(recordProblems({ ...open, instance: 'gw-1' })).toEqual([]);
  expect(open).toMatchObject({
    id: x.requestId,
    outcome: 'open',
    decision: 'allow',
    seq: null,
    tenantSeq: 1,
  });
  const [ended] = joined(written.done(x), joiner);
  expect(Object.keys(open)).toEqual(Object.keys(ended as PublishedRecord));
});

it('the schema refuses a record with a field more or less', () => {
  const x = fakeExchange();
  const record = joined(written.intent(x) + written.done(x))[0] as PublishedRecord;
  expect(recordProblems({ ...record, surprise: 1 })).not.toEqual([]);
  expect(recordProblems({ ...record, outcome: undefined })).not.toEqual([]);
  expect(recordProblems({ ...record, code: 'PSTN1005W' })).not.toEqual([]);
  expect(recordProblems({ ...record, seq: 0 })).not.toEqual([]);
  expect(recordProblems({ ...record, tenantSeq: 0 })).not.toEqual([]);
  expect(recordProblems({ ...record, effect: 'other' })).not.toEqual([]);
});
