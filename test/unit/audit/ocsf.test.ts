// Records as OCSF events. The required attributes are written down here from the public schema (1.6.0), by class.
import { readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EVENT_CODES } from '#audit/event-codes.ts';
import { ocsfOf } from '#audit/ocsf.ts';
import type { PublishedRecord } from '#audit/published-record.ts';
import { recordProblems } from '../../support/audit-schema.ts';
import {
  checkpointRecord,
  deniedRecord,
  erasedRecord,
  everyRecord,
  gapRecord,
  lifecycleRecord,
  lifecycleRecords,
  requestRecord,
  summedRecord,
} from '../../support/published-records.ts';

type Json = { readonly [key: string]: Json } & Record<string, unknown>;

function eventOf(record: PublishedRecord): Json {
  return JSON.parse(JSON.stringify(ocsfOf(record))) as Json;
}

function at(event: Json, path: string): unknown {
  let value: unknown = event;
  for (const step of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[step];
  return value;
}

/** Of every class (base event), and per class beside those. */
const REQUIRED = [
  'activity_id',
  'category_uid',
  'class_uid',
  'severity_id',
  'time',
  'type_uid',
  'metadata.version',
  'metadata.product.vendor_name',
];
const REQUIRED_OF_CLASS: Readonly<Record<number, readonly string[]>> = {
  6003: ['actor', 'api.operation', 'src_endpoint'],
  3004: ['entity', 'actor'],
  6002: ['app.vendor_name'],
  1008: ['log_name'],
};
/** Where the schema wants one of several. */
const ONE_OF_CLASS: Readonly<Record<number, readonly (readonly string[])[]>> = {
  6003: [
    ['actor.user', 'actor.session', 'actor.app_name'],
    ['actor.user.uid', 'actor.user.name'],
    ['src_endpoint.ip', 'src_endpoint.name'],
  ],
  3004: [
    ['entity.uid', 'entity.name'],
    ['actor.user', 'actor.app_name'],
  ],
  6002: [['app.name', 'app.uid']],
  1008: [['log_name', 'log_provider']],
};
const CATEGORY_OF_CLASS: Readonly<Record<number, number>> = { 6003: 6, 3004: 3, 6002: 6, 1008: 1 };
/** The activities that each class knows; 0 and 99 are in all. */
const LAST_ACTIVITY: Readonly<Record<number, number>> = { 6003: 4, 3004: 13, 6002: 8, 1008: 10 };

describe('the examples', () => {
  it('are records as the schema describes them, one of each event', () => {
    for (const record of everyRecord())
      expect([record.event, recordProblems(record)]).toEqual([record.event, []]);
    const events = new Set(everyRecord().map(({ event }) => event));
    const others = Object.keys(EVENT_CODES).filter((event) => !/^request\.|^stream\./.test(event));
    expect(others.filter((event) => !events.has(event as PublishedRecord['event']))).toEqual([]);
  });
});

describe('every event', () => {
  it.each(everyRecord().map((record) => [`${record.event} ${record.code}`, record] as const))(
    'has what its class requires: %s',
    (_name, record) => {
      const event = eventOf(record);
      const classUid = event['class_uid'] as unknown as number;
      const activity = event['activity_id'] as unknown as number;
      const missing = [...REQUIRED, ...(REQUIRED_OF_CLASS[classUid] ?? ['a known class'])].filter(
        (path) => at(event, path) === undefined,
      );
      expect(missing).toEqual([]);
      for (const paths of ONE_OF_CLASS[classUid] ?? [])
        expect([paths, paths.some((path) => at(event, path) !== undefined)]).toEqual([paths, true]);
      expect(event['category_uid']).toBe(CATEGORY_OF_CLASS[classUid]);
      expect(event['type_uid']).toBe(classUid * 100 + activity);
      expect(activity <= (LAST_ACTIVITY[classUid] ?? 0) || activity === 99).toBe(true);
      expect(event['time']).toBe(Date.parse(record.time));
      expect(event['metadata']).toMatchObject({
        uid: record.id,
        event_code: record.code,
        sequence: record.seq,
      });
    },
  );

  it('says nothing that is null or empty', () => {
    for (const record of everyRecord()) expect(JSON.stringify(ocsfOf(record))).not.toMatch(/null|\{\}|\[\]/);
  });

  it('loses no value of the record', () => {
    for (const record of everyRecord()) {
      const text = JSON.stringify(ocsfOf(record));
      for (const value of valuesOf(record)) expect(text).toContain(JSON.stringify(value).slice(1, -1));
    }
  });
});

/** Every string of a record but those that are told in another form. */
function valuesOf(record: PublishedRecord): string[] {
  const strings: string[] = [];
  JSON.stringify(record, (key, value: unknown) => {
    if (typeof value === 'string' && key !== 'since' && key !== 'until') strings.push(value);
    return value;
  });
  return strings;
}

describe('a record of any shape', () => {
  it('comes out as an event, and its fields are found in it', () => {
    const values = fc.oneof(
      fc.string(),
      // As JSON can say them: a record was written as JSON.
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constant(null),
      fc.dictionary(fc.string(), fc.string()),
    );
    const changes = fc.dictionary(fc.constantFrom(...Object.keys(requestRecord())), values);
    assertProperty(changes, (changed) => {
      const { schema, event, code, id, seq, instance, time } = requestRecord();
      const record = { ...requestRecord(changed), schema, event, code, id, seq, instance, time };
      const text = JSON.stringify(ocsfOf(record));
      expect(JSON.parse(text)).toMatchObject({ metadata: { uid: id } });
      expect(text).not.toContain(':null');
    });
  });
});

function assertProperty<T>(values: fc.Arbitrary<T>, check: (value: T) => void): void {
  fc.assert(fc.property(values, check), { numRuns: 300 });
}

describe('a request', () => {
  it('is API Activity: who, what, from where, and what the gate did', () => {
    expect(eventOf(requestRecord())).toMatchObject({
      class_uid: 6003,
      category_uid: 6,
      activity_id: 1,
      type_uid: 600301,
      severity_id: 1,
      time: 1769862896789,
      end_time: 1769862896793,
      duration: 4,
      status_id: 1,
      status_code: 'ok',
      action_id: 1,
      disposition_id: 1,
      policy: { uid: 'sha256:abc' },
      actor: {
        user: {
          uid: 'agent-7',
          uid_alt: 'sub-1f0e',
          display_name: 'Ada Lovelace',
          email_addr: 'ada@vendor.example',
          org: { name: 'vendor' },
          type_id: 1,
        },
        idp: { uid: 'https://id.vendor.example' },
        authorizations: [{ decision: 'allow', policy: { name: 'grant', uid: 'grant-1', version: '3' } }],
      },
      api: { operation: 'POST /tickets/1/comments', response: { code: 201 } },
      src_endpoint: { ip: '192.0.2.10', intermediate_ips: ['198.51.100.2'] },
      dst_endpoint: { hostname: 'app.example' },
      http_request: {
        http_method: 'POST',
        url: { path: '/t/acme/tickets/1/comments', hostname: 'app.example' },
        args: 'expand&page',
        body_length: 10,
        user_agent: 'curl/8.0',
      },
      http_response: { code: 201, body_length: 20 },
      resources: [
        { type: 'tenant', uid: 'acme' },
        { type: 'workspace', uid: 'emea' },
      ],
      metadata: { correlation_uid: '0af7651916cd43dd8448eb211c80319c', profiles: ['security_control'] },
    });
  });

  it.each([
    ['read', 'GET', 2],
    ['read', 'POST', 2],
    ['write', 'POST', 1],
    ['write', 'PUT', 3],
    ['write', 'PATCH', 3],
    ['write', 'DELETE', 4],
    ['write', 'PROPPATCH', 99],
    ['write', 'constructor', 99],
    [undefined, 'HEAD', 2],
    [undefined, 'DELETE', 4],
  ])('of effect %s by %s has the activity %i', (effect, method, activity) => {
    const http = { ...(requestRecord()['http'] as object), method };
    expect(eventOf(requestRecord({ effect, http }))['activity_id']).toBe(activity);
  });

  it('that was refused says by which rule, and is a failure that was blocked', () => {
    expect(eventOf(deniedRecord())).toMatchObject({
      severity_id: 2,
      status_id: 2,
      status_code: 'rule_denied',
      status_detail: 'a rule said no',
      action_id: 2,
      disposition_id: 2,
      firewall_rule: { uid: 'no-deletes', category: 'destructive' },
      api: { response: { error: 'rule_denied' } },
    });
  });

  it.each([
    ['revoked', 24],
    ['locked', 24],
    ['guard', 21],
    ['drain', 21],
  ])(
    'that was cut because of %s has the disposition %i, and keeps its first decision',
    (endedBy, disposition) => {
      const event = eventOf(requestRecord({ outcome: 'cut', endedBy }));
      expect(event).toMatchObject({ action_id: 2, disposition_id: disposition });
      expect(event).toMatchObject({ actor: { authorizations: [{ decision: 'allow' }] } });
    },
  );

  it('of an erased person names the subject and nothing else of the person', () => {
    const event = eventOf(erasedRecord());
    expect(event['actor']).toMatchObject({ user: { uid: 'sub-1f0e', type_id: 1, org: { name: 'vendor' } } });
    expect(event['src_endpoint']).toEqual({ name: 'unknown' });
    expect(JSON.stringify(event)).not.toMatch(/Ada|agent-7|192\.0\.2|curl/);
  });

  it('without anybody identified still has an actor, of unknown type', () => {
    expect(eventOf(requestRecord({ actor: null }))['actor']).toMatchObject({
      user: { name: 'unidentified', type_id: 0 },
    });
  });

  it('keeps what it sent where no answer was given', () => {
    const http = { ...(requestRecord()['http'] as object), status: null, bytesOut: 5 };
    const event = eventOf(requestRecord({ http }));
    expect(event['http_response']).toBeUndefined();
    expect(event).toMatchObject({ unmapped: { http: { bytesOut: 5 } } });
  });

  it('names no person under unmapped who has a place, and nobody there twice', () => {
    for (const record of everyRecord()) {
      const unmapped = JSON.stringify(eventOf(record)['unmapped'] ?? {});
      expect(unmapped).not.toMatch(/Ada|agent-7|ada@|192\.0\.2|198\.51|curl|Hopper|admin-1/);
      for (const person of ['grace@acme.example', 'helpdesk-bot', 'customer-user-3'])
        expect(unmapped.split(person).length).toBeLessThanOrEqual(2);
    }
  });

  it('shows fields of a later version under unmapped', () => {
    const event = eventOf(
      requestRecord({ later: { a: 1 }, rule: { id: 'r', category: 'c', severity: 'x' } }),
    );
    expect(event['unmapped']).toMatchObject({ later: { a: 1 }, rule: { severity: 'x' } });
  });
});

describe('other records', () => {
  it('sum refusals with their count and network', () => {
    expect(eventOf(summedRecord())).toMatchObject({
      class_uid: 6003,
      activity_id: 0,
      count: 12,
      src_endpoint: { name: '203.0.113.0/24' },
      api: { operation: 'unknown' },
    });
  });

  it('stand in the class that the mapping says', () => {
    const kinds = lifecycleRecords().map((record) => [record.event, eventOf(record)['type_uid']]);
    expect(Object.fromEntries(kinds)).toEqual({
      'grant.created': 300401,
      'grant.changed': 300403,
      'grant.revoked': 300411,
      'grant.expired': 300411,
      'session.started': 300410,
      'session.ended': 300411,
      'policy.reloaded': 300410,
      'policy.reload_failed': 300410,
      'keys.withdrawn': 300411,
      'gateway.started': 600203,
      'gateway.stopped': 600204,
      'subject.erased': 300404,
      'audit.read': 300402,
      'audit.dropped': 100802,
      'settings.changed': 300403,
      'request.made': 300401,
      'request.approved': 300403,
      'request.decided': 300403,
      'lock.set': 300410,
      'lock.lifted': 300411,
      'break_glass.asked': 300401,
      'break_glass.used': 300410,
      'audit.gap': 100807,
      'audit.checkpoint': 100899,
    });
  });

  it('name what was managed, and who did it', () => {
    const record = lifecycleRecord({ event: 'grant.revoked', code: 'PSTN2003I' });
    expect(eventOf(record)).toMatchObject({
      entity: { type: 'grant', uid: 'grant-1', version: '4' },
      actor: { user: { uid: 'admin-1', email_addr: 'grace@acme.example' } },
      metadata: { tenant_uid: 'acme' },
    });
    const expired = lifecycleRecord({ event: 'grant.expired', code: 'PSTN2004I', actor: null });
    expect(eventOf(expired)['actor']).toEqual({ app_name: 'Postern' });
  });

  it('say from when to when nothing could be recorded', () => {
    expect(eventOf(gapRecord())).toMatchObject({
      severity_id: 4,
      status_id: 2,
      start_time: Date.parse('2026-01-31T12:00:00.000Z'),
      end_time: Date.parse('2026-01-31T12:34:56.789Z'),
      count: 12,
      unmapped: { lost: 1 },
    });
  });

  it('keep every field that a checkpoint signed', () => {
    const { unmapped } = eventOf(checkpointRecord());
    expect(Object.keys(unmapped as object)).toEqual([
      'chain',
      'from',
      'to',
      'head',
      'leaves',
      'root',
      'key',
      'sig',
    ]);
  });

  it('of a later version are events about something managed', () => {
    const record = lifecycleRecord({ event: 'portal.opened' as PublishedRecord['event'], code: 'PSTN9901W' });
    expect(eventOf(record)).toMatchObject({
      class_uid: 3004,
      activity_id: 99,
      activity_name: 'portal.opened',
      entity: { type: 'portal', name: 'portal' },
    });
  });
});

describe('the mapping', () => {
  const page = readFileSync(new URL('../../../docs/audit-field-mapping.md', import.meta.url), 'utf8');

  it('has a row with an OCSF and an ECS field for every field of the published record', () => {
    const rows = new Map(
      [...page.matchAll(/^\| `([^`]+)` \| (.+) \| (.+) \|$/gm)].map((row) => [row[1], [row[2], row[3]]]),
    );
    const missing = schemaFields().filter((field) => !rows.get(field)?.every((cell) => cell?.includes('`')));
    expect(missing).toEqual([]);
  });

  it('has a row for every event that is no request', () => {
    for (const { event } of lifecycleRecords()) expect(page).toContain(`| \`${event}\` | `);
  });
});

interface Schema {
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly $defs?: Readonly<Record<string, Schema>>;
}

function schemaFields(): string[] {
  const url = new URL('../../../config/schemas/audit-record.schema.json', import.meta.url);
  const { $defs = {} } = JSON.parse(readFileSync(url, 'utf8')) as Schema;
  const fields = new Set<string>();
  const walk = (schema: Schema, prefix: string): void => {
    for (const [name, field] of Object.entries(schema.properties ?? {})) {
      fields.add(prefix + name);
      walk(field, `${prefix}${name}.`);
      walk(field.items ?? {}, `${prefix}${name}.`);
    }
  };
  for (const kind of Object.values($defs)) walk(kind, '');
  return [...fields];
}
