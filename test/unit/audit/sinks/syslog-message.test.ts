// Records as syslog frames, read back by a strict reader that shares nothing with the writer.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PublishedRecord } from '#audit/published-record.ts';
import { ResendWindow } from '#audit/sinks/resend-window.ts';
import { type FrameOptions, syslogFrame } from '#audit/sinks/syslog-message.ts';
import {
  deniedRecord,
  everyRecord,
  gapRecord,
  lifecycleRecord,
  requestRecord,
} from '../../../support/published-records.ts';
import { parseSyslog, readFrames, type SyslogMessage } from '../../../support/syslog-receiver.ts';

const OPTIONS: FrameOptions = { facility: 13, hostname: 'gate-1.example', maxMessageBytes: 64 * 1024 };

function messageOf(record: PublishedRecord, options: Partial<FrameOptions> = {}): SyslogMessage {
  const { messages, rest } = readFrames(syslogFrame(record, { ...OPTIONS, ...options }));
  expect([messages.length, rest.length]).toEqual([1, 0]);
  return parseSyslog(messages[0] as Buffer);
}

const sequenceOf = (seq: number): unknown =>
  messageOf({ ...requestRecord(), seq }).data['meta']?.['sequenceId'];

const long = (length: number): PublishedRecord => {
  const http = requestRecord()['http'] as object;
  return requestRecord({
    note: 'n'.repeat(length),
    http: {
      ...http,
      path: `/${'p'.repeat(length)}`,
      userAgent: 'é'.repeat(length),
      queryValues: [{ name: 'q', value: 'v'.repeat(length) }],
    },
  });
};

const sizeOf = (record: PublishedRecord, maxMessageBytes: number): number => {
  const { messages } = readFrames(syslogFrame(record, { ...OPTIONS, maxMessageBytes }));
  return (messages[0] as Buffer).length;
};

const frame = (text: string): Buffer => Buffer.from(text);

const textsOf = (window: ResendWindow): string[] => window.frames().map(String);

describe('a frame', () => {
  it('counts the octets of one message, which says who sent what and when', () => {
    expect(messageOf(requestRecord())).toMatchObject({
      priority: 13 * 8 + 6,
      timestamp: '2026-01-31T12:34:56.789Z',
      hostname: 'gate-1.example',
      appName: 'postern',
      procId: 'gw-1',
      msgId: 'request.allowed',
      data: { meta: { sequenceId: '42' }, origin: { software: 'Postern' } },
    });
  });

  it('has the severity of the code', () => {
    expect(messageOf(deniedRecord(), { facility: 0 }).priority).toBe(4);
    expect(messageOf(gapRecord(), { facility: 23 }).priority).toBe(23 * 8 + 3);
  });

  it('holds every record whole, or as an OCSF event', () => {
    for (const record of everyRecord()) {
      const { text, msgId } = messageOf(record);
      expect(JSON.parse(text)).toEqual(record);
      expect(msgId).toBe(record.event);
    }
    expect(messageOf(requestRecord(), { format: 'ocsf' }).text).toContain('"class_uid":6003');
  });

  it('is ASCII in one line without a byte order mark, whatever a value holds', () => {
    const evil = '\ufeff\r\n<13>1 - - - - - - forged\u202e\u2028\u0000\ud800 ]" \\ é 😀';
    const http = { ...(requestRecord()['http'] as object), userAgent: evil };
    const record = requestRecord({ http, note: evil });
    const frame = syslogFrame(record, OPTIONS);
    expect(frame.every((byte) => byte >= 0x20 && byte <= 0x7e)).toBe(true);
    const { text } = messageOf(record);
    expect(JSON.parse(text)).toEqual(record);
  });

  it('is one whole message for any text anywhere', () => {
    const text = fc.string({ unit: 'binary', maxLength: 300 });
    fc.assert(
      fc.property(text, text, text, fc.integer({ min: 1024, max: 4096 }), (note, instance, tenant, limit) => {
        const record = { ...requestRecord({ note, tenant }), instance };
        const frame = syslogFrame(record, { ...OPTIONS, maxMessageBytes: limit });
        const { messages, rest } = readFrames(frame);
        const { text: json } = parseSyslog(messages[0] as Buffer);
        expect([messages.length, rest.length, (JSON.parse(json) as { id: string }).id]).toEqual([
          1,
          0,
          record.id,
        ]);
        expect((messages[0] as Buffer).length).toBeLessThanOrEqual(limit);
      }),
    );
  });

  it('has a header that nothing can leave, whatever an instance or a host is called', () => {
    const record = {
      ...requestRecord(),
      instance: 'gw 1\n<13>1',
      event: 'x y\r\n'.repeat(20),
    } as PublishedRecord;
    expect(messageOf(record, { hostname: 'höst name' })).toMatchObject({
      hostname: 'h_st_name',
      procId: 'gw_1_<13>1',
    });
    expect(messageOf(record).msgId).toHaveLength(32);
    expect(messageOf({ ...record, instance: '' }, { hostname: '' })).toMatchObject({
      hostname: '-',
      procId: '-',
    });
    expect(messageOf({ ...record, instance: 'x'.repeat(500) }).procId).toHaveLength(128);
  });

  it('has a sequence id that begins anew where the range ends', () => {
    expect([1, 2_147_483_647, 2_147_483_648, 4_294_967_294].map(sequenceOf)).toEqual([
      '1',
      '2147483647',
      '1',
      '2147483647',
    ]);
  });

  it('has no time where the record has none that is valid', () => {
    expect(messageOf({ ...requestRecord(), time: 'yesterday' }).timestamp).toBe('-');
  });
});

