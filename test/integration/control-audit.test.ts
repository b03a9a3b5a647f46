// What a customer's admin reads of the audit over the control API, and what the journal has before they see it.
import { describe, expect, it } from 'vitest';
import { PosternError } from '#model/fault.ts';
import { record, SAM_ACTOR, subjectRow, visit } from '../support/control-audit.ts';
import { startControl, WISH } from '../support/control-server.ts';

const READS = ['access', 'access-history', 'records'] as const;
const ADA = {
  kind: 'customer',
  id: 'u-1',
  issuer: 'https://app.example.com',
  email: 'ada@acme.example',
  name: 'Ada',
};
const OPERATION_OF = {
  access: 'audit.access',
  'access-history': 'audit.history',
  records: 'audit.records',
} as const;

describe.each(READS)('GET /v1/tenants/{tenant}/%s', (call) => {
  const path = `/v1/tenants/acme/${call}`;

  it('is recorded before the answer, with the names of its filters alone', async () => {
    await using t = await startControl();
    const query = call === 'access' ? '' : '?principal=sam%40vendor.example&case=CASE-1&limit=10';
    const { status } = await t.call('ada', 'GET', path + query);
    expect(status).toBe(200);
    expect(t.audit.events).toEqual([
      {
        event: 'audit.read',
        tenant: 'acme',
        grant: null,
        actor: ADA,
        details: { call: OPERATION_OF[call], count: 0, filters: query === '' ? '' : 'case,principal' },
      },
    ]);
  });

  it.each([
    ['uwe', 403, 'not_tenant_admin'],
    ['gil', 403, 'tenant_mismatch'],
    ['sam', 403, 'not_tenant_admin'],
    ['sue', 403, 'not_tenant_admin'],
    ['key', 403, 'service_not_allowed'],
    ['idle', 403, 'service_not_allowed'],
    ['', 401, 'no_credential'],
  ])('is not for %j', async (caller, status, type) => {
    await using t = await startControl();
    const answer = await t.call(caller, 'GET', path);
    expect(answer.status).toBe(status);
    expect(answer.body['type']).toMatch(new RegExp(`${type}$`));
    expect(t.audit.asked).toEqual([]);
    expect(t.audit.events).toEqual([]);
  });

  it('reads nothing out while the journal takes no record', async () => {
    await using t = await startControl();
    t.audit.isAvailable = false;
    const { status, headers, body } = await t.call('ada', 'GET', path);
    expect(status).toBe(503);
    expect(body['reason']).toBe('audit_unavailable');
    expect(headers.get('retry-after')).toBe('1');
    expect(t.audit.asked).toEqual([]);
  });

  it('reads nothing out when the record of the reading could not be written', async () => {
    await using t = await startControl();
    t.audit.visits = [visit()];
    t.audit.records = [record()];
    t.audit.onJournal = () => {
      t.audit.isAvailable = false;
    };
    const { status, body } = await t.call('ada', 'GET', path);
    expect(status).toBe(503);
    expect(body['reason']).toBe('audit_unavailable');
    expect(body['items']).toBeUndefined();
  });

  it('is 503 while the audit cannot be read, and records no reading', async () => {
    await using t = await startControl();
    t.audit.failure = new PosternError('AUDIT_UNAVAILABLE', 'the index is away');
    const { status, headers, body } = await t.call('ada', 'GET', path);
    expect(status).toBe(503);
    expect(body['reason']).toBe('audit_unavailable');
    expect(headers.get('retry-after')).toBe('1');
    expect(JSON.stringify(body)).not.toContain('index');
    expect(t.audit.events).toEqual([]);
  });
});

