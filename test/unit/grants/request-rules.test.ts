import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { AccessRequest, RequestedAccess } from '#model/access-request.ts';
import { type Actor, grantCovers, grantStatusAt } from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { GrantId } from '#model/ids.ts';
import { createdGrant } from '#grants/lifecycle.ts';
import {
  approvedRequest,
  askedRequest,
  deniedRequest,
  grantDraftOf,
  type RequestContext,
  requestStatusAt,
} from '#grants/requests/request-rules.ts';
import { acme, admin, at, DAY, HOUR, sam, settingsWith } from '../../support/grants-fixtures.ts';
import { asStaff, lea, WANTED, wish, yes } from '../../support/request-fixtures.ts';

type Settings = Parameters<typeof settingsWith>[0];

const contextAt = (ms: number, settings: Settings = {}): RequestContext => ({
  now: at(ms),
  settings: settingsWith({ liftable: ['export', 'email'], ...settings }),
});

function asked(context: RequestContext, wanted: Partial<RequestedAccess> = {}): AccessRequest {
  const draft = { ...wish(), wanted: { ...WANTED, ...wanted } as RequestedAccess };
  return askedRequest({ id: 'req_1', draft, asker: sam, first: null }, context);
}

const codeOf = (work: () => unknown): string => {
  try {
    work();
  } catch (error) {
    if (error instanceof GrantRefusal) return error.code;
    throw error;
  }
  return 'none';
};

describe('a request’s status', () => {
  it('is lapsed from the very instant of its end, and never again once it was decided', () => {
    const context = contextAt(0);
    const request = asked(context);
    expect(requestStatusAt(request, at(DAY - 1))).toBe('awaiting_tenant');
    expect(requestStatusAt(request, at(DAY))).toBe('lapsed');
    const approved = approvedRequest(request, yes(admin), context);
    expect(requestStatusAt(approved, at(9 * DAY))).toBe('approved');
  });
});

describe('the period of a request', () => {
  it.each([
    ['1mo', {}, '2030-02-15T12:00:00.000Z'],
    ['3d', { durations: { wholeDays: 1 } }, '2030-01-19T00:00:00.000Z'],
    ['3d', { durations: { wholeDays: 1 }, timeZone: 'Asia/Kolkata' }, '2030-01-18T18:30:00.000Z'],
    ['8h', {}, '2030-01-15T20:00:00.000Z'],
  ] as const)('%s from the approval on, as the tenant counts (%#)', (duration, settings, end) => {
    const context = contextAt(0, settings);
    const { expiresAt } = grantDraftOf(asked(context, { duration }), context);
    expect(new Date(expiresAt as number).toISOString()).toBe(end);
  });

  it('starts at the approval, not at the asking', () => {
    const request = asked(contextAt(0), { duration: '8h' });
    expect(grantDraftOf(request, contextAt(5 * HOUR))).toMatchObject({
      startsAt: at(5 * HOUR),
      expiresAt: at(13 * HOUR),
    });
  });

  it.each(['2030-02-01', '3', 'P3D', '-1d', ''])('is a length of time, which %j is not', (duration) => {
    expect(codeOf(() => asked(contextAt(0), { duration }))).toBe('duration_invalid');
  });
});

const deny = (request: AccessRequest, stage: 'lead' | 'tenant', by: Actor): string =>
  codeOf(() => deniedRequest(request, { stage, by, why: null }, at(0)));

describe('who decides', () => {
  const awaitingLead = asked(contextAt(0, { leadFirst: true }));
  const awaitingTenant = asked(contextAt(0));
  const user: Actor = { ...admin, kind: 'tenant_user', id: 'u-2', email: null };
  const system: Actor = { ...admin, kind: 'system' };
  const bare: Actor = { ...admin, kind: 'service', id: 'provisioning', email: null };

  it.each([
    [awaitingLead, 'lead', asStaff(lea), 'none'],
    [awaitingLead, 'lead', admin, 'consent_required'],
    [awaitingLead, 'tenant', admin, 'awaiting_lead'],
    [awaitingTenant, 'tenant', admin, 'none'],
    [awaitingTenant, 'tenant', asStaff(lea), 'consent_required'],
    [awaitingTenant, 'lead', asStaff(lea), 'awaiting_tenant'],
    [awaitingTenant, 'tenant', user, 'consent_required'],
    [awaitingTenant, 'tenant', system, 'consent_required'],
    [awaitingTenant, 'tenant', bare, 'consent_required'],
  ] as const)('%# approves by the stage and the kind of the actor alone', (request, stage, by, code) => {
    const approve = () => approvedRequest(request, { stage, by, narrowing: null }, contextAt(0));
    expect(codeOf(approve)).toBe(code);
  });

  it('lets the customer say no before a lead has spoken, and a lead no more afterwards', () => {
    expect(deny(awaitingLead, 'tenant', admin)).toBe('none');
    expect(deny(awaitingLead, 'lead', asStaff(lea))).toBe('none');
    expect(deny(awaitingTenant, 'lead', asStaff(lea))).toBe('awaiting_tenant');
    expect(deny(awaitingTenant, 'tenant', user)).toBe('consent_required');
  });
});

