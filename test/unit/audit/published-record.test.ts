// The schema is the contract with whoever reads records: every field is there, described, and really published.
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { JournalLine } from '#audit/journal-lines.ts';
import type { PublishedRecord } from '#audit/published-record.ts';
import { RecordJoiner } from '#audit/record-joiner.ts';
import { fakeExchange } from '../../support/audit-exchange.ts';
import { linesOf } from '../../support/audit-journal.ts';
import { LineWriter } from '../../support/audit-lines.ts';

interface Schema {
  readonly description?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly oneOf?: readonly { readonly $ref: string }[];
}

const SCHEMA = JSON.parse(
  readFileSync(new URL('../../../config/schemas/audit-record.schema.json', import.meta.url), 'utf8'),
) as Schema;
const DOCUMENT = readFileSync(new URL('../../../docs/audit.md', import.meta.url), 'utf8');

/** What readers of records were promised. */
const PROMISED = `schema event code id seq instance time durationMs upstreamMs tenant tenantSeq workspace
  actor.subject actor.id actor.name actor.email actor.issuer actor.org actAs
  grant.id grant.revision grant.expiresAt grant.access grant.roles
  grant.grantedBy.kind grant.grantedBy.subject grant.grantedBy.id grant.grantedBy.issuer grant.grantedBy.onBehalfOf
  session caseRef reason.type reason.detail requestId traceId
  http.method http.route http.path http.queryKeys http.host http.version http.status http.bytesIn http.bytesOut
  http.userAgent client.ip client.peerIp effect decision reasonCode rule.id rule.category shadowRules policyDigest
  grantCache.result grantCache.ageMs upstream.status upstream.error endedBy outcome`.split(/\s+/);

function requestRecord(): PublishedRecord {
  const written = new LineWriter();
  const joiner = new RecordJoiner('gw-1', 1, written.subjects);
  const records: PublishedRecord[] = [];
  const rule = { id: 'export.all', category: 'export', message: null };
  const x = fakeExchange({ reason: 'rule_denied', status: 403, rule });
  for (const line of linesOf(written.refused(x)))
    joiner.take(line as unknown as JournalLine, { segment: 1, offset: 0 }, records);
  return records[0] as PublishedRecord;
}

function valueAt(record: unknown, path: string): unknown {
  return path.split('.').reduce((value, name) => (value as Record<string, unknown> | null)?.[name], record);
}

function schemaAt(path: string): Schema | undefined {
  return path
    .split('.')
    .reduce<Schema | undefined>((schema, name) => schema?.properties?.[name], SCHEMA.$defs?.['request']);
}

describe('a published request', () => {
  it.each(PROMISED)('has %s, described in the schema', (path) => {
    expect(valueAt(requestRecord(), path)).not.toBeUndefined();
    expect(schemaAt(path)?.description ?? '').toMatch(/^[A-Z].*\.$/);
  });

  it('has no field that the page about records does not name', () => {
    const rows = DOCUMENT.split('\n').filter((line) => line.startsWith('| `'));
    const cells = rows.map((row) => row.split(' | ')[0] ?? '');
    const named = new Set(cells.flatMap((cell) => cell.split(/[^a-zA-Z]+/)));
    expect(Object.keys(requestRecord()).filter((name) => !named.has(name))).toEqual([]);
  });

  it('stands in the order of the schema, and has all of it', () => {
    const names = Object.keys(SCHEMA.$defs?.['request']?.properties ?? {});
    expect(Object.keys(requestRecord())).toEqual(names);
    expect(SCHEMA.$defs?.['request']?.required).toEqual(names);
  });
});

describe('the schema', () => {
  it('describes every field of every record', () => {
    const bare: string[] = [];
    const visit = (schema: Schema, path: string): void => {
      if (schema.description === undefined) bare.push(path);
      for (const [name, property] of Object.entries(schema.properties ?? {}))
        visit(property, `${path}.${name}`);
      if (schema.items?.properties !== undefined) visit(schema.items, `${path}[]`);
    };
    for (const [name, definition] of Object.entries(SCHEMA.$defs ?? {})) visit(definition, name);
    expect(bare).toEqual([]);
    expect(SCHEMA.oneOf?.map(({ $ref }) => $ref.split('/').at(-1))).toEqual(Object.keys(SCHEMA.$defs ?? {}));
  });
});