describe('who has access', () => {
  it('is every grant that holds now, with who came under it or is named by it, the latest first', async () => {
    await using t = await startControl();
    const principals = [{ issuer: SAM_ACTOR.issuer, id: SAM_ACTOR.id }];
    const grants = '/v1/tenants/acme/grants';
    const open = await t.call('ada', 'POST', grants, WISH);
    const named = await t.call('ada', 'POST', grants, { ...WISH, audience: { principals } });
    const ended = await t.call('ada', 'POST', grants, WISH);
    await t.call('ada', 'POST', `/v1/grants/${String(ended.body['id'])}/revoke`);
    await t.call('ada', 'POST', grants, { ...WISH, startsAt: '2030-01-16T00:00:00Z', duration: '1h' });
    await t.call('gil', 'POST', '/v1/tenants/globex/grants', WISH);
    const at = t.clock.now();
    t.audit.last = [
      { subject: 'sub_2', actor: null, grantId: String(open.body['id']), lastAt: at - 1000 },
      { subject: 'sub_1', actor: SAM_ACTOR, grantId: String(ended.body['id']), lastAt: at - 2000 },
      { subject: 'sub_3', actor: { ...SAM_ACTOR, id: 'other' }, grantId: null, lastAt: at - 3000 },
    ];
    const { status, body } = await t.call('ada', 'GET', '/v1/tenants/acme/access');
    expect(status).toBe(200);
    const items = body['items'] as { grant: { id: string } }[];
    expect(items.map(({ grant }) => grant.id).toSorted()).toEqual(
      [open.body['id'], named.body['id']].toSorted(),
    );
    const nobody = { id: null, email: null, name: null, issuer: null, org: null };
    expect(items.find(({ grant }) => grant.id === open.body['id'])).toEqual({
      grant: open.body,
      lastActiveAt: '2030-01-15T11:59:59.000Z',
      lastActive: [{ principal: { subject: 'sub_2', ...nobody }, lastAt: '2030-01-15T11:59:59.000Z' }],
    });
    expect(items.find(({ grant }) => grant.id === named.body['id'])).toEqual({
      grant: named.body,
      lastActiveAt: '2030-01-15T11:59:58.000Z',
      lastActive: [{ principal: { subject: 'sub_1', ...SAM_ACTOR }, lastAt: '2030-01-15T11:59:58.000Z' }],
    });
    expect(t.audit.asked).toEqual(['acme']);
  });

  it('is each person once, however many grants they came under', async () => {
    await using t = await startControl();
    const principals = [{ issuer: SAM_ACTOR.issuer, id: SAM_ACTOR.id }];
    const grants = '/v1/tenants/acme/grants';
    const { body: named } = await t.call('ada', 'POST', grants, { ...WISH, audience: { principals } });
    const at = t.clock.now();
    const came = (grantId: string | null, ago: number) => ({
      subject: 'sub_1',
      actor: SAM_ACTOR,
      grantId,
      lastAt: at - ago,
    });
    t.audit.last = [came('grt_before', 1000), came(String(named['id']), 2000), came(null, 3000)];
    const { body } = await t.call('ada', 'GET', '/v1/tenants/acme/access');
    const last = '2030-01-15T11:59:59.000Z';
    expect(body['items']).toEqual([
      {
        grant: named,
        lastActiveAt: last,
        lastActive: [{ principal: { subject: 'sub_1', ...SAM_ACTOR }, lastAt: last }],
      },
    ]);
  });
});

describe('who came', () => {
  it('is asked with every filter, page by page', async () => {
    await using t = await startControl();
    t.audit.visits = [visit(), visit({ actor: null, grant: null })];
    t.audit.nextCursor = 'next';
    const query =
      '?principal=sam&case=CASE-1&since=2030-01-15T10:00:00Z&until=2030-01-15T13:00:00%2B01:00&limit=2&cursor=before';
    const { status, body } = await t.call('ada', 'GET', `/v1/tenants/acme/access-history${query}`);
    expect(status).toBe(200);
    expect(t.audit.asked).toEqual([
      {
        tenant: 'acme',
        principal: 'sam',
        caseRef: 'CASE-1',
        since: Date.UTC(2030, 0, 15, 10),
        until: Date.UTC(2030, 0, 15, 12),
        limit: 2,
        cursor: 'before',
      },
    ]);
    expect(body['nextCursor']).toBe('next');
    const [first, second] = body['items'] as Record<string, unknown>[];
    expect(first).toEqual({
      principal: { subject: visit().subject, ...SAM_ACTOR },
      grant: { id: 'grt_01JHNM9N00000000000000000A', revision: 2 },
      session: null,
      caseRef: 'CASE-1',
      reason: { type: 'customer_initiated_support', detail: 'The invoice page is empty.' },
      actAs: null,
      from: ['192.0.2.7'],
      firstAt: '2030-01-15T12:01:00.000Z',
      lastAt: '2030-01-15T12:09:00.000Z',
      reads: 4,
      writes: 1,
      denied: [{ what: 'export.all', count: 2 }],
      deniedCount: 2,
    });
    expect(second?.['principal']).toEqual({
      subject: visit().subject,
      id: null,
      email: null,
      name: null,
      issuer: null,
      org: null,
    });
    expect(t.audit.events[0]?.details).toEqual({
      call: 'audit.history',
      count: 2,
      filters: 'case,principal,since,until',
    });
  });
});

describe('the requests', () => {
  it('are asked newest first with every filter, and say nothing of the machine', async () => {
    await using t = await startControl();
    t.audit.records = [record({ tenantSeq: 7 })];
    const { body } = await t.call(
      'ada',
      'GET',
      '/v1/tenants/acme/records?session=ses_1&effect=denied&case=CASE-1&principal=sam',
    );
    expect(t.audit.asked).toEqual([
      {
        tenant: 'acme',
        principal: 'sam',
        session: 'ses_1',
        caseRef: 'CASE-1',
        effect: 'denied',
        requestsOnly: true,
        order: 'newest',
        limit: 50,
        cursor: null,
      },
    ]);
    const { seq: _seq, instance: _instance, ...shown } = record({ tenantSeq: 7 });
    expect(body).toEqual({ items: [shown], nextCursor: null });
  });
});