const names = fc.shuffledSubarray(['agent', 'viewer', 'owner']);
const narrowing = fc.record(
  {
    access: fc.constantFrom('read', 'write'),
    duration: fc.constantFrom('30m', '8h', '2d', '72h', '3d', '4d', '1mo'),
    roles: names,
    workspaces: fc.array(fc.record({ id: fc.constantFrom('w1', 'w2'), roles: names }), { maxLength: 2 }),
    lifts: fc.subarray(['export', 'email']),
  },
  { requiredKeys: [] },
);

describe('narrowing', () => {
  it('never gives more than was asked for, however many approve in whatever steps', () => {
    const law = fc.property(fc.array(narrowing, { minLength: 1, maxLength: 6 }), (steps) => {
      const context = contextAt(0, { approvals: steps.length });
      let request = asked(context);
      const whole = request.wanted;
      for (const [i, step] of steps.entries()) {
        const by = { ...admin, id: `u-${i}`, email: `u-${i}@acme.example` };
        try {
          request = approvedRequest(request, yes(by, step as never), context);
        } catch (error) {
          expect(error).toMatchObject({ code: 'wider_than_asked' });
          request = approvedRequest(request, yes(by), context);
        }
      }
      expect(request.status).toBe('approved');
      const draft = grantDraftOf(request, context);
      expect(draft.expiresAt as number).toBeLessThanOrEqual(at(3 * DAY));
      expect(draft.roles[0]).toBe(whole.roles[0]);
      for (const role of draft.roles) expect(whole.roles).toContain(role);
      for (const lift of draft.lifts) expect(whole.lifts).toContain(lift);
      expect(draft.workspaces.length).toBeGreaterThan(0);
      for (const { id, roles } of draft.workspaces) {
        expect(id).toBe('w1');
        expect(roles).toEqual(['agent']);
      }
      expect(draft.tenant).toBe(acme);
    });
    fc.assert(law, { numRuns: 500 });
  });

  it.each([true, false])('is verified already where a lead has approved the request: %s', (leadFirst) => {
    const context = contextAt(0, { leadFirst, vendorVerification: 'required' });
    let request = asked(context);
    if (leadFirst) request = approvedRequest(request, yes(asStaff(lea)), context);
    const later = { ...context, now: at(HOUR) };
    request = approvedRequest(request, yes(admin), later);
    const rules = { ...later, by: admin, ofCase: () => [] };
    const grant = createdGrant('grt_1' as GrantId, grantDraftOf(request, later), rules);
    expect(grantStatusAt(grant, at(HOUR))).toBe(leadFirst ? 'active' : 'pending');
    expect(grant.verification).toEqual(leadFirst ? request.leadApproval : { at: null, by: null });
    // Where the vendor verifies nothing, nothing is said of it.
    const unasked = { ...rules, settings: { ...rules.settings, vendorVerification: 'none' as const } };
    expect(createdGrant('grt_1' as GrantId, grantDraftOf(request, later), unasked).verification).toBe(
      undefined,
    );
  });

  it('leaves who may use it alone: the asker, and none of those who approved', () => {
    const context = contextAt(0, { approvals: 2, leadFirst: true });
    let request = approvedRequest(asked(context), yes(asStaff(lea)), context);
    request = approvedRequest(request, yes({ ...admin, id: 'u-2', email: null }), context);
    request = approvedRequest(request, yes(admin), context);
    const rules = { now: at(0), settings: context.settings, by: admin, ofCase: () => [] };
    const grant = createdGrant('grt_1' as GrantId, grantDraftOf(request, context), rules);
    expect(grantCovers(grant, sam)).toBe(true);
    // Should the audience ever be widened, the lead who approved it is still out.
    const wide = { ...grant, audience: { org: 'vendor', groups: null, principals: null } };
    expect(grantCovers(wide, lea)).toBe(false);
    expect(grantCovers(wide, { ...lea, id: 'tom', email: null })).toBe(true);
  });
});
