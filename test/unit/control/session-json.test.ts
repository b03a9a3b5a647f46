import { describe, expect, it } from 'vitest';
import type { ControlIdentity } from '#authn/control-authenticator.ts';
import { enderOf, sessionJson } from '#control/session-json.ts';
import { acme, at, sam } from '../../support/grants-fixtures.ts';
import { MINUTE, supportSession } from '../../support/sessions-fixtures.ts';

const person = { issuer: 'https://app', id: 'u-1', email: null, name: null, permissions: [], products: [] };
const staff = (roles: readonly 'security'[]): ControlIdentity => ({ kind: 'staff', principal: sam, roles });
const ADMIN: ControlIdentity = { kind: 'customer', ...person, tenant: acme, admin: true };

describe('whoever ends a session', () => {
  it.each([
    ['its principal', staff([]), true, 'staff left'],
    ['its principal who is of the security staff too', staff(['security']), true, 'staff left'],
    ['the security staff', staff(['security']), false, 'security vendor'],
    ['an admin of the tenant', ADMIN, false, 'tenant_admin tenant'],
  ])('as %s is recorded so', (_name, identity, isOwn, expected) => {
    const { by, ending } = enderOf(identity, isOwn);
    expect(`${by.kind} ${ending}`).toBe(expected);
  });

  it('is never a service', () => {
    expect(() => enderOf({ kind: 'service', name: 'key', may: ['grants'] }, false)).toThrow(TypeError);
  });
});

describe('a session in JSON', () => {
  it('holds no key that has no meaning yet', () => {
    const shown = sessionJson(supportSession({ caseRef: null }), {
      now: at(0),
      lastUsedAt: at(0),
      writes: null,
    });
    for (const key of ['caseRef', 'endedAt', 'endedBy', 'note', 'hasWrites'])
      expect(shown).not.toHaveProperty(key);
    expect(Object.values(shown)).not.toContain(null);
  });

  it.each([
    [30 * MINUTE, '30m'],
    [8 * 60 * MINUTE, '8h'],
    [90_000, '90s'],
  ])('says a duration of %i ms as %s', (idleMs, text) => {
    const session = supportSession({ idleMs });
    expect(sessionJson(session, { now: at(0), lastUsedAt: at(0), writes: 0 })).toMatchObject({
      idle: text,
      hasWrites: false,
    });
  });
});