describe('a query of the audit', () => {
  it.each([
    ['records', 'effect=delete', '/effect'],
    ['records', 'limit=0', '/limit'],
    ['records', 'limit=201', '/limit'],
    ['records', 'limit=x', '/limit'],
    ['records', 'since=2030-02-30T00:00:00Z', '/since'],
    ['records', 'until=yesterday', '/until'],
    ['records', 'tenant=globex', '/tenant'],
    ['access-history', 'effect=read', '/effect'],
    ['access-history', 'principal=', '/principal'],
    ['access-history', 'principal=a%00b', '/principal'],
    ['access-history', 'principal=a&principal=b', '/principal'],
    ['access-history', `cursor=${'x'.repeat(513)}`, '/cursor'],
  ])('%s?%s is refused with its place', async (call, query, pointer) => {
    await using t = await startControl();
    const { status, body } = await t.call('ada', 'GET', `/v1/tenants/acme/${call}?${query}`);
    expect(status).toBe(400);
    expect(body['type']).toMatch(/invalid_request$/);
    expect((body['errors'] as { pointer: string }[])[0]).toMatchObject({ pointer });
    expect(t.audit.asked).toEqual([]);
    expect(t.audit.events).toEqual([]);
  });

  it.each(['records', 'access-history'])(
    '%s with a cursor that the reader does not know is refused',
    async (call) => {
      await using t = await startControl();
      t.audit.failure = new RangeError('the cursor is none: secret');
      const { status, body } = await t.call('ada', 'GET', `/v1/tenants/acme/${call}?cursor=abc`);
      expect(status).toBe(400);
      expect(body['errors']).toEqual([expect.objectContaining({ pointer: '/cursor' })]);
      expect(JSON.stringify(body)).not.toContain('secret');
    },
  );
});

describe('DELETE /v1/subjects/{id}', () => {
  const row = subjectRow();
  const path = `/v1/subjects/${row.id}`;

  it.each([
    ['sue', { kind: 'principal', id: 'sue', issuer: 'https://idp.vendor.example', email: null, name: 'Sam' }],
    [
      'key',
      {
        kind: 'service',
        id: 'provisioning',
        issuer: 'urn:postern:service',
        email: null,
        name: 'provisioning',
      },
    ],
  ])('erases for %s, who is named in the event, and is the same again', async (caller, by) => {
    await using t = await startControl();
    t.audit.rows = [row];
    const first = await t.call(caller, 'DELETE', path);
    expect(first.status).toBe(200);
    expect(first.body).toEqual({ subject: row.id, erasedAt: '2030-01-15T12:00:00.000Z' });
    expect(t.audit.erased).toEqual([[row.id, by]]);
    const again = await t.call(caller, 'DELETE', path);
    expect(again.body).toEqual(first.body);
  });

  it.each([
    ['ada', 'security_only'],
    ['uwe', 'security_only'],
    ['sam', 'security_only'],
    ['idle', 'service_not_allowed'],
  ])('is not for %s', async (caller, type) => {
    await using t = await startControl();
    t.audit.rows = [row];
    const { status, body } = await t.call(caller, 'DELETE', path);
    expect(status).toBe(403);
    expect(body['type']).toMatch(new RegExp(`${type}$`));
    expect(t.audit.erased).toEqual([]);
  });

  it('erases nobody who asks for themselves', async () => {
    await using t = await startControl();
    t.audit.rows = [subjectRow({ personId: 'sue', email: null })];
    const { status, body } = await t.call('sue', 'DELETE', path);
    expect(status).toBe(403);
    expect(body['type']).toMatch(/own_subject$/);
    expect(t.audit.erased).toEqual([]);
  });

  it('knows nobody by anything but a subject’s id', async () => {
    await using t = await startControl();
    t.audit.rows = [row];
    const unknown = await t.call('sue', 'DELETE', `/v1/subjects/sub_${'f'.repeat(32)}`);
    expect(unknown.status).toBe(404);
    expect(unknown.body['reason']).toBe('not_found');
    expect((await t.call('sue', 'DELETE', '/v1/subjects/sam')).status).toBe(400);
    expect(t.audit.erased).toEqual([]);
  });

  it('is 503 while the store is away', async () => {
    await using t = await startControl();
    t.audit.subjects.find = () => {
      throw new PosternError('AUDIT_UNAVAILABLE', 'the subjects’ store failed');
    };
    const { status, body } = await t.call('sue', 'DELETE', path);
    expect(status).toBe(503);
    expect(body['reason']).toBe('audit_unavailable');
  });
});
