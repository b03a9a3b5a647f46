// What every store of access requests must keep: each step whole or not at all, each decision once.
import { describe, expect, it } from 'vitest';
import type { TenantId } from '#model/ids.ts';
import { acme, admin, at, DAY, globex, HOUR, sam, serviceForAda } from '../support/grants-fixtures.ts';
import {
  abe,
  asStaff,
  lea,
  requestsUnderTest,
  type RequestsUnderTest,
  WANTED,
  wish,
  yes,
} from '../support/request-fixtures.ts';

function rows(t: RequestsUnderTest, sql: string): Promise<readonly Record<string, unknown>[]> {
  return t.core.read((statements) => statements.sql(sql).all() as Record<string, unknown>[]);
}

const NOTICES = `SELECT document ->> 'event' AS event, document ->> '$.facts.decision' AS decision
  FROM notices ORDER BY id`;

async function counts(t: RequestsUnderTest): Promise<unknown> {
  const [row] = await rows(
    t,
    `SELECT (SELECT count(*) FROM grants) AS grants, (SELECT count(*) FROM notices) AS notices,
      (SELECT count(*) FROM changes) AS changes, (SELECT count(*) FROM access_requests) AS requests`,
  );
  return row;
}

describe('an access request', () => {
  it('becomes a grant for its asker alone when an admin of the tenant approves it', async () => {
    await using t = await requestsUnderTest();
    const made = await t.requests.ask(wish(), sam);
    expect(made).toMatchObject({
      id: expect.stringMatching(/^req_[0-9A-Z]{26}$/),
      revision: 1,
      status: 'awaiting_tenant',
      asker: sam,
      wanted: WANTED,
      lapsesAt: at(DAY),
    });
    expect(Object.isFrozen(made.wanted.roles)).toBe(true);
    t.clock.advance(HOUR);
    const { request, grant } = await t.requests.approve(made.id, yes(admin));
    expect(grant).toMatchObject({
      tenant: acme,
      source: 'request',
      audience: { org: null, groups: null, principals: [{ issuer: sam.issuer, id: sam.id }] },
      grantedBy: admin,
      access: 'write',
      roles: ['agent', 'viewer'],
      lifts: ['export'],
      caseRef: 'CASE-1',
      startsAt: at(HOUR),
      expiresAt: at(HOUR + 3 * DAY),
    });
    expect(request).toMatchObject({ revision: 2, status: 'approved', grantId: grant?.id });
    expect(await t.requests.get(made.id)).toEqual(request);
    expect((await t.grants.activeFor(acme)).map((one) => one.id)).toEqual([grant?.id]);
    expect(await rows(t, NOTICES)).toEqual([
      { event: 'request.made', decision: null },
      { event: 'grant.given', decision: null },
      { event: 'request.decided', decision: 'approved' },
    ]);
  });

  it('takes the tenant’s defaults for what was not asked', async () => {
    await using t = await requestsUnderTest();
    const { access: _access, duration: _duration, ...rest } = WANTED;
    expect((await t.requests.ask(wish({ wanted: rest }), sam)).wanted).toMatchObject({
      access: 'read',
      duration: '7d',
    });
  });

  it('goes through a lead first where the tenant settled so, then through as many admins as it asks for', async () => {
    await using t = await requestsUnderTest({ leadFirst: true, approvals: 2 });
    const { id, status } = await t.requests.ask(wish(), sam);
    expect(status).toBe('awaiting_lead');
    await expect(t.requests.approve(id, yes(admin))).rejects.toMatchObject({ code: 'awaiting_lead' });
    const first = await t.requests.approve(id, yes(asStaff(lea)));
    expect(first).toMatchObject({ grant: null, request: { status: 'awaiting_tenant', revision: 2 } });
    await expect(t.requests.approve(id, yes(asStaff(lea)))).rejects.toMatchObject({
      code: 'awaiting_tenant',
    });
    expect(await t.requests.approve(id, yes(admin))).toMatchObject({ grant: null, request: { revision: 3 } });
    await expect(t.requests.approve(id, yes(admin))).rejects.toMatchObject({ code: 'approved_before' });
    await expect(t.requests.approve(id, yes(serviceForAda))).rejects.toMatchObject({
      code: 'approved_before',
    });
    const { grant } = await t.requests.approve(id, yes(abe));
    expect(grant).toMatchObject({ grantedBy: abe, widenedBy: [asStaff(lea), admin] });
    expect(await rows(t, NOTICES)).toMatchObject([
      { event: 'request.made' },
      { event: 'request.lead_approved' },
      { event: 'grant.given' },
      { event: 'request.decided' },
    ]);
  });

  it('is approved narrower, never wider, and a later approval starts from what is left', async () => {
    await using t = await requestsUnderTest({ approvals: 2 });
    const { id } = await t.requests.ask(wish(), sam);
    for (const wider of [
      { duration: '4d' },
      { roles: ['owner'] },
      { roles: ['viewer'] },
      { roles: ['viewer', 'agent'] },
      { roles: [] },
      { workspaces: [] },
      { workspaces: [{ id: 'w2', roles: [] }] },
      { lifts: ['export', 'email'] },
    ]) {
      const attempt = t.requests.approve(id, yes(admin, wider));
      await expect(attempt, JSON.stringify(wider)).rejects.toMatchObject({ code: 'wider_than_asked' });
    }
    const less = { access: 'read', duration: '8h', roles: ['agent'], lifts: [] } as const;
    const { request } = await t.requests.approve(id, yes(admin, less));
    expect(request).toMatchObject({ wanted: WANTED, narrowed: less });
    const back = t.requests.approve(id, yes(abe, { access: 'write' }));
    await expect(back).rejects.toMatchObject({ code: 'wider_than_asked' });
    const { grant } = await t.requests.approve(id, yes(abe));
    expect(grant).toMatchObject({ access: 'read', roles: ['agent'], lifts: [], expiresAt: at(8 * HOUR) });
  });

  it('is not half approved when the grant is refused', async () => {
    await using t = await requestsUnderTest();
    const { id } = await t.requests.ask(wish(), sam);
    const before = await counts(t);
    t.settle({ liftable: [] });
    await expect(t.requests.approve(id, yes(admin))).rejects.toMatchObject({ code: 'lift_not_allowed' });
    t.settle({ liftable: ['export'], notice: { version: '3', text: 'Your data will be visible.' } });
    await expect(t.requests.approve(id, yes(admin))).rejects.toMatchObject({ code: 'notice_not_current' });
    t.settle({ mayGrant: { kind: 'permission', permission: 'support' } });
    await expect(t.requests.approve(id, yes(admin))).rejects.toMatchObject({ code: 'policy_permission' });
    expect(await counts(t)).toEqual(before);
    expect(await t.requests.get(id)).toMatchObject({ revision: 1, status: 'awaiting_tenant' });
    const able = { ...admin, holds: { permissions: ['support'], products: [] } };
    const { grant } = await t.requests.approve(id, { ...yes(able), notice: { version: '3' } });
    expect(grant).toMatchObject({ notice: { version: '3' }, grantedBy: admin });
    expect(JSON.stringify(await t.requests.get(id))).not.toContain('holds');
  });

  it('is refused at once for what the tenant does not allow, and leaves nothing', async () => {
    await using t = await requestsUnderTest();
    const before = await counts(t);
    for (const [code, over] of [
      ['too_long', { wanted: { ...WANTED, duration: '15d' } }],
      ['duration_invalid', { wanted: { ...WANTED, duration: '3 days' } }],
      ['lift_not_allowed', { wanted: { ...WANTED, lifts: ['email'] } }],
      ['case_ref_required', { caseRef: null }],
      ['escalation_invalid', { escalates: 'req_00000000000000000000000000' }],
    ] as const) {
      await expect(t.requests.ask(wish(over), sam), code).rejects.toMatchObject({ code });
    }
    for (const [code, over] of [
      ['tenant_suspended', { suspended: true }],
      ['org_excluded', { excludedOrgs: ['vendor'] }],
      ['policy_nobody', { mayGrant: { kind: 'nobody' } }],
      ['case_ref_mismatch', { caseRefPattern: '[0-9]{5}' }],
    ] as const) {
      await using other = await requestsUnderTest(over);
      await expect(other.requests.ask(wish(), sam), code).rejects.toMatchObject({ code });
      expect(await counts(other)).toEqual(before);
    }
    expect(await counts(t)).toEqual(before);
  });

  it('stays out when access was suspended or the class changed after it was asked for', async () => {
    await using t = await requestsUnderTest();
    const { id } = await t.requests.ask(wish(), sam);
    t.settle({ suspended: true });
    await expect(t.requests.approve(id, yes(admin))).rejects.toMatchObject({ code: 'tenant_suspended' });
    t.settle({ suspended: false, excludedOrgs: ['vendor'] });
    await expect(t.requests.approve(id, yes(admin))).rejects.toMatchObject({ code: 'org_excluded' });
    expect(await t.requests.deny(id, { ...yes(admin), why: 'No.' })).toMatchObject({ status: 'denied' });
  });

  it('counts the days of a case as a grant of the customer’s own does', async () => {
    await using t = await requestsUnderTest();
    const first = await t.requests.ask(wish(), sam);
    await t.requests.approve(first.id, yes(admin));
    t.settle({
      durations: {
        ...(await import('#grants/settings/default-settings.ts')).DEFAULT_TENANT_SETTINGS.durations,
        maxPerCase: '3d',
      },
    });
    t.clock.advance(HOUR);
    await expect(t.requests.ask(wish(), lea)).rejects.toMatchObject({ code: 'case_limit' });
  });

  it('waits once per asker, tenant and case, however the case is written, and twenty at most', async () => {
    await using t = await requestsUnderTest();
    const { id } = await t.requests.ask(wish(), sam);
    const again = t.requests.ask(wish({ caseRef: ' case-1' }), sam);
    await expect(again).rejects.toMatchObject({ code: 'request_pending' });
    await t.requests.ask(wish(), lea);
    await t.requests.ask(wish({ tenant: globex }), sam);
    await t.requests.withdraw(id, { by: sam });
    for (let i = 0; i < 20; i++) await t.requests.ask(wish({ caseRef: `CASE-${i}` }), sam);
    const more = t.requests.ask(wish({ caseRef: 'CASE-20' }), sam);
    await expect(more).rejects.toMatchObject({ code: 'requests_too_many' });
    t.clock.advance(DAY);
    await t.requests.ask(wish({ caseRef: 'CASE-20' }), sam);
  });

  it('is withdrawn by its asker alone, denied with a why, and decided once', async () => {
    await using t = await requestsUnderTest();
    const { id } = await t.requests.ask(wish(), sam);
    await expect(t.requests.withdraw(id, { by: lea })).rejects.toMatchObject({ code: 'request_not_yours' });
    expect(await t.requests.withdraw(id, { by: sam })).toMatchObject({ status: 'withdrawn', revision: 2 });
    const other = await t.requests.ask(wish(), sam);
    const denied = await t.requests.deny(other.id, { ...yes(admin), why: 'Not now.' });
    expect(denied).toMatchObject({ status: 'denied', denied: { by: admin, why: 'Not now.', at: at(0) } });
    for (const decided of [id, other.id]) {
      for (const attempt of [
        t.requests.approve(decided, yes(admin)),
        t.requests.deny(decided, { ...yes(admin), why: null }),
        t.requests.withdraw(decided, { by: sam }),
      ]) {
        await expect(attempt).rejects.toMatchObject({ code: 'request_decided' });
      }
    }
    await expect(t.requests.approve('req_0', yes(admin))).rejects.toMatchObject({ code: 'request_unknown' });
  });

  it('lapses by the clock, whether or not the timer has come by, and is said to have once', async () => {
    await using t = await requestsUnderTest();
    const { id, lapsesAt } = await t.requests.ask(wish(), sam);
    expect(await t.requests.nextLapse()).toBe(lapsesAt);
    t.clock.advance(DAY - 1);
    expect((await t.requests.get(id))?.status).toBe('awaiting_tenant');
    expect(await t.requests.claimLapsed(10)).toEqual([]);
    t.clock.advance(1);
    expect(await t.requests.get(id)).toMatchObject({ status: 'lapsed', revision: 1 });
    await expect(t.requests.approve(id, yes(admin))).rejects.toMatchObject({ code: 'request_decided' });
    const of = { kind: 'tenant', tenant: acme } as const;
    expect((await t.requests.list({ of, status: 'lapsed', limit: 5, cursor: null })).items).toHaveLength(1);
    expect((await t.requests.list({ of, status: 'awaiting_tenant', limit: 5, cursor: null })).items).toEqual(
      [],
    );
    const other = await t.again();
    const claimed = [...(await other.requests.claimLapsed(10)), ...(await t.requests.claimLapsed(10))];
    expect(claimed).toMatchObject([{ id, status: 'lapsed', revision: 2 }]);
    expect(await t.requests.nextLapse()).toBeNull();
    expect(await rows(t, NOTICES)).toEqual([
      { event: 'request.made', decision: null },
      { event: 'request.decided', decision: 'lapsed' },
    ]);
  });

  it('is decided against the revision that was read, and by one of two who decide at once', async () => {
    await using t = await requestsUnderTest();
    const { id } = await t.requests.ask(wish(), sam);
    const stale = t.requests.approve(id, { ...yes(admin), expectedRevision: 2 });
    await expect(stale).rejects.toMatchObject({ code: 'stale_revision' });
    const other = await t.again();
    const both = await Promise.allSettled([
      t.requests.approve(id, { ...yes(admin), expectedRevision: 1 }),
      other.requests.approve(id, { ...yes(abe), expectedRevision: 1 }),
    ]);
    expect(both.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(await t.grants.activeFor(acme)).toHaveLength(1);
  });

  it('escalates an approved one of the same asker, tenant and case by asking for more', async () => {
    await using t = await requestsUnderTest();
    const first = await t.requests.ask(wish({ wanted: { ...WANTED, access: 'read' } }), sam);
    const escalation = wish({ escalates: first.id });
    await t.requests.approve(first.id, yes(admin));
    for (const [who, over] of [
      [lea, {}],
      [sam, { tenant: globex }],
      [sam, { caseRef: 'CASE-2' }],
      [sam, { wanted: { ...WANTED, access: 'read', duration: '1d' } }],
    ] as const) {
      const attempt = t.requests.ask({ ...escalation, ...over }, who);
      await expect(attempt).rejects.toMatchObject({ code: 'escalation_invalid' });
    }
    const more = await t.requests.ask(escalation, sam);
    expect(more).toMatchObject({ escalates: first.id, status: 'awaiting_tenant' });
    const { grant } = await t.requests.approve(more.id, yes(admin));
    expect(grant).toMatchObject({ access: 'write' });
    const denied = await t.requests.ask(wish({ caseRef: 'CASE-3' }), sam);
    await t.requests.deny(denied.id, { ...yes(admin), why: null });
    const ofDenied = t.requests.ask(wish({ caseRef: 'CASE-3', escalates: denied.id }), sam);
    await expect(ofDenied).rejects.toMatchObject({ code: 'escalation_invalid' });
  });

  it('is listed by tenant, by asker, and for leads, newest first, in pages', async () => {
    await using t = await requestsUnderTest({ leadFirst: true });
    const ids: string[] = [];
    for (let i = 0; i < 5; i++) {
      ids.unshift((await t.requests.ask(wish({ caseRef: `CASE-${i}` }), i % 2 === 0 ? sam : lea)).id);
      t.clock.advance(1);
    }
    await t.requests.ask(wish({ tenant: globex }), sam);
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await t.requests.list({ of: { kind: 'tenant', tenant: acme }, limit: 2, cursor });
      seen.push(...page.items.map(({ id }) => id));
      cursor = page.nextCursor;
    } while (cursor !== null);
    expect(seen).toEqual(ids);
    const mine = { kind: 'asker', issuer: lea.issuer, id: lea.id } as const;
    expect((await t.requests.list({ of: mine, limit: 9, cursor: null })).items).toHaveLength(2);
    const leads = { kind: 'awaiting_lead' } as const;
    expect((await t.requests.list({ of: leads, limit: 9, cursor: null })).items).toHaveLength(6);
    await t.requests.approve(ids[0] as string, yes(asStaff(lea)));
    expect((await t.requests.list({ of: leads, limit: 9, cursor: null })).items).toHaveLength(5);
    const nowhere = { kind: 'tenant', tenant: 'nowhere' as TenantId } as const;
    expect((await t.requests.list({ of: nowhere, limit: 9, cursor: null })).items).toEqual([]);
    const bad = t.requests.list({ of: leads, limit: 9, cursor: 'bm8' });
    await expect(bad).rejects.toMatchObject({ code: 'cursor_invalid' });
  });

  it('keeps its whole history', async () => {
    await using t = await requestsUnderTest({ approvals: 2 });
    const { id } = await t.requests.ask(wish(), sam);
    await t.requests.approve(id, yes(admin, { access: 'read' }));
    await t.requests.approve(id, yes(abe));
    const history = await rows(
      t,
      `SELECT operation, by ->> 'id' AS by, document ->> 'revision' AS revision FROM changes
        WHERE kind = 'request' ORDER BY seq`,
    );
    expect(history).toEqual([
      { operation: 'ask', by: 'sam', revision: 1 },
      { operation: 'approve', by: 'u-1', revision: 2 },
      { operation: 'approve', by: 'u-9', revision: 3 },
    ]);
  });
});