describe('a record that is too long', () => {
  it('is whole at the limit, and says that it is not just above', () => {
    const record = requestRecord();
    const whole = sizeOf(record, 64 * 1024);
    expect(JSON.parse(messageOf(record, { maxMessageBytes: whole }).text)).toEqual(record);
    const cut = JSON.parse(messageOf(record, { maxMessageBytes: whole - 1 }).text) as Record<string, unknown>;
    expect(cut).toMatchObject({
      truncated: true,
      id: record.id,
      actor: record['actor'],
      http: { queryValues: [] },
    });
  });

  it('keeps who, when, what and why longest', () => {
    const record = long(5000);
    const cut = JSON.parse(messageOf(record, { maxMessageBytes: 4096 }).text) as Record<string, unknown>;
    expect(cut).toMatchObject({
      truncated: true,
      actor: record['actor'],
      grant: { id: 'grant-1' },
      reasonCode: 'ok',
      http: { method: 'POST', status: 201, queryValues: [] },
    });
    expect((cut['http'] as { path: string }).path).toMatch(/^\/p+\u2026$/);
  });

  it.each([480, 700, 1024, 2048, 4096, 8192])(
    'never exceeds the limit where its identity fits: %i',
    (limit) => {
      for (const record of [...everyRecord(), long(10), long(3000), long(100_000)]) {
        const size = sizeOf(record, limit);
        const { text } = messageOf(record, { maxMessageBytes: limit });
        const { id } = JSON.parse(text) as { id: string };
        expect(id).toBe(record.id);
        if (limit >= 700) expect(size).toBeLessThanOrEqual(limit);
      }
    },
  );

  it('is an OCSF event of the same class that says so', () => {
    const options = { format: 'ocsf', maxMessageBytes: 2048 } as const;
    const event = JSON.parse(messageOf(long(100_000), options).text) as Record<string, unknown>;
    expect(event).toMatchObject({ class_uid: 6003, metadata: { is_truncated: true } });
  });

  it('of any kind is cut: details and gaps too', () => {
    const details = Object.fromEntries(
      Array.from({ length: 32 }, (_, index) => [`key${index}`, 'd'.repeat(2000)]),
    );
    const record = lifecycleRecord({ event: 'policy.reloaded', code: 'PSTN3001I', details });
    expect(sizeOf(record, 8192)).toBeLessThanOrEqual(8192);
    expect(messageOf(record, { maxMessageBytes: 8192 }).text).toContain('"truncated":true');
  });
});

describe('the window', () => {
  it('keeps what was handed over lately, oldest first', () => {
    const window = new ResendWindow({ maxBytes: 100, maxAgeMs: 10 });
    for (const [index, text] of ['a', 'b', 'c'].entries()) window.add(frame(text), index);
    expect(textsOf(window)).toEqual(['a', 'b', 'c']);
  });

  it('drops the oldest beyond its bytes and beyond its age, and never the newest', () => {
    const window = new ResendWindow({ maxBytes: 4, maxAgeMs: 10 });
    window.add(frame('aa'), 0);
    window.add(frame('bb'), 1);
    window.add(frame('cc'), 2);
    expect(textsOf(window)).toEqual(['bb', 'cc']);
    window.add(frame('d'), 12);
    expect(textsOf(window)).toEqual(['cc', 'd']);
    window.add(frame('a frame larger than the window'), 13);
    expect(window.length).toBe(1);
  });

  it('stays as small when much goes through it', () => {
    const window = new ResendWindow({ maxBytes: 1000, maxAgeMs: 1000 });
    for (let index = 0; index < 100_000; index++) window.add(frame('0123456789'), index);
    expect(window.length).toBe(100);
    expect(textsOf(window)).toHaveLength(100);
  });
});
