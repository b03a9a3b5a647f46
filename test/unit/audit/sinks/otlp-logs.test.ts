// Records as OTLP log records. The shape is judged by the definitions that OpenTelemetry publishes, where they are
// installed; the values by hand.
import { describe, expect, it } from 'vitest';
import { exportRequest, logRecordOf } from '#audit/sinks/otlp-logs.ts';
import type { PublishedRecord } from '#audit/published-record.ts';
import { decodeRequest } from '../../../support/otlp-decoder.ts';
import {
  deniedRecord,
  erasedRecord,
  everyRecord,
  gapRecord,
  requestRecord,
} from '../../../support/published-records.ts';

const OBSERVED = 1_769_900_000_000;

interface Log {
  readonly timeUnixNano: string;
  readonly severityNumber: number;
  readonly severityText: string;
  readonly eventName: string;
  readonly body: { readonly stringValue: string };
  readonly attributes: readonly { key: string; value: Record<string, unknown> }[];
  readonly traceId?: string;
}

function logOf(record: PublishedRecord): Log {
  return JSON.parse(logRecordOf(record, 'postern', OBSERVED).text) as Log;
}

function attributesOf(record: PublishedRecord): Record<string, unknown> {
  return Object.fromEntries(logOf(record).attributes.map(({ key, value }) => [key, Object.values(value)[0]]));
}

function requestOf(records: readonly PublishedRecord[], resource: Record<string, string> = {}): string {
  return exportRequest(
    records.map((record) => logRecordOf(record, 'postern', OBSERVED)),
    resource,
  );
}

describe('a log record', () => {
  it('has the times as strings of nanoseconds, the severity of its code and the record as its body', () => {
    const record = deniedRecord();
    const log = logOf(record);
    expect(log).toMatchObject({
      timeUnixNano: '1769862896789000000',
      observedTimeUnixNano: '1769900000000000000',
      severityNumber: 13,
      severityText: 'WARN',
      eventName: 'postern.request.denied',
      traceId: '0af7651916cd43dd8448eb211c80319c',
    });
    expect(JSON.parse(log.body.stringValue)).toEqual(record);
    expect(logOf(requestRecord())).toMatchObject({ severityNumber: 9, severityText: 'INFO' });
    expect(logOf(gapRecord())).toMatchObject({ severityNumber: 17, severityText: 'ERROR' });
  });

  it('has attributes of the semantic conventions, and of Postern for the rest', () => {
    expect(attributesOf(requestRecord())).toMatchObject({
      'log.record.uid': '0198f2a0-1111-7000-8000-00000000c0de',
      'http.request.method': 'POST',
      'url.path': '/t/acme/tickets/1/comments',
      'http.response.status_code': '201',
      'client.address': '192.0.2.10',
      'network.peer.address': '198.51.100.2',
      'user_agent.original': 'curl/8.0',
      'user.id': 'agent-7',
      'enduser.id': 'customer-user-3',
      'postern.tenant': 'acme',
      'postern.grant.id': 'grant-1',
      'postern.outcome': 'completed',
    });
  });

  it('has no attribute for what is null, and only the subject of an erased person', () => {
    const attributes = attributesOf(erasedRecord());
    expect(attributes['postern.subject']).toBe('sub-1f0e');
    for (const key of ['user.id', 'user.email', 'user.full_name', 'client.address', 'user_agent.original'])
      expect(attributes).not.toHaveProperty(key);
    expect(JSON.stringify(attributes)).not.toContain('null');
  });

  it('names a method outside the conventions as they ask', () => {
    const http = { ...(requestRecord()['http'] as object), method: 'PROPFIND' };
    expect(attributesOf(requestRecord({ http }))).toMatchObject({
      'http.request.method': '_OTHER',
      'http.request.method_original': 'PROPFIND',
    });
  });

  it('calls an error what failed, and not what the gate refused', () => {
    expect(attributesOf(deniedRecord())).not.toHaveProperty('error.type');
    const failed = requestRecord({
      event: 'request.error',
      code: 'PSTN1003E',
      reasonCode: 'upstream_unreachable',
    });
    expect(attributesOf(failed)['error.type']).toBe('upstream_unreachable');
  });

  it.each([['0'.repeat(32)], ['xyz'], [null], ['0AF7651916CD43DD8448EB211C80319C']])(
    'has no trace id where the record has none that is valid: %s',
    (traceId) => {
      expect(logOf(requestRecord({ traceId }))).not.toHaveProperty('traceId');
    },
  );

  it('is valid UTF-8 whatever a client sent', () => {
    const http = { ...(requestRecord()['http'] as object), userAgent: 'half \ud800 pair', path: '/\u202e\n' };
    const text = logRecordOf(requestRecord({ http }), 'postern', OBSERVED).text;
    expect(attributesOf(requestRecord({ http }))['user_agent.original']).toBe('half \ufffd pair');
    expect(text.isWellFormed()).toBe(true);
    expect(text).not.toMatch(/(?<!\\)\\ud800/);
    expect(text).not.toContain('\n');
  });
});

describe('a request', () => {
  it('has one resource per instance, and keeps the order within it', () => {
    const other = { ...requestRecord(), instance: 'gw-2' };
    const sent = JSON.parse(requestOf([requestRecord(), other, deniedRecord()])) as {
      resourceLogs: { scopeLogs: { logRecords: unknown[] }[] }[];
    };
    expect(sent.resourceLogs.map(({ scopeLogs }) => scopeLogs[0]?.logRecords.length)).toEqual([2, 1]);
  });

  it('has the resource that the configuration adds to, but for the instance', () => {
    const text = requestOf([requestRecord()], {
      'service.name': 'gate',
      'deployment.environment.name': 'test',
      'service.instance.id': 'forged',
    });
    const sent = JSON.parse(text) as {
      resourceLogs: { resource: { attributes: { key: string; value: { stringValue: string } }[] } }[];
    };
    const attributes = sent.resourceLogs[0]?.resource.attributes.map(({ key, value }) => [
      key,
      value.stringValue,
    ]);
    expect(Object.fromEntries(attributes ?? [])).toEqual({
      'service.name': 'gate',
      'service.instance.id': 'gw-1',
      'deployment.environment.name': 'test',
    });
  });

  it('is what the official definitions say: nothing unknown, nothing of a wrong type', () => {
    const text = requestOf([...everyRecord(), { ...requestRecord(), instance: 'gw-2' }], { team: 'sre' });
    const asSent = JSON.parse(text, (key, value: unknown) =>
      key === 'traceId' ? Buffer.from(value as string, 'hex') : value,
    ) as unknown;
    expect(decodeRequest(text)).toEqual(asSent);
  });

  it('would be seen to differ: the check can fail', () => {
    const unknown = requestOf([requestRecord()]).replace('"eventName"', '"event_title"');
    expect(decodeRequest(unknown)).not.toEqual(JSON.parse(unknown));
    const wrong = requestOf([requestRecord()]).replace('"logRecords":[', '"logRecords":3,"x":[');
    expect(() => decodeRequest(wrong)).toThrow();
  });
});
