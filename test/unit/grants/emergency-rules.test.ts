// What becomes of the grant of a confirmed emergency under the lifecycle rules that every grant obeys.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EpochMs } from '#model/clock.ts';
import { type Actor, grantCovers, grantStatusAt } from '#model/grant.ts';
import { GrantRefusal } from '#model/grant-refusal.ts';
import type { GrantId } from '#model/ids.ts';
import { isSamePerson, type Principal } from '#model/principal.ts';
import { askedEmergency, confirmedEmergency, emergencyGrant } from '#grants/emergencies/emergency-rules.ts';
import { changedGrant, revokedGrant } from '#grants/lifecycle.ts';
import { admin, HOUR, serviceForAda } from '../../support/grants-fixtures.ts';
import { emergencyDraft, later, quinn, rita, withBreakGlass } from '../../support/lock-fixtures.ts';

const ID = 'grt_01JHNM9N00000000000000000A' as GrantId;

function confirmed(by: Actor = quinn, second: Actor = rita) {
  const context = { now: later(0), settings: withBreakGlass, locks: [] };
  const asked = askedEmergency('emg_01JHNM9N00000000000000000A', emergencyDraft(), { ...context, by });
  return confirmedEmergency(asked, ID, { ...context, by: second });
}

const actorOf = (one: object): Actor => ({ ...quinn, ...one });
const change = (by: Actor) => ({ now: later(1), settings: withBreakGlass, by, ofCase: () => [] });

describe('the grant of a confirmed emergency', () => {
  it.each([admin, serviceForAda])('may be shortened, narrowed and revoked by the tenant ($kind)', (by) => {
    const grant = emergencyGrant(confirmed());
    expect(changedGrant(grant, { expiresAt: later(HOUR / 2) }, change(by)).expiresAt).toBe(later(HOUR / 2));
    expect(changedGrant(grant, { access: 'read' }, change(by)).access).toBe('read');
    const revoked = revokedGrant(grant, change(by));
    expect(grantStatusAt(revoked, later(1))).toBe('revoked');
  });

  it.each<[string, object]>([
    ['longer', { expiresAt: later(2 * HOUR) }],
    ['without an end', { expiresAt: null }],
    ['with a role', { roles: ['admin'] }],
    ['for more people', { audience: { org: 'vendor', groups: null, principals: null } }],
  ])('is never made to be %s, by the tenant neither', (_name, patch) => {
    const grant = emergencyGrant(confirmed());
    for (const by of [admin, quinn, rita])
      expect(() => changedGrant(grant, patch, change(by))).toThrow(GrantRefusal);
  });

  it('does not exist before the confirmation', () => {
    const asked = { ...confirmed(), confirmedAt: null, confirmedBy: null, grantId: null };
    expect(() => emergencyGrant(asked)).toThrow(TypeError);
  });

  it('is never used by its own approver, whoever the two are', () => {
    const people = fc.record({
      id: fc.constantFrom('a', 'b', 'c'),
      issuer: fc.constantFrom('x', 'y'),
      email: fc.constantFrom('p@v.example', 'P@v.example', 'q@v.example', null),
    });
    fc.assert(
      fc.property(people, people, people, (asker, second, user) => {
        const principal: Principal = { ...user, name: null, groups: [], org: 'vendor' };
        let grant;
        try {
          grant = emergencyGrant(confirmed(actorOf(asker), actorOf(second)));
        } catch (error) {
          expect(error).toBeInstanceOf(GrantRefusal);
          return;
        }
        expect(isSamePerson(asker, second)).toBe(false);
        if (isSamePerson(second, user)) expect(grantCovers(grant, principal)).toBe(false);
        if (grantCovers(grant, principal)) expect([user.id, user.issuer]).toEqual([asker.id, asker.issuer]);
        expect(grant.expiresAt).toBeLessThanOrEqual(later(4 * HOUR) as EpochMs);
      }),
      { numRuns: 2000 },
    );
  });
});
