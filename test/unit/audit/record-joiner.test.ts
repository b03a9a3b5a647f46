import { describe, expect, it } from 'vitest';
import { gapText, eventText, openedText } from '#audit/event-text.ts';
import type { JournalLine } from '#audit/journal-lines.ts';
import { doneText, intentText, refusedText, startedText } from '#audit/line-text.ts';
import type { PublishedRecord } from '#audit/published-record.ts';
import { RecordJoiner } from '#audit/record-joiner.ts';
import type { EndedBy } from '#model/ended-by.ts';
import type { LifecycleEvent } from '#audit/journal.ts';
import type { ReasonCode } from '#model/reason.ts';
import { ANONYMOUS, fakeExchange } from '../../support/audit-exchange.ts';
import { linesOf } from '../../support/audit-journal.ts';
import { recordProblems } from '../../support/audit-schema.ts';

const HERE = { segment: 1, offset: 0 };

function joined(text: string, joiner = new RecordJoiner('gw-1', 1)): PublishedRecord[] {
  const records: PublishedRecord[] = [];
  for (const line of linesOf(text)) joiner.take(line as unknown as JournalLine, HERE, records);
  for (const record of records) expect(recordProblems(record)).toEqual([]);
  return records;
}

describe('an exchange', () => {
  it('is published once, when it ended, with both halves', () => {
    const x = fakeExchange({ bytesIn: 10, bytesOut: 20 });
    const records = joined(intentText(x) + doneText(x));
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
      actor: { id: 'agent-7', name: 'Ada Lovelace', email: 'ada@vendor.example', org: 'vendor' },
      session: null,
      http: { status: 200, bytesIn: 10, bytesOut: 20, path: '/tickets/1', userAgent: 'curl/8.0' },
      client: { ip: '192.0.2.10', peerIp: '192.0.2.10' },
      decision: 'allow',
      reasonCode: 'ok',
      endedBy: 'upstream',
      outcome: 'completed',
    });
  });

  it('that is a stream is published at its start and at its end, under one request id and two ids', () => {
    const x = fakeExchange({ kind: 'websocket', status: 101, upstreamStatus: 101, endedBy: 'revoked' });
    const records = joined(intentText(x) + startedText(x) + doneText(x));
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
    const records = joined(intentText(plain) + intentText(stream) + startedText(stream) + opened);
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
    expect(joined(intentText(x) + doneText(x))[0]).toMatchObject({
      event,
      decision,
      outcome,
      reasonCode: reason,
    });
    expect(joined(refusedText(x))[0]).toMatchObject({ event, decision, outcome, reasonCode: reason });
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
  expect(joined(refusedText(x))[0]).toMatchObject({
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
  expect(joined(intentText(x) + doneText(x))[0]?.['shadowRules']).toEqual([
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
  ];
  const actor = { id: 'a', issuer: 'i', email: null, name: 'N' };
  const text = events
    .map((event) =>
      eventText(
        { event, tenant: 'acme', grant: { id: 'grt_1', revision: 2 }, actor, details: { rules: 3 } },
        1,
      ),
    )
    .join('');
  const records = joined(text);
  expect(records.map(({ event }) => event)).toEqual(events);
  expect(records.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
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

it('counts a completion whose intent is not there, and publishes nothing for it', () => {
  const joiner = new RecordJoiner('gw-1', 1);
  expect(joined(doneText(fakeExchange()), joiner)).toEqual([]);
  expect(joiner.unmatched).toBe(1);
});

it('gives the same records and numbers when the same lines are read again', () => {
  const x = fakeExchange({ kind: 'websocket' });
  const text = intentText(x) + startedText(x) + doneText(x);
  expect(joined(text, new RecordJoiner('gw-1', 41))).toEqual(joined(text, new RecordJoiner('gw-1', 41)));
});

it('the schema refuses a record with a field more or less', () => {
  const x = fakeExchange();
  const record = joined(intentText(x) + doneText(x))[0] as PublishedRecord;
  expect(recordProblems({ ...record, surprise: 1 })).not.toEqual([]);
  expect(recordProblems({ ...record, outcome: undefined })).not.toEqual([]);
  expect(recordProblems({ ...record, code: 'PSTN1005W' })).not.toEqual([]);
});
