// One mailbox has many spellings, and an identity provider vouches for whichever it was told. Attack: a member of the staff
// is an admin of the customer too (or a second person of the security team) under another spelling of their own address, and
// gives themselves what law 8 says that somebody else has to give. A needless refusal is seen and mended; this would not be.
import { describe, expect, it } from 'vitest';
import { checkAudience } from '#grants/grant-content.ts';
import { verifiedGrant } from '#grants/lifecycle.ts';
import { approvedRequest } from '#grants/requests/request-rules.ts';
import { DEFAULT_TENANT_SETTINGS } from '#grants/settings/default-settings.ts';
import type { AccessRequest } from '#model/access-request.ts';
import { type Actor, type Grant, grantCovers } from '#model/grant.ts';
import { isSamePerson, type Principal } from '#model/principal.ts';
import { sam, START } from '../support/grants-fixtures.ts';
import { grantOf } from '../support/upstream-exchange.ts';

const ONE_MAILBOX: readonly (readonly [string, string])[] = [
  ['sam@vendor.example', 'SAM@Vendor.Example'],
  ['sam@vendor.example', 'sam+acme@vendor.example'],
  ['sam+desk@vendor.example', 'sam+acme@vendor.example'],
  ['sam@vendor.example', '"sam"@vendor.example'],
  ['sam@vendor.example', '"s\\am"@vendor.example'],
  ['sam@vendor.example', 'sam(admin)@vendor.example'],
  ['sam@vendor.example', 'sam@vendor.example.'],
  ['sam@vendor.example', 'sam@vendor\u3002example'],
  ['sam@vendor.example', '\uff53\uff41\uff4d@vendor.example'],
  ['jos\u00e9@vendor.example', 'jose\u0301@vendor.example'],
  ['\u03bf\u03b4\u03bf\u03c3@vendor.example', '\u039f\u0394\u039f\u03a3@vendor.example'],
  ['sam@m\u00fcnchen.example', 'sam@xn--mnchen-3ya.example'],
  ['sam@stra\u00dfe.example', 'SAM@XN--STRAE-OQA.EXAMPLE'],
];

const OTHERS: readonly (readonly [string, string])[] = [
  ['sam@vendor.example', 'samuel@vendor.example'],
  ['sam@vendor.example', 'sam@vendor.example.com'],
  ['sam@vendor.example', 's.am@vendor.example'],
  ['+a@vendor.example', '+b@vendor.example'],
  ['@', 'sam@'],
];

const inStaff = (email: string): Principal => ({ ...sam, id: 'staff-1', email });

function admin(email: string | null, changes: Partial<Actor> = {}): Actor {
  const issuer = 'https://app.example';
  return { kind: 'tenant_admin', id: 'u-7', issuer, email, name: null, onBehalfOf: null, ...changes };
}

const refusal = (code: string) => expect.objectContaining({ code });

function forVendor(grantedBy: Actor): Grant {
  return grantOf({ grantedBy, audience: { org: sam.org, groups: null, principals: null } });
}

describe('two spellings of one mailbox', () => {
  it.each(ONE_MAILBOX)('%s and %s are one person', (email, other) => {
    const service = admin(null, { kind: 'service', onBehalfOf: { id: 'u-7', email: other, name: null } });
    expect(isSamePerson(inStaff(email), admin(other))).toBe(true);
    expect(grantCovers(forVendor(admin(other)), inStaff(email))).toBe(false);
    expect(grantCovers(forVendor(service), inStaff(email))).toBe(false);
    const request = { asker: inStaff(email), tenantApprovals: [], leadApproval: null } as unknown;
    const asked = { ...(request as AccessRequest), status: 'awaiting_tenant' as const, lapsesAt: START };
    const step = { stage: 'tenant' as const, by: admin(other), narrowing: null };
    const context = { now: (START - 1) as typeof START, settings: DEFAULT_TENANT_SETTINGS };
    expect(() => approvedRequest(asked, step, context)).toThrow(refusal('own_request'));
  });

  it.each(OTHERS)('%s and %s are two', (email, other) => {
    expect(isSamePerson(inStaff(email), admin(other))).toBe(false);
  });
});

describe('an id that is an address', () => {
  const named = { org: null, groups: null, principals: [{ issuer: sam.issuer, id: 'sam@vendor.example' }] };

  it('tells who it is where no verified address does', () => {
    const giver = admin(null, { id: 'Sam@vendor.example' });
    const reach = { staff: [], excludedOrgs: [] };
    expect(() => checkAudience({ audience: named }, giver, reach)).toThrow(refusal('self_grant'));
    expect(grantCovers(forVendor(giver), inStaff('sam@vendor.example'))).toBe(false);
    expect(
      grantCovers(forVendor(admin('sam@vendor.example')), { ...sam, id: 'SAM@vendor.example', email: null }),
    ).toBe(false);
    const program = admin(null, {
      kind: 'service',
      onBehalfOf: { id: 'sam@vendor.example', email: null, name: null },
    });
    expect(grantCovers(forVendor(program), inStaff('sam@vendor.example'))).toBe(false);
  });

  it('shuts a lead out of verifying what names them under it', () => {
    const pending = grantOf({ audience: named, verification: { at: null, by: null } });
    const lead = { ...sam, id: 'lead-1', email: 'sam+lead@vendor.example' };
    expect(() => verifiedGrant(pending, { now: pending.startsAt, lead })).toThrow(
      refusal('verifier_is_user'),
    );
  });
});
