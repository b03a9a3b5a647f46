import { describe, expect, it } from 'vitest';
import type { EpochMs } from '#model/clock.ts';
import { createReportTally, type ReportedRecord, resourceOf } from '#sessions/session-report.ts';
import { at, HOUR, START } from '../../support/grants-fixtures.ts';
import { supportSession } from '../../support/sessions-fixtures.ts';

function record(over: Readonly<Record<string, unknown>> = {}): ReportedRecord {
  const { method = 'GET', route = '/tickets/1', event = 'request.allowed', ...rest } = over;
  return {
    event: String(event),
    decision: 'allow',
    effect: 'read',
    outcome: 'completed',
    http: { method, route },
    rule: null,
    reasonCode: 'ok',
    ...rest,
  };
}

const denied = (reasonCode: string, rule: object | null = null): ReportedRecord =>
  record({
    event: 'request.denied',
    decision: 'deny',
    effect: 'write',
    reasonCode,
    rule,
    outcome: 'refused',
  });

const ENDED = supportSession({ endedAt: at(HOUR), endedBy: 'left', note: 'cleared the cache' });
const MADE = { at: at(2 * HOUR) as EpochMs, complete: true };

function reportOf(records: readonly ReportedRecord[]) {
  const tally = createReportTally();
  for (const one of records) tally.take(one);
  return tally.report(ENDED, MADE);
}

describe('the report of a session', () => {
  it('says whose it was, under which grant and case, why, and how long', () => {
    expect(reportOf([])).toEqual({
      session: ENDED.id,
      tenant: 'acme',
      principal: {
        id: 'sam',
        issuer: 'https://idp.vendor.example',
        email: 'sam@vendor.example',
        name: 'Sam',
        org: 'vendor',
      },
      grantId: ENDED.grantId,
      caseRef: 'CASE-1',
      access: 'read',
      reason: ENDED.reason,
      startedAt: START,
      endedAt: at(HOUR),
      endedBy: 'left',
      durationMs: HOUR,
      madeAt: at(2 * HOUR),
      complete: true,
      requests: 0,
      reads: 0,
      writes: 0,
      denied: 0,
      resources: [],
      otherRequests: 0,
      denials: [],
    });
  });

  it('counts reads and writes by resource and method, the busiest first', () => {
    const report = reportOf([
      record(),
      record({ route: '/tickets/2' }),
      record({ route: '/tickets/2', method: 'PATCH', effect: 'write' }),
      record({ route: '/users', event: 'stream.ended' }),
      record({ route: '/search', method: 'POST', event: 'request.error', outcome: 'failed' }),
    ]);
    expect(report).toMatchObject({ requests: 5, reads: 4, writes: 1, denied: 0 });
    expect(report.resources).toEqual([
      { resource: '/tickets', reads: 2, writes: 1, methods: { GET: 2, PATCH: 1 } },
      { resource: '/search', reads: 1, writes: 0, methods: { POST: 1 } },
      { resource: '/users', reads: 1, writes: 0, methods: { GET: 1 } },
    ]);
  });

  it('counts what was denied by rule, or by reason where it was no rule, and as neither read nor written', () => {
    const rule = { id: 'export.all', category: 'export' };
    const report = reportOf([denied('read_only'), denied('rule_denied', rule), denied('rule_denied', rule)]);
    expect(report).toMatchObject({ requests: 3, reads: 0, writes: 0, denied: 3, resources: [] });
    expect(report.denials).toEqual([
      { reasonCode: 'rule_denied', rule: 'export.all', category: 'export', count: 2 },
      { reasonCode: 'read_only', rule: null, category: null, count: 1 },
    ]);
  });

  it('leaves out what is no request', () => {
    expect(reportOf([record({ event: 'grant.revoked' }), record({ event: 'audit.gap' })]).requests).toBe(0);
  });

  it('is bounded, and says how much it does not name', () => {
    const many = Array.from({ length: 300 }, (_, i) =>
      record({
        route: `/thing-${'abcdefghij'[i % 10]}${'klmnopqrst'[Math.floor(i / 10) % 10]}${'uvw'[Math.floor(i / 100)]}`,
      }),
    );
    const report = reportOf(many);
    expect(report.resources).toHaveLength(100);
    expect(report.otherRequests).toBe(200);
    expect(report.reads).toBe(300);
    const rules = Array.from({ length: 80 }, (_, i) => denied('rule_denied', { id: `r${i}`, category: 'c' }));
    expect(reportOf(rules)).toMatchObject({ denied: 80 });
    expect(reportOf(rules).denials).toHaveLength(50);
  });

  it('knows what has not ended yet', () => {
    const tally = createReportTally();
    tally.take(record({ outcome: 'open' }));
    tally.take(record());
    expect(tally.open).toBe(1);
  });

  it('is not made of a session that has not ended', () => {
    expect(() => createReportTally().report(supportSession(), MADE)).toThrow(TypeError);
  });

  it('survives records that say less than they should', () => {
    expect(
      reportOf([{ event: 'request.allowed' }, { event: 'request.denied', decision: 'deny' }]),
    ).toMatchObject({
      requests: 2,
      reads: 1,
      denied: 1,
    });
  });
});

describe('a resource', () => {
  it.each([
    ['/', '/'],
    ['', '/'],
    ['/tickets', '/tickets'],
    ['/tickets/1/comments', '/tickets'],
    ['/api/v2/tickets/7.json', '/api/v2/tickets'],
    ['/rest/v1.2/orders', '/rest/v1.2/orders'],
    ['//double//slash', '/double'],
    ['/12345/things', '/*'],
    ['/api/ada@acme.example/mail', '/api/*'],
    ['/api/v2/0198f2a0-1b2c-7d3e-8f40-112233445566', '/api/v2/*'],
    ['/api/v1/api/v2/deep', '/api/v1/api/v2'],
  ])('of %s is %s', (path, resource) => {
    expect(resourceOf(path)).toBe(resource);
  });
});
