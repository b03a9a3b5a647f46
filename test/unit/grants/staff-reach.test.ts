// An audience that names only people who can never enter is refused at the consent, with a sentence that says who can.
import { describe, expect, it } from 'vitest';
import type { Audience } from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import { createdGrant } from '#grants/lifecycle.ts';
import { checkReachable, type StaffIssuer } from '#grants/staff-reach.ts';
import { admin, draft, grant, sam, settingsWith, START } from '../../support/grants-fixtures.ts';

const PARTNERS = 'https://idp.partner.example';
const staff: readonly StaffIssuer[] = [
  { issuer: sam.issuer, orgs: ['vendor'] },
  { issuer: PARTNERS, orgs: ['north', 'south'] },
];

const audience = (over: Partial<Audience>): Audience => ({
  org: null,
  groups: null,
  principals: null,
  ...over,
});
const named = (...issuers: readonly string[]) => issuers.map((issuer) => ({ issuer, id: 'kim' }));

function refusal(over: Partial<Audience>, excludedOrgs: readonly string[] = [], known = staff): string {
  try {
    checkReachable(audience(over), { staff: known, excludedOrgs });
    return 'allowed';
  } catch (error) {
    if (!(error instanceof GrantRefusal)) throw error;
    return `${error.code}: ${error.message}`;
  }
}

describe('who an audience names', () => {
  it.each<[string, Partial<Audience>, readonly string[]]>([
    ['an organisation that an issuer says', { org: 'south' }, []],
    ['groups, of whatever organisation is not excluded', { groups: ['support'] }, ['vendor', 'north']],
    ['principals of known issuers', { principals: named(sam.issuer, PARTNERS) }, []],
    [
      'a principal who may be of another organisation than the excluded one',
      { principals: named(PARTNERS) },
      ['north'],
    ],
    ['a principal of the organisation named with them', { org: 'north', principals: named(PARTNERS) }, []],
  ])('may be %s', (_name, over, excludedOrgs) => {
    expect(refusal(over, excludedOrgs)).toBe('allowed');
  });

  it.each<[string, Partial<Audience>, readonly string[]]>([
    ['an excluded organisation', { org: 'vendor' }, ['vendor']],
    ['a principal of an excluded organisation', { principals: named(sam.issuer) }, ['vendor']],
    ['one such principal among others', { principals: named(PARTNERS, sam.issuer) }, ['vendor']],
    ['a principal whose every organisation is excluded', { principals: named(PARTNERS) }, ['north', 'south']],
    ['groups where every organisation is excluded', { groups: ['support'] }, ['vendor', 'north', 'south']],
  ])('is refused as excluded for %s', (_name, over, excludedOrgs) => {
    expect(refusal(over, excludedOrgs)).toMatch(/^org_excluded: /);
  });

  it.each<[string, Partial<Audience>]>([
    ['an organisation that no issuer says', { org: 'vendro' }],
    ['a principal of an issuer that nobody knows', { principals: named('https://idp.elsewhere.example') }],
    ['one such principal among others', { principals: named(sam.issuer, 'x') }],
    [
      'a principal of another organisation than the one named',
      { org: 'north', principals: named(sam.issuer) },
    ],
  ])('is refused as nobody who could enter for %s', (_name, over) => {
    expect(refusal(over)).toMatch(/^audience_unreachable: /);
  });

  it('is told whom it may name, less what is excluded, and nothing of what it sent', () => {
    expect(refusal({ org: 'vendro' }, ['north'])).toBe(
      `audience_unreachable: Name staff who can enter this tenant, each principal by their own issuer: vendor (issuer ${sam.issuer}); south (issuer ${PARTNERS}).`,
    );
    expect(refusal({ groups: ['x'] }, ['vendor'], staff.slice(0, 1))).toContain(
      'No organisation of the vendor',
    );
  });

  it('is held to exclusions alone where nobody has said who the staff are', () => {
    expect(refusal({ org: 'anybody' }, [], [])).toBe('allowed');
    expect(refusal({ principals: named('x') }, ['vendor'], [])).toBe('allowed');
    expect(refusal({ org: 'vendor' }, ['vendor'], [])).toMatch(/^org_excluded: /);
  });

  it('is judged by the rules that every grant is made under', () => {
    const wish = draft({ audience: audience({ principals: named(sam.issuer) }) });
    const create = (excludedOrgs: readonly string[]) => () =>
      createdGrant(grant().id, wish, {
        now: START,
        settings: settingsWith({ excludedOrgs }),
        by: admin,
        staff,
        ofCase: () => [],
      });
    expect(create(['vendor'])).toThrow(GrantRefusal);
    expect(create(['north'])().audience.principals).toEqual(named(sam.issuer));
  });
});
