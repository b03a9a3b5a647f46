// The table must find a lock exactly when the plain walk over the list does: held against it with random locks.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EpochMs } from '#model/clock.ts';
import type { TenantId } from '#model/ids.ts';
import { lockConcerns, lockFor, lockHoldsAt, type Lock, type Locked, type LockTarget } from '#model/lock.ts';
import { LockTable } from '#grants/locks/lock-table.ts';
import { lock, onSam, quinn, samAtAcme, everything } from '../../support/lock-fixtures.ts';

const few = fc.constantFrom('a', 'b', 'A', '', '__proto__');
const tenants = few as fc.Arbitrary<TenantId>;
const instants = fc.integer({ min: 0, max: 4 }) as unknown as fc.Arbitrary<EpochMs>;
const target: fc.Arbitrary<LockTarget> = fc.oneof(
  fc.record({ kind: fc.constant('principal' as const), issuer: few, id: few, email: fc.option(few) }),
  fc.record({ kind: fc.constant('tenant' as const), tenant: tenants }),
  fc.record({ kind: fc.constant('case' as const), caseRef: few, tenant: fc.option(tenants) }),
  fc.constant({ kind: 'everything' as const }),
);
const locks: fc.Arbitrary<Lock[]> = fc.array(
  fc
    .tuple(target, fc.option(instants), fc.option(instants))
    .map(([to, endsAt, liftedAt]) =>
      lock(to, { endsAt, liftedAt, liftedBy: liftedAt === null ? null : quinn }),
    ),
  { maxLength: 6 },
);
const subject: fc.Arbitrary<Locked> = fc.record({
  principal: fc.option(
    fc.record({
      id: few,
      issuer: few,
      email: fc.option(few),
      name: fc.constant(null),
      groups: fc.constant([]),
      org: few,
    }),
  ),
  tenant: fc.option(tenants),
  caseRef: fc.option(few),
});

describe('the table of locks', () => {
  it('finds a lock exactly when the list holds one', () => {
    fc.assert(
      fc.property(locks, subject, instants, (all, of, now) => {
        const found = new LockTable(all).lockFor(of, now);
        expect(found === null).toBe(lockFor(all, of, now) === null);
        if (found !== null) expect(lockConcerns(found, of) && lockHoldsAt(found, now)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });

  it('asks the clock at each look', () => {
    const table = new LockTable([lock(onSam, { endsAt: 10 as EpochMs })]);
    expect(table.lockFor(samAtAcme, 9 as EpochMs)).not.toBeNull();
    expect(table.lockFor(samAtAcme, 10 as EpochMs)).toBeNull();
  });

  // Attack: whoever breaks the glass, or opens a session under a grant of no case, writes the case themselves.
  it('stops a case under whatever spelling, in the table and in the list', () => {
    const locked = lock({ kind: 'case', caseRef: 'Case-7 ', tenant: null });
    const table = new LockTable([locked]);
    for (const caseRef of ['CASE-7', 'case-7', ' Case-7']) {
      expect(table.lockFor({ ...samAtAcme, caseRef }, 0 as EpochMs)).toBe(locked);
      expect(lockFor([locked], { ...samAtAcme, caseRef }, 0 as EpochMs)).toBe(locked);
    }
    expect(table.lockFor({ ...samAtAcme, caseRef: 'CASE-77' }, 0 as EpochMs)).toBeNull();
  });

  // Attack: somebody locked by address comes back under another issuer with another spelling of it.
  it('stops a person under whatever spelling of their address, in the table and in the list', () => {
    const { principal } = samAtAcme;
    if (principal === null) throw new Error('the fixture is about somebody');
    const target = { kind: 'principal', issuer: 'https://gone', id: 'x', email: 'Sam@Vendor.test' } as const;
    const locked = lock(target);
    for (const [email, stops] of [
      ['SAM@vendor.test', true],
      ['sam+later@vendor.test', true],
      ['samuel@vendor.test', false],
    ] as const) {
      const of = { ...samAtAcme, principal: { ...principal, id: 'y', email } };
      expect(new LockTable([locked]).lockFor(of, 0 as EpochMs)).toBe(stops ? locked : null);
      expect(lockFor([locked], of, 0 as EpochMs)).toBe(stops ? locked : null);
    }
  });

  it('names the widest lock, so that its message is the one shown', () => {
    const wide = lock(everything, { message: 'we are under attack' });
    expect(new LockTable([lock(onSam), wide]).lockFor(samAtAcme, 0 as EpochMs)).toBe(wide);
  });
});
